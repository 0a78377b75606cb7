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
use crate::rest::extract::{ForRun, JsonBody};
use crate::rest::problem::Problem;
use crate::rest::request::{EndRunRequest, RetryRunRequest, SignalRunRequest};

async fn ask(engine: &Engine, command: Command) -> Result<StatusCode, Refusal> {
    engine.ask(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the run after compensation and clean-up.
#[utoipa::path(
    post, path = "/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("id" = String, Path, description = "Its id.")),
    request_body = Option<EndRunRequest>,
    responses(
        (status = 204, description = "It is ending."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn cancel(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<EndRunRequest>,
) -> Result<StatusCode, Refusal> {
    ask(
        &engine,
        Command::CancelRun {
            run,
            reason: request.reason.map(Into::into),
        },
    )
    .await
}

/// Ends the run at once.
#[utoipa::path(
    post, path = "/runs/{id}/terminate", tag = "runs", operation_id = "terminate_run",
    params(("id" = String, Path, description = "Its id.")),
    request_body = Option<EndRunRequest>,
    responses(
        (status = 204, description = "It has ended."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn terminate(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<EndRunRequest>,
) -> Result<StatusCode, Refusal> {
    ask(
        &engine,
        Command::TerminateRun {
            run,
            reason: request.reason.map(Into::into),
        },
    )
    .await
}

/// Lets nothing new start in the run.
#[utoipa::path(
    post, path = "/runs/{id}/suspend", tag = "runs", operation_id = "suspend_run",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It rests."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn suspend(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
) -> Result<StatusCode, Refusal> {
    ask(&engine, Command::SuspendRun { run }).await
}

/// Lets a suspended run go on.
#[utoipa::path(
    post, path = "/runs/{id}/resume", tag = "runs", operation_id = "resume_run",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It goes on."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn resume(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
) -> Result<StatusCode, Refusal> {
    ask(&engine, Command::ResumeRun { run }).await
}

/// Offers the parked tasks of an incident again.
#[utoipa::path(
    post, path = "/runs/{id}/retry", tag = "runs", operation_id = "retry_run",
    params(("id" = String, Path, description = "Its id.")),
    request_body = Option<RetryRunRequest>,
    responses(
        (status = 200, body = RetryAnswer, description = "So many."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn retry(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<RetryRunRequest>,
) -> Result<Json<RetryAnswer>, Refusal> {
    let reply = engine
        .ask(Command::RetryRun {
            run,
            step: request.step.map(StepId),
        })
        .await?;
    let tasks = if let Reply::Retried { tasks } = reply {
        tasks
    } else {
        0
    };
    Ok(Json(RetryAnswer { tasks }))
}

/// Sends a signal to the run; kept if it comes early.
#[utoipa::path(
    post, path = "/runs/{id}/signal", tag = "runs", operation_id = "signal_run",
    params(("id" = String, Path, description = "Its id.")),
    request_body = SignalRunRequest,
    responses(
        (status = 204, description = "It has it."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn signal(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    JsonBody(request): JsonBody<SignalRunRequest>,
) -> Result<StatusCode, Refusal> {
    let SignalRunRequest { name, data, ttl_ms } = request;
    ask(
        &engine,
        Command::SignalRun {
            run,
            name: name.into(),
            data,
            ttl_ms: intake::ttl(ttl_ms),
        },
    )
    .await
}
