//! Owns the REST paths that change runs.
//!
//! Invariant: an answer means that the change is durable.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::Engine;
use kernel::{Command, Reply, StepId};

use crate::intake;
use crate::refusal::Refusal;
use crate::rest::answer::RetryAnswer;
use crate::rest::change::change;
use crate::rest::extract::{ForRun, JsonBody, RunPath};
use crate::rest::problem::Problem;
use crate::rest::request::{EndRunRequest, RetryRunRequest, SignalRunRequest};

/// Ends the run after compensation and clean-up.
#[utoipa::path(
    post, path = "/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(RunPath),
    request_body = Option<EndRunRequest>,
    responses((status = 204, description = "It is ending."), Problem)
)]
pub(super) async fn cancel(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<EndRunRequest>,
) -> Result<StatusCode, Refusal> {
    let reason = request.reason.map(Into::into);
    change(&engine, Command::CancelRun { run, reason }).await
}

/// Ends the run at once.
#[utoipa::path(
    post, path = "/runs/{id}/terminate", tag = "runs", operation_id = "terminate_run",
    params(RunPath),
    request_body = Option<EndRunRequest>,
    responses((status = 204, description = "It has ended."), Problem)
)]
pub(super) async fn terminate(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<EndRunRequest>,
) -> Result<StatusCode, Refusal> {
    let reason = request.reason.map(Into::into);
    change(&engine, Command::TerminateRun { run, reason }).await
}

/// Lets nothing new start in the run.
#[utoipa::path(
    post, path = "/runs/{id}/suspend", tag = "runs", operation_id = "suspend_run",
    params(RunPath),
    responses((status = 204, description = "It rests."), Problem)
)]
pub(super) async fn suspend(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
) -> Result<StatusCode, Refusal> {
    change(&engine, Command::SuspendRun { run }).await
}

/// Lets a suspended run go on.
#[utoipa::path(
    post, path = "/runs/{id}/resume", tag = "runs", operation_id = "resume_run",
    params(RunPath),
    responses((status = 204, description = "It goes on."), Problem)
)]
pub(super) async fn resume(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
) -> Result<StatusCode, Refusal> {
    change(&engine, Command::ResumeRun { run }).await
}

/// Offers the parked tasks of an incident again.
#[utoipa::path(
    post, path = "/runs/{id}/retry", tag = "runs", operation_id = "retry_run",
    params(RunPath),
    request_body = Option<RetryRunRequest>,
    responses((status = 200, body = RetryAnswer, description = "So many."), Problem)
)]
pub(super) async fn retry(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<RetryRunRequest>,
) -> Result<Json<RetryAnswer>, Refusal> {
    let step = request.step.map(StepId);
    match engine.ask(Command::RetryRun { run, step }).await? {
        Reply::Retried { tasks } => Ok(Json(RetryAnswer { tasks })),
        _ => Ok(Json(RetryAnswer { tasks: 0 })),
    }
}

/// Sends a signal to the run; kept if it comes early.
#[utoipa::path(
    post, path = "/runs/{id}/signal", tag = "runs", operation_id = "signal_run",
    params(RunPath),
    request_body = SignalRunRequest,
    responses((status = 204, description = "It has it."), Problem)
)]
pub(super) async fn signal(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<SignalRunRequest>,
) -> Result<StatusCode, Refusal> {
    let SignalRunRequest { name, data, ttl_ms } = request;
    let (name, ttl_ms) = (name.into(), intake::ttl(ttl_ms));
    let signal = Command::SignalRun {
        run,
        name,
        data,
        ttl_ms,
    };
    change(&engine, signal).await
}
