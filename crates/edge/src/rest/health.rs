//! Owns the paths that machines look after the server by.
//!
//! Invariant: they tell nothing about users' data.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use engine::{AskError, Engine};

use crate::refusal::Refusal;
use crate::rest::problem::Problem;

/// Media type of the OpenMetrics text.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process is up.
#[utoipa::path(
    get, path = "/healthz", tag = "server",
    responses((status = 200, body = String, description = "It is."))
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The server accepts commands.
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses((status = 200, body = String, description = "It does."), Problem)
)]
pub(super) async fn readyz(State(engine): State<Engine>) -> Result<&'static str, Refusal> {
    if engine.is_ready() {
        Ok("ready\n")
    } else {
        Err(AskError::Stopped.into())
    }
}

/// Counters and gauges for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses((status = 200, body = String, content_type = METRICS_TYPE, description = "OpenMetrics text."))
)]
pub(super) async fn metrics(State(engine): State<Engine>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, METRICS_TYPE)],
        engine.metrics().render(),
    )
}
