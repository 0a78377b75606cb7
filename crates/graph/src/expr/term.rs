//! Owns the parsing of terms: literals, paths, calls, constructions and the keyword forms.
//!
//! Invariant: as in `parse.rs`, whose other half this is; every refusal says what to write instead.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::error::SyntaxError;
use super::function;
use super::node::{Format, Node, NodeId, Part, Pattern};
use super::parse::{Commas, Parsed, Parser};
use super::scope::{Callee, Scope, slot};
use super::token::{Lexer, Piece, Token};
use crate::value::Value;

impl<'s> Parser<'s> {
    /// A term with its sign, or one that binds: `term as $x | …`.
    pub(super) fn operand(&mut self, commas: Commas) -> Parsed<NodeId> {
        if self.accept("-")? {
            let inner = self.nested(|p| p.operand(commas))?;
            if let Some(number @ (Value::Int(_) | Value::Float(_))) = self.literal(inner) {
                let negated = super::math::negate(number).unwrap_or(Value::Null);
                return self.constant(negated);
            }
            return self.push(Node::Negate(inner), &[inner]);
        }
        if self.at_word("def") {
            return self.pipe(commas);
        }
        if self.at_word("label") {
            return self.label(commas);
        }
        let term = self.postfix()?;
        if !self.at_word("as") {
            return Ok(term);
        }
        self.advance()?;
        let (names, pattern) = self.pattern()?;
        self.expect("|")?;
        let body = self.scoped(Scope::Variables(names), |p| p.pipe(commas))?;
        self.push(
            Node::Bind {
                source: term,
                pattern,
                body,
            },
            &[term, body],
        )
    }

    fn label(&mut self, commas: Commas) -> Parsed<NodeId> {
        self.advance()?;
        let name = self.variable_name("the name of the label, like `$out`")?;
        self.expect("|")?;
        let body = self.scoped(Scope::Label(name), |p| p.pipe(commas))?;
        self.push(Node::Label(body), &[body])
    }

