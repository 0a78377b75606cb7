//! Owns [`Error`]: all that can go wrong between a program and the server, sorted by what to do about it.
//!
//! Unreachable: try again later. Refused: the server said no and why; look at the code. The others are
//! mistakes of the program.

use tonic::{Code, Status};

/// Metadata in which the server sends the permanent code of a refusal.
const CODE_KEY: &str = "quadrille-code";

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server gave no answer. A start with a business key can be repeated safely.
    #[error("the server gave no answer: {0}")]
    Unreachable(String),
    /// The server refused.
    #[error("refused ({code}): {message}")]
    Refused {
        /// Permanent code, such as `run-exists`; the name of the gRPC code if the server gave none.
        code: String,
        /// For people.
        message: String,
    },
    /// The address of the server cannot be used.
    #[error("server address {url:?}: {message}\n  write it like http://127.0.0.1:8080")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// A value could not be written as JSON.
    #[error("value cannot be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// Data from the server has another shape than asked for.
    #[error("data has another shape than expected: {0}")]
    Decode(#[source] serde_json::Error),
    /// A worker was described in a way that cannot work.
    #[error("worker cannot be built: {0}")]
    Worker(&'static str),
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        let given = status
            .metadata()
            .get(CODE_KEY)
            .and_then(|code| code.to_str().ok());
        if let Some(code) = given {
            let code = code.to_owned();
            let message = status.message().to_owned();
            return Error::Refused { code, message };
        }
        // A status with a source was made on this side, from a broken connection.
        let local = std::error::Error::source(&status).is_some();
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                Error::Unreachable(reason(&status))
            }
            _ if local => Error::Unreachable(reason(&status)),
            code => Error::Refused {
                code: word(code).to_owned(),
                message: status.message().to_owned(),
            },
        }
    }
}

/// The message of a status with the causes below it, which alone name the address or the socket error.
fn reason(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn word(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid-argument",
        Code::DeadlineExceeded => "deadline-exceeded",
        Code::NotFound => "not-found",
        Code::AlreadyExists => "already-exists",
        Code::PermissionDenied => "permission-denied",
        Code::ResourceExhausted => "resource-exhausted",
        Code::FailedPrecondition => "failed-precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out-of-range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data-loss",
        Code::Unauthenticated => "unauthenticated",
    }
}
