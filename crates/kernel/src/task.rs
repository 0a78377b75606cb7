//! Owns tasks: work offered to a queue, claimed by a worker, reported, timed out, tried again.
//!
//! Invariants: a task has at most one live claim; only the current claim may report; an attempt that
//! ends without success is repeated, fails its step or parks, and never just disappears.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use graph::ir::{Exhausted, PRIORITY_DEFAULT, PRIORITY_MAX, Task};
use graph::value::{Str, Value};
use graph::{Failure, Kind};

use crate::command::Reply;
use crate::eval::Scope;
use crate::event::{RunEvent, StepOnly, TaskBackedOff, TaskClaimed, TaskParked, TaskQueued};
use crate::id::{RunId, SessionId, StepId, StepRef, TaskToken, Time};
use crate::limits::{DATA_BYTES_MAX, NAME_BYTES_MAX};
use crate::rejection::Rejection;
use crate::retry::Attempt;
use crate::signal::check_reason;
use crate::state::{Activity, Claim, Due, Run, TaskStage, TaskWork, weight};
use crate::turn::{RunTurn, Turn};

/// Claims of one step after which a task that keeps losing its workers counts as failed.
const CLAIMS_MAX: u32 = 1_000;

/// Gives a waiting task to a worker.
pub(crate) fn decide_claim(
    turn: &mut Turn<'_>,
    at: StepRef,
    session: SessionId,
) -> Result<Reply, Rejection> {
    let run = turn.live_run(at.run)?;
    let task = run
        .step(at.step)
        .and_then(|step| step.task())
        .ok_or(Rejection::TaskUnavailable)?;
    if run.suspended || !matches!(task.stage, TaskStage::Queued(_)) {
        return Err(Rejection::TaskUnavailable);
    }
    let claim = task.claims + 1;
    turn.run(at.run)?.emit(RunEvent::TaskClaimed(TaskClaimed {
        step: at.step,
        claim,
        session,
    }));
    Ok(Reply::Done)
}

/// The task a report is about, if its claim is the current one.
fn claimed<'a>(turn: &'a Turn<'_>, token: TaskToken) -> Result<&'a TaskWork, Rejection> {
    let run = turn
        .live_run(token.run)
        .map_err(|_| Rejection::ClaimStale)?;
    let task = run
        .step(token.step)
        .and_then(|step| step.task())
        .ok_or(Rejection::ClaimStale)?;
    let current = matches!(task.stage, TaskStage::Claimed(_)) && task.claims == token.claim;
    current.then_some(task).ok_or(Rejection::ClaimStale)
}

/// The worker has done it.
pub(crate) fn decide_complete(
    turn: &mut Turn<'_>,
    token: TaskToken,
    output: Value,
) -> Result<Reply, Rejection> {
    claimed(turn, token)?;
    let mut run = turn.run(token.run).map_err(|_| Rejection::ClaimStale)?;
    if weight(&output, DATA_BYTES_MAX) > DATA_BYTES_MAX {
        let failure = Failure::new(
            "runtime",
            format!("the worker returned more than {DATA_BYTES_MAX} bytes"),
        );
        run.attempt_failed(token.step, failure, false);
    } else {
        run.complete(token.step, output);
    }
    run.settle();
    Ok(Reply::Done)
}

/// The worker could not do it.
pub(crate) fn decide_fail(
    turn: &mut Turn<'_>,
    token: TaskToken,
    failure: Failure,
    retryable: bool,
) -> Result<Reply, Rejection> {
    claimed(turn, token)?;
    let mut run = turn.run(token.run).map_err(|_| Rejection::ClaimStale)?;
    run.attempt_failed(token.step, shortened(failure), retryable);
    run.settle();
    Ok(Reply::Done)
}

/// The failure itself, or if it is too heavy to keep, what kind it was: the report still counts.
fn shortened(failure: Failure) -> Failure {
    if weight(&failure.to_value(), DATA_BYTES_MAX) <= DATA_BYTES_MAX {
        return failure;
    }
    let detail = format!("the worker said more than {DATA_BYTES_MAX} bytes about its failure");
    let told = Failure::new("runtime", detail);
    if failure.kind.len() > NAME_BYTES_MAX {
        return Failure {
            status: failure.status,
            ..told
        };
    }
    Failure {
        kind: failure.kind,
        status: failure.status,
        title: None,
        ..told
    }
}

