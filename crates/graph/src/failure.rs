//! Owns [`Failure`]: what is said when a user's work fails, in the shape of RFC 9457.
//!
//! A failure is data that the workflow may catch; it is never a fault of the server.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::value::{Object, Str, Value};

/// Prefix of the well-known failure types, such as `…/timeout`.
pub const TYPE_PREFIX: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// Prefix of the types that the specification lacks: `…/cancelled`, `…/terminated` and `…/rejected`.
pub const OWN_TYPE_PREFIX: &str = "https://quadrille.dev/errors/";

/// The prefixes under which the same well-known types appear in documents of other ages.
const TYPE_PREFIXES: [&str; 5] = [
    TYPE_PREFIX,
    OWN_TYPE_PREFIX,
    "https://serverlessworkflow.io/dsl/errors/types/",
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
    "https://open-workflow-specification.org/dsl/errors/types/",
];

/// Why a step or a run failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure: a URI, or a bare name given by a worker.
    #[serde(rename = "type")]
    pub kind: Str,
    /// HTTP-like status.
    pub status: u16,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Str>,
    /// What exactly happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Str>,
    /// Where: the JSON pointer of the step that failed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Str>,
    /// The least pause before it makes sense to try again, in milliseconds, where whoever failed said so.
    #[serde(
        default,
        rename = "retryAfterMs",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure of a well-known type: `configuration`, `validation`, `expression`, `authentication`,
    /// `authorization`, `timeout`, `communication` or `runtime`; or of one that the specification lacks:
    /// `cancelled`, `terminated` or `rejected` (by a person).
    #[must_use]
    pub fn new(kind: &str, detail: impl Into<Str>) -> Failure {
        let (prefix, status, title) = match kind {
            "configuration" => (TYPE_PREFIX, 400, "Configuration Error"),
            "validation" => (TYPE_PREFIX, 400, "Validation Error"),
            "expression" => (TYPE_PREFIX, 400, "Expression Error"),
            "authentication" => (TYPE_PREFIX, 401, "Authentication Error"),
            "authorization" => (TYPE_PREFIX, 403, "Authorization Error"),
            "timeout" => (TYPE_PREFIX, 408, "Timeout Error"),
            "communication" => (TYPE_PREFIX, 500, "Communication Error"),
            "cancelled" => (OWN_TYPE_PREFIX, 499, "Run Cancelled"),
            "rejected" => (OWN_TYPE_PREFIX, 422, "Rejected by a Person"),
            "terminated" => (OWN_TYPE_PREFIX, 499, "Run Terminated"),
            _ => (TYPE_PREFIX, 500, "Runtime Error"),
        };
        let mut full = String::from(prefix);
        full.push_str(kind);
        Failure {
            kind: full.into(),
            status,
            title: Some(title.into()),
            detail: Some(detail.into()),
            instance: None,
            retry_after_ms: None,
        }
    }

    /// The same failure, placed at a step unless it has a place already.
    #[must_use]
    pub fn at(mut self, instance: &Str) -> Failure {
        self.instance.get_or_insert_with(|| instance.clone());
        self
    }

    /// The failure as data for expressions.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = Object::new();
        members.insert("type".into(), Value::Text(self.kind.clone()));
        members.insert("status".into(), Value::Int(i64::from(self.status)));
        for (key, text) in [
            ("title", &self.title),
            ("detail", &self.detail),
            ("instance", &self.instance),
        ] {
            if let Some(text) = text {
                members.insert(key.into(), Value::Text(text.clone()));
            }
        }
        if let Some(ms) = self.retry_after_ms.and_then(|ms| i64::try_from(ms).ok()) {
            members.insert("retryAfterMs".into(), Value::Int(ms));
        }
        Value::object(members)
    }

    /// Reads a failure from data; what is missing gets the most general word.
    #[must_use]
    pub fn from_value(value: &Value) -> Failure {
        let text = |key: &str| value.get(key).and_then(Value::as_text).cloned();
        let status = value
            .get("status")
            .and_then(Value::as_int)
            .and_then(|n| u16::try_from(n).ok());
        let mut failure = Failure::new("runtime", "");
        failure.detail = text("detail");
        if let Some(kind) = text("type") {
            failure.kind = kind;
        }
        failure.status = status.unwrap_or(failure.status);
        failure.title = text("title");
        failure.instance = text("instance");
        failure.retry_after_ms = value
            .get("retryAfterMs")
            .and_then(Value::as_int)
            .and_then(|ms| u64::try_from(ms).ok());
        failure
    }
}

/// Whether two failure types mean the same, whatever the age of the prefix.
#[must_use]
pub fn same_type(a: &str, b: &str) -> bool {
    bare_type(a) == bare_type(b)
}

/// A well-known type without its prefix; any other as it stands.
#[must_use]
pub fn bare_type(kind: &str) -> &str {
    TYPE_PREFIXES
        .iter()
        .find_map(|prefix| kind.strip_prefix(prefix))
        .unwrap_or(kind)
}
