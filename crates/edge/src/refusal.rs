//! Owns [`Refusal`]: why a request was not done, whatever protocol it came by.
//!
//! Invariant: every refusal has one permanent code, listed in `contracts/errors.md`. What a code means in a
//! protocol is that protocol's own table.

use authoring::{Finding, Severity};
use engine::AskError;
use thiserror::Error;

/// Why a request was not done.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// The engine did not do it.
    #[error(transparent)]
    Engine(#[from] AskError),
    /// Text that must be JSON is not.
    #[error("{field} is not JSON: {why}")]
    InvalidJson {
        /// Which text.
        field: String,
        /// Where and what.
        why: String,
    },
    /// A part of the request is not what it must be.
    #[error("{field}: {why}")]
    InvalidArgument {
        /// Which part.
        field: String,
        /// What is wrong and what is right.
        why: String,
    },
    /// A workflow text does not compile; at least one finding is an error.
    #[error("{}", describe(.0))]
    InvalidWorkflow(Vec<Finding>),
    /// The body is larger than so many bytes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive.
    #[error("the body could not be read: {0}")]
    BodyBroken(String),
    /// Nothing is at this path.
    #[error("nothing is at {0}; /api/openapi.json lists what there is")]
    RouteMissing(String),
    /// The path exists, but not with this method.
    #[error("{method} is not possible at {path}")]
    MethodRefused {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The request names a host that this server does not answer for.
    #[error(
        "this server does not answer for host {0}; if it should, add that name to its allowed hosts"
    )]
    HostRefused(String),
    /// A browser sent the request for a page of another origin.
    #[error(
        "pages of {0} may not call this server; if they should, add that host to its allowed hosts"
    )]
    OriginRefused(String),
}

impl Refusal {
    /// A part of the request that is not what it must be.
    pub(crate) fn argument(field: impl Into<String>, why: impl Into<String>) -> Refusal {
        Refusal::InvalidArgument {
            field: field.into(),
            why: why.into(),
        }
    }

    /// The permanent code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Refusal::Engine(AskError::Rejected(rejection)) => rejection.code(),
            Refusal::Engine(AskError::Overloaded(_)) => "overloaded",
            Refusal::Engine(AskError::Stopped) => "stopped",
            Refusal::Engine(AskError::Fault(_)) => "storage-fault",
            Refusal::InvalidJson { .. } => "invalid-json",
            Refusal::InvalidArgument { .. } => "invalid-argument",
            Refusal::InvalidWorkflow(_) => "invalid-workflow",
            Refusal::TooLarge(_) => "too-large",
            Refusal::BodyBroken(_) => "body-broken",
            Refusal::RouteMissing(_) => "route-missing",
            Refusal::MethodRefused { .. } => "method-refused",
            Refusal::HostRefused(_) => "host-refused",
            Refusal::OriginRefused(_) => "origin-refused",
        }
    }

    /// What is wrong with a workflow text, if that is why.
    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Refusal::InvalidWorkflow(findings) => findings,
            _ => &[],
        }
    }
}

fn describe(findings: &[Finding]) -> String {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let first = findings
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    match errors {
        0 | 1 => format!("the workflow does not compile: {first}"),
        _ => format!("the workflow does not compile: {errors} errors, the first: {first}"),
    }
}
