//! Owns what all streams of server-sent events have in common: where they begin, how they end, and that they live.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::AskError;
use futures::{Stream, StreamExt};

use crate::refusal::Refusal;
use crate::rest::extract::Pairs;
use crate::rest::query;

/// How often a silent stream of events says that it lives.
const KEEP_ALIVE_MS: u64 = 15_000;

/// Name of the header that a browser resumes a stream of events with.
const LAST_EVENT_ID: &str = "last-event-id";

/// The number of the first event wanted.
pub(super) fn from(headers: &HeaderMap, pairs: Pairs) -> Result<u64, Refusal> {
    let from = query::only(pairs, "from")?;
    if let Some(last) = headers.get(LAST_EVENT_ID) {
        let last: u64 = query::number("Last-Event-ID", last.to_str().unwrap_or("?"))?;
        return Ok(last.saturating_add(1));
    }
    from.map_or(Ok(0), |text| query::number("from", &text))
}

/// The message of a stream that breaks.
pub(super) fn broken(error: AskError) -> Event {
    Event::default()
        .event("error")
        .data(Refusal::from(error).to_string())
}

/// The messages, and one that says that there are no more.
pub(super) fn ending(
    messages: impl Stream<Item = Event> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let end = futures::stream::once(async { Event::default().event("end").data("{}") });
    let alive = KeepAlive::new().interval(Duration::from_millis(KEEP_ALIVE_MS));
    Sse::new(messages.chain(end).map(Ok)).keep_alive(alive)
}
