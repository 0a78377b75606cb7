//! Owns the REST paths that begin and show runs.
//!
//! Invariant: a start costs one question to the engine, with a wait as well as without.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use engine::Engine;
use futures::{Stream, StreamExt};

use crate::follow::follow;
use crate::refusal::Refusal;
use crate::rest::answer::{History, HistoryEvent, Run, RunCount, RunList, StartAnswer};
use crate::rest::extract::{ForRun, JsonBody, Pairs, RunPath};
use crate::rest::problem::Problem;
use crate::rest::query::{self, FilterParams, PageParams};
use crate::rest::request::StartRunRequest;
use crate::rest::stream;
use crate::{intake, page};

/// Begins a run; the same business key finds the same run.
#[utoipa::path(
    post, path = "/runs", tag = "runs", operation_id = "start_run",
    params(("wait" = Option<String>, Query,
        description = "How long to wait for the end: `500ms`, `30s`, `2m` or a number of seconds; at most ten minutes.")),
    request_body = StartRunRequest,
    responses(
        (status = 201, body = StartAnswer, description = "Begun."),
        (status = 200, body = StartAnswer, description = "The key found an existing run."),
        Problem,
    )
)]
pub(super) async fn start(
    State(engine): State<Engine>,
    pairs: Pairs,
    JsonBody(request): JsonBody<StartRunRequest>,
) -> Result<Response, Refusal> {
    let wait = intake::run_wait(query::wait_ms(pairs)?);
    let start = request.into_start()?;
    let id = start.run.to_string();
    let (created, run) = intake::begin(&engine, start, wait).await?;
    let run = run.map(Run::from);
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let location = [(header::LOCATION, format!("/api/v1/runs/{id}"))];
    Ok((status, location, Json(StartAnswer { id, created, run })).into_response())
}

/// One page of runs, newest first. A page may be shorter than its limit and still not be the last one.
#[utoipa::path(
    get, path = "/runs", tag = "runs", operation_id = "list_runs",
    params(FilterParams, PageParams),
    responses((status = 200, body = RunList, description = "The page."), Problem)
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    pairs: Pairs,
) -> Result<Json<RunList>, Refusal> {
    let mut wanted = PageParams::default();
    let filter = query::filter(pairs, Some(&mut wanted))?;
    let after = intake::cursor(wanted.page_token.as_deref().unwrap_or_default())?;
    let listed = engine
        .list(filter, after, page::limit_runs(wanted.limit)?)
        .await?;
    Ok(Json(page::fit_runs(listed).into()))
}

/// How many runs there are, by state.
#[utoipa::path(
    get, path = "/runs/count", tag = "runs", operation_id = "count_runs",
    params(FilterParams),
    responses((status = 200, body = RunCount, description = "So many."), Problem)
)]
pub(super) async fn count(
    State(engine): State<Engine>,
    pairs: Pairs,
) -> Result<Json<RunCount>, Refusal> {
    Ok(Json(
        engine.count(query::filter(pairs, None)?).await?.into(),
    ))
}

/// One run, with what it is doing now.
#[utoipa::path(
    get, path = "/runs/{id}", tag = "runs", operation_id = "get_run",
    params(
        RunPath,
        ("wait" = Option<String>, Query, description = "How long to wait for its end, as when it is started."),
    ),
    responses((status = 200, body = Run, description = "It."), Problem)
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    pairs: Pairs,
) -> Result<Json<Run>, Refusal> {
    let view = match intake::run_wait(query::wait_ms(pairs)?) {
        None => engine.run(run).await?,
        Some(wait) => engine.wait(run, wait).await?,
    };
    let children = engine.children(run, view.summary.started_at).await?;
    Ok(Json(Run::from(view).with_children(&children)))
}

/// Everything that happened to a run, oldest first.
#[utoipa::path(
    get, path = "/runs/{id}/history", tag = "runs", operation_id = "run_history",
    params(
        RunPath,
        ("from" = Option<u64>, Query, description = "Number of the first event wanted."),
        ("limit" = Option<usize>, Query, description = "At most 1000, which is also the default."),
    ),
    responses((status = 200, body = History, description = "The events."), Problem)
)]
pub(super) async fn history(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    pairs: Pairs,
) -> Result<Json<History>, Refusal> {
    let (from, limit) = query::part(pairs)?;
    let past = engine
        .history(run, from, page::limit_events(limit)?)
        .await?;
    Ok(Json(page::fit_history(past).into()))
}

/// Everything that happened and happens to a run, as server-sent events: one message for each event with
/// its number as id, then `event: end` once the run has ended. Resumes after `Last-Event-ID`.
#[utoipa::path(
    get, path = "/runs/{id}/events", tag = "runs", operation_id = "watch_run",
    params(
        RunPath,
        ("from" = Option<u64>, Query, description = "Number of the first event wanted."),
        ("Last-Event-ID" = Option<u64>, Header, description = "Number of the last event seen; wins over `from`."),
    ),
    responses((status = 200, body = HistoryEvent, content_type = "text/event-stream", description = "The events."), Problem)
)]
pub(super) async fn watch(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    headers: HeaderMap,
    pairs: Pairs,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let events = follow(engine, run, stream::from(&headers, pairs)?).await?;
    Ok(stream::ending(events.map(|event| match event {
        Ok(event) => message(event),
        Err(error) => stream::broken(error),
    })))
}

fn message(event: engine::query::HistoryEvent) -> Event {
    let id = event.number.to_string();
    let text =
        serde_json::to_string(&HistoryEvent::from(event)).expect("an event has only text keys");
    Event::default().id(id).data(text)
}
