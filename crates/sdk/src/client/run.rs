//! Owns the calls about runs: starting, finding and steering them, and [`Run`] itself.
//!
//! Invariant: data goes out and comes in as JSON text; nothing here interprets it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use api::v1;
use bytes::Bytes;
use serde::Serialize;

use super::starts::StartStream;
use super::{Client, bounded, millis};
use crate::error::Error;
use crate::json::Json;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RunState {
    /// It moves, or a worker works for it.
    Running,
    /// It waits for a time, an event, a person or a child.
    Waiting,
    /// Somebody suspended it.
    Suspended,
    /// It cannot go on by itself.
    Incident,
    /// It ended well.
    Completed,
    /// It ended with an error.
    Failed,
    /// It ended on request, after clean-up.
    Cancelled,
    /// It was ended at once.
    Terminated,
    /// A state that this version of the library does not know.
    Unknown,
}

const STATES: [(&str, RunState); 8] = [
    ("running", RunState::Running),
    ("waiting", RunState::Waiting),
    ("suspended", RunState::Suspended),
    ("incident", RunState::Incident),
    ("completed", RunState::Completed),
    ("failed", RunState::Failed),
    ("cancelled", RunState::Cancelled),
    ("terminated", RunState::Terminated),
];

impl RunState {
    /// The state of this name, as the contract writes it; [`RunState::Unknown`] for any other.
    #[must_use]
    pub fn from_name(name: &str) -> RunState {
        let found = STATES.iter().find(|(listed, _)| *listed == name);
        found.map_or(RunState::Unknown, |(_, state)| *state)
    }

    /// The name of the state.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = STATES.iter().find(|(_, listed)| *listed == self);
        found.map_or("unknown", |(name, _)| name)
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            RunState::Completed | RunState::Failed | RunState::Cancelled | RunState::Terminated
        )
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One execution of a workflow.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names the run.
    pub id: String,
    /// The workflow.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// Business key.
    pub key: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// What it was started with.
    pub input: Json,
    /// What it brought; empty until completed.
    pub output: Json,
    /// Problem as of RFC 9457; empty unless it ended otherwise.
    pub error: Json,
    /// Milliseconds since 1970.
    pub started_at_ms: u64,
    /// Milliseconds since 1970; `None` while it goes on.
    pub ended_at_ms: Option<u64>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Search attributes.
    pub attributes: BTreeMap<String, Json>,
    /// The run that started it.
    pub parent: Option<String>,
    /// What it is doing now; empty in lists.
    pub steps: Vec<Step>,
    /// Runs that it started; empty in lists.
    pub children: Vec<String>,
}

/// Something that a run is doing.
#[derive(Clone, Debug)]
pub struct Step {
    /// Names the step within the run.
    pub id: u32,
    /// Name in the workflow.
    pub name: String,
    /// JSON pointer into the source.
    pub path: String,
    /// What it waits for: task, timer, event, child, region, held.
    pub kind: String,
    /// The same in words.
    pub detail: String,
    /// Milliseconds since 1970.
    pub entered_at_ms: u64,
    /// From 1.
    pub attempt: u32,
    /// The failure that parked it; empty for none.
    pub error: Json,
}

/// Which runs are meant: those for which all hold that are given.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Of this workflow.
    pub workflow: Option<String>,
    /// In any of these states; empty for all.
    pub states: Vec<RunState>,
    /// Started at or after these milliseconds since 1970.
    pub started_after_ms: Option<u64>,
    /// Started before these milliseconds since 1970.
    pub started_before_ms: Option<u64>,
    /// With all of these labels.
    pub labels: BTreeMap<String, String>,
    /// With all of these search attributes.
    pub attributes: BTreeMap<String, Json>,
    /// Started by this run.
    pub parent: Option<String>,
}

/// A part of a list of runs.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first, without steps.
    pub runs: Vec<Run>,
    /// What to ask for the next part with; `None` at the end.
    pub next: Option<String>,
}

/// How many runs there are.
#[derive(Clone, Debug)]
pub struct RunCount {
    /// All together.
    pub count: u64,
    /// By state.
    pub states: BTreeMap<RunState, u64>,
}

/// What starting did.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub id: String,
    /// False if the business key found a run that was there already.
    pub created: bool,
    /// Given if [`Start::wait`] was: the run as it ended, or as it stood when the time was over.
    pub run: Option<Run>,
}

/// A run to be started; [`Start::send`] does it.
#[derive(Debug)]
#[must_use = "nothing is started before `send`"]
pub struct Start {
    client: Client,
    request: v1::StartRunRequest,
    wait: Duration,
    flaw: Option<Error>,
}

