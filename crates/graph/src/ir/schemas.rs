//! Owns [`Schemas`]: what data must look like where it goes in and out.
//!
//! Invariant: of a sound graph every schema compiles.

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// JSON Schemas of what goes in and out; none takes everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schemas {
    /// Of the raw input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Of the shaped output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Of `$context` once it was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Value>,
}

impl Schemas {
    /// Whether everything is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Schemas::default()
    }

    /// Those there are, each with its word.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let all = [
            ("input", &self.input),
            ("output", &self.output),
            ("export", &self.export),
        ];
        all.into_iter()
            .filter_map(|(word, schema)| schema.as_ref().map(|schema| (word, schema)))
    }
}
