//! Owns the table from refusals to HTTP problems (RFC 9457).
//!
//! Invariants: total; every answer that is no success is `application/problem+json` with the permanent
//! code in `code` and at the end of `type`.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::AskError;
use kernel::Rejection;
use serde::Serialize;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::refusal::Refusal;
use crate::rest::answer::Finding;

/// What `type` begins with.
const TYPE_PREFIX: &str = "https://quadrille.dev/errors/";

/// Media type of a problem.
const PROBLEM_TYPE: &str = "application/problem+json";

/// Seconds after which a request that met overload may be tried again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// URI of the kind of problem: its code after a fixed prefix.
    #[serde(rename = "type")]
    kind: String,
    /// HTTP status.
    status: u16,
    /// The kind of problem in words.
    title: String,
    /// What exactly is wrong, and what to do about it.
    detail: String,
    /// The permanent code.
    code: &'static str,
    /// What is wrong with a workflow text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

/// The answer of every path when it does not do what was asked.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
        let response = ResponseBuilder::new()
            .description("Why not.")
            .content(PROBLEM_TYPE, content)
            .build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// What a refusal is in HTTP.
pub(crate) fn http_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Engine(AskError::Rejected(rejection)) => match rejection {
            Rejection::RunMissing(_)
            | Rejection::WorkflowMissing(_)
            | Rejection::ScheduleMissing(_)
            | Rejection::HumanTaskMissing(_) => StatusCode::NOT_FOUND,
            Rejection::RunEnded(_)
            | Rejection::VersionExists(_)
            | Rejection::ClaimStale
            | Rejection::TaskUnavailable
            | Rejection::NothingParked(_)
            | Rejection::HumanTaskClosed(_)
            | Rejection::HumanTaskTaken(_)
            | Rejection::RunDropped(..)
            | Rejection::NotDue => StatusCode::CONFLICT,
            Rejection::WorkflowUnsound(_) | Rejection::LimitReached(..) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Rejection::Invalid(_) => StatusCode::BAD_REQUEST,
        },
        Refusal::Engine(AskError::Overloaded(_) | AskError::Stopped) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refusal::Engine(AskError::Fault(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        Refusal::InvalidJson { .. } | Refusal::InvalidArgument { .. } => StatusCode::BAD_REQUEST,
        Refusal::InvalidWorkflow(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::BodyBroken(_) => StatusCode::REQUEST_TIMEOUT,
        Refusal::RouteMissing(_) => StatusCode::NOT_FOUND,
        Refusal::MethodRefused { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::HostRefused(_) | Refusal::OriginRefused(_) => StatusCode::FORBIDDEN,
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Problem {
        let status = http_status(refusal);
        Problem {
            kind: format!("{TYPE_PREFIX}{}", refusal.code()),
            status: status.as_u16(),
            title: refusal.code().replace('-', " "),
            detail: refusal.to_string(),
            code: refusal.code(),
            findings: refusal
                .findings()
                .iter()
                .cloned()
                .map(Finding::from)
                .collect(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = http_status(&self);
        let mut response = (status, Json(Problem::from(&self))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_S);
        }
        response
    }
}
