//! Owns the way outward: from what the engine says to the messages of the contract.
//!
//! Invariant: as the contract says, empty texts and zeros stand for what is absent, and data is JSON text.

use api::v1;
use authoring::{Finding, Severity};
use bytes::Bytes;
use engine::query::{HistoryEvent, RunView, StepView, Summary};
use graph::{Failure, Value};
use kernel::catalog::Definition;
use kernel::codec::{Wire, encode};
use kernel::schedule::Schedule;
use kernel::{Delivery, TaskToken, Time};

use crate::lifecycle::CloudEvent;

pub(super) fn json(value: &Value) -> Bytes {
    value.to_json().into()
}

fn failure(failure: &Failure) -> Bytes {
    json(&failure.to_value())
}

pub(super) fn ms(time: Option<Time>) -> u64 {
    time.map_or(0, |time| time.0)
}

pub(super) fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

pub(super) fn finding(finding: Finding) -> v1::Finding {
    v1::Finding {
        line: finding.line,
        column: finding.column,
        path: finding.path,
        severity: match finding.severity {
            Severity::Error => "error".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        code: finding.code.to_owned(),
        message: finding.message,
    }
}

pub(super) fn workflow(definition: &Definition, latest: bool) -> v1::Workflow {
    v1::Workflow {
        workflow: definition.graph.workflow.to_string(),
        version: definition.graph.version.to_string(),
        latest,
        source: String::new(),
        graph: Bytes::new(),
    }
}

pub(super) fn workflow_in_full(definition: &Definition, latest: bool) -> v1::Workflow {
    let graph = serde_json::to_vec(&definition.graph)
        .expect("a graph has only text keys and finite numbers");
    v1::Workflow {
        source: definition.source.to_string(),
        graph: graph.into(),
        ..workflow(definition, latest)
    }
}

pub(super) fn summary(run: &Summary) -> v1::Run {
    v1::Run {
        id: run.id.to_string(),
        workflow: run.workflow.to_string(),
        version: run.version.to_string(),
        key: text(run.key.as_deref()),
        state: run.state.to_owned(),
        input: json(&run.input),
        output: run.output.as_ref().map(json).unwrap_or_default(),
        error: run.error.as_ref().map(failure).unwrap_or_default(),
        started_at_ms: run.started_at.0,
        ended_at_ms: ms(run.ended_at),
        labels: run
            .labels
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        attributes: run
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), json(value)))
            .collect(),
        parent: run
            .parent
            .map(|parent| parent.run.to_string())
            .unwrap_or_default(),
        steps: Vec::new(),
        children: Vec::new(),
    }
}

pub(super) fn run(view: RunView) -> v1::Run {
    let steps = view.steps.into_iter().map(step).collect();
    v1::Run {
        steps,
        ..summary(&view.summary)
    }
}

fn step(step: StepView) -> v1::Step {
    v1::Step {
        id: step.id,
        name: step.name.to_string(),
        path: step.path.to_string(),
        kind: step.kind.to_owned(),
        detail: step.detail,
        entered_at_ms: step.entered_at.0,
        attempt: step.attempt,
        error: step.error.as_ref().map(failure).unwrap_or_default(),
    }
}

pub(super) fn event(event: &HistoryEvent) -> v1::HistoryEvent {
    v1::HistoryEvent {
        number: event.number,
        at_ms: event.at.0,
        kind: event.event.name().to_owned(),
        data: json(&event.event.to_value()),
        step_name: text(event.node.as_ref().map(|node| &*node.name)),
    }
}

pub(super) fn lifecycle(number: u64, event: &CloudEvent) -> v1::LifecycleEvent {
    let event = serde_json::to_vec(event).expect("an event has only text keys");
    v1::LifecycleEvent {
        number,
        event: event.into(),
    }
}

pub(super) fn schedule(schedule: &Schedule) -> v1::Schedule {
    v1::Schedule {
        name: schedule.name.to_string(),
        workflow: schedule.workflow.to_string(),
        version: text(schedule.version.as_deref()),
        input: json(&schedule.input),
        cron: text(schedule.cron.as_deref()),
        time_zone: text(schedule.cron.as_ref().map(|_| &*schedule.zone)),
        every_ms: schedule.every_ms.unwrap_or_default(),
        overlap: schedule.overlap.word().to_owned(),
        catch_up: schedule.catch_up.word().to_owned(),
        paused: schedule.paused,
        next_at_ms: ms(schedule.due()),
        last_at_ms: ms(schedule.last_at),
        started: schedule.started,
        after_ms: schedule.after_ms.unwrap_or_default(),
        on_events: schedule.trigger.is_some(),
        from_ms: ms(schedule.from),
        until_ms: ms(schedule.until),
    }
}

pub(super) fn token(token: TaskToken) -> Bytes {
    encode(&token).into()
}

pub(super) fn task(delivery: &Delivery) -> v1::Task {
    let TaskToken { run, step, .. } = delivery.token;
    let run = run.to_string();
    v1::Task {
        token: token(delivery.token),
        name: delivery.name.to_string(),
        queue: delivery.queue.to_string(),
        input: json(&delivery.input),
        attempt: delivery.attempt,
        workflow: delivery.workflow.to_string(),
        idempotency_key: format!("{run}/{}", step.0),
        run,
        run_timeout_ms: delivery.run_timeout_ms.unwrap_or_default(),
        heartbeat_timeout_ms: delivery.heartbeat_timeout_ms.unwrap_or_default(),
    }
}

pub(super) fn receipt((claim, accepted): (TaskToken, bool)) -> v1::Receipt {
    v1::Receipt {
        token: token(claim),
        accepted,
    }
}
