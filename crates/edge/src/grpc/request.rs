//! Owns the way inward: from the messages of the contract to what the engine understands.
//!
//! Invariant: what comes out is well formed; what is not is refused with the name of the field.

use std::collections::{BTreeMap, HashMap};

use api::v1;
use bytes::Bytes;
use engine::query::Filter;
use engine::{FromWorker, TaskOutcome, WorkerHello};
use graph::value::Str;
use graph::{Failure, Value};
use kernel::limits::NAME_BYTES_MAX;
use kernel::{Command, SessionId, StartRun, TaskToken, Time};

use crate::intake::{self, ScheduleParts, StartParts};
use crate::refusal::Refusal;

/// Queues that one worker may take from.
const QUEUES_MAX: usize = 1_000;

pub(super) fn start(request: v1::StartRunRequest) -> Result<StartRun, Refusal> {
    intake::start(StartParts {
        workflow: request.workflow,
        version: request.version,
        key: request.key,
        input: intake::json("input", &request.input, intake::empty_object)?,
        labels: labels(request.labels),
        attributes: attributes(request.attributes)?,
    })
}

fn labels(labels: HashMap<String, String>) -> BTreeMap<Str, Str> {
    labels
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn attributes(attributes: HashMap<String, Bytes>) -> Result<BTreeMap<Str, Value>, Refusal> {
    let read = |(name, json): (String, Bytes)| {
        let value = intake::json(&format!("attribute {name}"), &json, Value::default)?;
        Ok((name.into(), value))
    };
    attributes.into_iter().map(read).collect()
}

pub(super) fn filter(filter: Option<v1::RunFilter>) -> Result<Filter, Refusal> {
    let Some(filter) = filter else {
        return Ok(Filter::default());
    };
    let time = |ms: u64| (ms > 0).then_some(Time(ms));
    Ok(Filter {
        workflow: text(filter.workflow).map(|name| intake::workflow_name(&name).into()),
        states: filter
            .states
            .iter()
            .map(|word| intake::state(word))
            .collect::<Result<_, _>>()?,
        started_after: time(filter.started_after_ms),
        started_before: time(filter.started_before_ms),
        labels: labels(filter.labels),
        attributes: attributes(filter.attributes)?,
        parent: text(filter.parent)
            .map(|id| intake::run_id("parent", &id))
            .transpose()?,
    })
}

/// A text that may be left out.
pub(super) fn text(text: String) -> Option<Str> {
    (!text.is_empty()).then(|| text.into())
}

pub(super) fn schedule(schedule: v1::Schedule) -> Result<Command, Refusal> {
    intake::schedule(ScheduleParts {
        name: schedule.name,
        workflow: schedule.workflow,
        version: schedule.version,
        input: intake::json("input", &schedule.input, intake::empty_object)?,
        cron: schedule.cron,
        time_zone: schedule.time_zone,
        every_ms: schedule.every_ms,
        after_ms: schedule.after_ms,
        on_events: schedule.on_events,
        from_ms: schedule.from_ms,
        until_ms: schedule.until_ms,
        overlap: schedule.overlap,
        catch_up: schedule.catch_up,
        paused: schedule.paused,
    })
}

/// Who connects. What it has results for counts as held, so that they are not given to others meanwhile.
pub(super) fn hello(hello: v1::Hello, said: &FromWorker) -> Result<WorkerHello, Refusal> {
    if hello.queues.is_empty() || hello.queues.len() > QUEUES_MAX {
        return Err(Refusal::argument(
            "hello.queues",
            format!("must name 1 to {QUEUES_MAX} queues"),
        ));
    }
    if let Some(queue) = hello
        .queues
        .iter()
        .find(|queue| queue.is_empty() || queue.len() > NAME_BYTES_MAX)
    {
        let why = format!(
            "a queue name has 1 to {NAME_BYTES_MAX} bytes, not {}",
            queue.len()
        );
        return Err(Refusal::argument("hello.queues", why));
    }
    if hello.worker.len() > NAME_BYTES_MAX {
        return Err(Refusal::argument(
            "hello.worker",
            format!("is longer than {NAME_BYTES_MAX} bytes"),
        ));
    }
    let mut holding = tokens("hello.holding", &hello.holding)?;
    holding.extend(said.results.iter().map(|(token, _)| *token));
    Ok(WorkerHello {
        name: hello.worker,
        queues: hello.queues.into_iter().map(Str::from).collect(),
        session: (hello.session > 0).then_some(SessionId(hello.session)),
        holding,
        in_process: hello.in_process,
    })
}

pub(super) fn said(frame: v1::WorkerFrame) -> Result<FromWorker, Refusal> {
    Ok(FromWorker {
        credits: frame.credits,
        results: frame
            .results
            .into_iter()
            .map(result)
            .collect::<Result<_, _>>()?,
        heartbeats: tokens("heartbeats", &frame.heartbeats)?,
        returned: tokens("returned", &frame.returned)?,
    })
}

fn tokens(field: &str, tokens: &[Bytes]) -> Result<Vec<TaskToken>, Refusal> {
    tokens.iter().map(|bytes| token(field, bytes)).collect()
}

fn token(field: &str, bytes: &[u8]) -> Result<TaskToken, Refusal> {
    kernel::codec::decode(bytes)
        .map_err(|damage| Refusal::argument(field, format!("no token of this server: {damage}")))
}

fn result(result: v1::TaskResult) -> Result<(TaskToken, TaskOutcome), Refusal> {
    let token = token("results.token", &result.token)?;
    let outcome = match result.outcome {
        Some(v1::task_result::Outcome::Output(json)) => output(&json),
        Some(v1::task_result::Outcome::Failure(failure)) => TaskOutcome::Failed {
            retryable: failure.retryable,
            failure: failed(failure),
        },
        None => {
            return Err(Refusal::argument(
                "results.outcome",
                "is missing; give output or failure",
            ));
        }
    };
    Ok((token, outcome))
}

/// Output that is not JSON fails its task, not the worker: the other results of the frame still count.
fn output(json: &[u8]) -> TaskOutcome {
    match intake::json("output", json, Value::default) {
        Ok(value) => TaskOutcome::Done(value),
        Err(refusal) => TaskOutcome::Failed {
            failure: Failure::new("validation", format!("the worker's {refusal}")),
            retryable: false,
        },
    }
}

fn failed(failure: v1::TaskFailure) -> Failure {
    let mut failed = Failure::new("runtime", "");
    if let Some(kind) = text(failure.r#type) {
        failed.kind = kind;
    }
    if let Some(status) = u16::try_from(failure.status)
        .ok()
        .filter(|status| *status > 0)
    {
        failed.status = status;
    }
    failed.title = text(failure.title);
    failed.detail = text(failure.detail);
    // Data has no larger whole numbers.
    let retry_after_ms = failure.retry_after_ms.min(i64::MAX.unsigned_abs());
    failed.retry_after_ms = Some(retry_after_ms).filter(|ms| *ms > 0);
    failed
}