impl Start {
    /// This version of the workflow instead of the latest.
    pub fn version(mut self, version: impl Into<String>) -> Start {
        self.request.version = version.into();
        self
    }

    /// Business key: starting again with the same key finds the same run, so a start that got no answer
    /// can be repeated.
    pub fn key(mut self, key: impl Into<String>) -> Start {
        self.request.key = key.into();
        self
    }

    /// The input; `{}` if none is given.
    pub fn input<T: Serialize + ?Sized>(mut self, input: &T) -> Start {
        self.request.input = self.encode(input);
        self
    }

    /// A label.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Start {
        self.request.labels.insert(name.into(), value.into());
        self
    }

    /// A search attribute.
    pub fn attribute<T: Serialize + ?Sized>(mut self, name: impl Into<String>, value: &T) -> Start {
        let value = self.encode(value);
        self.request.attributes.insert(name.into(), value);
        self
    }

    /// Waits for the end of the run, at most this long. Without it the answer comes when the start is
    /// durable.
    pub fn wait(mut self, at_most: Duration) -> Start {
        self.wait = at_most;
        self
    }

    /// Starts the run.
    ///
    /// # Errors
    /// [`Error::Encode`] if the input or an attribute has no JSON form; [`Error::Refused`];
    /// [`Error::Unreachable`], after which the run may or may not exist.
    pub async fn send(self) -> Result<Started, Error> {
        let (client, wait) = (self.client.clone(), self.wait);
        let request = bounded(self.request()?, wait);
        let answer = client.raw().runs().start(request).await?;
        Ok(answer.into_inner().into())
    }

    /// Starts the run by a stream, for programs that start thousands a second.
    ///
    /// # Errors
    /// As [`Start::send`].
    pub async fn send_on(self, stream: &StartStream) -> Result<Started, Error> {
        let wait = self.wait;
        Ok(stream.start(self.request()?, wait).await?.into())
    }

    fn request(mut self) -> Result<v1::StartRunRequest, Error> {
        self.request.wait_ms = millis(self.wait);
        self.flaw.map_or(Ok(self.request), Err)
    }

    fn encode<T: Serialize + ?Sized>(&mut self, value: &T) -> Bytes {
        match Json::encode(value) {
            Ok(text) => text.into_bytes(),
            Err(flaw) => {
                self.flaw.get_or_insert(flaw);
                Bytes::new()
            }
        }
    }
}

impl From<v1::StartRunResponse> for Started {
    fn from(answer: v1::StartRunResponse) -> Started {
        Started {
            id: answer.id,
            created: answer.created,
            run: answer.run.map(Run::from),
        }
    }
}

impl Client {
    /// Prepares the start of a run; [`Start::send`] does it.
    pub fn start(&self, workflow: impl Into<String>) -> Start {
        Start {
            client: self.clone(),
            request: v1::StartRunRequest {
                workflow: workflow.into(),
                ..v1::StartRunRequest::default()
            },
            wait: Duration::ZERO,
            flaw: None,
        }
    }

