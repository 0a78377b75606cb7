//! Owns what comes of a request: the output of the task, or its failure.
//!
//! Only what may pass is retryable: no connection, a timeout, and the statuses that say so. Query and
//! credentials of a URL are not repeated in failures, since these are kept with the run.

use std::error::Error;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, RETRY_AFTER};
use reqwest::{Request, Response, StatusCode, Url};
use sdk::TaskError;
use serde_json::{Map, Value, json};

use super::request::{Output, is_json};
use crate::outgoing::Refused;

/// The largest body that is read.
pub(crate) const RESPONSE_BYTES_MAX: usize = 1 << 20;
/// How much of the body of a refusal is told.
const DETAIL_BYTES_MAX: usize = 1 << 10;

/// The longest text of a `Retry-After` header that is read.
const RETRY_AFTER_BYTES_MAX: usize = 64;

/// What is wanted of a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) output: Output,
    /// Whether a redirect that is left over counts as success.
    pub(super) redirect: bool,
}

/// Method and place of a request, for messages.
#[derive(Debug)]
pub(crate) struct Place(pub(crate) String);

impl Place {
    pub(crate) fn of(request: &Request) -> Place {
        let mut url = without_credentials(request.url());
        url.set_query(None);
        url.set_fragment(None);
        Place(format!("{} {url}", request.method()))
    }
}

/// What `output: response` tells about the request; nothing for the others.
pub(super) fn sent(request: &Request, output: Output) -> Value {
    if output != Output::Response {
        return Value::Null;
    }
    let mut headers = request.headers().clone();
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
    json!({
        "method": request.method().as_str(),
        "uri": without_credentials(request.url()).as_str(),
        "headers": header_object(&headers),
    })
}

/// The outcome of a request that was answered.
pub(super) async fn of(
    mut response: Response,
    place: &Place,
    Expected { output, redirect }: Expected,
    sent: Value,
) -> Result<Value, TaskError> {
    let status = response.status();
    if !(status.is_success() || redirect && status.is_redirection()) {
        return Err(refusal(&mut response, place).await);
    }
    let body = body(&mut response, place, RESPONSE_BYTES_MAX).await?;
    if output == Output::Raw {
        return Ok(Value::String(STANDARD.encode(body)));
    }
    let content = content(response.headers(), body, place)?;
    if output == Output::Content {
        return Ok(content);
    }
    Ok(json!({
        "request": sent,
        "statusCode": status.as_u16(),
        "headers": header_object(response.headers()),
        "content": content,
    }))
}

/// The failure of a request that may not be made.
pub(crate) fn refused(refused: &Refused) -> TaskError {
    TaskError::fatal(TaskError::well_known("configuration"), refused.to_string())
        .with_status(400)
        .with_title("The address is not allowed")
}

/// The failure of a request that was not answered.
pub(crate) fn broken(place: &Place, error: &reqwest::Error) -> TaskError {
    if let Some(refusal) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return refused(refusal);
    }
    let reason = root_cause(error);
    let Place(place) = place;
    if error.is_timeout() {
        return TaskError::retryable(
            TaskError::well_known("timeout"),
            format!("{place} was not answered in time"),
        )
        .with_status(408)
        .with_title("The request took too long");
    }
    // The TLS library has no type for this that can be reached through the client's errors.
    if reason.starts_with("invalid peer certificate") {
        let detail = format!(
            "{place}: {reason}\n  the system and the file in `connectors.http.ca_file` of the server's configuration say who is trusted"
        );
        return communication(detail, "The server's certificate is not trusted");
    }
    let failure = communication(format!("{place}: {reason}"), "The request was not answered");
    // Redirects in a circle and requests that cannot be written stay as they are.
    let retryable = !error.is_redirect() && !error.is_builder();
    TaskError {
        retryable,
        ..failure
    }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The last cause, which is the one that says something: connection refused, unknown name, ...
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The failure of a response with a status that is none of success.
pub(crate) async fn refusal(response: &mut Response, place: &Place) -> TaskError {
    let start = start_of_body(response).await;
    TaskError {
        retry_after: retry_after(response.headers()),
        ..rejected(place, response.status(), &start)
    }
}

/// The failure of a request that was answered with a status that is none of success.
pub(crate) fn rejected(Place(place): &Place, status: StatusCode, start: &[u8]) -> TaskError {
    let start = String::from_utf8_lossy(start);
    let reason = status.canonical_reason().unwrap_or_default();
    let code = status.as_u16();
    let failure = communication(
        format!("{place} answered {code}: {start}"),
        format!("{code} {reason}").trim_end(),
    );
    TaskError {
        retryable: status.is_server_error() || matches!(code, 408 | 429),
        status: code,
        ..failure
    }
}

pub(crate) fn communication(detail: String, title: &str) -> TaskError {
    TaskError::fatal(TaskError::well_known("communication"), detail)
        .with_status(500)
        .with_title(title)
}

/// The failure of a request whose answer is longer than this.
pub(crate) fn too_large(Place(place): &Place, bytes_max: usize) -> TaskError {
    let detail = format!(
        "{place} answered more than {bytes_max} bytes; let a worker of yours fetch large data"
    );
    communication(detail, "The response is too large")
}

/// The body of a response, as long as it is not longer than this.
pub(crate) async fn body(
    response: &mut Response,
    place: &Place,
    bytes_max: usize,
) -> Result<Vec<u8>, TaskError> {
    if response
        .content_length()
        .is_some_and(|bytes| bytes > bytes_max as u64)
    {
        return Err(too_large(place, bytes_max));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| broken(place, &error))?
    {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large(place, bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The start of a body, as far as it comes: the status is what counts.
pub(crate) async fn start_of_body(response: &mut Response) -> Vec<u8> {
    let mut start = Vec::new();
    while start.len() < DETAIL_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        start.extend_from_slice(&chunk[..chunk.len().min(DETAIL_BYTES_MAX - start.len())]);
    }
    start
}

fn content(headers: &HeaderMap, body: Vec<u8>, Place(place): &Place) -> Result<Value, TaskError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return serde_json::from_slice(&body).map_err(|error| {
            communication(
                format!("{place} answered JSON that is none: {error}"),
                "Not JSON",
            )
        });
    }
    Ok(Value::String(match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) => STANDARD.encode(error.into_bytes()),
    }))
}

/// How long the server wants to be left alone: seconds, or until an instant.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.len() > RETRY_AFTER_BYTES_MAX {
        return None;
    }
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(jiff::Timestamp::now())).ok()
}

/// Headers as an object; those that come more than once are joined by commas.
fn header_object(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let texts: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        object.insert(name.as_str().to_owned(), texts.join(", ").into());
    }
    Value::Object(object)
}

fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // Both only fail for URLs that have no host, and so no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}
