//! Owns [`Status`]: how a call ended, and the failure of a task that this is.
//!
//! What may pass is retryable, as for HTTP; a server that says when to come back is heard.

use std::time::Duration;

use percent_encoding::percent_decode;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use sdk::TaskError;

use crate::http::{Place, rejected, shown, start_of_body};

/// What is known of a code: its name, the type of the failure, its HTTP-like status, and whether it may pass.
const CODES: [(&str, &str, u16, bool); 17] = [
    ("OK", "", 200, false),
    ("CANCELLED", "communication", 499, false),
    ("UNKNOWN", "communication", 500, true),
    ("INVALID_ARGUMENT", "communication", 400, false),
    ("DEADLINE_EXCEEDED", "timeout", 408, true),
    ("NOT_FOUND", "communication", 404, false),
    ("ALREADY_EXISTS", "communication", 409, false),
    ("PERMISSION_DENIED", "authorization", 403, false),
    ("RESOURCE_EXHAUSTED", "communication", 429, true),
    ("FAILED_PRECONDITION", "communication", 400, false),
    ("ABORTED", "communication", 409, true),
    ("OUT_OF_RANGE", "communication", 400, false),
    ("UNIMPLEMENTED", "communication", 501, false),
    ("INTERNAL", "communication", 500, true),
    ("UNAVAILABLE", "communication", 503, true),
    ("DATA_LOSS", "communication", 500, false),
    ("UNAUTHENTICATED", "authentication", 401, false),
];

/// A code that stands for those that nobody knows.
const UNKNOWN: usize = 2;
/// The longest pause that a server can ask for in digits of milliseconds.
const PUSHBACK_BYTES_MAX: usize = 16;

/// How a call ended.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) code: usize,
    failure: TaskError,
}

impl Status {
    pub(super) const OK: usize = 0;
    pub(super) const UNAUTHENTICATED: usize = 16;

    /// The status in headers or trailers; none if there is none.
    pub(super) fn of(headers: &HeaderMap, Place(place): &Place) -> Option<Status> {
        let code = headers.get("grpc-status")?.to_str().ok();
        let code = code.and_then(|code| code.parse().ok());
        let code = code.filter(|code| *code < CODES.len()).unwrap_or(UNKNOWN);
        let (name, kind, status, retryable) = CODES[code];
        let said = headers.get("grpc-message").map(|said| said.as_bytes());
        let said = percent_decode(said.unwrap_or_default()).decode_utf8_lossy();
        let failure = TaskError::fatal(
            TaskError::well_known(kind),
            format!("{place} answered {name}: {}", shown(&said)),
        )
        .with_status(status)
        .with_title(name);
        let pushback = pushback(headers);
        let failure = TaskError {
            retryable: retryable && pushback != Some(None),
            retry_after: pushback.flatten(),
            ..failure
        };
        Some(Status { code, failure })
    }

    pub(super) fn checked(self) -> Result<(), Status> {
        match self.code {
            Status::OK => Ok(()),
            _ => Err(self),
        }
    }
}

impl From<Status> for TaskError {
    fn from(status: Status) -> TaskError {
        status.failure
    }
}

/// How long the server wants to be left alone: for ever if it says something else than a pause.
fn pushback(headers: &HeaderMap) -> Option<Option<Duration>> {
    let text = headers.get("grpc-retry-pushback-ms")?.to_str().ok()?;
    let pause_ms = text
        .parse()
        .ok()
        .filter(|_| text.len() <= PUSHBACK_BYTES_MAX);
    Some(pause_ms.map(Duration::from_millis))
}

/// What came from something that does not speak gRPC, such as a proxy: a login that was refused, or a failure.
pub(super) async fn foreign(response: &mut Response, place: &Place) -> Result<Status, TaskError> {
    let status = response.status();
    let start = start_of_body(response).await;
    let failure = rejected(place, status, &start);
    let failure = TaskError {
        detail: format!("{}\n  this is no answer of gRPC", failure.detail),
        ..failure
    };
    let code = match status {
        StatusCode::UNAUTHORIZED => Status::UNAUTHENTICATED,
        StatusCode::FORBIDDEN => 7,
        _ => return Err(failure),
    };
    let (_, kind, ..) = CODES[code];
    let failure = TaskError {
        kind: TaskError::well_known(kind),
        ..failure
    };
    Ok(Status { code, failure })
}
