//! The gRPC protocol `quadrille.v1`.

mod answer;
mod events;
mod request;
mod routes;
mod runs;
mod schedules;
mod status;
mod work;
mod workers;
mod workflows;

pub(crate) use routes::routes;
#[cfg(test)]
pub(crate) use status::{grpc_code, status};
