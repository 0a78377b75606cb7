//! Owns the facts: all that can ever have happened. One sentence each; together with
//! [`crate::command`] and [`crate::effect`] this is the specification.
//!
//! Invariant: an event carries every result that was computed, so applying it needs no expression, no
//! clock and no library. Variants keep their numbers for ever.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use graph::Failure;
use graph::value::{Str, Value};

use crate::codec::{record, union};
use crate::human::{HumanAssigned, HumanBy, HumanCommented, HumanDecided, HumanEscalated};
use crate::id::{FrameId, RunId, SessionId, StepId, StepRef, Time};
use crate::limits::DATA_BYTES_MAX;
use crate::lock::Locking;
use crate::message::Deferred;
use crate::schedule::{EventTaken, Schedule};
use crate::signal::{KeptEvent, Signal};
use crate::state::{Activity, Due, Ending, Nothing, Outcome, Phase, Status, weight};

union! {
    /// A fact.
    pub enum Event {
        /// Something happened to a run.
        1 Run(RunFact),
        /// A workflow version was deployed.
        2 WorkflowDeployed(WorkflowDeployed),
        /// An event came that nobody waited for yet.
        3 EventKept(KeptEvent),
        /// A kept event was consumed or expired.
        4 EventDropped(Number),
        /// A schedule was created or changed; in earlier releases also that it moved on.
        5 SchedulePut(Schedule),
        /// A schedule was deleted.
        6 ScheduleDropped(Name),
        /// A message between runs was kept for a later batch.
        7 MessageDeferred(Deferred),
        /// A kept message is carried out.
        8 MessageTaken(Number),
        /// A schedule started runs, took in an event, or a run of it has ended.
        9 ScheduleMoved(ScheduleMoved),
    }
}

record! {
    /// What happened to which run.
    pub struct RunFact {
        /// The run.
        1 run: RunId,
        /// The fact.
        2 fact: RunEvent,
    }
}

union! {
    /// What can happen to a run.
    pub enum RunEvent {
        /// The run began, with its root body open.
        1 Started(RunStarted),
        /// A token came to a node, which began to do something that takes time.
        2 StepEntered(StepEntered),
        /// A token came to a node and left it at once.
        3 StepPassed(StepPassed),
        /// A step that had been held back began.
        4 StepBegan(StepBegan),
        /// A step ended well.
        5 StepCompleted(StepCompleted),
        /// A step failed.
        6 StepFailed(StepFailed),
        /// A step was withdrawn.
        7 StepCancelled(StepOnly),
        /// A container began to withdraw its bodies.
        8 StepWithdrawing(StepWithdrawing),
        /// A container opened a body.
        9 FrameOpened(FrameOpened),
        /// A body began to end early.
        10 FrameEnding(FrameEnding),
        /// A body ended.
        11 FrameClosed(FrameClosed),
        /// A token left a body in which others go on.
        12 TokenExited(TokenExited),
        /// A token came to a join.
        13 TokenJoined(TokenJoined),
        /// A join let its tokens go on, or began a new cycle.
        14 JoinReset(JoinReset),
        /// A container turned to another phase.
        15 RegionTurned(RegionTurned),
        /// A worker took a task.
        16 TaskClaimed(TaskClaimed),
        /// A worker was heard of.
        17 TaskHeard(StepOnly),
        /// An attempt ended without success and will be repeated after a pause.
        18 TaskBackedOff(TaskBackedOff),
        /// A task was offered again.
        19 TaskQueued(TaskQueued),
        /// An attempt failed and only a person can go on from here.
        20 TaskParked(TaskParked),
        /// A wait met an event.
        21 EventReceived(EventReceived),
        /// A signal came before anybody waited for it.
        22 SignalKept(Signal),
        /// A kept signal was consumed or expired.
        23 SignalDropped(Number),
        /// The run was suspended.
        24 Suspended(Nothing),
        /// The run was resumed.
        25 Resumed(Nothing),
        /// Someone asked for the run's cancellation.
        26 CancelRequested(Reason),
        /// The run ended.
        27 Ended(RunEnded),
        /// A running fork no longer waits for its other branches.
        28 RegionReleased(RegionReleased),
        /// The work of a step in a suspended run is over; the step waits with its outcome.
        29 OutcomeKept(OutcomeKept),
        /// A for-each took in one more element.
        40 ItemAdded(ItemAdded),
        /// A person took a human task.
        30 HumanClaimed(HumanBy),
        /// A person gave a human task back.
        31 HumanReleased(HumanBy),
        /// A human task was given to someone.
        32 HumanAssigned(HumanAssigned),
        /// A human task was not done in time and went to others.
        33 HumanEscalated(HumanEscalated),
        /// The person of a human task was reminded.
        34 HumanReminded(StepOnly),
        /// A person said something about a human task.
        35 HumanCommented(HumanCommented),
        /// A person closed a human task.
        36 HumanDecided(HumanDecided),
        /// A step, or the run as a whole, got the lock that it waited for.
        41 LockGranted(StepOnly),
    }
}

