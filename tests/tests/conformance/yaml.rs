//! Owns what scenarios write as YAML, and when two values are the same.
//!
//! Invariant: numbers are compared as numbers, and error types by what they mean, whichever prefix they carry.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The prefixes that the specification has used for the error types that every workflow knows.
const ERROR_PREFIXES: [&str; 4] = [
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
    "https://open-workflow-specification.org/dsl/errors/types/",
];

/// A value as a scenario writes it.
pub(crate) fn read(text: &str) -> Result<Value> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
        .with_context(|| format!("the text of the step is not YAML: {text}"))
}

/// Whether two values are the same.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::String(a), Value::String(b)) => {
            a == b || known(a).is_some_and(|word| Some(word) == known(b))
        }
        _ => a == b,
    }
}

/// Whether a value has everything that `part` has, at every depth.
pub(crate) fn has(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| value.get(key).is_some_and(|value| has(value, part))),
        _ => same(value, part),
    }
}

/// The value at a path such as `content.pets.0`.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => value.get(part),
    })
}

/// The word of an error type that every workflow knows.
fn known(text: &str) -> Option<&str> {
    ERROR_PREFIXES
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
}
