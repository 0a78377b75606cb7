//! Owns the REST paths of human tasks.
//!
//! Invariant: an answer to a change means that it is durable. Who asks says so in `by`; nothing here can know
//! better until there is authentication.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::Engine;
use engine::human::HumanFilter;
use kernel::HumanAct;

use crate::refusal::Refusal;
use crate::rest::change::change;
use crate::rest::extract::{JsonBody, Named, Pairs, TaskPath};
use crate::rest::human_body::{
    AssignRequest, ByRequest, CommentRequest, CompleteRequest, HumanTask, HumanTaskList,
    RejectRequest,
};
use crate::rest::problem::Problem;
use crate::rest::query::{self, HumanParams, PageParams};
use crate::{intake, page};

/// One page of human tasks, the most urgent first, then the oldest: open ones, or with `run` also those that are
/// closed. A page may be shorter than its limit and still not be the last one.
#[utoipa::path(
    get, path = "/human-tasks", tag = "human-tasks", operation_id = "list_human_tasks",
    params(HumanParams, PageParams),
    responses((status = 200, body = HumanTaskList, description = "The page."), Problem)
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    pairs: Pairs,
) -> Result<Json<HumanTaskList>, Refusal> {
    let (filter, wanted): (HumanFilter, PageParams) = query::human_filter(pairs)?;
    let after = intake::place(wanted.page_token.as_deref().unwrap_or_default())?;
    let listed = engine
        .humans(filter, after, page::limit_runs(wanted.limit)?)
        .await?;
    Ok(Json(page::fit_humans(listed).into()))
}

/// One human task, open or closed.
#[utoipa::path(
    get, path = "/human-tasks/{id}", tag = "human-tasks", operation_id = "get_human_task",
    params(TaskPath),
    responses((status = 200, body = HumanTask, description = "It."), Problem)
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    Named(id): Named,
) -> Result<Json<HumanTask>, Refusal> {
    Ok(Json(engine.human(intake::human_task(&id)?).await?.into()))
}

async fn act(engine: &Engine, id: &str, by: String, act: HumanAct) -> Result<StatusCode, Refusal> {
    change(engine, intake::about_human(id, by, act)?).await
}

/// Takes a task that nobody else has.
#[utoipa::path(
    post, path = "/human-tasks/{id}/claim", tag = "human-tasks", operation_id = "claim_human_task",
    params(TaskPath),
    request_body = ByRequest,
    responses((status = 204, description = "It is yours."), Problem)
)]
pub(super) async fn claim(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<ByRequest>,
) -> Result<StatusCode, Refusal> {
    act(&engine, &id, request.by, HumanAct::Claim).await
}

/// Gives a task back, for others to take.
#[utoipa::path(
    post, path = "/human-tasks/{id}/release", tag = "human-tasks", operation_id = "release_human_task",
    params(TaskPath),
    request_body = ByRequest,
    responses((status = 204, description = "Nobody has it."), Problem)
)]
pub(super) async fn release(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<ByRequest>,
) -> Result<StatusCode, Refusal> {
    act(&engine, &id, request.by, HumanAct::Release).await
}

/// Gives a task to someone, whoever has it now; without an assignee to whoever takes it.
#[utoipa::path(
    post, path = "/human-tasks/{id}/assign", tag = "human-tasks", operation_id = "assign_human_task",
    params(TaskPath),
    request_body = AssignRequest,
    responses((status = 204, description = "It is theirs."), Problem)
)]
pub(super) async fn assign(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<AssignRequest>,
) -> Result<StatusCode, Refusal> {
    let to = HumanAct::Assign {
        assignee: request.assignee.map(Into::into),
        groups: intake::names(request.groups),
    };
    act(&engine, &id, request.by, to).await
}

/// Says that a task is done: its run goes on.
#[utoipa::path(
    post, path = "/human-tasks/{id}/complete", tag = "human-tasks", operation_id = "complete_human_task",
    params(TaskPath),
    request_body = CompleteRequest,
    responses((status = 204, description = "It is done."), Problem)
)]
pub(super) async fn complete(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<CompleteRequest>,
) -> Result<StatusCode, Refusal> {
    let done = HumanAct::Complete {
        outcome: request.outcome.map(Into::into),
        data: request.data,
        comment: request.comment.map(Into::into),
    };
    act(&engine, &id, request.by, done).await
}

/// Refuses a task: its step fails with the error `…/rejected`, which the workflow may catch.
#[utoipa::path(
    post, path = "/human-tasks/{id}/reject", tag = "human-tasks", operation_id = "reject_human_task",
    params(TaskPath),
    request_body = RejectRequest,
    responses((status = 204, description = "It is refused."), Problem)
)]
pub(super) async fn reject(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<RejectRequest>,
) -> Result<StatusCode, Refusal> {
    let reason = request.reason.map(Into::into);
    act(&engine, &id, request.by, HumanAct::Reject { reason }).await
}

/// Says something about a task.
#[utoipa::path(
    post, path = "/human-tasks/{id}/comment", tag = "human-tasks", operation_id = "comment_human_task",
    params(TaskPath),
    request_body = CommentRequest,
    responses((status = 204, description = "It is kept."), Problem)
)]
pub(super) async fn comment(
    State(engine): State<Engine>,
    Named(id): Named,
    JsonBody(request): JsonBody<CommentRequest>,
) -> Result<StatusCode, Refusal> {
    let text = request.text.into();
    act(&engine, &id, request.by, HumanAct::Comment { text }).await
}
