//! Owns [`Input`]: what a workflow says about a request, and its way into a request that can be sent.
//!
//! Whatever is wrong with it is a failure of type `configuration` that names the member; nothing is sent
//! then.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::Value;

/// How long a request may take if the workflow does not say.
const TIMEOUT_MS_DEFAULT: u64 = 30_000;
/// The longest that a workflow may say.
const TIMEOUT_MS_MAX: u64 = 15 * 60_000;
/// Headers that a workflow may give.
const HEADERS_MAX: usize = 64;
/// Names and values of these headers together.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// The longest URL, with its query.
const URL_BYTES_MAX: usize = 16 << 10;

/// Methods that make sense for a task.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Headers that belong to the connection; a workflow that could set them could smuggle requests.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The idempotency key goes out under this name.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The input of a task of the connector.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    #[serde(default)]
    method: Option<String>,
    endpoint: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    query: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    output: Output,
    #[serde(default)]
    pub(super) redirect: bool,
    #[serde(default)]
    authentication: Option<Authentication>,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

/// What the task's output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Output {
    /// The body: decoded if it is JSON, else text.
    #[default]
    Content,
    /// The body in base64.
    Raw,
    /// Request, status, headers and content.
    Response,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Authentication {
    Basic { username: String, password: String },
    Bearer { token: String },
}

/// A request that can be sent, and what is wanted of its answer.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) output: Output,
}

impl Input {
    /// Checks everything and makes the request.
    pub(super) fn prepare(self, idempotency_key: &str) -> Result<Prepared, TaskError> {
        let mut request = Request::new(self.method()?, self.url()?);
        *request.timeout_mut() = Some(self.timeout()?);
        let mut headers = self.headers()?;
        if !headers.contains_key(IDEMPOTENCY_KEY) && !idempotency_key.is_empty() {
            let key = HeaderValue::from_str(idempotency_key)
                .map_err(|error| wrong("the idempotency key", error))?;
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        if let Some(authentication) = &self.authentication {
            headers.insert(AUTHORIZATION, authentication.header()?);
        }
        let content_type = headers.get(CONTENT_TYPE);
        let body = match self.body {
            Value::Null => None,
            Value::String(text) if content_type.is_some_and(|given| !is_json(given)) => {
                Some(text.into_bytes())
            }
            value => {
                headers
                    .entry(CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
                Some(value.to_string().into_bytes())
            }
        };
        *request.headers_mut() = headers;
        *request.body_mut() = body.map(reqwest::Body::from);
        let output = self.output;
        Ok(Prepared { request, output })
    }

    fn method(&self) -> Result<Method, TaskError> {
        let given = self.method.as_deref().unwrap_or("GET");
        let found = METHODS
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(given));
        found.ok_or_else(|| {
            wrong(
                "method",
                format!(
                    "{given:?} is none of {}",
                    METHODS.map(|m| m.to_string()).join(", ")
                ),
            )
        })
    }

    fn url(&self) -> Result<Url, TaskError> {
        let mut url = Url::parse(&self.endpoint)
            .map_err(|error| wrong("endpoint", format!("{:?}: {error}", shown(&self.endpoint))))?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme();
            return Err(wrong(
                "endpoint",
                format!("the scheme is {scheme:?}, but must be http or https"),
            ));
        }
        for (name, value) in &self.query {
            let values = match value {
                Value::Array(values) => values.as_slice(),
                Value::Null => &[],
                value => std::slice::from_ref(value),
            };
            for value in values {
                let text = scalar(value).ok_or_else(|| {
                    wrong(
                        "query",
                        format!("{name:?} is neither text, number nor list"),
                    )
                })?;
                url.query_pairs_mut().append_pair(name, &text);
            }
        }
        let bytes = url.as_str().len();
        if bytes > URL_BYTES_MAX {
            return Err(wrong(
                "endpoint",
                format!("{bytes} bytes with its query, more than {URL_BYTES_MAX}"),
            ));
        }
        Ok(url)
    }

    fn timeout(&self) -> Result<Duration, TaskError> {
        match self.timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT) {
            timeout_ms @ 1..=TIMEOUT_MS_MAX => Ok(Duration::from_millis(timeout_ms)),
            other => Err(wrong(
                "timeoutMs",
                format!("{other} is not from 1 to {TIMEOUT_MS_MAX}"),
            )),
        }
    }

    fn headers(&self) -> Result<HeaderMap, TaskError> {
        if self.headers.len() > HEADERS_MAX {
            let count = self.headers.len();
            return Err(wrong(
                "headers",
                format!("there are {count}, more than {HEADERS_MAX}"),
            ));
        }
        let mut headers = HeaderMap::new();
        let mut bytes = 0;
        for (name, value) in &self.headers {
            let given = shown(name);
            let text = scalar(value)
                .ok_or_else(|| wrong("headers", format!("{given:?} is neither text nor number")))?;
            bytes += name.len() + text.len();
            if bytes > HEADER_BYTES_MAX {
                return Err(wrong(
                    "headers",
                    format!("more than {HEADER_BYTES_MAX} bytes together"),
                ));
            }
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|error| wrong("headers", format!("{given:?}: {error}")))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(wrong(
                    "headers",
                    format!("{given:?} belongs to the connection; leave it out"),
                ));
            }
            // The value may be a secret, so it is not shown.
            let value = HeaderValue::from_str(&text)
                .map_err(|error| wrong("headers", format!("{given:?}: {error}")))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

impl Authentication {
    fn header(&self) -> Result<HeaderValue, TaskError> {
        let text = match self {
            Authentication::Basic { username, password } => {
                format!(
                    "Basic {}",
                    STANDARD.encode(format!("{username}:{password}"))
                )
            }
            Authentication::Bearer { token } => format!("Bearer {token}"),
        };
        let mut value =
            HeaderValue::from_str(&text).map_err(|error| wrong("authentication", error))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Whether a content type is a kind of JSON.
pub(super) fn is_json(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let kind = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The start of a text, enough to recognise it.
fn shown(text: &str) -> &str {
    const SHOWN_BYTES_MAX: usize = 200;
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

fn wrong(member: &str, what: impl Display) -> TaskError {
    TaskError::fatal(
        TaskError::well_known("configuration"),
        format!("http request: {member}: {what}"),
    )
    .with_status(400)
    .with_title("The request cannot be made")
}
