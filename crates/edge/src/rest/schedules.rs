//! Owns the REST paths of schedules.
//!
//! Invariant: an answer to a change means that it is durable.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::{AskError, Engine};
use kernel::{Command, Rejection};

use crate::refusal::Refusal;
use crate::rest::answer::{Schedule, ScheduleList};
use crate::rest::change::change;
use crate::rest::extract::{JsonBody, NamePath, Named};
use crate::rest::problem::Problem;
use crate::rest::request::PutScheduleRequest;

/// All schedules.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules", operation_id = "list_schedules",
    responses((status = 200, body = ScheduleList, description = "By name."), Problem)
)]
pub(super) async fn list(State(engine): State<Engine>) -> Result<Json<ScheduleList>, Refusal> {
    let schedules = engine
        .schedules()
        .await?
        .into_iter()
        .map(Schedule::from)
        .collect();
    Ok(Json(ScheduleList { schedules }))
}

/// One schedule.
#[utoipa::path(
    get, path = "/schedules/{name}", tag = "schedules", operation_id = "get_schedule",
    params(NamePath),
    responses((status = 200, body = Schedule, description = "It."), Problem)
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    Named(name): Named,
) -> Result<Json<Schedule>, Refusal> {
    let found = engine
        .schedules()
        .await?
        .into_iter()
        .find(|schedule| *schedule.name == *name);
    let found = found.ok_or_else(|| AskError::Rejected(Rejection::ScheduleMissing(name.into())))?;
    Ok(Json(found.into()))
}

/// Creates or replaces a schedule.
#[utoipa::path(
    put, path = "/schedules/{name}", tag = "schedules", operation_id = "put_schedule",
    params(NamePath),
    request_body = PutScheduleRequest,
    responses((status = 204, description = "It holds."), Problem)
)]
pub(super) async fn put(
    State(engine): State<Engine>,
    Named(name): Named,
    JsonBody(request): JsonBody<PutScheduleRequest>,
) -> Result<StatusCode, Refusal> {
    change(&engine, request.into_command(name)?).await
}

/// Forgets a schedule; its runs go on.
#[utoipa::path(
    delete, path = "/schedules/{name}", tag = "schedules", operation_id = "delete_schedule",
    params(NamePath),
    responses((status = 204, description = "It is forgotten."), Problem)
)]
pub(super) async fn delete(
    State(engine): State<Engine>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    change(&engine, Command::DeleteSchedule { name: name.into() }).await
}

/// Lets a schedule rest.
#[utoipa::path(
    post, path = "/schedules/{name}/pause", tag = "schedules", operation_id = "pause_schedule",
    params(NamePath),
    responses((status = 204, description = "It rests."), Problem)
)]
pub(super) async fn pause(
    State(engine): State<Engine>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    let (name, paused) = (name.into(), true);
    change(&engine, Command::PauseSchedule { name, paused }).await
}

/// Lets a schedule go on.
#[utoipa::path(
    post, path = "/schedules/{name}/resume", tag = "schedules", operation_id = "resume_schedule",
    params(NamePath),
    responses((status = 204, description = "It goes on."), Problem)
)]
pub(super) async fn resume(
    State(engine): State<Engine>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    let (name, paused) = (name.into(), false);
    change(&engine, Command::PauseSchedule { name, paused }).await
}
