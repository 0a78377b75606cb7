//! Owns [`Program`]: an expression that is compiled once and run often.
//!
//! Invariant: a program is immutable and shared; a run depends on its input and variables only.

use alloc::format;
use alloc::sync::Arc;
use core::fmt;

use super::budget::Budget;
use super::error::{ErrorKind, ExprError, Stop, SyntaxError};
use super::eval::Eval;
use super::foresight::{self, Foresight};
use super::frame::Frame;
use super::node::Code;
use super::{order, parse};
use crate::value::{Str, Value};

/// A compiled jq expression. Cloning shares it.
#[derive(Clone)]
pub struct Program(Arc<Code>);

impl Program {
    /// Compiles a jq expression in which these variables exist (names without `$`).
    ///
    /// # Errors
    /// A text that is not jq, that names a variable or function which does not exist here, or that is
    /// longer or nests deeper than allowed.
    pub fn compile(source: &str, variables: &[&str]) -> Result<Program, SyntaxError> {
        parse::parse(source, variables).map(|code| Program(Arc::new(code)))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &Str {
        &self.0.source
    }

    /// Whether it uses the variable at this index of the list it was compiled with.
    pub fn uses(&self, index: usize) -> bool {
        self.0.uses.get(index).copied().unwrap_or(false)
    }

    /// What its form tells before it runs.
    #[must_use]
    pub fn foresee(&self) -> Foresight {
        foresight::foresee(&self.0)
    }

    /// Evaluates to one result; no result is null. The values of the variables come in the order of
    /// the names given to [`Program::compile`].
    ///
    /// # Errors
    /// The data does not fit, the expression raises an error or gives several results, or the budget is spent.
    pub fn run(
        &self,
        input: &Value,
        variables: &[Value],
        budget: &mut Budget,
    ) -> Result<Value, ExprError> {
        self.result(input, variables, budget)
            .map_err(|stop| match stop {
                Stop::Error(error) => *error,
                Stop::Break(_) => failure("`break` left its label"),
            })
    }

    fn result(&self, input: &Value, variables: &[Value], budget: &Budget) -> Result<Value, Stop> {
        let code = &*self.0;
        if variables.len() < code.uses.len() {
            return Err(Stop::failed(format!(
                "the expression was compiled for {} variables and got {}",
                code.uses.len(),
                variables.len()
            )));
        }
        let eval = Eval {
            code,
            globals: variables,
            budget,
            outermost: Frame::Outermost,
        };
        let result = if eval.is_single(code.root) {
            eval.one(code.root, &eval.outermost, input)?
        } else {
            let mut result = None;
            eval.each(code.root, &eval.outermost, input.clone(), &mut |value: Value| match result.replace(value) {
                None => Ok(()),
                Some(_) => Err(Stop::failed("the expression gives several results, one is needed\nwrap it in `[…]` or in `first(…)`")),
            })?;
            result.unwrap_or_default()
        };
        if code.builds {
            order::charge_text(&result, budget)?;
        }
        Ok(result)
    }
}

fn failure(message: &str) -> ExprError {
    ExprError {
        kind: ErrorKind::Failed,
        message: message.into(),
        value: Value::text(message),
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({:?})", self.0.source)
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Program) -> bool {
        self.0.source == other.0.source && self.0.uses == other.0.uses
    }
}