impl RunEvent {
    /// About how many bytes of data this fact carries that no token carries on: what a turn is charged
    /// for besides its tokens.
    pub(crate) fn own_bytes(&self) -> usize {
        let of = |value: Option<&Value>| value.map_or(0, |value| weight(value, DATA_BYTES_MAX));
        match self {
            RunEvent::StepEntered(fact) => of(fact.activity.input()) + of(fact.shaped.as_ref()),
            RunEvent::StepBegan(fact) => of(fact.activity.input()) + of(fact.shaped.as_ref()),
            RunEvent::StepPassed(fact) => of(fact.context.as_ref()),
            RunEvent::StepCompleted(fact) => of(fact.context.as_ref()),
            RunEvent::RegionReleased(fact) => of(fact.context.as_ref()),
            RunEvent::EventReceived(fact) => of(Some(&fact.event)),
            RunEvent::ItemAdded(fact) => of(Some(&fact.item)),
            RunEvent::HumanDecided(fact) => of(Some(&fact.data)),
            RunEvent::OutcomeKept(fact) => of(fact.outcome.output.as_ref()),
            RunEvent::StepFailed(fact) => of(Some(&fact.failure.to_value())),
            RunEvent::FrameEnding(fact) => match &fact.ending {
                Ending::Failed(failure) => of(Some(&failure.to_value())),
                Ending::Completed(output) => of(Some(output)),
                Ending::Withdrawn(_) => 0,
            },
            _ => 0,
        }
    }
}

record! {
    /// The run began.
    pub struct RunStarted {
        /// The workflow.
        1 workflow: Str,
        /// Its version.
        2 version: Str,
        /// The business key.
        3 key: Option<Str>,
        /// The step that waits for it.
        4 parent: Option<StepRef>,
        /// How many ancestors it has.
        5 depth: u32,
        /// What it was started with.
        6 input: Value,
        /// What it is found by.
        7 labels: BTreeMap<Str, Str>,
        /// What it is searched by.
        8 attributes: BTreeMap<Str, Value>,
        /// Until when it must end.
        9 deadline: Option<Time>,
        /// How long it is kept after its end, in milliseconds.
        10 retention_ms: u64,
        /// Its place among the runs with its concurrency key; it begins when its turn comes.
        40 lock: Option<Box<Locking>>,
        /// How urgent its tasks are that say nothing themselves; none is the default.
        41 priority: Option<u32>,
        /// What `$context` is at first; none is an empty object.
        50 context: Option<Value>,
    }
}

record! {
    /// A token came to a node.
    pub struct StepEntered {
        /// The new step.
        1 step: StepId,
        /// Where.
        2 frame: FrameId,
        /// Index of the node.
        3 node: u32,
        /// The data that came in; none is the data of the body around it.
        4 input: Option<Value>,
        /// Until when the visit must end.
        5 deadline: Option<Time>,
        /// What it does.
        6 activity: Activity,
        /// The input as the node shaped it, if what follows the work can see it.
        7 shaped: Option<Value>,
        /// The edge it came by, if the node tells them apart and has yet to count it.
        40 edge: Option<u32>,
    }
}

