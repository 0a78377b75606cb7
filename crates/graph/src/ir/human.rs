//! Owns [`Human`]: work for a person, as written.
//!
//! Invariant: whose it is, what is shown and when it is late are computed when the step is entered.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::duration::Delay;
use crate::template::Template;
use crate::value::{Str, Value};

/// What the form of a human task is the schema of.
pub const FORM: &str = "data";

/// Work for a person. The result is `{"outcome": …, "data": …, "by": …, "comment": …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Human {
    /// One line that says what it is about: text.
    pub title: Template,
    /// What is to be done, as Markdown: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Template>,
    /// Whose it is.
    #[serde(default)]
    pub to: Assignment,
    /// What the person sees.
    pub data: Template,
    /// JSON Schema of the data that the person gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    /// From 0 to 9, the most urgent last; none is 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Template>,
    /// How long after it began the work is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Delay>,
    /// How long after it began the person is reminded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<Delay>,
    /// Who gets it when it is not done in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Escalate>,
    /// The names one of which the person must choose; none leaves the name free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Str>,
}

/// Whose work it is. With neither, anyone may take it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The one person: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Template>,
    /// Groups any member of which may take it: text or an array of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Template>,
}

/// When and to whom work goes that was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Escalate {
    /// How long after the work began.
    pub after: Delay,
    /// To whom.
    pub to: Assignment,
}