    fn variable_name(&mut self, wanted: &str) -> Parsed<&'s str> {
        match self.token {
            Token::Variable(name) => {
                self.advance()?;
                Ok(name)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// A term and the path steps behind it.
    pub(super) fn postfix(&mut self) -> Parsed<NodeId> {
        let mut base = self.term()?;
        let mut parts: Vec<Part> = Vec::new();
        loop {
            match self.token {
                Token::Field(name) => {
                    self.advance()?;
                    parts.push(Part::Key(Value::text(name)));
                }
                Token::Sign(".") => {
                    self.advance()?;
                    match self.token {
                        Token::Quote => parts.push(self.quoted_key()?),
                        Token::Sign("[") => parts.push(self.bracket()?),
                        _ => return Err(self.unexpected("a key after `.`")),
                    }
                }
                Token::Sign("[") => parts.push(self.bracket()?),
                Token::Sign("?") => {
                    self.advance()?;
                    base = self.path(base, core::mem::take(&mut parts))?;
                    if !matches!(self.node(base), Node::Try { .. }) {
                        base = self.push(
                            Node::Try {
                                body: base,
                                catch: None,
                            },
                            &[base],
                        )?;
                    }
                }
                _ => return self.path(base, parts),
            }
        }
    }

    fn path(&mut self, base: NodeId, parts: Vec<Part>) -> Parsed<NodeId> {
        if parts.is_empty() {
            return Ok(base);
        }
        let mut children = vec![base];
        for part in &parts {
            match part {
                Part::Index(id) => children.push(*id),
                Part::Slice(from, to) => children.extend(from.iter().chain(to)),
                Part::Key(_) | Part::Each => {}
            }
        }
        self.push(
            Node::Path {
                base,
                parts: parts.into(),
            },
            &children,
        )
    }

    fn quoted_key(&mut self) -> Parsed<Part> {
        let key = self.string(Format::Text)?;
        Ok(match self.literal(key) {
            Some(text) => Part::Key(text.clone()),
            None => Part::Index(key),
        })
    }

    /// `[]`, `[f]`, `[f:g]`, `[f:]`, `[:g]`
    fn bracket(&mut self) -> Parsed<Part> {
        self.advance()?;
        if self.accept("]")? {
            return Ok(Part::Each);
        }
        if self.accept(":")? {
            let to = self.pipe(Commas::Combine)?;
            self.expect("]")?;
            return Ok(Part::Slice(None, Some(to)));
        }
        let from = self.pipe(Commas::Combine)?;
        if self.accept(":")? {
            let to = if self.at("]") {
                None
            } else {
                Some(self.pipe(Commas::Combine)?)
            };
            self.expect("]")?;
            return Ok(Part::Slice(Some(from), to));
        }
        self.expect("]")?;
        Ok(match self.literal(from) {
            Some(key @ (Value::Text(_) | Value::Int(_))) => Part::Key(key.clone()),
            _ => Part::Index(from),
        })
    }

    fn term(&mut self) -> Parsed<NodeId> {
        match self.token.clone() {
            Token::Number(number) => {
                self.advance()?;
                self.constant(number)
            }
            Token::Quote => self.string(Format::Text),
            Token::Format(name) => self.format(name),
            Token::Variable(name) => {
                let node = self.variable(name)?;
                self.advance()?;
                self.push(node, &[])
            }
            Token::Field(_) => self.push(Node::Identity, &[]),
            Token::Word(word) => self.word(word),
            Token::Sign(".") => {
                self.advance()?;
                let identity = self.push(Node::Identity, &[])?;
                if self.token == Token::Quote {
                    let key = self.quoted_key()?;
                    return self.path(identity, vec![key]);
                }
                Ok(identity)
            }
            Token::Sign("..") => {
                self.advance()?;
                self.call("recurse", &[])
            }
            Token::Sign("(") => {
                self.advance()?;
                let inner = self.pipe(Commas::Combine)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("[") => self.array(),
            Token::Sign("{") => self.object(),
            Token::End => Err(self.unexpected("an expression")),
            Token::Sign(_) => Err(self.unexpected("an expression")),
        }
    }

    fn array(&mut self) -> Parsed<NodeId> {
        self.advance()?;
        if self.accept("]")? {
            return self.constant(Value::array(Vec::new()));
        }
        let inner = self.pipe(Commas::Combine)?;
        self.expect("]")?;
        self.push(Node::Array(Some(inner)), &[inner])
    }

    fn variable(&mut self, name: &str) -> Parsed<Node> {
        if name == "__loc__" {
            let lines = self.line();
            return Ok(Node::Constant(Value::from([
                ("file", Value::from("<top-level>")),
                ("line", Value::Int(lines)),
            ])));
        }
        if let Some(node) = self.scopes.variable(name) {
            return Ok(node);
        }
        if let Some(index) = self.globals.iter().position(|global| *global == name) {
            self.uses[index] = true;
            return Ok(Node::Global(slot(index)));
        }
        if name == "ENV" {
            let reason = function::refusal("$ENV").unwrap_or_default();
            return Err(self.error(format!("`$ENV` is refused: {reason}")));
        }
        Err(self.error(format!(
            "`${name}` is not defined\n{}",
            self.scopes.variables(self.globals)
        )))
    }

    fn line(&self) -> i64 {
        self.lexer.line_of(self.offset)
    }

    fn word(&mut self, word: &'s str) -> Parsed<NodeId> {
        match word {
            "if" => self.nested(Self::condition),
            "try" => self.attempt(),
            "reduce" | "foreach" => self.fold(word == "reduce"),
            "break" => {
                self.advance()?;
                let offset = self.offset;
                let name = self.variable_name("the name of a label, like `$out`")?;
                let node = self.scopes.label(name).ok_or_else(|| SyntaxError {
                    message: format!("there is no label `${name}` around this `break`"),
                    offset,
                })?;
                self.push(node, &[])
            }
            "null" | "true" | "false" => {
                self.advance()?;
                self.constant(match word {
                    "null" => Value::Null,
                    _ => Value::Bool(word == "true"),
                })
            }
            "then" | "elif" | "else" | "end" | "as" | "and" | "or" | "catch" | "def" | "label"
            | "__loc__" => Err(self.unexpected("an expression")),
            _ => self.named_call(word),
        }
    }

    /// `if a then b elif c then d else e end`
    fn condition(&mut self) -> Parsed<NodeId> {
        self.advance()?;
        let mut arms = Vec::new();
        let mut last = loop {
            let test = self.pipe(Commas::Combine)?;
            self.expect_word("then")?;
            arms.push((test, self.pipe(Commas::Combine)?));
            match self.token {
                Token::Word("elif") => {
                    self.advance()?;
                }
                Token::Word("else") => {
                    self.advance()?;
                    let or = self.pipe(Commas::Combine)?;
                    self.expect_word("end")?;
                    break or;
                }
                Token::Word("end") => {
                    self.advance()?;
                    break self.push(Node::Identity, &[])?;
                }
                _ => return Err(self.unexpected("`elif`, `else` or `end`")),
            }
        };
        while let Some((test, then)) = arms.pop() {
            last = self.push(
                Node::If {
                    test,
                    then,
                    or: last,
                },
                &[test, then, last],
            )?;
        }
        Ok(last)
    }

    /// `try f catch g`
    fn attempt(&mut self) -> Parsed<NodeId> {
        self.advance()?;
        let body = self.nested(Self::attempted)?;
        if !self.at_word("catch") {
            return self.push(Node::Try { body, catch: None }, &[body]);
        }
        self.advance()?;
        let catch = self.nested(Self::attempted)?;
        self.push(
            Node::Try {
                body,
                catch: Some(catch),
            },
            &[body, catch],
        )
    }

    fn attempted(&mut self) -> Parsed<NodeId> {
        if self.accept("-")? {
            let inner = self.postfix()?;
            return self.push(Node::Negate(inner), &[inner]);
        }
        self.postfix()
    }

    /// `reduce f as $x (a; b)`, `foreach f as $x (a; b; c)`
    fn fold(&mut self, reduces: bool) -> Parsed<NodeId> {
        self.advance()?;
        let source = self.nested(Self::postfix)?;
        self.expect_word("as")?;
        let (names, pattern) = self.pattern()?;
        self.expect("(")?;
        let start = self.pipe(Commas::Combine)?;
        self.expect(";")?;
        let (update, extract) = self.scoped(Scope::Variables(names), |p| {
            let update = p.pipe(Commas::Combine)?;
            let extract = if !reduces && p.accept(";")? {
                Some(p.pipe(Commas::Combine)?)
            } else {
                None
            };
            Ok((update, extract))
        })?;
        self.expect(")")?;
        let children = [source, start, update, extract.unwrap_or(update)];
        let node = if reduces {
            Node::Reduce {
                source,
                pattern,
                start,
                update,
            }
        } else {
            Node::Foreach {
                source,
                pattern,
                start,
                update,
                extract,
            }
        };
        self.push(node, &children)
    }

    fn named_call(&mut self, name: &'s str) -> Parsed<NodeId> {
        if matches!(name, "import" | "include") || name.contains("::") {
            return Err(self.error("there are no modules here; use `def`"));
        }
        let offset = self.offset;
        self.advance()?;
        let mut arguments = Vec::new();
        if self.accept("(")? {
            loop {
                arguments.push(self.pipe(Commas::Combine)?);
                if !self.accept(";")? {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.call(name, &arguments)
            .map_err(|error| SyntaxError { offset, ..error })
    }

    /// A call of whatever this name means here.
    pub(super) fn call(&mut self, name: &str, arguments: &[NodeId]) -> Parsed<NodeId> {
        let node = match self.scopes.function(name, arguments.len()) {
            Some(Callee::Parameter { hops, index }) => Node::Parameter { hops, index },
            Some(Callee::Function { hops, index }) => Node::Call {
                function: index,
                hops: Some(hops),
                arguments: arguments.into(),
            },
            None => {
                if let Some(strict) = function::strict(name, arguments.len()) {
                    Node::Strict(strict, arguments.into())
                } else if let Some(special) = function::special(name, arguments.len()) {
                    Node::Special(special, arguments.into())
                } else if let Some(definition) = function::definition(name, arguments.len()) {
                    let function = self.prelude_function(definition)?;
                    Node::Call {
                        function,
                        hops: None,
                        arguments: arguments.into(),
                    }
                } else if let ("not", []) = (name, arguments) {
                    let identity = self.push(Node::Identity, &[])?;
                    let no = self.constant(Value::Bool(false))?;
                    let yes = self.constant(Value::Bool(true))?;
                    Node::If {
                        test: identity,
                        then: no,
                        or: yes,
                    }
                } else {
                    return Err(self.unknown(name, arguments.len()));
                }
            }
        };
        self.push(node, arguments)
    }

    fn unknown(&self, name: &str, arity: usize) -> SyntaxError {
        if let Some(reason) = function::refusal(name) {
            return self.error(format!("`{name}` is refused: {reason}"));
        }
        let others: Vec<String> = function::arities(name)
            .map(|arity| format!("{arity}"))
            .collect();
        if others.is_empty() {
            self.error(format!("there is no function `{name}`\ntext stands in double quotes, a member is written `.{name}`"))
        } else {
            self.error(format!(
                "`{name}` does not take {arity} arguments\nit takes {}",
                others.join(" or ")
            ))
        }
    }

    /// Compiles a definition of the prelude, once.
    fn prelude_function(&mut self, definition: &'static str) -> Parsed<u32> {
        if let Some((_, index)) = self.prelude.iter().find(|(line, _)| *line == definition) {
            return Ok(*index);
        }
        let outer = (
            core::mem::replace(&mut self.lexer, Lexer::new(definition)),
            core::mem::replace(&mut self.token, Token::End),
            self.offset,
            core::mem::take(&mut self.scopes),
        );
        let index = slot(self.functions.len());
        self.prelude.push((definition, index));
        let outcome = self.advance().and_then(|_| self.definition());
        (self.lexer, self.token, self.offset, self.scopes) = outer;
        outcome.map(|()| index)
    }

    fn format(&mut self, name: &'s str) -> Parsed<NodeId> {
        let Some(format) = Format::of(name) else {
            let names = Format::ALL.map(|(name, _)| format!("@{name}")).join(" ");
            return Err(self.error(format!(
                "there is no format `@{name}`\nthese exist: {names}"
            )));
        };
        self.advance()?;
        if self.token == Token::Quote {
            self.string(format)
        } else {
            self.push(Node::Convert(format), &[])
        }
    }

    /// A string, from its opening quote, with the expressions in it.
    fn string(&mut self, format: Format) -> Parsed<NodeId> {
        let mut parts = Vec::new();
        loop {
            match self.lexer.piece()? {
                Piece::Last(text) => {
                    self.advance()?;
                    let last = self.constant(Value::text(text))?;
                    if parts.is_empty() {
                        return Ok(last);
                    }
                    parts.push(last);
                    return self.push(
                        Node::Text {
                            format,
                            parts: parts.as_slice().into(),
                        },
                        &parts,
                    );
                }
                Piece::Hole(text) => {
                    parts.push(self.constant(Value::text(text))?);
                    self.advance()?;
                    parts.push(self.pipe(Commas::Combine)?);
                    if !self.at(")") {
                        return Err(self.unexpected("`)` that closes `\\(`"));
                    }
                }
            }
        }
    }

    /// `{a, $b, "c": f, (g): h}`
    fn object(&mut self) -> Parsed<NodeId> {
        self.advance()?;
        let mut members = Vec::new();
        while !self.at("}") {
            members.push(self.member()?);
            if !self.accept(",")? {
                break;
            }
        }
        self.expect("}")?;
        let children: Vec<NodeId> = members
            .iter()
            .flat_map(|(key, value)| [*key, *value])
            .collect();
        self.push(Node::Object(members.into()), &children)
    }

    fn member(&mut self) -> Parsed<(NodeId, NodeId)> {
        let (key, own) = match self.token.clone() {
            Token::Word(name) => {
                self.advance()?;
                (self.constant(Value::text(name))?, None)
            }
            Token::Variable(name) => {
                let node = self.variable(name)?;
                self.advance()?;
                let value = self.push(node, &[])?;
                (self.constant(Value::text(name))?, Some(value))
            }
            Token::Quote => (self.string(Format::Text)?, None),
            Token::Format(name) => (self.format(name)?, None),
            Token::Sign("(") => {
                self.advance()?;
                let key = self.pipe(Commas::Combine)?;
                self.expect(")")?;
                self.expect(":")?;
                return Ok((key, self.pipe(Commas::Separate)?));
            }
            _ => {
                return Err(self.unexpected(
                    "a key\na key that is computed stands in brackets: `{(.name): 1}`",
                ));
            }
        };
        if self.accept(":")? {
            let key = if let Some(variable) = own {
                variable
            } else {
                key
            };
            return Ok((key, self.pipe(Commas::Separate)?));
        }
        if let Some(value) = own {
            return Ok((key, value));
        }
        let part = match self.literal(key) {
            Some(text) => Part::Key(text.clone()),
            None => Part::Index(key),
        };
        let identity = self.push(Node::Identity, &[])?;
        let value = self.path(identity, vec![part])?;
        Ok((key, value))
    }

    /// What stands after `as`: the variables it binds and how to get at them.
    fn pattern(&mut self) -> Parsed<(Vec<&'s str>, Pattern)> {
        if let Token::Variable(name) = self.token {
            self.advance()?;
            self.no_alternatives()?;
            return Ok((vec![name], Pattern::Whole));
        }
        let mut names = Vec::new();
        let mut ways = Vec::new();
        self.destructure(&mut Vec::new(), &mut names, &mut ways)?;
        self.no_alternatives()?;
        Ok((names, Pattern::Parts(ways.into())))
    }

    fn no_alternatives(&self) -> Parsed<()> {
        if self.at("?//") {
            return Err(
                self.error("`?//` is not supported\nbind with `as $x` and use `if` on its type")
            );
        }
        Ok(())
    }

    fn destructure(
        &mut self,
        way: &mut Vec<NodeId>,
        names: &mut Vec<&'s str>,
        ways: &mut Vec<alloc::boxed::Box<[NodeId]>>,
    ) -> Parsed<()> {
        match self.token {
            Token::Variable(name) => {
                self.advance()?;
                names.push(name);
                ways.push(way.as_slice().into());
                Ok(())
            }
            Token::Sign("[") => {
                self.advance()?;
                let mut index = 0;
                loop {
                    way.push(self.constant(Value::Int(index))?);
                    self.nested(|p| p.destructure(way, names, ways))?;
                    way.pop();
                    index += 1;
                    if !self.accept(",")? {
                        return self.expect("]");
                    }
                }
            }
            Token::Sign("{") => {
                self.advance()?;
                loop {
                    self.destructure_member(way, names, ways)?;
                    if !self.accept(",")? {
                        return self.expect("}");
                    }
                }
            }
            _ => Err(self.unexpected("`$name`, `[` or `{` after `as`")),
        }
    }

    fn destructure_member(
        &mut self,
        way: &mut Vec<NodeId>,
        names: &mut Vec<&'s str>,
        ways: &mut Vec<alloc::boxed::Box<[NodeId]>>,
    ) -> Parsed<()> {
        let mut bound = false;
        let key = match self.token.clone() {
            Token::Variable(name) => {
                self.advance()?;
                bound = true;
                let key = self.constant(Value::text(name))?;
                names.push(name);
                ways.push(way.iter().copied().chain([key]).collect());
                key
            }
            Token::Word(name) => {
                self.advance()?;
                self.constant(Value::text(name))?
            }
            Token::Quote => self.string(Format::Text)?,
            Token::Sign("(") => {
                self.advance()?;
                let key = self.pipe(Commas::Combine)?;
                self.expect(")")?;
                key
            }
            _ => return Err(self.unexpected("a key")),
        };
        if bound && !self.at(":") {
            return Ok(());
        }
        self.expect(":")?;
        way.push(key);
        self.nested(|p| p.destructure(way, names, ways))?;
        way.pop();
        Ok(())
    }
}
