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
use crate::rest::extract::{NamePath, Named, Pairs, TextBody};
use crate::rest::problem::Problem;
use crate::rest::query;

/// Makes a workflow version known. The same text again is no change; other text under the same version is
/// refused. The schedule of the workflow's name follows the newest version.
#[utoipa::path(
    post, path = "/workflows", tag = "workflows", operation_id = "deploy_workflow",
    request_body(content = String, content_type = "text/yaml", description = "The text, YAML or JSON."),
    responses(
        (status = 201, body = DeployAnswer, description = "New."),
        (status = 200, body = DeployAnswer, description = "The same was there already."),
        Problem,
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
    post, path = "/workflows/check", tag = "workflows", operation_id = "check_workflow",
    request_body(content = String, content_type = "text/yaml", description = "The text, YAML or JSON."),
    responses((status = 200, body = CheckAnswer, description = "What was found, errors first."), Problem)
)]
pub(super) async fn check(TextBody(source): TextBody) -> Json<CheckAnswer> {
    Json(intake::check(source).await.into())
}

/// All workflows with their versions.
#[utoipa::path(
    get, path = "/workflows", tag = "workflows", operation_id = "list_workflows",
    responses((status = 200, body = WorkflowList, description = "Versions by name."), Problem)
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
        NamePath,
        ("version" = Option<String>, Query, description = "The latest if left out."),
    ),
    responses((status = 200, body = Workflow, description = "It."), Problem)
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    Named(name): Named,
    pairs: Pairs,
) -> Result<Json<Workflow>, Refusal> {
    let version = query::only(pairs, "version")?;
    let (definition, latest) = engine
        .workflow(intake::workflow_name(&name).into(), version.map(Into::into))
        .await?;
    Ok(Json(Workflow::full(&definition, latest)))
}
