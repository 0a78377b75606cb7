//! Owns the two kinds of places that compute: expressions, and values with expressions in them.
//!
//! Invariants: a place that takes an expression takes it bare or as `${ … }`; a place that takes a value
//! computes only what is wrapped as a whole. Every expression is compiled once here, so that a slip is
//! told with its place instead of failing a run.

use graph::expr::{ErrorKind, Program, SyntaxError};
use graph::template::{SECRETS_VARIABLE, VARIABLES};
use graph::value::Value;
use graph::{Expr, Template};

use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::secret::{SECRETS, names_secrets};
use crate::task::extension::TASK_HELD;
use crate::tree::{At, Data, Mark};

/// The variable of the language that runs do not have, and what to do instead.
const AUTHORIZATION: (&str, &str) = (
    "$authorization",
    "the variable $authorization is not supported: what a policy makes is known to the connector alone; use `$secrets` for a token that you have",
);

/// What is inside of `${ … }`, if the whole text is that.
pub(crate) fn unwrap(text: &str) -> Option<&str> {
    Some(text.trim().strip_prefix("${")?.strip_suffix('}')?.trim())
}

impl<'t> Lowering<'t> {
    /// An expression, bare or wrapped.
    pub(crate) fn expression(&mut self, at: At<'t>, scope: &Scope) -> Option<Expr> {
        let Some(text) = at.text() else {
            self.wrong(at, "text with an expression");
            return None;
        };
        self.compiled(at, unwrap(text).unwrap_or(text.trim()), scope)
    }

    /// An expression whose results must be of one of these kinds, as far as its form tells.
    pub(crate) fn expression_of(
        &mut self,
        at: At<'t>,
        kinds: &[&str],
        scope: &Scope,
    ) -> Option<Expr> {
        let Some(text) = at.text() else {
            self.wrong(at, "text with an expression");
            return None;
        };
        let source = unwrap(text).unwrap_or(text.trim());
        self.typed(at, source, kinds, scope).map(|(expr, _)| expr)
    }

    /// An expression that holds or does not; one that always does the same is warned of.
    pub(crate) fn condition(&mut self, at: At<'t>, scope: &Scope) -> Option<Expr> {
        let Some(text) = at.text() else {
            self.wrong(at, "text with an expression");
            return None;
        };
        let source = unwrap(text).unwrap_or(text.trim());
        let (expr, value) = self.typed(at, source, &["boolean"], scope)?;
        if let Some(value) = value {
            let message = match value.is_true() {
                true => "always holds; leave it out, or let it look at the data",
                false => "never holds; remove what it guards, or let it look at the data",
            };
            let message = format!("the condition {} {message}", quote(source));
            self.findings.warning(at, "constant", message);
        }
        Some(expr)
    }

    /// A condition under a key, if there is one.
    pub(crate) fn optional_condition(
        &mut self,
        at: At<'t>,
        key: &str,
        scope: &Scope,
    ) -> Option<Expr> {
        self.condition(at.member(key)?, scope)
    }

    /// A value of one of these kinds if it is an expression, as far as its form tells.
    pub(crate) fn template_of(
        &mut self,
        at: At<'t>,
        kinds: &[&str],
        scope: &Scope,
    ) -> Option<Template> {
        match at.text().and_then(|text| unwrap(text)) {
            Some(source) => {
                let (expr, _) = self.typed(at, source, kinds, scope)?;
                Some(Template::Expr(expr))
            }
            None => self.template(at, scope),
        }
    }

    /// What a value will be, if it is an expression that always gives the same.
    pub(crate) fn foreseen(&mut self, at: At<'t>, scope: &Scope) -> Option<Value> {
        let source = unwrap(at.text()?)?;
        self.typed(at, source, &[], scope)?.1
    }

    /// A number, or an expression that gives one.
    pub(crate) fn number_expression(&mut self, at: At<'t>, scope: &Scope) -> Option<Expr> {
        match at.data() {
            Data::Int(_) | Data::Float(_) => Some(Expr(at.value().to_json().into())),
            _ => self.expression_of(at, &["number"], scope),
        }
    }

