//! Owns the REST paths of workflow definitions.
//!
//! Invariant: a text is judged the same whether it is checked or deployed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::Engine;

use crate::intake;
use crate::refusal::Refusal;
use crate::rest::answer::{CheckAnswer, DeployAnswer, Workflow, WorkflowList};
use crate::rest::extract::{Named, Pairs, TextBody};
use crate::rest::problem::Problem;
use crate::rest::query;

/// Makes a workflow version known. The same text again is no change; other text under the same version is
/// refused. If the text has a schedule, it is kept under the workflow's name.
#[utoipa::path(
    post, path = "/workflows", tag = "workflows",
    request_body(content = String, content_type = "text/yaml", description = "The text, YAML or JSON."),
    responses(
        (status = 201, body = DeployAnswer, description = "New."),
        (status = 200, body = DeployAnswer, description = "The same was there already."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn deploy(
    State(engine): State<Engine>,
    TextBody(source): TextBody,
) -> Result<(StatusCode, Json<DeployAnswer>), Refusal> {
    let deployed = intake::deploy(&engine, source).await?;
    let status = if deployed.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(deployed.into())))
}

/// Checks a text without deploying it.
#[utoipa::path(
    post, path = "/workflows/check", tag = "workflows",
    request_body(content = String, content_type = "text/yaml", description = "The text, YAML or JSON."),
    responses(
        (status = 200, body = CheckAnswer, description = "What was found, errors first."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn check(TextBody(source): TextBody) -> Json<CheckAnswer> {
    Json(intake::check(source).await.into())
}

/// All workflows with their versions.
#[utoipa::path(
    get, path = "/workflows", tag = "workflows", operation_id = "list_workflows",
    responses(
        (status = 200, body = WorkflowList, description = "Versions by name."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn list(State(engine): State<Engine>) -> Result<Json<WorkflowList>, Refusal> {
    let known = engine.workflows().await?;
    let workflows = known
        .iter()
        .map(|(definition, latest)| Workflow::brief(definition, *latest))
        .collect();
    Ok(Json(WorkflowList { workflows }))
}

/// One version of a workflow, with its source.
#[utoipa::path(
    get, path = "/workflows/{name}", tag = "workflows", operation_id = "get_workflow",
    params(
        ("name" = String, Path, description = "Its name; write a slash in it as %2F."),
        ("version" = Option<String>, Query, description = "The latest if left out."),
    ),
    responses(
        (status = 200, body = Workflow, description = "It."),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "Why not."),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    Named(name): Named,
    pairs: Pairs,
) -> Result<Json<Workflow>, Refusal> {
    let version = query::only(pairs, "version")?;
    let (definition, latest) = engine
        .workflow(name.into(), version.map(Into::into))
        .await?;
    Ok(Json(Workflow::full(&definition, latest)))
}