    /// A run as it stands.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn get(&self, id: &str) -> Result<Run, Error> {
        self.wait(id, Duration::ZERO).await
    }

    /// A run as it ended, or as it stood when this time was over.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn wait(&self, id: &str, at_most: Duration) -> Result<Run, Error> {
        let id = id.to_owned();
        let wait_ms = millis(at_most);
        let request = bounded(v1::GetRunRequest { id, wait_ms }, at_most);
        Ok(self.raw().runs().get(request).await?.into_inner().into())
    }

    /// A page of at most `limit` (1000; 0 for 100) runs, the first or the one that the page before names.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn list(
        &self,
        filter: RunFilter,
        limit: u32,
        page: Option<String>,
    ) -> Result<Page, Error> {
        let request = v1::ListRunsRequest {
            filter: Some(filter.into()),
            limit,
            page_token: page.unwrap_or_default(),
        };
        let answer = self
            .raw()
            .runs()
            .list(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(Page {
            runs: answer.runs.into_iter().map(Run::from).collect(),
            next: non_empty(answer.next_page_token),
        })
    }

    /// How many runs there are, by state.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn count(&self, filter: RunFilter) -> Result<RunCount, Error> {
        let filter = Some(filter.into());
        let request = bounded(v1::CountRunsRequest { filter }, Duration::ZERO);
        let answer = self.raw().runs().count(request).await?.into_inner();
        let mut states = BTreeMap::new();
        for (name, count) in answer.states {
            *states.entry(RunState::from_name(&name)).or_default() += count;
        }
        Ok(RunCount {
            count: answer.count,
            states,
        })
    }

    /// Ends a run after compensation and clean-up.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known or has ended; [`Error::Unreachable`].
    pub async fn cancel(&self, id: &str, reason: &str) -> Result<(), Error> {
        self.raw().runs().cancel(end(id, reason)).await?;
        Ok(())
    }

    /// Ends a run at once.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known or has ended; [`Error::Unreachable`].
    pub async fn terminate(&self, id: &str, reason: &str) -> Result<(), Error> {
        self.raw().runs().terminate(end(id, reason)).await?;
        Ok(())
    }

    /// Holds a run: it stays where it is until it is resumed.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known or has ended; [`Error::Unreachable`].
    pub async fn suspend(&self, id: &str) -> Result<(), Error> {
        let request = v1::RunRequest { id: id.to_owned() };
        self.raw()
            .runs()
            .suspend(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }

    /// Lets a suspended run go on.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known or not suspended; [`Error::Unreachable`].
    pub async fn resume(&self, id: &str) -> Result<(), Error> {
        let request = v1::RunRequest { id: id.to_owned() };
        self.raw()
            .runs()
            .resume(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }

    /// Offers the tasks again that an incident parked, those of one step or of all; answers how many.
    ///
    /// # Errors
    /// [`Error::Refused`] if the run is not known or nothing is parked; [`Error::Unreachable`].
    pub async fn retry(&self, id: &str, step: Option<u32>) -> Result<u32, Error> {
        let request = v1::RetryRunRequest {
            id: id.to_owned(),
            step: step.unwrap_or(0),
        };
        let answer = self
            .raw()
            .runs()
            .retry(bounded(request, Duration::ZERO))
            .await?;
        Ok(answer.into_inner().tasks)
    }

    /// Sends a signal to a run. If it comes early it is kept for `ttl`, or for the server's default of
    /// a day.
    ///
    /// # Errors
    /// [`Error::Encode`]; [`Error::Refused`] if the run is not known or has ended; [`Error::Unreachable`].
    pub async fn signal<T>(
        &self,
        id: &str,
        name: &str,
        data: &T,
        ttl: Option<Duration>,
    ) -> Result<(), Error>
    where
        T: Serialize + ?Sized,
    {
        let request = v1::SignalRunRequest {
            id: id.to_owned(),
            name: name.to_owned(),
            data: Json::encode(data)?.into_bytes(),
            ttl_ms: ttl.map_or(0, millis),
        };
        self.raw()
            .runs()
            .signal(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }
}

fn end(id: &str, reason: &str) -> tonic::Request<v1::EndRunRequest> {
    let request = v1::EndRunRequest {
        id: id.to_owned(),
        reason: reason.to_owned(),
    };
    bounded(request, Duration::ZERO)
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn json_map(map: HashMap<String, Bytes>) -> BTreeMap<String, Json> {
    map.into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}

impl From<v1::Run> for Run {
    fn from(run: v1::Run) -> Run {
        Run {
            id: run.id,
            workflow: run.workflow,
            version: run.version,
            key: non_empty(run.key),
            state: RunState::from_name(&run.state),
            input: run.input.into(),
            output: run.output.into(),
            error: run.error.into(),
            started_at_ms: run.started_at_ms,
            ended_at_ms: (run.ended_at_ms != 0).then_some(run.ended_at_ms),
            labels: run.labels.into_iter().collect(),
            attributes: json_map(run.attributes),
            parent: non_empty(run.parent),
            steps: run.steps.into_iter().map(Step::from).collect(),
            children: run.children,
        }
    }
}

impl From<v1::Step> for Step {
    fn from(step: v1::Step) -> Step {
        Step {
            id: step.id,
            name: step.name,
            path: step.path,
            kind: step.kind,
            detail: step.detail,
            entered_at_ms: step.entered_at_ms,
            attempt: step.attempt,
            error: step.error.into(),
        }
    }
}

impl From<RunFilter> for v1::RunFilter {
    fn from(filter: RunFilter) -> v1::RunFilter {
        let attributes = filter.attributes.into_iter();
        v1::RunFilter {
            workflow: filter.workflow.unwrap_or_default(),
            states: filter
                .states
                .into_iter()
                .map(|state| state.name().to_owned())
                .collect(),
            started_after_ms: filter.started_after_ms.unwrap_or(0),
            started_before_ms: filter.started_before_ms.unwrap_or(0),
            labels: filter.labels.into_iter().collect(),
            attributes: attributes
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
            parent: filter.parent.unwrap_or_default(),
        }
    }
}
