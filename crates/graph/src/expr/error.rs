//! Owns the errors of expressions: [`SyntaxError`] when one is compiled, [`ExprError`] when it runs.
//!
//! Invariant: an error is data for the author of the expression: lower case, what failed, a hint on
//! its own line. Only a [`ErrorKind::Failed`] error can be caught inside an expression.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::value::Value;

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    /// What is wrong and how to fix it.
    pub message: String,
    /// Where, in bytes from the start of the source.
    pub offset: usize,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.message)
    }
}

impl core::error::Error for SyntaxError {}

/// Which kind of end an evaluation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The data did not fit the expression, or the expression called `error`.
    Failed,
    /// The expression would cost more than it may.
    Budget,
}

/// Why an evaluation gave no result.
#[derive(Clone, Debug, PartialEq)]
pub struct ExprError {
    /// Failed, or out of budget.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
    /// What `catch` would see: the value given to `error`, else the message as text.
    pub value: Value,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for ExprError {}

/// Why an evaluation stops before its natural end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// `break` to the label of this number.
    Break(u32),
    /// An error.
    Error(Box<ExprError>),
}

/// How an evaluation step ends.
pub(super) type Flow = Result<(), Stop>;

impl Stop {
    pub(super) fn failed(message: impl Into<String>) -> Stop {
        let message = message.into();
        let value = Value::text(message.as_str());
        Stop::Error(Box::new(ExprError {
            kind: ErrorKind::Failed,
            message,
            value,
        }))
    }

    pub(super) fn raised(message: String, value: Value) -> Stop {
        Stop::Error(Box::new(ExprError {
            kind: ErrorKind::Failed,
            message,
            value,
        }))
    }

    pub(crate) fn budget(message: &str) -> Stop {
        let value = Value::text(message);
        Stop::Error(Box::new(ExprError {
            kind: ErrorKind::Budget,
            message: message.into(),
            value,
        }))
    }

    /// Whether `try` may catch this.
    pub(super) fn is_catchable(&self) -> bool {
        matches!(self, Stop::Error(error) if error.kind == ErrorKind::Failed)
    }
}
