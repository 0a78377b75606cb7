//! Owns reading the parts of an HTTP request.
//!
//! Invariants: no body larger than [`REQUEST_BYTES_MAX`] is kept and none is waited for longer than
//! [`BODY_MS_MAX`]; what cannot be read is refused as a problem that names the place.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use kernel::RunId;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::intake::{self, REQUEST_BYTES_MAX};
use crate::refusal::Refusal;

/// How long a body may take to arrive, in milliseconds.
const BODY_MS_MAX: u64 = 30_000;

/// The body as it stands.
pub(super) struct Body(pub(super) Bytes);

/// The body as JSON with known members only; an empty body counts as `{}`.
pub(super) struct JsonBody<T>(pub(super) T);

/// The body as text.
pub(super) struct TextBody(pub(super) String);

/// The name in the path; a slash in it is written `%2F`.
pub(super) struct Named(pub(super) String);

/// The run in the path.
pub(super) struct ForRun(pub(super) RunId);

/// Describes [`Named`].
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter that Named reads")]
pub(super) struct NamePath {
    /// Its name; write a slash in it as %2F.
    name: String,
}

/// Describes [`ForRun`].
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter that ForRun reads")]
pub(super) struct RunPath {
    /// Its id.
    id: String,
}

/// Describes the id of a human task, which [`Named`] reads.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter that Named reads")]
pub(super) struct TaskPath {
    /// Its id: a run id, a dot and a number.
    id: String,
}

/// The query, in the order given.
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Body, Refusal> {
        let reading = axum::body::to_bytes(request.into_body(), REQUEST_BYTES_MAX);
        match tokio::time::timeout(Duration::from_millis(BODY_MS_MAX), reading).await {
            Ok(Ok(bytes)) => Ok(Body(bytes)),
            Ok(Err(error)) if is_length_limit(&error) => Err(Refusal::TooLarge(REQUEST_BYTES_MAX)),
            Ok(Err(error)) => Err(Refusal::BodyBroken(error.to_string())),
            Err(_) => Err(Refusal::BodyBroken(format!(
                "it took longer than {BODY_MS_MAX} ms"
            ))),
        }
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody<T>, Refusal> {
        let Body(bytes) = Body::from_request(request, state).await?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text)
            .map(JsonBody)
            .map_err(|error| match error.classify() {
                serde_json::error::Category::Data => Refusal::argument("body", error.to_string()),
                _ => Refusal::InvalidJson {
                    field: "body".to_owned(),
                    why: error.to_string(),
                },
            })
    }
}

impl<S: Send + Sync> FromRequest<S> for TextBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<TextBody, Refusal> {
        let Body(bytes) = Body::from_request(request, state).await?;
        let text = String::from_utf8(bytes.into());
        text.map(TextBody).map_err(|error| {
            Refusal::argument("body", format!("is not UTF-8: {}", error.utf8_error()))
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, Refusal> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Named(name))
            .map_err(|error| Refusal::argument("path", error.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ForRun {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<ForRun, Refusal> {
        let Named(id) = Named::from_request_parts(parts, state).await?;
        intake::run_id("id", &id).map(ForRun)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Pairs, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        pairs
            .map(|Query(pairs)| Pairs(pairs))
            .map_err(|error| Refusal::argument("query", error.body_text()))
    }
}