    /// A value, computed where it is wrapped.
    pub(crate) fn template(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        match at.data() {
            Data::Text(text) => match unwrap(text) {
                Some(source) => self.compiled(at, source, scope).map(Template::Expr),
                None => {
                    self.warn_of_lookalikes(at, text);
                    Some(Template::Literal(at.value()))
                }
            },
            Data::List(_) => {
                let elements: Vec<_> = at
                    .children()
                    .map(|child| self.template(child, scope))
                    .collect();
                let elements: Vec<_> = elements.into_iter().collect::<Option<_>>()?;
                Some(if elements.iter().all(is_literal) {
                    Template::Literal(at.value())
                } else {
                    Template::Array(elements)
                })
            }
            Data::Map(_) => {
                let members: Vec<_> = at
                    .children()
                    .map(|child| Some((child.key().into(), self.template(child, scope)?)))
                    .collect();
                let members: Vec<_> = members.into_iter().collect::<Option<_>>()?;
                let literal = members.iter().all(|(_, member)| is_literal(member));
                Some(if literal {
                    Template::Literal(at.value())
                } else {
                    Template::Object(members)
                })
            }
            _ => Some(Template::Literal(at.value())),
        }
    }

    /// A value that must give text.
    pub(crate) fn text_template(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        if at.text().is_none() {
            self.wrong(at, "text");
            return None;
        }
        self.template_of(at, &["string"], scope)
    }

    /// A value that is a map, or one expression that gives it.
    pub(crate) fn map_template(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.map_or(at, &["object"], scope)
    }

    /// A value that is a map, or one expression that gives one of these kinds; no kinds are all.
    pub(crate) fn map_or(&mut self, at: At<'t>, kinds: &[&str], scope: &Scope) -> Option<Template> {
        let wrapped = at.text().is_some_and(|text| unwrap(text).is_some());
        if !wrapped && !at.is_map() {
            self.wrong(at, "a map or one expression wrapped in ${ }");
            return None;
        }
        self.template_of(at, kinds, scope)
    }

    /// What shapes data: an expression, bare or wrapped, or a map of values.
    pub(crate) fn shape(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        match at.data() {
            Data::Text(_) => self.expression(at, scope).map(Template::Expr),
            Data::Map(_) => self.template(at, scope),
            _ => {
                self.wrong(at, "an expression or a map");
                None
            }
        }
    }

    /// The expression of this source, if it compiles.
    fn compiled(&mut self, at: At<'t>, source: &str, scope: &Scope) -> Option<Expr> {
        self.typed(at, source, &[], scope).map(|(expr, _)| expr)
    }

    /// The expression of this source, if it compiles and may give one of these kinds; no kinds are all. Beside it
    /// what it gives, if that is always the same.
    fn typed(
        &mut self,
        at: At<'t>,
        source: &str,
        kinds: &[&str],
        scope: &Scope,
    ) -> Option<(Expr, Option<Value>)> {
        if source.is_empty() {
            self.findings.error(
                at,
                "bad-expression",
                "the expression is empty; write . for the data as it comes",
            );
            return None;
        }
        let secret = names_secrets(source);
        if secret && !self.check_secrets(at, source, scope) {
            return None;
        }
        let variables: Vec<&str> = match secret {
            true => vec![SECRETS_VARIABLE],
            false => VARIABLES
                .iter()
                .copied()
                .chain(scope.locals.iter().map(|name| &**name))
                .collect(),
        };
        let value = match Program::compile(source, &variables) {
            Ok(program) => {
                let count = variables.len();
                self.foresight(at, &program, count, kinds)?
            }
            Err(error) => {
                self.tell_syntax(at, source, &error);
                return None;
            }
        };
        let source = match scope.task_held && source.contains("$task") {
            true => format!("{TASK_HELD}{source}").into(),
            false => source.into(),
        };
        Some((Expr(source), value))
    }

    /// Holds what an expression tells before it runs against what is needed; gives what it always gives.
    fn foresight(
        &mut self,
        at: At<'t>,
        program: &Program,
        variables: usize,
        kinds: &[&str],
    ) -> Option<Option<Value>> {
        let (foresight, source) = (program.foresee(), quote(program.source()));
        if let Some(slip) = &foresight.slip {
            let what = &slip.what;
            if slip.fails {
                let message = format!(
                    "the expression {source} {what}; convert with `tostring` or `tonumber`, or write \"…\\(.name)…\" to put data into text"
                );
                self.findings.error(at, "bad-type", message);
                return None;
            }
            let message = format!(
                "the expression {source} {what}; convert one side with `tostring` or `tonumber`"
            );
            self.findings.warning(at, "constant", message);
        }
        let mut value = None;
        if foresight.is_constant {
            let nothing = vec![Value::Null; variables];
            match program.run(&Value::Null, &nothing, &mut self.foreseeing) {
                Ok(result) => value = Some(result),
                Err(error) if error.kind == ErrorKind::Budget => {}
                Err(error) => {
                    let why = error.message.replace('\n', "; ");
                    let message =
                        format!("the expression {source} always fails: {why}; correct it");
                    self.findings.error(at, "bad-type", message);
                    return None;
                }
            }
        }
        let kind = value.as_ref().map(Value::kind).or(foresight.kind);
        match kind {
            Some(kind) if !kinds.is_empty() && !kinds.contains(&kind) => {
                let needed = kinds.join(" or ");
                let hint = match (kinds, kind) {
                    (["boolean"], _) if foresight.assigns => {
                        "`=` changes data, so compare with `==`"
                    }
                    (["boolean"], "null") => "compare it, as in .a == null",
                    (["boolean"], _) => {
                        "compare it, as in .count > 0, because it would always hold"
                    }
                    (["array"], _) => "let it lead to a list, or wrap it in [ ]",
                    (["string"], _) => "convert it with `tostring`, or write it in double quotes",
                    (["number"], _) => "convert it with `tonumber`",
                    (["object"], _) => "let it lead to a map, or write {name: value}",
                    _ => "let it give one of these",
                };
                let message = format!(
                    "the expression {source} gives {kind} where {needed} is needed; {hint}"
                );
                self.findings.error(at, "bad-type", message);
                None
            }
            _ => Some(value),
        }
    }

