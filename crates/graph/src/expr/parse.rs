//! Owns the parser: jq source into nodes in one pass, names resolved on the way.
//!
//! Invariants: recursion is bounded by [`NESTING_MAX`] before it happens; a chain that needs no
//! recursion here but would need it when run is bounded by its height; the source is bounded by
//! [`SOURCE_BYTES_MAX`]. Operators climb by precedence; terms are in `term.rs`.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::budget::Budget;
use super::count;
use super::error::{Stop, SyntaxError};
use super::math;
use super::node::{Code, Compare, Function, Math, Node, NodeId, Pattern};
use super::scope::{Scope, Scopes, slot};
use super::token::{Lexer, Token};
use crate::value::Value;

/// How long a source may be.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024;

/// How deep brackets, `if`, `as`, `def` and the like may nest in a source. A level costs up to 12 KiB of
/// native stack in an unoptimised build; the whole must fit a stack of 512 KiB.
pub const NESTING_MAX: usize = 32;

/// How many operators or pipes may depend on each other in a chain.
pub const CHAIN_MAX: u16 = 80;

/// Built-in functions written in jq are compiled along; this bounds them together with the source.
const NODES_MAX: usize = 64 * 1024;

/// What a parsing step gives.
pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// Where a pipe stands: `,` separates members in an object, and results elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Commas {
    Combine,
    Separate,
}

/// A program on its way from source to nodes.
pub(super) struct Parser<'s> {
    pub(super) lexer: Lexer<'s>,
    pub(super) token: Token<'s>,
    pub(super) offset: usize,
    pub(super) scopes: Scopes<'s>,
    pub(super) globals: &'s [&'s str],
    pub(super) uses: Vec<bool>,
    nodes: Vec<Node>,
    heights: Vec<u16>,
    pub(super) functions: Vec<Function>,
    /// Definitions of the prelude that are compiled already.
    pub(super) prelude: Vec<(&'s str, u32)>,
    pub(super) nesting: usize,
}

/// Compiles a source.
pub(super) fn parse(source: &str, globals: &[&str]) -> Parsed<Code> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(SyntaxError {
            message: format!(
                "the expression has {} bytes, at most {SOURCE_BYTES_MAX} are allowed",
                source.len()
            ),
            offset: SOURCE_BYTES_MAX,
        });
    }
    let mut parser = Parser {
        lexer: Lexer::new(source),
        token: Token::End,
        offset: 0,
        scopes: Scopes::default(),
        globals,
        uses: vec![false; globals.len()],
        nodes: Vec::new(),
        heights: Vec::new(),
        functions: Vec::new(),
        prelude: Vec::new(),
        nesting: 0,
    };
    parser.advance()?;
    let root = if parser.token == Token::End {
        return Err(parser.error("the expression is empty\nwrite `.` for the input as it is"));
    } else {
        parser.pipe(Commas::Combine)?
    };
    if parser.token != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    let Parser {
        mut nodes,
        functions,
        uses,
        ..
    } = parser;
    nodes.shrink_to_fit();
    let counts = count::counts(&nodes, &functions);
    let builds = count::builds(&nodes);
    Ok(Code {
        source: source.into(),
        nodes,
        functions,
        root,
        counts,
        uses,
        builds,
    })
}

