//! Owns lifecycle events: what the Serverless Workflow DSL has a runtime tell about runs and their tasks, as
//! CloudEvents 1.0 (specification of the DSL, "Lifecycle Events").
//!
//! Invariant: an event follows from one fact of a history and nothing else, so it is the same whenever it is
//! asked for, and a reader who has seen its id has seen it.

use engine::query::{HistoryEvent, HistoryPage, PAGE_MAX};
use engine::{AskError, Engine};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use graph::ir::NAMESPACE_DEFAULT;
use graph::value::{Str, Value};
use graph::{Failure, Object};
use kernel::event::RunEnded;
use kernel::state::{Activity, Phase, Status};
use kernel::{RunEvent, RunId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::follow::follow;
use crate::instant::instant;

/// What is told, as a CloudEvent in structured mode.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CloudEvent {
    /// Always 1.0.
    specversion: &'static str,
    /// The same each time it is told, and no other event has it.
    id: String,
    /// The run.
    source: String,
    /// Such as io.serverlessworkflow.task.completed.v1.
    #[serde(rename = "type")]
    kind: String,
    /// When it was decided.
    #[schema(format = DateTime)]
    time: String,
    /// Always application/json.
    datacontenttype: &'static str,
    /// What the DSL says that such an event carries.
    #[schema(value_type = Value)]
    data: Value,
}

/// The run that is told of.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    run: RunId,
    namespace: Str,
    workflow: Str,
    version: Str,
}

/// What happened to the run, or to a task of it.
struct Told {
    /// `workflow` or `task`.
    of: &'static str,
    /// What happened.
    verb: &'static str,
    /// What the DSL calls the time of it.
    at: &'static str,
    /// What else is to be said.
    more: Option<(&'static str, Value)>,
}

impl Subject {
    /// Finds the run.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub(crate) async fn find(engine: &Engine, run: RunId) -> Result<Subject, AskError> {
        let found = engine.run(run).await?.summary;
        Ok(Subject::new(run, &found.workflow, &found.version))
    }

    fn new(run: RunId, workflow: &str, version: &Str) -> Subject {
        let (namespace, workflow) = workflow
            .split_once('/')
            .unwrap_or((NAMESPACE_DEFAULT, workflow));
        Subject {
            run,
            namespace: namespace.into(),
            workflow: workflow.into(),
            version: version.clone(),
        }
    }

    /// What a fact has to tell, in order.
    pub(crate) fn tell(&self, event: &HistoryEvent) -> Vec<CloudEvent> {
        let listens = event.node.as_ref().is_some_and(|node| node.listens);
        let (run, number) = (self.run, event.number);
        let time = instant(event.at);
        let told = told(&event.event, listens).into_iter().enumerate();
        told.map(|(index, told)| {
            let Told { of, verb, .. } = told;
            CloudEvent {
                specversion: "1.0",
                id: format!("{run}-{number}-{index}"),
                source: format!("/api/v1/runs/{run}"),
                kind: format!("io.serverlessworkflow.{of}.{verb}.v1"),
                data: self.data(told, event, &time),
                time: time.clone(),
                datacontenttype: "application/json",
            }
        })
        .collect()
    }

    fn data(&self, told: Told, event: &HistoryEvent, time: &str) -> Value {
        let name = format!("{}-{}.{}", self.workflow, self.run, self.namespace);
        let mut data = Object::new();
        if told.of == "task" {
            data.insert("workflow".into(), Value::text(name));
            let task = event.node.as_ref().map(|node| node.path.clone());
            data.insert("task".into(), Value::Text(task.unwrap_or_default()));
        } else {
            data.insert("name".into(), Value::text(name));
        }
        if matches!(event.event, RunEvent::Started(_)) {
            let members = [
                ("name", &self.workflow),
                ("namespace", &self.namespace),
                ("version", &self.version),
            ];
            let definition = members.map(|(key, text)| (Str::from(key), Value::Text(text.clone())));
            data.insert(
                "definition".into(),
                Value::Object(Object::from_iter(definition).into()),
            );
        }
        data.insert(told.at.into(), Value::text(time.to_owned()));
        if let Some((key, value)) = told.more {
            data.insert(key.into(), value);
        }
        Value::Object(data.into())
    }
}