    /// Says why an expression does not compile.
    fn tell_syntax(&mut self, at: At<'t>, source: &str, error: &SyntaxError) {
        let (message, offset) = (error.message.replace('\n', "; "), error.offset);
        let (name, told) = AUTHORIZATION;
        if source.contains(name) {
            return self.findings.error(at, "unsupported", told);
        }
        let mark = mark_in(at, source, offset);
        let message = match source.contains("${") {
            _ if names_secrets(source) => format!(
                "the expression {} is wrong: {message}; where $secrets is named nothing else of the run can be, and . is null",
                quote(source),
            ),
            true => format!(
                "{} is not one expression; write one ${{ }} around the whole, and \\( ) inside of text",
                quote(source)
            ),
            false => format!("the expression {} is wrong: {message}", quote(source)),
        };
        self.findings.add(
            mark,
            || at.path(),
            crate::Severity::Error,
            "bad-expression",
            message,
        );
    }

    /// Warns of text that reads like something else but is taken as it stands.
    fn warn_of_lookalikes(&mut self, at: At<'t>, text: &str) {
        if at.is_plain()
            && let Some(truth) = truth_of_old(text)
        {
            let message = format!(
                "this is the text {text:?}, as of YAML 1.2; write {truth}, or quote it if text is meant"
            );
            self.findings.warning(at, "text-not-bool", message);
            return;
        }
        if text.contains("${") {
            let message = "this is plain text: only a value that is ${ … } as a whole is computed; write ${ \"…\\(.name)…\" } to put data into text";
            self.findings.warning(at, "text-not-expression", message);
            return;
        }
        let path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
        let mut letters = text.chars();
        let starts = matches!(letters.next(), Some('.' | '$'))
            && letters
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if starts && text.chars().skip(1).all(path) {
            let message = format!(
                "this is the plain text {}; write ${{ {text} }} if the data is meant",
                quote(text)
            );
            self.findings.warning(at, "text-not-expression", message);
        }
    }
}

/// What older YAML takes a word for, if it takes it for true or false.
pub(crate) fn truth_of_old(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Whether a place computes nothing.
fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}

/// The place of a byte of an expression in the text, as well as it is known.
fn mark_in(at: At<'_>, source: &str, offset: usize) -> Mark {
    let (Some(start), Some(text)) = (at.verbatim(), at.text()) else {
        return at.mark();
    };
    let Some(ahead) = text.find(source) else {
        return at.mark();
    };
    let columns = text
        .get(..ahead + offset)
        .map_or(0, |before| before.chars().count());
    Mark {
        column: start
            .column
            .saturating_add(u32::try_from(columns).unwrap_or(0)),
        ..start
    }
}

/// Data as an expression that gives it. Text in it that reads like a secret is not one.
pub(crate) fn constant(value: &Value) -> String {
    value.to_json().replace(SECRETS, "\\u0024secrets")
}

/// A template as one expression that gives the same.
pub(crate) fn to_expression(template: &Template) -> String {
    let key = |key: &str| constant(&Value::text(key));
    match template {
        Template::Literal(value) => constant(value),
        // The line ends a comment that the expression may end with.
        Template::Expr(expr) if expr.0.contains('#') => format!("({}\n)", expr.0),
        Template::Expr(expr) => format!("({})", expr.0),
        Template::Array(elements) => {
            format!(
                "[{}]",
                elements
                    .iter()
                    .map(to_expression)
                    .collect::<Vec<_>>()
                    .join(",")
            )
        }
        Template::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, member)| format!("{}:{}", key(name), to_expression(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}
