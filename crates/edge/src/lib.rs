//! The borders: gRPC and REST on one port. They decode, ask the engine and encode; they decide nothing.
//!
//! `intake` builds commands from checked parts, so that both protocols mean the same; each protocol has its
//! own folder, its own conversions (`request` inward, `answer` outward) and its own table of error codes.
#![warn(missing_docs)]

mod dashboard;
mod follow;
mod grpc;
mod guard;
mod instant;
mod intake;
mod lifecycle;
mod page;
mod refusal;
mod rest;
mod router;
mod serve;

pub use rest::openapi_json;
pub use router::{EdgeOptions, router};
pub use serve::{CONNECTIONS_MAX, SHUTDOWN_MS_MAX, serve};

#[cfg(test)]
mod tests;
