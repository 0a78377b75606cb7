//! The workers we ship.
//!
//! A connector is an ordinary worker on the SDK: it speaks the contract like any other and could as well
//! run beside the server as inside of it.

mod authentication;
mod document;
pub mod grpc;
pub mod http;
pub mod mcp;
pub mod openapi;
pub mod outgoing;
pub mod process;
mod reading;
mod resource;

pub use resource::Files;

/// The queues whose tasks the connectors take.
pub const QUEUES: [&str; 5] = [
    grpc::QUEUE,
    http::QUEUE,
    mcp::QUEUE,
    openapi::QUEUE,
    process::QUEUE,
];