impl<'s> Parser<'s> {
    /// Moves to the next token and gives the one before.
    pub(super) fn advance(&mut self) -> Parsed<Token<'s>> {
        let (next, offset) = self.lexer.next()?;
        self.offset = offset;
        Ok(core::mem::replace(&mut self.token, next))
    }

    pub(super) fn at(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(s) if s == sign)
    }

    pub(super) fn at_word(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(w) if w == word)
    }

    pub(super) fn accept(&mut self, sign: &str) -> Parsed<bool> {
        let found = self.at(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign)? {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.at_word(word) {
            self.advance()?;
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            offset: self.offset,
        }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match &self.token {
            Token::Number(number) => format!("{number}"),
            Token::Word(name) => format!("`{name}`"),
            Token::Field(name) => format!("`.{name}`"),
            Token::Variable(name) => format!("`${name}`"),
            Token::Format(name) => format!("`@{name}`"),
            Token::Quote => "a string".into(),
            Token::Sign("?//" | "?//=") => {
                "`?//`, which is not supported; use `//` or `try`".into()
            }
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".into(),
        };
        self.error(format!("expected {wanted}, found {found}"))
    }

    /// Adds a node on top of others.
    pub(super) fn push(&mut self, node: Node, children: &[NodeId]) -> Parsed<NodeId> {
        let below = children
            .iter()
            .map(|id| self.heights[*id as usize])
            .max()
            .unwrap_or(0);
        if below >= CHAIN_MAX {
            return Err(self.error(format!(
                "more than {CHAIN_MAX} operators depend on each other\nput them in a list and use `add`, `any` or `reduce`"
            )));
        }
        if self.nodes.len() >= NODES_MAX {
            return Err(self.error("the expression is too large"));
        }
        self.nodes.push(node);
        self.heights.push(below + 1);
        Ok(slot(self.nodes.len() - 1))
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn constant(&mut self, value: Value) -> Parsed<NodeId> {
        self.push(Node::Constant(value), &[])
    }

    pub(super) fn literal(&self, id: NodeId) -> Option<&Value> {
        match self.node(id) {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Runs a step one level deeper.
    pub(super) fn nested<T>(&mut self, step: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= NESTING_MAX {
            return Err(self.error(format!(
                "the expression nests deeper than {NESTING_MAX} levels\nname parts with `def` or `as`"
            )));
        }
        self.nesting += 1;
        let result = step(self);
        self.nesting -= 1;
        result
    }

    /// Runs a step in which more names are visible.
    pub(super) fn scoped<T>(
        &mut self,
        scope: Scope<'s>,
        step: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let visible = self.scopes.0.len();
        self.scopes.0.push(scope);
        let result = step(self);
        self.scopes.0.truncate(visible);
        result
    }

    /// `def … ;` any number, then `f | g | …`
    pub(super) fn pipe(&mut self, commas: Commas) -> Parsed<NodeId> {
        self.nested(|p| {
            let visible = p.scopes.0.len();
            let result = p.pipe_inside(commas);
            p.scopes.0.truncate(visible);
            result
        })
    }

    fn pipe_inside(&mut self, commas: Commas) -> Parsed<NodeId> {
        let mut stages = Vec::new();
        loop {
            while self.at_word("def") {
                self.definition()?;
            }
            stages.push(self.binary(0, commas)?);
            if !self.accept("|")? {
                break;
            }
        }
        let mut whole = stages.pop().expect("the loop pushes at least one stage");
        while let Some(stage) = stages.pop() {
            whole = self.push(Node::Pipe(stage, whole), &[stage, whole])?;
        }
        Ok(whole)
    }

    /// `def name(a; $b): body;`
    pub(super) fn definition(&mut self) -> Parsed<()> {
        self.advance()?;
        let Token::Word(name) = self.advance()? else {
            return Err(self.error("expected the name of a function after `def`"));
        };
        let mut parameters = Vec::new();
        let mut values = Vec::new();
        if self.accept("(")? {
            loop {
                match self.advance()? {
                    Token::Word(parameter) => parameters.push(parameter),
                    Token::Variable(parameter) => {
                        values.push((parameter, parameters.len()));
                        parameters.push(parameter);
                    }
                    _ => return Err(self.error("expected the name of a parameter")),
                }
                if !self.accept(";")? {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.expect(":")?;
        let index = slot(self.functions.len());
        self.functions.push(Function { body: 0 });
        self.scopes.0.push(Scope::Function {
            name,
            arity: parameters.len(),
            index,
        });
        let body = self.nested(|p| {
            if parameters.is_empty() {
                p.pipe(Commas::Combine)
            } else {
                p.scoped(Scope::Parameters(parameters), |p| {
                    p.function_body(&values, 0)
                })
            }
        })?;
        self.functions[index as usize].body = body;
        self.expect(";")
    }

    /// A parameter `$a` is a parameter `a`, evaluated and bound before the body.
    fn function_body(&mut self, values: &[(&'s str, usize)], bound: usize) -> Parsed<NodeId> {
        let Some(((name, index), others)) = values.split_first() else {
            return self.pipe(Commas::Combine);
        };
        let source = self.push(
            Node::Parameter {
                hops: slot(bound),
                index: slot(*index),
            },
            &[],
        )?;
        let body = self.nested(|p| {
            p.scoped(Scope::Variables(vec![name]), |p| {
                p.function_body(others, bound + 1)
            })
        })?;
        self.push(
            Node::Bind {
                source,
                pattern: Pattern::Whole,
                body,
            },
            &[source, body],
        )
    }

    /// Operators of at least this precedence.
    pub(super) fn binary(&mut self, least: u8, commas: Commas) -> Parsed<NodeId> {
        let mut left = self.operand(commas)?;
        while let Some((sign, strength, side)) = self.operator() {
            if strength < least || (strength == COMMA && commas == Commas::Separate) {
                break;
            }
            self.advance()?;
            if strength == COMMA {
                left = self.comma(left)?;
                continue;
            }
            let right = self.nested(|p| {
                p.binary(
                    if side == Side::Right {
                        strength
                    } else {
                        strength + 1
                    },
                    commas,
                )
            })?;
            left = self.operation(sign, left, right)?;
            if side == Side::Neither && self.operator().is_some_and(|(_, s, _)| s == strength) {
                return Err(self.error(format!("`{sign}` cannot be chained\nuse brackets")));
            }
        }
        Ok(left)
    }

    /// The operator at hand, its precedence and to which side it groups.
    fn operator(&self) -> Option<(&'s str, u8, Side)> {
        let sign = match self.token {
            Token::Sign(sign) => sign,
            Token::Word(word) => word,
            _ => return None,
        };
        let (strength, side) = match sign {
            "," => (COMMA, Side::Left),
            "//" => (1, Side::Right),
            "=" | "|=" | "+=" | "-=" | "*=" | "/=" | "%=" | "//=" => (2, Side::Neither),
            "or" => (3, Side::Left),
            "and" => (4, Side::Left),
            "==" | "!=" | "<" | "<=" | ">" | ">=" => (5, Side::Neither),
            "+" | "-" => (6, Side::Left),
            "*" | "/" | "%" => (7, Side::Left),
            _ => return None,
        };
        Some((sign, strength, side))
    }

    fn comma(&mut self, first: NodeId) -> Parsed<NodeId> {
        let mut members = vec![first];
        loop {
            let member = self.nested(|p| p.binary(COMMA + 1, Commas::Combine))?;
            members.push(member);
            if !self.accept(",")? {
                break;
            }
        }
        self.push(Node::Comma(members.as_slice().into()), &members)
    }

    fn operation(&mut self, sign: &str, left: NodeId, right: NodeId) -> Parsed<NodeId> {
        let node = match sign {
            "//" => Node::Alternative(left, right),
            "=" => Node::Assign(left, right),
            "|=" => Node::Update(left, right),
            "//=" => Node::Modify(None, left, right),
            "or" => Node::Or(left, right),
            "and" => Node::And(left, right),
            "==" => Node::Compare(Compare::Equal, left, right),
            "!=" => Node::Compare(Compare::Unequal, left, right),
            "<" => Node::Compare(Compare::Less, left, right),
            "<=" => Node::Compare(Compare::LessOrEqual, left, right),
            ">" => Node::Compare(Compare::Greater, left, right),
            ">=" => Node::Compare(Compare::GreaterOrEqual, left, right),
            _ => {
                let operation = math_of(sign);
                if sign.len() == 2 {
                    Node::Modify(Some(operation), left, right)
                } else if let Some(value) = self.folded(operation, left, right) {
                    return self.constant(value);
                } else {
                    Node::Math(operation, left, right)
                }
            }
        };
        self.push(node, &[left, right])
    }

    /// The result of arithmetic on literals, if it has one and is cheap.
    fn folded(&self, operation: Math, left: NodeId, right: NodeId) -> Option<Value> {
        let (left, right) = (self.literal(left)?, self.literal(right)?);
        if !matches!(
            (left, right),
            (
                Value::Int(_) | Value::Float(_),
                Value::Int(_) | Value::Float(_)
            )
        ) {
            return None;
        }
        let outcome: Result<Value, Stop> =
            math::apply(operation, left.clone(), right, &Budget::default());
        outcome.ok()
    }
}

/// Precedence of `,`, the weakest operator but `|`.
const COMMA: u8 = 0;

/// To which side a chain of operators groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Neither,
}

fn math_of(sign: &str) -> Math {
    match sign.as_bytes()[0] {
        b'+' => Math::Add,
        b'-' => Math::Subtract,
        b'*' => Math::Multiply,
        b'/' => Math::Divide,
        _ => Math::Rest,
    }
}
