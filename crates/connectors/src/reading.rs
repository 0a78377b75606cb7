//! Owns [`read`]: the input of a connector's task as the type that it needs.
//!
//! Invariant: what is wrong is told without any value of the input, since it may be a secret.

use sdk::TaskError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The input as a type; else a failure that says where it does not fit.
pub(crate) fn read<T: DeserializeOwned>(what: &str, input: Value) -> Result<T, TaskError> {
    serde_path_to_error::deserialize(input).map_err(|error| {
        let place = error.path().to_string();
        let why = without_values(&error.into_inner().to_string());
        let place = match place.as_str() {
            "." => String::new(),
            place => format!("{place}: "),
        };
        wrong(what, &format!("{place}{why}"))
    })
}

/// A failure of type `configuration`: nothing was tried, and trying again would not help.
pub(crate) fn wrong(what: &str, why: &str) -> TaskError {
    TaskError::fatal(
        TaskError::well_known("configuration"),
        format!("{what}: {why}"),
    )
    .with_status(400)
    .with_title("The call cannot be made")
}

/// What the deserializer says, less the value that it found.
pub(crate) fn without_values(why: &str) -> String {
    match why.split_once("expected ") {
        Some((_, wanted)) if why.starts_with("invalid") => format!("expected {wanted}"),
        _ => why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_told_without_its_value() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only read into")]
        struct Input {
            a: Vec<u8>,
        }
        for (input, told) in [
            (json!({"a": "secret"}), "a call: a: expected a sequence"),
            (json!({"a": [1, "secret"]}), "a call: a[1]: expected u8"),
            (json!("secret"), "a call: expected struct Input"),
            (json!({}), "a call: missing field `a`"),
        ] {
            let error = read::<Input>("a call", input).unwrap_err();
            assert_eq!(error.detail, told);
        }
    }
}