/// The worker is still at it.
pub(crate) fn decide_heartbeat(turn: &mut Turn<'_>, token: TaskToken) -> Result<Reply, Rejection> {
    // Without a heartbeat timeout the sign of life changes nothing.
    if claimed(turn, token)?.heartbeat_timeout_ms.is_some() {
        turn.run(token.run)?
            .emit(RunEvent::TaskHeard(StepOnly { step: token.step }));
    }
    Ok(Reply::Done)
}

/// Offers a task again whose worker is gone.
pub(crate) fn decide_release(
    turn: &mut Turn<'_>,
    token: TaskToken,
    reason: Str,
) -> Result<Reply, Rejection> {
    check_reason(Some(&reason))?;
    let task = claimed(turn, token)?;
    let (attempt, claims) = (task.attempt, task.claims);
    let mut run = turn.run(token.run).map_err(|_| Rejection::ClaimStale)?;
    if claims >= CLAIMS_MAX {
        let failure = Failure::new(
            "runtime",
            format!("{claims} workers took the task and were lost"),
        );
        run.attempt_failed(token.step, failure, false);
        run.settle();
    } else {
        run.emit(RunEvent::TaskQueued(TaskQueued {
            step: token.step,
            attempt,
            reason,
        }));
    }
    Ok(Reply::Done)
}

/// Offers parked tasks again, with their retries anew.
pub(crate) fn decide_retry(
    turn: &mut Turn<'_>,
    id: RunId,
    only: Option<StepId>,
) -> Result<Reply, Rejection> {
    let parked = turn
        .live_run(id)?
        .steps
        .iter()
        .filter(|(step, parked)| parked.is_parked() && only.is_none_or(|only| only == **step));
    let parked: Vec<StepId> = parked.map(|(step, _)| *step).collect();
    if parked.is_empty() {
        return Err(Rejection::NothingParked(id));
    }
    let tasks = u32::try_from(parked.len()).unwrap_or(u32::MAX);
    let mut run = turn.run(id)?;
    for step in parked {
        run.emit(RunEvent::TaskQueued(TaskQueued {
            step,
            attempt: 1,
            reason: "retried on request".into(),
        }));
    }
    Ok(Reply::Retried { tasks })
}

impl RunTurn<'_, '_> {
    /// What a task node offers.
    pub(crate) fn task_work(&mut self, task: &Task, scope: &Scope) -> Result<TaskWork, Failure> {
        let queue = self.text("the queue of a task", &task.queue, scope)?;
        let name = self.text("the name of a task", &task.name, scope)?;
        for text in [&queue, &name] {
            if text.len() > NAME_BYTES_MAX {
                return Err(Failure::new(
                    "configuration",
                    format!("queue and task names have at most {NAME_BYTES_MAX} bytes"),
                ));
            }
        }
        Ok(TaskWork {
            queue,
            name,
            input: self.template(&task.input, scope)?,
            attempt: 1,
            claims: 0,
            stage: TaskStage::Queued(Due { at: self.now() }),
            queue_timeout_ms: self.delay_if(task.queue_timeout.as_ref(), scope)?,
            run_timeout_ms: self.delay_if(task.run_timeout.as_ref(), scope)?,
            heartbeat_timeout_ms: self.delay_if(task.heartbeat_timeout.as_ref(), scope)?,
            first_at: self.now(),
            priority: match &task.priority {
                None => self.state().priority,
                Some(expr) => {
                    let priority = read_priority(&self.expression(expr, scope)?);
                    Some(priority.map_err(|why| Failure::new("expression", why))?)
                }
            },
        })
    }