record! {
    /// A token passed a node.
    pub struct StepPassed {
        /// Where.
        1 frame: FrameId,
        /// Index of the node.
        2 node: u32,
        /// The data that goes on.
        3 output: Value,
        /// The new `$context`.
        4 context: Option<Value>,
        /// The saga around it that has to remember it.
        5 saga: Option<StepId>,
        /// Whether its condition did not hold, so that it did nothing.
        60 skipped: Option<bool>,
    }
}

record! {
    /// A held step began.
    pub struct StepBegan {
        /// The step.
        1 step: StepId,
        /// What it does now.
        2 activity: Activity,
        /// Until when the visit must end.
        3 deadline: Option<Time>,
        /// The input as the node shaped it, if what follows the work can see it.
        4 shaped: Option<Value>,
    }
}

record! {
    /// A step ended well.
    pub struct StepCompleted {
        /// The step.
        1 step: StepId,
        /// Its output.
        2 output: Value,
        /// The new `$context`.
        3 context: Option<Value>,
        /// The saga around it that has to remember it, or what it has to remember.
        4 saga: Option<StepId>,
        /// Whether it has a compensation of its own.
        5 undoable: bool,
        /// Whether its condition did not hold, so that it did nothing.
        60 skipped: Option<bool>,
    }
}

record! {
    /// A step failed.
    pub struct StepFailed {
        /// The step; none if the token failed on its way in.
        1 step: Option<StepId>,
        /// Index of the node.
        2 node: u32,
        /// Why.
        3 failure: Failure,
    }
}

record! {
    /// A fact about a step that its name says.
    #[derive(Copy, Eq)]
    pub struct StepOnly {
        /// The step.
        1 step: StepId,
    }
}

record! {
    /// A container withdraws its bodies.
    pub struct StepWithdrawing {
        /// The container.
        1 step: StepId,
        /// The failure it will end with; none if it is cancelled.
        2 failure: Option<Failure>,
    }
}

record! {
    /// A body was opened. In the undo phase this takes the saga's newest undo.
    pub struct FrameOpened {
        /// The new frame.
        1 frame: FrameId,
        /// Its container.
        2 owner: StepId,
        /// Index of the body.
        3 body: u32,
        /// Which round, element or branch.
        4 index: u32,
        /// What for.
        5 phase: Phase,
        /// Variables bound in it.
        6 vars: BTreeMap<Str, Value>,
    }
}

record! {
    /// A body is to end early.
    pub struct FrameEnding {
        /// The frame.
        1 frame: FrameId,
        /// How.
        2 ending: Ending,
    }
}

record! {
    /// A body ended.
    pub struct FrameClosed {
        /// The frame.
        1 frame: FrameId,
        /// Its output, if it ended well.
        2 output: Option<Value>,
        /// Whether the container keeps the output by index.
        3 collect: bool,
    }
}

record! {
    /// A token left.
    pub struct TokenExited {
        /// The frame.
        1 frame: FrameId,
        /// Its data.
        2 data: Value,
    }
}

record! {
    /// A token came to a join.
    pub struct TokenJoined {
        /// The frame.
        1 frame: FrameId,
        /// Index of the join.
        2 node: u32,
        /// Its data.
        3 data: Value,
        /// The edge it came by, where the join counts them.
        4 edge: Option<u32>,
    }
}

record! {
    /// A join's cycle is over.
    pub struct JoinReset {
        /// The frame.
        1 frame: FrameId,
        /// Index of the join.
        2 node: u32,
        /// Which of the arrivals stay for the next cycle; the others are gone.
        3 kept: Vec<u32>,
    }
}

