//! Owns the refusals: why a command is not accepted now. Codes are permanent; texts may improve.
//!
//! Invariant: a rejected command has changed nothing.

use alloc::string::String;
use core::fmt;

use graph::value::Str;

use crate::id::{RunId, StepRef};

/// A refused wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No such run, or it was forgotten after its retention.
    RunMissing(RunId),
    /// The run has ended and can no longer be changed.
    RunEnded(RunId),
    /// No such workflow, or no such version of it.
    WorkflowMissing(Str),
    /// The version exists with other content.
    VersionExists(Str),
    /// The workflow cannot be run as it stands.
    WorkflowUnsound(String),
    /// The report names a claim that is not the current one.
    ClaimStale,
    /// The task is not waiting for a worker.
    TaskUnavailable,
    /// The run has nothing to retry.
    NothingParked(RunId),
    /// A named bound would be passed.
    LimitReached(&'static str, u64),
    /// The input is not what it must be.
    Invalid(String),
    /// No such schedule.
    ScheduleMissing(Str),
    /// No such human task.
    HumanTaskMissing(StepRef),
    /// The human task was decided or withdrawn.
    HumanTaskClosed(StepRef),
    /// Someone else has the human task.
    HumanTaskTaken(Str),
    /// As many runs with this concurrency key go on already as may, and its workflow drops others.
    RunDropped(Str, u32),
    /// Not the moment for it: a timer's instant has not come, or what it was for is over.
    NotDue,
}

impl Rejection {
    /// The permanent code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::RunMissing(_) => "run-missing",
            Rejection::RunEnded(_) => "run-ended",
            Rejection::WorkflowMissing(_) => "workflow-missing",
            Rejection::VersionExists(_) => "version-exists",
            Rejection::WorkflowUnsound(_) => "workflow-unsound",
            Rejection::ClaimStale => "claim-stale",
            Rejection::TaskUnavailable => "task-unavailable",
            Rejection::NothingParked(_) => "nothing-parked",
            Rejection::LimitReached(..) => "limit-reached",
            Rejection::Invalid(_) => "invalid",
            Rejection::ScheduleMissing(_) => "schedule-missing",
            Rejection::HumanTaskMissing(_) => "human-task-missing",
            Rejection::HumanTaskClosed(_) => "human-task-closed",
            Rejection::HumanTaskTaken(_) => "human-task-taken",
            Rejection::RunDropped(..) => "run-dropped",
            Rejection::NotDue => "not-due",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::RunMissing(run) => write!(f, "no run {run}; finished runs are forgotten after their retention"),
            Rejection::RunEnded(run) => write!(f, "run {run} has ended"),
            Rejection::WorkflowMissing(name) => {
                write!(f, "no workflow {name}; apply it first (`quadrille apply -f FILE`), or list what there is")
            }
            Rejection::VersionExists(name) => {
                write!(f, "{name} exists with other content; versions never change, so raise document.version")
            }
            Rejection::WorkflowUnsound(why) => write!(f, "the workflow is not sound: {why}"),
            Rejection::ClaimStale => {
                f.write_str("the task was given to another worker, timed out or was withdrawn; drop this result")
            }
            Rejection::TaskUnavailable => f.write_str("the task is not waiting for a worker"),
            Rejection::NothingParked(run) => write!(f, "run {run} has no incident to retry"),
            Rejection::LimitReached(what, limit) => write!(f, "limit reached: {what} (at most {limit})"),
            Rejection::Invalid(why) => f.write_str(why),
            Rejection::ScheduleMissing(name) => write!(f, "no schedule {name}"),
            Rejection::HumanTaskMissing(task) => write!(f, "no human task {task}; list the open ones with `quadrille human list`"),
            Rejection::HumanTaskClosed(task) => write!(f, "human task {task} is closed: it was decided or withdrawn"),
            Rejection::HumanTaskTaken(who) => {
                write!(f, "{who} has the human task; let them release it, or assign it to someone else")
            }
            Rejection::RunDropped(key, limit) => {
                write!(f, "the run was dropped: of those with concurrency key {key:?} only {limit} may go on at once; start it again when they have ended")
            }
            Rejection::NotDue => f.write_str("the instant has not come, or what it was for is over"),
        }
    }
}

impl core::error::Error for Rejection {}