    /// An attempt ended without success: again, park, or fail.
    fn attempt_failed(&mut self, id: StepId, failure: Failure, retryable: bool) {
        let definition = self.definition();
        let Some(step) = self.state().step(id) else {
            return;
        };
        let Some(node) = definition.node(step.node) else {
            return;
        };
        let (Kind::Task(spec), Some(work)) = (&node.kind, step.task()) else {
            return;
        };
        let failure = failure.at(&node.path);
        let attempt = Attempt {
            number: work.attempt,
            first_at: work.first_at,
            step: id,
        };
        let scope = Scope {
            locals: BTreeMap::from([("error".into(), failure.to_value())]),
            step: Some(id),
            ..Scope::of_node(step.frame, step.node, work.input.clone())
        };
        let again = match spec.retry.as_ref().filter(|_| retryable) {
            Some(retry) => self.next_attempt(retry, attempt, &failure, &scope),
            None => Ok(None),
        };
        match again {
            Ok(Some(at)) => self.emit(RunEvent::TaskBackedOff(TaskBackedOff {
                step: id,
                failure,
                until: Due { at },
            })),
            Ok(None) if spec.exhausted == Exhausted::Park => {
                self.emit(RunEvent::TaskParked(TaskParked { step: id, failure }));
            }
            Ok(None) | Err(_) => self.fail(id, failure),
        }
    }

    /// A task's instant has come: one of its timeouts, or the end of its pause.
    pub(crate) fn task_due(&mut self, id: StepId) {
        let now = self.now();
        let Some(work) = self.state().step(id).and_then(|step| step.task()) else {
            return;
        };
        let (attempt, past) = (work.attempt, |since: Time, bound: Option<u64>| {
            bound.is_some_and(|ms| since.plus(ms) <= now)
        });
        match &work.stage {
            TaskStage::Queued(_) => {
                let failure = Failure::new(
                    "timeout",
                    format!(
                        "no worker took the task from queue {:?} in time",
                        work.queue
                    ),
                );
                self.attempt_failed(id, failure, false);
            }
            TaskStage::Claimed(claim) => {
                let what = if past(claim.at, work.run_timeout_ms) {
                    "the attempt took too long"
                } else {
                    "the worker fell silent"
                };
                self.attempt_failed(id, Failure::new("timeout", what), true);
            }
            TaskStage::BackedOff(_) => {
                let reason = "the pause between attempts is over".into();
                self.emit(RunEvent::TaskQueued(TaskQueued {
                    step: id,
                    attempt: attempt + 1,
                    reason,
                }));
            }
            TaskStage::Parked(_) => {}
        }
    }
}

/// The priority that a value means.
pub(crate) fn read_priority(value: &Value) -> Result<u32, String> {
    let priority = value.as_int().and_then(|number| u8::try_from(number).ok());
    priority
        .filter(|priority| *priority <= PRIORITY_MAX)
        .map(u32::from)
        .ok_or_else(|| format!("a priority is a number from 0 to {PRIORITY_MAX}, not {value}"))
}

impl TaskWork {
    /// How urgent the task is, from 0 to [`PRIORITY_MAX`].
    #[must_use]
    pub fn urgency(&self) -> u8 {
        let priority = self
            .priority
            .and_then(|priority| u8::try_from(priority).ok());
        priority.unwrap_or(PRIORITY_DEFAULT)
    }
}

impl Run {
    fn task_mut(&mut self, step: StepId) -> Option<&mut TaskWork> {
        match &mut self.steps.get_mut(&step)?.activity {
            Activity::Task(task) => Some(task),
            _ => None,
        }
    }

    pub(crate) fn apply_claimed(&mut self, claimed: &TaskClaimed, now: Time) {
        if let Some(task) = self.task_mut(claimed.step) {
            task.claims = claimed.claim;
            task.stage = TaskStage::Claimed(Claim {
                session: claimed.session,
                at: now,
                heard_at: now,
            });
        }
    }

    pub(crate) fn apply_heard(&mut self, step: StepId, now: Time) {
        if let Some(TaskStage::Claimed(claim)) = self.task_mut(step).map(|task| &mut task.stage) {
            claim.heard_at = now;
        }
    }

    pub(crate) fn apply_backed_off(&mut self, backed_off: &TaskBackedOff) {
        if let Some(task) = self.task_mut(backed_off.step) {
            task.stage = TaskStage::BackedOff(backed_off.until);
        }
    }

    pub(crate) fn apply_queued(&mut self, queued: &TaskQueued, now: Time) {
        if let Some(task) = self.task_mut(queued.step) {
            if queued.attempt == 1 {
                task.first_at = now;
            }
            task.attempt = queued.attempt;
            task.stage = TaskStage::Queued(Due { at: now });
        }
    }

    pub(crate) fn apply_parked(&mut self, parked: &TaskParked) {
        if let Some(task) = self.task_mut(parked.step) {
            task.stage = TaskStage::Parked(parked.failure.clone());
        }
    }
}
