//! The gRPC protocol `quadrille.v1`: one file for each service, and the way in and out.
//!
//! Invariant: the contract is `quadrille.proto`; nothing is added here that it does not say.

mod answer;
mod events;
mod human;
mod request;
mod routes;
mod runs;
mod schedules;
mod starts;
mod status;
mod work;
mod workers;
mod workflows;

pub(crate) use routes::routes;
#[cfg(test)]
pub(crate) use status::{grpc_code, status};