record! {
    /// A container turned.
    pub struct RegionTurned {
        /// The container.
        1 step: StepId,
        /// What it is busy with now.
        2 phase: Phase,
        /// Which attempt.
        3 attempt: u32,
        /// When it goes on by itself.
        4 due: Option<Time>,
        /// The failure in hand.
        5 failure: Option<Failure>,
        /// The output in hand.
        6 result: Option<Value>,
        /// Whether a failure was caught.
        7 caught: bool,
    }
}

record! {
    /// A fork's token went on.
    pub struct RegionReleased {
        /// The fork.
        1 step: StepId,
        /// Its output.
        2 output: Value,
        /// The new `$context`.
        3 context: Option<Value>,
    }
}

record! {
    /// A step of a suspended run has its outcome.
    pub struct OutcomeKept {
        /// The step.
        1 step: StepId,
        /// What came of it.
        2 outcome: Outcome,
    }
}

record! {
    /// A worker took a task.
    pub struct TaskClaimed {
        /// The step.
        1 step: StepId,
        /// The number of this claim.
        2 claim: u32,
        /// Who.
        3 session: SessionId,
    }
}

record! {
    /// An attempt failed.
    pub struct TaskBackedOff {
        /// The step.
        1 step: StepId,
        /// Why.
        2 failure: Failure,
        /// When the task is offered again.
        3 until: Due,
    }
}

record! {
    /// A task is offered again.
    pub struct TaskQueued {
        /// The step.
        1 step: StepId,
        /// Which attempt this is.
        2 attempt: u32,
        /// Why it is offered again.
        3 reason: Str,
    }
}

record! {
    /// A task waits for a person.
    pub struct TaskParked {
        /// The step.
        1 step: StepId,
        /// Why.
        2 failure: Failure,
    }
}

record! {
    /// A wait met an event.
    pub struct EventReceived {
        /// The step.
        1 step: StepId,
        /// Which filter it met.
        2 filter: u32,
        /// What is handed on.
        3 event: Value,
        /// What it settles for the events after it, by name.
        50 bound: BTreeMap<Str, Value>,
        /// Which event it was, if it said so.
        51 identity: Option<u64>,
        /// Whether it only helps to end the wait.
        52 ends: Option<bool>,
        /// Whether its filter goes on to mean events.
        53 again: Option<bool>,
    }
}

record! {
    /// A for-each took in one more element.
    pub struct ItemAdded {
        /// The for-each.
        1 step: StepId,
        /// The element.
        2 item: Value,
    }
}

record! {
    /// A run ended.
    pub struct RunEnded {
        /// How.
        1 status: Status,
        /// Its output.
        2 output: Option<Value>,
        /// Why, unless it completed.
        3 failure: Option<Failure>,
    }
}

record! {
    /// Why someone asked.
    pub struct Reason {
        /// In their words.
        1 reason: Option<Str>,
    }
}

record! {
    /// What is different of a schedule, which is little however much it holds.
    pub struct ScheduleMoved {
        /// Its name.
        1 name: Str,
        /// The next instant.
        2 next_at: Option<Time>,
        /// The instant of the last start.
        3 last_at: Option<Time>,
        /// How many runs it has started.
        4 started: u64,
        /// A start that waits for the run before.
        5 waiting: Option<Time>,
        /// Runs that begin.
        6 begun: Vec<RunId>,
        /// The run that has ended.
        7 ended: Option<RunId>,
        /// The event that it took in.
        8 taken: Option<EventTaken>,
    }
}

record! {
    /// A number.
    #[derive(Copy, Eq)]
    pub struct Number {
        /// The number.
        1 number: u64,
    }
}

record! {
    /// A name.
    pub struct Name {
        /// The name.
        1 name: Str,
    }
}

record! {
    /// A workflow version was deployed.
    pub struct WorkflowDeployed {
        /// The workflow.
        1 workflow: Str,
        /// The version.
        2 version: Str,
        /// The graph as JSON.
        3 graph: Str,
        /// What the author wrote.
        4 source: Str,
    }
}

record! {
    /// What one command caused, as it stands in the journal.
    pub struct Entry {
        /// When it was decided.
        1 at: Time,
        /// The facts, in order.
        2 events: Vec<Event>,
    }
}
