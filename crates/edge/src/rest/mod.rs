//! The REST protocol: JSON under `/api/v1`, described by `/api/openapi.json`.
//!
//! Invariant: members and paths are added, never renamed; what is not known is refused, not ignored.

mod answer;
mod change;
mod events;
mod extract;
mod health;
mod human;
mod human_body;
mod lifecycle;
mod problem;
mod query;
mod request;
mod routes;
mod run_actions;
mod runs;
mod schedules;
mod stream;
mod words;
mod workflows;

#[cfg(test)]
pub(crate) use problem::http_status;
pub use routes::openapi_json;
pub(crate) use routes::routes;
