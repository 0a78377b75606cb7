//! Owns [`Expr`] and [`Template`]: places in a graph whose value is computed while a run goes on.
//!
//! An expression is kept as text; [`crate::expr`] compiles it once for each definition. A template is
//! data with expressions in it, and literal parts cost nothing to evaluate.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::value::{Str, Value};

/// Variables that exist everywhere, in the order in which programs number them. The graph's locals follow.
pub const VARIABLES: [&str; 6] = ["context", "input", "output", "task", "workflow", "runtime"];

/// The one variable of the expressions that a worker gets the value of, and nobody else.
pub const SECRETS_VARIABLE: &str = "secrets";

/// A jq expression, without the `${ }` around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr(pub Str);

impl From<&str> for Expr {
    fn from(source: &str) -> Expr {
        Expr(source.into())
    }
}

/// Data with expressions in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Data as it stands.
    Literal(Value),
    /// The result of an expression.
    Expr(Expr),
    /// An object whose members are computed.
    Object(Vec<(Str, Template)>),
    /// An array whose elements are computed.
    Array(Vec<Template>),
}

impl Template {
    /// The expression `.`: the data as it comes.
    #[must_use]
    pub fn identity() -> Template {
        Template::Expr(Expr(".".into()))
    }

    /// Calls `each` with every expression inside.
    pub fn expressions<'a>(&'a self, each: &mut dyn FnMut(&'a Expr)) {
        match self {
            Template::Literal(_) => {}
            Template::Expr(expr) => each(expr),
            Template::Object(members) => members
                .iter()
                .for_each(|(_, member)| member.expressions(each)),
            Template::Array(elements) => elements
                .iter()
                .for_each(|element| element.expressions(each)),
        }
    }
}