fn told(event: &RunEvent, listens: bool) -> Vec<Told> {
    match event {
        RunEvent::Started(_) => vec![workflow("started", "startedAt")],
        RunEvent::Suspended(_) => vec![workflow("suspended", "suspendedAt")],
        RunEvent::Resumed(_) => vec![workflow("resumed", "resumedAt")],
        RunEvent::Ended(fact) => ended(fact),
        RunEvent::StepEntered(fact) => {
            let mut told = vec![created()];
            told.extend(begun(&fact.activity, listens));
            told
        }
        RunEvent::StepBegan(fact) => begun(&fact.activity, listens),
        RunEvent::StepPassed(fact) if fact.skipped == Some(true) => vec![],
        RunEvent::StepPassed(fact) => {
            vec![
                created(),
                task("started", "startedAt"),
                completed(&fact.output),
            ]
        }
        RunEvent::StepCompleted(fact) if listens => vec![
            workflow("correlation-completed", "completedAt"),
            completed(&fact.output),
        ],
        RunEvent::StepCompleted(fact) => vec![completed(&fact.output)],
        RunEvent::StepFailed(fact) => {
            let faulted = task("faulted", "faultedAt").failed(Some(&fact.failure));
            match fact.step {
                Some(_) => vec![faulted],
                None => vec![created(), faulted],
            }
        }
        RunEvent::StepCancelled(_) => vec![task("cancelled", "cancelledAt")],
        RunEvent::TaskClaimed(fact) if fact.claim == 1 => vec![task("started", "startedAt")],
        RunEvent::TaskQueued(_) => vec![task("retried", "retriedAt")],
        RunEvent::RegionTurned(fact) if fact.phase == Phase::Body && fact.attempt > 1 => {
            vec![task("retried", "retriedAt")]
        }
        RunEvent::TaskClaimed(_)
        | RunEvent::RegionTurned(_)
        | RunEvent::StepWithdrawing(_)
        | RunEvent::FrameOpened(_)
        | RunEvent::FrameEnding(_)
        | RunEvent::FrameClosed(_)
        | RunEvent::TokenExited(_)
        | RunEvent::TokenJoined(_)
        | RunEvent::JoinReset(_)
        | RunEvent::TaskHeard(_)
        | RunEvent::TaskBackedOff(_)
        | RunEvent::TaskParked(_)
        | RunEvent::EventReceived(_)
        | RunEvent::SignalKept(_)
        | RunEvent::SignalDropped(_)
        | RunEvent::CancelRequested(_)
        | RunEvent::RegionReleased(_)
        | RunEvent::OutcomeKept(_)
        | RunEvent::ItemAdded(_)
        | RunEvent::HumanClaimed(_)
        | RunEvent::HumanReleased(_)
        | RunEvent::HumanAssigned(_)
        | RunEvent::HumanEscalated(_)
        | RunEvent::HumanReminded(_)
        | RunEvent::HumanCommented(_)
        | RunEvent::HumanDecided(_)
        | RunEvent::LockGranted(_) => vec![],
    }
}

fn workflow(verb: &'static str, at: &'static str) -> Told {
    Told::new("workflow", verb, at)
}

fn task(verb: &'static str, at: &'static str) -> Told {
    Told::new("task", verb, at)
}

fn created() -> Told {
    task("created", "createdAt")
}

fn completed(output: &Value) -> Told {
    task("completed", "completedAt").with("output", output.clone())
}

fn begun(activity: &Activity, listens: bool) -> Vec<Told> {
    let started = task("started", "startedAt");
    match activity {
        // Work for a worker begins when one takes it.
        Activity::Task(_) | Activity::Held(_) | Activity::Yielded(_) => vec![],
        _ if listens => vec![started, workflow("correlation-started", "startedAt")],
        _ => vec![started],
    }
}

fn ended(fact: &RunEnded) -> Vec<Told> {
    vec![match fact.status {
        Status::Running => return vec![],
        Status::Completed => {
            let output = fact.output.clone().unwrap_or(Value::Null);
            workflow("completed", "completedAt").with("output", output)
        }
        Status::Failed => workflow("faulted", "faultedAt").failed(fact.failure.as_ref()),
        Status::Cancelled | Status::Terminated => workflow("cancelled", "cancelledAt"),
    }]
}

impl Told {
    fn new(of: &'static str, verb: &'static str, at: &'static str) -> Told {
        Told {
            of,
            verb,
            at,
            more: None,
        }
    }

    fn with(self, key: &'static str, value: Value) -> Told {
        Told {
            more: Some((key, value)),
            ..self
        }
    }

    fn failed(self, failure: Option<&Failure>) -> Told {
        self.with("error", failure.map_or(Value::Null, Failure::to_value))
    }
}

/// A run's facts with what they have to tell, from a fact on: those that there are, or also those that come
/// until it ends.
///
/// # Errors
/// As [`Engine::history`]; later ones end the stream.
pub(crate) async fn stream(
    engine: Engine,
    run: RunId,
    from: u64,
    follows: bool,
) -> Result<impl Stream<Item = Result<(u64, Vec<CloudEvent>), AskError>> + Send + 'static, AskError>
{
    let subject = Subject::find(&engine, run).await?;
    let facts = match follows {
        true => follow(engine, run, from).await?.left_stream(),
        false => past(engine, run, from).right_stream(),
    };
    Ok(facts.map_ok(move |event| (event.number, subject.tell(&event))))
}

/// The facts that there are.
fn past(
    engine: Engine,
    run: RunId,
    from: u64,
) -> impl Stream<Item = Result<HistoryEvent, AskError>> + Send + 'static {
    let pages = futures::stream::try_unfold(Some(from), move |next| {
        let engine = engine.clone();
        async move {
            let Some(from) = next else {
                return Ok::<_, AskError>(None);
            };
            let HistoryPage { events, next } = engine.history(run, from, PAGE_MAX).await?;
            let events = futures::stream::iter(events).map(Ok::<_, AskError>);
            Ok(Some((events, next)))
        }
    });
    pages.try_flatten()
}
