//! Owns the wishes: all that anyone can ask of the kernel. One sentence each.
//!
//! Invariant: a command names everything it touches, so that [`keys`] can tell beforehand what must
//! be in memory to judge it. Ids and times are inputs, never made up inside.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use graph::value::{Str, Value};
use graph::{Failure, Graph};

use crate::codec::record;
use crate::human::HumanAct;
use crate::id::{RunId, SessionId, StepId, StepRef, TaskToken};
use crate::lock::LockKey;
use crate::message::Message;
use crate::schedule::Schedule;

/// A wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make this workflow version known; the same again is no change, a different one under the same version is refused.
    DeployWorkflow {
        /// The compiled workflow.
        graph: Arc<Graph>,
        /// What the author wrote.
        source: Str,
    },
    /// Begin a run; if it exists already, say so and change nothing.
    StartRun(StartRun),
    /// End the run after it has cleaned up: compensation and clean-up bodies run first.
    CancelRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: Option<Str>,
    },
    /// End the run at once.
    TerminateRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: Option<Str>,
    },
    /// Let nothing new start in the run.
    SuspendRun {
        /// The run.
        run: RunId,
    },
    /// Let a suspended run go on.
    ResumeRun {
        /// The run.
        run: RunId,
    },
    /// Offer parked tasks of the run again.
    RetryRun {
        /// The run.
        run: RunId,
        /// Only this step's.
        step: Option<StepId>,
    },
    /// Send a signal to one run; kept if it comes early.
    SignalRun {
        /// The run.
        run: RunId,
        /// Its name.
        name: Str,
        /// What it carries.
        data: Value,
        /// How long it is kept if it comes early, in milliseconds.
        ttl_ms: u64,
    },
    /// Offer an event to every run that waits for it; kept if nobody does.
    PublishEvent {
        /// The event: an object with at least `type`.
        event: Value,
        /// How long it is kept if it comes early, in milliseconds.
        ttl_ms: u64,
    },
    /// As [`Command::PublishEvent`], by a run: there was room when it was sent, so it is never refused for want of it.
    OfferEvent {
        /// The event.
        event: Value,
        /// How long it is kept if it comes early, in milliseconds.
        ttl_ms: u64,
    },
    /// Hand an event to one step that waits for it.
    HandEvent {
        /// The step.
        step: StepRef,
        /// The event.
        event: Value,
    },
    /// Give a waiting task to a worker.
    ClaimTask {
        /// The task.
        task: StepRef,
        /// The worker's session.
        session: SessionId,
    },
    /// The worker has done it.
    CompleteTask {
        /// Which claim.
        token: TaskToken,
        /// The result.
        output: Value,
    },
    /// The worker could not do it.
    FailTask {
        /// Which claim.
        token: TaskToken,
        /// Why.
        failure: Failure,
        /// Whether trying again could help.
        retryable: bool,
    },
    /// The worker is still at it.
    HeartbeatTask {
        /// Which claim.
        token: TaskToken,
    },
    /// The worker is gone or gave the task back; offer it again as the same attempt.
    ReleaseTask {
        /// Which claim.
        token: TaskToken,
        /// Why.
        reason: Str,
    },
    /// Do something about a human task.
    ActOnHuman {
        /// The task.
        task: StepRef,
        /// Who asks.
        by: Str,
        /// What.
        act: HumanAct,
    },
    /// The instant that a step (or the whole run) waits for may have come.
    FireTimer {
        /// The step; [`crate::id::WHOLE_RUN`] for the run.
        step: StepRef,
    },
    /// A run that a step started exists now.
    LinkChild {
        /// The step.
        step: StepRef,
    },
    /// A run that a step waits for has ended, or could not start.
    EndChild {
        /// The step.
        step: StepRef,
        /// Its output or its failure.
        outcome: Result<Value, Failure>,
    },
    /// Create or replace a schedule.
    PutSchedule {
        /// The schedule; its counters are ignored.
        schedule: Schedule,
    },
    /// Forget a schedule.
    DeleteSchedule {
        /// Its name.
        name: Str,
    },
    /// Pause a schedule or let it go on.
    PauseSchedule {
        /// Its name.
        name: Str,
        /// Which.
        paused: bool,
    },
    /// The next instant of a schedule may have come.
    FireSchedule {
        /// Its name.
        name: Str,
    },
    /// A run that a schedule started has ended.
    NoteScheduledEnd {
        /// The schedule's name.
        name: Str,
        /// The run.
        run: RunId,
    },
    /// A kept event may have expired.
    ExpireEvent {
        /// Its number.
        number: u64,
    },
    /// Keep a message between runs that this batch has no room for.
    DeferMessage {
        /// It.
        message: Message,
    },
    /// Let whoever is next have a lock that is free.
    GrantLock {
        /// Which.
        key: LockKey,
    },
    /// Let go of a deferred message, because it is carried out next.
    TakeMessage {
        /// Its number.
        number: u64,
    },
}

