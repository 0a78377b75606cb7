//! Owns [`differences`]: where two pieces of data differ, for people.
//!
//! Invariant: at most [`DIFFERENCES_MAX`] places are told, each on one short line.

use graph::value::Value;

use crate::output::paint::{cut, plain};

/// The most places that are told.
const DIFFERENCES_MAX: usize = 20;

/// How much of a value is shown at its place.
const VALUE_CHARS_MAX: usize = 200;

/// How data is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// All of it.
    Exact,
    /// Members of objects only where they are expected.
    Includes,
}

/// Where `actual` is not what was expected, a line each; nothing if it is. `name` stands for the whole.
pub(crate) fn differences(name: &str, expected: &Value, actual: &Value, how: Match) -> Vec<String> {
    let mut lines = Vec::new();
    compare(name, expected, Some(actual), how, &mut lines);
    let more = lines.len().saturating_sub(DIFFERENCES_MAX);
    lines.truncate(DIFFERENCES_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Whether data includes what is expected.
pub(crate) fn includes(expected: &Value, actual: &Value) -> bool {
    differences("", expected, actual, Match::Includes).is_empty()
}

fn compare(
    place: &str,
    expected: &Value,
    actual: Option<&Value>,
    how: Match,
    lines: &mut Vec<String>,
) {
    match (expected, actual) {
        (Value::Object(expected), Some(Value::Object(actual))) => {
            for (key, value) in expected.iter() {
                let place = format!("{place}/{}", plain(key));
                compare(&place, value, actual.get(key), how, lines);
            }
            if how == Match::Exact {
                let unexpected = actual
                    .iter()
                    .filter(|(key, _)| !expected.contains_key(*key));
                for (key, value) in unexpected {
                    let key = plain(key);
                    lines.push(format!("{place}/{key}: not expected, got {}", shown(value)));
                }
            }
        }
        (Value::Array(expected), Some(Value::Array(actual))) => {
            for (index, value) in expected.iter().enumerate() {
                compare(
                    &format!("{place}/{index}"),
                    value,
                    actual.get(index),
                    how,
                    lines,
                );
            }
            for (index, value) in actual.iter().enumerate().skip(expected.len()) {
                lines.push(format!(
                    "{place}/{index}: not expected, got {}",
                    shown(value)
                ));
            }
        }
        (expected, Some(actual)) if expected == actual => {}
        (expected, actual) => {
            let actual = actual.map_or_else(|| "nothing".to_owned(), shown);
            lines.push(format!(
                "{place}: expected {}, got {actual}",
                shown(expected)
            ));
        }
    }
}

/// A value on one line.
pub(super) fn shown(value: &Value) -> String {
    cut(&plain(&value.to_json()), VALUE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_differs_is_told() {
        let read = |text: &str| Value::from_json(text.as_bytes()).unwrap();
        let expected = read(r#"{"a":{"b":[1,2]},"c":"x","d":1}"#);
        let actual = read(r#"{"a":{"b":[1,3,4],"z":null},"c":"x","d":1.0,"e":true}"#);
        insta::assert_snapshot!(differences("output", &expected, &actual, Match::Exact).join("\n"), @"
        output/a/b/1: expected 2, got 3
        output/a/b/2: not expected, got 4
        output/a/z: not expected, got null
        output/e: not expected, got true
        ");
        insta::assert_snapshot!(differences("output", &expected, &actual, Match::Includes).join("\n"), @"
        output/a/b/1: expected 2, got 3
        output/a/b/2: not expected, got 4
        ");
        assert!(includes(&read(r#"{"c":"x"}"#), &actual));
        assert!(!includes(&read(r#"{"c":null,"q":1}"#), &actual));
        assert_eq!(
            differences("output", &actual, &actual, Match::Exact),
            [""; 0]
        );
    }

    #[test]
    fn only_so_many_places_are_told() {
        let list = |from: i64| Value::array((from..from + 100).map(Value::Int).collect());
        let lines = differences("output", &list(0), &list(1), Match::Exact);
        assert_eq!(lines.len(), DIFFERENCES_MAX + 1);
        assert_eq!(lines[DIFFERENCES_MAX], "and 80 more");
    }
}
