//! Generated types of our contracts. No logic.
#![allow(
    clippy::all,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    reason = "generated code; the documentation is in the proto files"
)]

/// The gRPC contract `quadrille.v1`.
pub mod v1 {
    tonic::include_proto!("quadrille.v1");
}
