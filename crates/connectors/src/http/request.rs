//! Owns [`Input`]: what a workflow says about a request, and its way into a request that can be sent.
//!
//! Whatever is wrong with it is a failure of type `configuration` that names the member; nothing is sent
//! then.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::authentication::Authentication;

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
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The input of a task of the connector.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(default)]
    pub(crate) method: Option<String>,
    pub(crate) endpoint: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default)]
    pub(crate) output: Output,
    #[serde(default)]
    pub(crate) redirect: bool,
    #[serde(default)]
    pub(crate) authentication: Option<Value>,
    #[serde(default)]
    pub(crate) timeout_ms: Option<u64>,
}

/// What the task's output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    /// The body: decoded if it is JSON, text if it is UTF-8, else base64.
    #[default]
    Content,
    /// The body in base64.
    Raw,
    /// Request, status, headers and content.
    Response,
}

/// A request that can be sent, and what is wanted of its answer.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) output: Output,
    pub(crate) authentication: Option<Authentication>,
}

impl Input {
    /// Checks everything and makes the request.
    pub(crate) fn prepare(self, idempotency_key: &str) -> Result<Prepared, TaskError> {
        let mut request = Request::new(self.method()?, self.url()?);
        *request.timeout_mut() = Some(self.timeout()?);
        let mut headers = self.headers()?;
        if !headers.contains_key(IDEMPOTENCY_KEY) && !idempotency_key.is_empty() {
            let key = HeaderValue::from_str(idempotency_key)
                .map_err(|error| wrong("the idempotency key", error))?;
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        let content_type = headers.get(CONTENT_TYPE);
        let body = match self.body {
            Value::Null => None,
            Value::Object(members) if content_type.is_some_and(is_form) => Some(form(&members)?),
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
        Ok(Prepared {
            request,
            output: self.output,
            authentication: self.authentication.map(Authentication::read).transpose()?,
        })
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
        // The address may hold a secret, so it is not shown.
        let mut url = Url::parse(&self.endpoint).map_err(|error| wrong("endpoint", error))?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme();
            return Err(wrong(
                "endpoint",
                format!("the scheme is {scheme:?}, but must be http or https"),
            ));
        }
        for (name, value) in &self.query {
            append(&mut url, "query", name, value)?;
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

/// Whether a content type is a kind of JSON.
pub(crate) fn is_json(content_type: &HeaderValue) -> bool {
    let kind = media_type(content_type);
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn is_form(content_type: &HeaderValue) -> bool {
    media_type(content_type) == "application/x-www-form-urlencoded"
}

/// A content type without its parameters.
pub(crate) fn media_type(content_type: &HeaderValue) -> String {
    let text = content_type.to_str().unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// Members as a form sends them; a list is sent once for each of its elements.
fn form(members: &Map<String, Value>) -> Result<Vec<u8>, TaskError> {
    let mut form = Url::parse("form:").expect("a scheme alone is a URL");
    for (name, value) in members {
        append(&mut form, "body", name, value)?;
    }
    Ok(form.query().unwrap_or_default().as_bytes().to_vec())
}

/// Puts a member into a query: nothing for null, a pair for each element of a list.
fn append(url: &mut Url, member: &str, name: &str, value: &Value) -> Result<(), TaskError> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Null => &[],
        value => std::slice::from_ref(value),
    };
    for value in values {
        let text = scalar(value).ok_or_else(|| {
            wrong(
                member,
                format!(
                    "{:?} is neither text, number, truth value nor a list of these",
                    shown(name)
                ),
            )
        })?;
        url.query_pairs_mut().append_pair(name, &text);
    }
    Ok(())
}

pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The start of a text, enough to recognise it.
pub(crate) fn shown(text: &str) -> &str {
    const SHOWN_BYTES_MAX: usize = 200;
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

fn wrong(member: &str, what: impl Display) -> TaskError {
    crate::reading::wrong("http request", &format!("{member}: {what}"))
}
