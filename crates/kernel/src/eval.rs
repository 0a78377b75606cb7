//! Owns the evaluation of a graph's expressions against a run: which variables exist where.
//!
//! Invariant: only `decide` evaluates, always within a budget, and a failing expression is the
//! author's failure, never the server's.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use graph::duration;
use graph::expr::Budget;
use graph::template::VARIABLES;
use graph::value::{DEPTH_MAX, Object, Str, Value};
use graph::{Delay, Expr, Failure, Template};
use jiff::Timestamp;

use crate::catalog::Definition;
use crate::id::{FrameId, ROOT_FRAME, Time};
use crate::limits::DATA_BYTES_MAX;
use crate::state::{empty_object, weight};
use crate::turn::RunTurn;

/// How much of an expression a failure tells, in characters.
const SOURCE_CHARS_MAX: usize = 200;

/// How much of why an expression failed a failure tells, in characters.
const REASON_CHARS_MAX: usize = 4_000;

/// What an expression sees besides the run.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Where variables are looked up.
    pub frame: FrameId,
    /// The node it belongs to.
    pub node: Option<u32>,
    /// The step, if the token has one already.
    pub step: Option<crate::id::StepId>,
    /// What came in, as long as there is no step that knows.
    pub raw: Value,
    /// `.`
    pub data: Value,
    /// `$input`: the shaped input.
    pub input: Option<Value>,
    /// `$output`: the raw output.
    pub output: Option<Value>,
    /// Variables bound for this evaluation alone.
    pub locals: BTreeMap<Str, Value>,
}

impl Scope {
    /// The scope of a node before it has done anything.
    pub(crate) fn of_node(frame: FrameId, node: u32, data: Value) -> Scope {
        Scope {
            frame,
            node: Some(node),
            step: None,
            raw: data.clone(),
            data,
            input: None,
            output: None,
            locals: BTreeMap::new(),
        }
    }

    /// The scope of the workflow as a whole.
    pub(crate) fn of_run(data: Value) -> Scope {
        Scope {
            frame: ROOT_FRAME,
            node: None,
            step: None,
            raw: Value::Null,
            data,
            input: None,
            output: None,
            locals: BTreeMap::new(),
        }
    }

    /// The same place seen by other data.
    pub(crate) fn with_data(&self, data: Value) -> Scope {
        Scope {
            data,
            ..self.clone()
        }
    }
}

/// A time as expressions see it.
pub(crate) fn time_value(at: Time) -> Value {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let epoch = Value::from([
        ("seconds", Value::Int(ms / 1000)),
        ("milliseconds", Value::Int(ms)),
    ]);
    Value::from([("iso8601", Value::text(rfc3339(at))), ("epoch", epoch)])
}

/// A time as RFC 3339 text in UTC.
#[must_use]
pub fn rfc3339(at: Time) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |stamp| stamp.to_string())
}

/// The instant meant by RFC 3339 text or a number of milliseconds since 1970.
pub(crate) fn read_instant(value: &Value) -> Result<Time, Failure> {
    let ms = match value {
        Value::Text(text) => text
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_millisecond),
        other => other.as_int(),
    };
    ms.map(|ms| Time(u64::try_from(ms).unwrap_or(0)))
        .ok_or_else(|| {
            Failure::new(
                "expression",
                format!("{value} is no instant; give RFC 3339 text such as 2030-01-31T08:00:00Z"),
            )
        })
}

/// The same data, refused if it is too heavy or nests too deep.
pub(crate) fn bounded(value: Value) -> Result<Value, Failure> {
    if weight(&value, DATA_BYTES_MAX) <= DATA_BYTES_MAX {
        return Ok(value);
    }
    let limits =
        format!("data of more than {DATA_BYTES_MAX} bytes, or nested deeper than {DEPTH_MAX}");
    Err(Failure::new(
        "runtime",
        format!("{limits}; pass a reference to large data instead"),
    ))
}

/// The data a template makes, given what its expressions do.
pub(crate) fn fill<E>(
    template: &Template,
    evaluate: &dyn Fn(&Expr) -> Result<Value, E>,
) -> Result<Value, E> {
    Ok(match template {
        Template::Literal(value) => value.clone(),
        Template::Expr(expr) => evaluate(expr)?,
        Template::Object(members) => {
            let mut object = Object::new();
            for (key, member) in members {
                object.insert(key.clone(), fill(member, evaluate)?);
            }
            Value::object(object)
        }
        Template::Array(elements) => {
            let filled: Result<Vec<Value>, E> = elements
                .iter()
                .map(|element| fill(element, evaluate))
                .collect();
            Value::array(filled?)
        }
    })
}

