//! Owns the REST paths of lifecycle events.
//!
//! Invariant: a stream that is taken up again goes on with whole facts, so what one fact has to tell is told
//! whole, if need be twice.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use engine::Engine;
use futures::{Stream, StreamExt};
use serde::Serialize;
use utoipa::ToSchema;

use crate::lifecycle::{self, CloudEvent, Subject};
use crate::page;
use crate::refusal::Refusal;
use crate::rest::extract::{ForRun, Pairs, RunPath};
use crate::rest::problem::Problem;
use crate::rest::{query, stream};

/// Part of what there is to tell of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lifecycle {
    /// Oldest first, in the form of a batch of CloudEvents.
    events: Vec<CloudEvent>,
    /// Number to go on from; left out at the end of what there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<u64>,
}

/// The life of a run as CloudEvents of the Serverless Workflow DSL, oldest first. `from`, `limit` and `next` count the
/// events of its history, of which each tells of none, one or several.
#[utoipa::path(
    get, path = "/runs/{id}/lifecycle", tag = "runs", operation_id = "run_lifecycle",
    params(
        RunPath,
        ("from" = Option<u64>, Query, description = "Number of the first event of the history that is wanted."),
        ("limit" = Option<usize>, Query, description = "At most 1000 events of the history, which is also the default."),
    ),
    responses((status = 200, body = Lifecycle, description = "The CloudEvents."), Problem)
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    pairs: Pairs,
) -> Result<Json<Lifecycle>, Refusal> {
    let (from, limit) = query::part(pairs)?;
    let limit = page::limit_events(limit)?;
    let subject = Subject::find(&engine, run).await?;
    let past = page::fit_history(engine.history(run, from, limit).await?);
    let events = past.events.iter().flat_map(|event| subject.tell(event));
    Ok(Json(Lifecycle {
        events: events.collect(),
        next: past.next,
    }))
}

/// The life of a run as CloudEvents, those that were and those that come, as server-sent events; then `event: end` once
/// the run has ended. Resumes after `Last-Event-ID`, which is a number in the history.
#[utoipa::path(
    get, path = "/runs/{id}/lifecycle/events", tag = "runs", operation_id = "watch_lifecycle",
    params(
        RunPath,
        ("from" = Option<u64>, Query, description = "Number of the first event of the history that is wanted."),
        ("Last-Event-ID" = Option<u64>, Header, description = "Number of the last one seen; wins over `from`."),
    ),
    responses((status = 200, body = CloudEvent, content_type = "text/event-stream", description = "The CloudEvents."), Problem)
)]
pub(super) async fn watch(
    State(engine): State<Engine>,
    ForRun(run): ForRun,
    headers: HeaderMap,
    pairs: Pairs,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let from = stream::from(&headers, pairs)?;
    let facts = lifecycle::stream(engine, run, from, true).await?;
    let messages = facts.flat_map(|fact| {
        futures::stream::iter(match fact {
            Ok((number, told)) => messages(number, &told),
            Err(error) => vec![stream::broken(error)],
        })
    });
    Ok(stream::ending(messages))
}

/// What a fact has to tell. The last message has its number, so that whoever stops before it gets all of them again.
fn messages(number: u64, told: &[CloudEvent]) -> Vec<Event> {
    let last = told.len().saturating_sub(1);
    let each = told.iter().enumerate().map(|(index, event)| {
        let text = serde_json::to_string(event).expect("an event has only text keys");
        let message = Event::default().data(text);
        match index == last {
            true => message.id(number.to_string()),
            false => message,
        }
    });
    each.collect()
}