record! {
    /// How to begin a run.
    pub struct StartRun {
        /// The run's id: [`RunId::of_key`] of workflow and key when there is one, else fresh.
        1 run: RunId,
        /// The workflow.
        2 workflow: Str,
        /// The version; none is the latest.
        3 version: Option<Str>,
        /// The business key.
        4 key: Option<Str>,
        /// The input.
        5 input: Value,
        /// What it is found by, besides the workflow's own labels.
        6 labels: BTreeMap<Str, Str>,
        /// What it is searched by, besides the workflow's own attributes.
        7 attributes: BTreeMap<Str, Value>,
        /// The step that started it.
        8 parent: Option<StepRef>,
        /// How many ancestors it has.
        9 depth: u32,
    }
}

/// Runs that must be in memory to judge a command.
#[must_use]
pub fn keys(command: &Command) -> Option<RunId> {
    match command {
        // Without key and parent the id is fresh: there is nothing to find.
        Command::StartRun(start) => {
            (start.key.is_some() || start.parent.is_some()).then_some(start.run)
        }
        Command::CancelRun { run, .. }
        | Command::TerminateRun { run, .. }
        | Command::SuspendRun { run }
        | Command::ResumeRun { run }
        | Command::RetryRun { run, .. }
        | Command::SignalRun { run, .. } => Some(*run),
        Command::ClaimTask { task: step, .. }
        | Command::ActOnHuman { task: step, .. }
        | Command::HandEvent { step, .. }
        | Command::FireTimer { step }
        | Command::LinkChild { step }
        | Command::EndChild { step, .. } => Some(step.run),
        Command::CompleteTask { token, .. }
        | Command::FailTask { token, .. }
        | Command::HeartbeatTask { token }
        | Command::ReleaseTask { token, .. } => Some(token.run),
        Command::DeployWorkflow { .. }
        | Command::PublishEvent { .. }
        | Command::OfferEvent { .. }
        | Command::PutSchedule { .. }
        | Command::DeleteSchedule { .. }
        | Command::PauseSchedule { .. }
        | Command::FireSchedule { .. }
        | Command::NoteScheduledEnd { .. }
        | Command::ExpireEvent { .. }
        | Command::GrantLock { .. }
        | Command::DeferMessage { .. }
        | Command::TakeMessage { .. } => None,
    }
}

/// What the asker is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It is done.
    Done,
    /// The version is known; whether it was new.
    Deployed {
        /// False if the same was there already.
        created: bool,
    },
    /// The run exists; whether this command began it.
    Started {
        /// The run.
        run: RunId,
        /// False if it existed already.
        created: bool,
    },
    /// So many waits met the event; none means that it was kept.
    Published {
        /// How many.
        receivers: u32,
    },
    /// So many tasks were offered again.
    Retried {
        /// How many.
        tasks: u32,
    },
}

/// Replies and effects of one decided command.
#[derive(Debug, Default)]
pub struct Decision {
    /// What follows, already applied.
    pub events: Vec<crate::event::Event>,
    /// Whom to tell, once the events are durable.
    pub effects: Vec<crate::effect::Effect>,
}
