//! Owns the map of the REST paths, and the OpenAPI document that is made from it.
//!
//! Invariant: a path that is served is described, because both come from one list; only the document itself and the
//! schema for editors are not in it.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use engine::Engine;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::refusal::Refusal;
use crate::rest::problem::Problem;
use crate::rest::{events, health, human, lifecycle, run_actions, runs, schedules, workflows};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Quadrille",
        version = "1",
        description = "Workflows, runs, events and schedules of a Quadrille server. \
                       Everything that is no success is a problem as of RFC 9457 with a permanent `code`."
    ),
    tags(
        (name = "workflows", description = "Workflow definitions: immutable versions."),
        (name = "runs", description = "Executions of workflows."),
        (name = "human-tasks", description = "Work that waits for people."),
        (name = "events", description = "Correlated events."),
        (name = "schedules", description = "Runs that start by themselves."),
        (name = "server", description = "How the server itself is."),
    ),
    components(schemas(Problem))
)]
struct Document;

fn described() -> (Router<Engine>, utoipa::openapi::OpenApi) {
    let paths = OpenApiRouter::new()
        .routes(routes!(workflows::deploy, workflows::list))
        .routes(routes!(workflows::check))
        .routes(routes!(workflows::get))
        .routes(routes!(runs::start, runs::list))
        .routes(routes!(runs::count))
        .routes(routes!(runs::get))
        .routes(routes!(runs::history))
        .routes(routes!(runs::watch))
        .routes(routes!(lifecycle::list))
        .routes(routes!(lifecycle::watch))
        .routes(routes!(run_actions::cancel))
        .routes(routes!(run_actions::terminate))
        .routes(routes!(run_actions::suspend))
        .routes(routes!(run_actions::resume))
        .routes(routes!(run_actions::retry))
        .routes(routes!(run_actions::signal))
        .routes(routes!(human::list))
        .routes(routes!(human::get))
        .routes(routes!(human::claim))
        .routes(routes!(human::release))
        .routes(routes!(human::assign))
        .routes(routes!(human::complete))
        .routes(routes!(human::reject))
        .routes(routes!(human::comment))
        .routes(routes!(events::publish))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::get, schedules::put, schedules::delete))
        .routes(routes!(schedules::pause))
        .routes(routes!(schedules::resume));
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", paths)
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .split_for_parts()
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = described()
        .1
        .to_pretty_json()
        .expect("the document has only text keys");
    text.push('\n');
    text
});

static WORKFLOW_SCHEMA: LazyLock<String> = LazyLock::new(|| authoring::schema().to_string());

/// The OpenAPI document of the REST interface, as JSON.
pub fn openapi_json() -> &'static str {
    &DOCUMENT
}

/// Every path of the REST interface.
pub(crate) fn routes(engine: Engine) -> Router {
    described()
        .0
        .route("/api/openapi.json", get(document))
        .route("/api/schemas/workflow.json", get(workflow_schema))
        .method_not_allowed_fallback(refuse_method)
        .with_state(engine)
}

async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json())
}

/// The schema of workflow documents, for editors.
async fn workflow_schema() -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/schema+json")];
    (json, WORKFLOW_SCHEMA.as_str())
}

async fn refuse_method(request: Request) -> Refusal {
    Refusal::MethodRefused {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
    }
}
