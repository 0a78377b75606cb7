//! Owns the table from refusals to gRPC statuses.
//!
//! Invariants: total; the permanent code travels in `quadrille-code`; what travels in headers stays
//! below what clients accept.

use engine::AskError;
use kernel::Rejection;
use tonic::metadata::{AsciiMetadataValue, BinaryMetadataValue, MetadataMap};
use tonic::{Code, Status};

use crate::refusal::Refusal;

/// Bytes of a message; it travels in a header.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Bytes of the findings that travel with a status; checking the text gives all of them.
const FINDINGS_BYTES_MAX: usize = 4_096;

/// Metadata that holds the permanent code.
const CODE_KEY: &str = "quadrille-code";

/// Metadata that holds what is wrong with a workflow text, as a JSON array.
const FINDINGS_KEY: &str = "quadrille-findings-bin";

/// What a refusal is in gRPC.
pub(crate) fn grpc_code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Engine(AskError::Rejected(rejection)) => match rejection {
            Rejection::RunMissing(_)
            | Rejection::WorkflowMissing(_)
            | Rejection::ScheduleMissing(_)
            | Rejection::HumanTaskMissing(_) => Code::NotFound,
            Rejection::RunEnded(_)
            | Rejection::ClaimStale
            | Rejection::TaskUnavailable
            | Rejection::NothingParked(_)
            | Rejection::HumanTaskClosed(_)
            | Rejection::HumanTaskTaken(_)
            | Rejection::RunDropped(..)
            | Rejection::NotDue => Code::FailedPrecondition,
            Rejection::VersionExists(_) => Code::AlreadyExists,
            Rejection::LimitReached(..) => Code::ResourceExhausted,
            Rejection::WorkflowUnsound(_) | Rejection::Invalid(_) => Code::InvalidArgument,
        },
        Refusal::Engine(AskError::Overloaded(_) | AskError::Stopped) => Code::Unavailable,
        Refusal::Engine(AskError::Fault(_)) => Code::Internal,
        Refusal::InvalidJson { .. }
        | Refusal::InvalidArgument { .. }
        | Refusal::InvalidWorkflow(_) => Code::InvalidArgument,
        Refusal::TooLarge(_) => Code::OutOfRange,
        Refusal::BodyBroken(_) => Code::Cancelled,
        Refusal::RouteMissing(_) | Refusal::MethodRefused { .. } => Code::Unimplemented,
        Refusal::HostRefused(_) | Refusal::OriginRefused(_) => Code::PermissionDenied,
    }
}

/// A refusal as a gRPC client sees it.
pub(crate) fn status(refusal: &Refusal) -> Status {
    let mut metadata = MetadataMap::with_capacity(2);
    metadata.insert(CODE_KEY, AsciiMetadataValue::from_static(refusal.code()));
    let findings = findings_json(refusal);
    if !findings.is_empty() {
        metadata.insert_bin(
            FINDINGS_KEY,
            BinaryMetadataValue::from_bytes(findings.as_bytes()),
        );
    }
    Status::with_metadata(grpc_code(refusal), message(refusal), metadata)
}

/// What a refusal says to people, as much of it as may travel.
pub(super) fn message(refusal: &Refusal) -> String {
    let mut message = refusal.to_string();
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

/// As many findings as fit, as a JSON array; empty for none.
fn findings_json(refusal: &Refusal) -> String {
    let mut json = String::new();
    for finding in refusal.findings() {
        let text = serde_json::to_string(finding).expect("a finding has only numbers and texts");
        if json.len() + text.len() > FINDINGS_BYTES_MAX {
            break;
        }
        json.push(if json.is_empty() { '[' } else { ',' });
        json.push_str(&text);
    }
    if !json.is_empty() {
        json.push(']');
    }
    json
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Status {
        status(&refusal)
    }
}

/// An answer of the engine, or the status that says why not.
pub(crate) fn refused(error: AskError) -> Status {
    status(&Refusal::Engine(error))
}