/// The start of a text that may be long: an expression says what it likes of its failure.
fn start_of(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

impl Definition {
    /// The result of an expression of this workflow, with variables by name.
    pub(crate) fn evaluate(
        &self,
        expr: &Expr,
        data: &Value,
        variable: &dyn Fn(&str) -> Value,
    ) -> Result<Value, Failure> {
        if &*expr.0 == "." {
            return Ok(data.clone());
        }
        let wrong = |why: &dyn fmt::Display| {
            let source = start_of(&expr.0, SOURCE_CHARS_MAX);
            let why = start_of(&why.to_string(), REASON_CHARS_MAX);
            Failure::new("expression", format!("{source}: {why}"))
        };
        let program = self.program(expr).map_err(|why| wrong(&why))?;
        let names = VARIABLES
            .iter()
            .copied()
            .chain(self.graph.locals.iter().map(|name| &**name));
        let variables: Vec<Value> = names
            .enumerate()
            .map(|(index, name)| {
                if program.uses(index) {
                    variable(name)
                } else {
                    Value::Null
                }
            })
            .collect();
        program
            .run(data, &variables, &mut Budget::default())
            .map_err(|error| wrong(&error))
    }
}

impl RunTurn<'_, '_> {
    /// The result of an expression.
    pub(crate) fn expression(&self, expr: &Expr, scope: &Scope) -> Result<Value, Failure> {
        self.definition()
            .evaluate(expr, &scope.data, &|name| self.variable(name, scope))
    }

    /// Whether a condition holds; no condition always does.
    pub(crate) fn holds(&self, condition: Option<&Expr>, scope: &Scope) -> Result<bool, Failure> {
        condition.map_or(Ok(true), |expr| {
            self.expression(expr, scope).map(|value| value.is_true())
        })
    }

    /// The data a template makes, refused if it is too heavy.
    pub(crate) fn template(&self, template: &Template, scope: &Scope) -> Result<Value, Failure> {
        bounded(fill(template, &|expr| self.expression(expr, scope))?)
    }

    /// An optional template; without one the data as it is.
    pub(crate) fn shape(
        &self,
        template: Option<&Template>,
        scope: &Scope,
    ) -> Result<Value, Failure> {
        template.map_or_else(
            || Ok(scope.data.clone()),
            |template| self.template(template, scope),
        )
    }

    /// Text that a template makes.
    pub(crate) fn text(
        &self,
        what: &str,
        template: &Template,
        scope: &Scope,
    ) -> Result<Str, Failure> {
        match self.template(template, scope)? {
            Value::Text(text) if !text.is_empty() => Ok(text),
            other => Err(Failure::new(
                "expression",
                format!("{what} must be text that is not empty, not {other}"),
            )),
        }
    }

    /// Milliseconds of a delay.
    pub(crate) fn delay(&self, delay: &Delay, scope: &Scope) -> Result<u64, Failure> {
        match delay {
            Delay::Ms(ms) => Ok(*ms),
            Delay::Computed(template) => {
                let value = self.template(template, scope)?;
                duration::read(&value).map_err(|why| Failure::new("expression", why))
            }
        }
    }

    /// Milliseconds of an optional delay.
    pub(crate) fn delay_if(
        &self,
        delay: Option<&Delay>,
        scope: &Scope,
    ) -> Result<Option<u64>, Failure> {
        delay.map(|delay| self.delay(delay, scope)).transpose()
    }

    fn variable(&self, name: &str, scope: &Scope) -> Value {
        if let Some(value) = scope.locals.get(name) {
            return value.clone();
        }
        let run = self.state();
        match name {
            "context" => run.context.clone(),
            "input" => scope.input.clone().unwrap_or_else(|| scope.data.clone()),
            "output" => scope.output.clone().unwrap_or_default(),
            "task" => self.task_value(scope),
            "workflow" => Value::from([
                ("id", Value::text(run.id.to_string())),
                ("name", Value::Text(run.workflow.clone())),
                ("version", Value::Text(run.version.clone())),
                ("key", run.key.clone().map_or(Value::Null, Value::Text)),
                ("input", run.input.clone()),
                ("startedAt", time_value(run.started_at)),
                ("definition", self.written("").unwrap_or_default()),
            ]),
            "runtime" => Value::from([
                ("name", Value::from("quadrille")),
                ("version", Value::from(env!("CARGO_PKG_VERSION"))),
                ("metadata", empty_object()),
            ]),
            local => run
                .variable(scope.frame, local)
                .cloned()
                .unwrap_or_default(),
        }
    }

    fn task_value(&self, scope: &Scope) -> Value {
        let definition = self.definition();
        let Some(node) = scope.node.and_then(|node| definition.node(node)) else {
            return Value::Null;
        };
        let run = self.state();
        let (started_at, raw) = match scope.step.and_then(|step| run.step(step)) {
            Some(step) => (step.entered_at, run.input_of(step)),
            None => (self.now(), &scope.raw),
        };
        let mut members = vec![
            ("name", Value::Text(node.name.clone())),
            ("reference", Value::Text(node.path.clone())),
            ("startedAt", time_value(started_at)),
            ("input", raw.clone()),
        ];
        members.extend(self.written(&node.path).map(|at| ("definition", at)));
        members.extend(scope.output.clone().map(|output| ("output", output)));
        Value::object(
            members
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// What the author wrote at a JSON pointer, if expressions of this workflow ask for it.
    fn written(&self, pointer: &str) -> Option<Value> {
        let definition = self.definition();
        let root = definition.graph.definition.as_ref()?;
        let mut parts = pointer.split('/').skip(1);
        let found = parts.try_fold(root, |value, part| match value {
            Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
            object => object.get(&part.replace("~1", "/").replace("~0", "~")),
        });
        found.cloned()
    }
}
