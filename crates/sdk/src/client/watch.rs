//! Owns the calls about what happened in a run: its history, and the stream of what goes on happening.

use std::time::Duration;

use api::v1;
use tonic::Streaming;

use super::{Client, bounded};
use crate::error::Error;
use crate::json::Json;

/// One event of a run.
#[derive(Clone, Debug)]
pub struct HistoryEvent {
    /// From 0, without gaps.
    pub number: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Name of the event, such as `StepCompleted`.
    pub kind: String,
    /// Its content.
    pub data: Json,
    /// The step's name in the workflow; `None` if it is about none.
    pub step_name: Option<String>,
}

/// A part of a run's history.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    /// Oldest first.
    pub events: Vec<HistoryEvent>,
    /// Number to go on from; `None` at the end of what there is.
    pub next: Option<u64>,
}

/// The events of a run as they happen.
#[derive(Debug)]
pub struct Watch {
    stream: Streaming<v1::HistoryEvent>,
}

impl Watch {
    /// The next event, or `None` once the run has ended. After an error, watch again from the number
    /// after the last event.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if the stream broke, [`Error::Refused`] if the server ended it.
    pub async fn next(&mut self) -> Result<Option<HistoryEvent>, Error> {
        let event = self.stream.message().await?;
        Ok(event.map(HistoryEvent::from))
    }
}

impl Client {
    /// What happened in a run from event number `from`, at most `limit` (1000, also for 0) events.
    ///
    /// # Errors
    /// [`Error::Refused`] if the run is not known; [`Error::Unreachable`].
    pub async fn history(&self, id: &str, from: u64, limit: u32) -> Result<HistoryPage, Error> {
        let id = id.to_owned();
        let request = v1::HistoryRequest { id, from, limit };
        let answer = self
            .raw()
            .runs()
            .history(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(HistoryPage {
            events: answer.events.into_iter().map(HistoryEvent::from).collect(),
            next: (answer.next != 0).then_some(answer.next),
        })
    }

    /// Everything that happened in a run from event number `from`, and what happens until it ends.
    ///
    /// # Errors
    /// [`Error::Refused`] if the run is not known; [`Error::Unreachable`].
    pub async fn watch(&self, id: &str, from: u64) -> Result<Watch, Error> {
        let id = id.to_owned();
        // No deadline: a run may go on for years.
        let answer = self
            .raw()
            .runs()
            .watch(v1::WatchRequest { id, from })
            .await?;
        let stream = answer.into_inner();
        Ok(Watch { stream })
    }
}

/// What there is to tell of a run, one by one.
#[derive(Debug)]
pub struct Lifecycle {
    stream: Streaming<v1::LifecycleEvent>,
}

/// A CloudEvent about a run or a task of it.
#[derive(Clone, Debug)]
pub struct LifecycleEvent {
    /// Number of the event of the history that it is told by; one may tell several.
    pub number: u64,
    /// The CloudEvent in structured mode.
    pub event: Json,
}

impl Lifecycle {
    /// The next one, or `None` after the last. After an error, ask again from the number of the last one: what it
    /// tells comes again, with the same id.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub async fn next(&mut self) -> Result<Option<LifecycleEvent>, Error> {
        let event = self.stream.message().await?;
        Ok(event.map(|event| LifecycleEvent {
            number: event.number,
            event: event.event.into(),
        }))
    }
}

impl Client {
    /// What there is to tell of a run as CloudEvents of the Serverless Workflow DSL, from event number `from` of its history
    /// on; with `follow` also what comes until it ends.
    ///
    /// # Errors
    /// [`Error::Refused`] if the run is not known; [`Error::Unreachable`].
    pub async fn lifecycle(&self, id: &str, from: u64, follow: bool) -> Result<Lifecycle, Error> {
        let id = id.to_owned();
        let request = v1::LifecycleRequest { id, from, follow };
        let answer = self.raw().runs().lifecycle(request).await?;
        let stream = answer.into_inner();
        Ok(Lifecycle { stream })
    }
}

impl From<v1::HistoryEvent> for HistoryEvent {
    fn from(event: v1::HistoryEvent) -> HistoryEvent {
        HistoryEvent {
            number: event.number,
            at_ms: event.at_ms,
            kind: event.kind,
            data: event.data.into(),
            step_name: (!event.step_name.is_empty()).then_some(event.step_name),
        }
    }
}
