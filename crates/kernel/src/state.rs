//! Owns what is true: runs and what is inside them. Nothing here decides.
//!
//! Invariant: state is events applied in order and nothing else; everything not written here
//! (queues, timers, waiting workers) is derived from it by [`crate::effect::outstanding`].

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use graph::value::{DEPTH_MAX, Str, Value};
use graph::{Failure, Object};

use crate::catalog::Catalog;
use crate::codec::{Damage, Wire, decode, encode, record, union, words};
use crate::human::HumanWork;
use crate::id::{FrameId, ROOT_FRAME, RunId, SessionId, StepId, StepRef, Time, WHOLE_RUN};
use crate::limits::DATA_BYTES_MAX;
use crate::lock::{Locking, Locks};
use crate::message::Message;
use crate::schedule::Schedule;
use crate::signal::{KeptEvents, Signal};

/// Everything a partition knows.
#[derive(Debug, Default)]
pub struct State {
    /// Live runs, and finished ones until the engine takes them away.
    pub runs: BTreeMap<RunId, Box<Run>>,
    /// Workflows and their versions.
    pub catalog: Catalog,
    /// Schedules by name.
    pub schedules: BTreeMap<Str, Schedule>,
    /// Correlated events that came before anybody waited.
    pub kept_events: KeptEvents,
    /// Messages between runs that their batch had no room for, by number.
    pub messages: BTreeMap<u64, Message>,
    /// Steps that wait for events, by event type. Derived from the runs.
    pub listeners: BTreeMap<Str, BTreeSet<StepRef>>,
    /// Steps and runs that hold or want locks. Derived from the runs.
    pub locks: Locks,
}

words! {
    /// Where a run stands in its life.
    pub enum Status {
        /// It goes on.
        1 Running = "running",
        /// It ended well.
        2 Completed = "completed",
        /// Its work failed.
        3 Failed = "failed",
        /// It was cancelled and cleaned up after itself.
        4 Cancelled = "cancelled",
        /// It was ended at once.
        5 Terminated = "terminated",
    }
}

record! {
    /// One execution of a workflow version.
    pub struct Run {
        /// Its identity.
        1 id: RunId,
        /// The workflow.
        2 workflow: Str,
        /// The version it started with and stays on.
        3 version: Str,
        /// Its business key.
        4 key: Option<Str>,
        /// The step of another run that waits for it.
        5 parent: Option<StepRef>,
        /// How many ancestors it has.
        6 depth: u32,
        /// What it was started with.
        7 input: Value,
        /// `$context`.
        8 context: Value,
        /// What it is found by.
        9 labels: BTreeMap<Str, Str>,
        /// What it is searched by.
        10 attributes: BTreeMap<Str, Value>,
        /// When it began.
        11 started_at: Time,
        /// Where it stands.
        12 status: Status,
        /// Its result, once completed.
        13 output: Option<Value>,
        /// Why it failed or was ended.
        14 failure: Option<Failure>,
        /// When it ended.
        15 ended_at: Option<Time>,
        /// Nothing starts, goes on or ends by itself while set.
        16 suspended: bool,
        /// Set once cancellation was asked for.
        17 cancelling: bool,
        /// Until when the whole run must end.
        18 deadline: Option<Time>,
        /// How long it is kept after its end, in milliseconds.
        19 retention_ms: u64,
        /// The last number given to a step or frame.
        20 last_id: u32,
        /// Steps entered so far.
        21 entered: u64,
        /// Open bodies. Boxed, as are the steps: a map keeps room for eleven, and most runs have one.
        22 frames: BTreeMap<FrameId, Box<Frame>>,
        /// Steps that go on.
        23 steps: BTreeMap<StepId, Box<Step>>,
        /// Signals that came before anybody waited.
        24 signals: Vec<Signal>,
        /// Why cancellation was asked for.
        25 cancel_reason: Option<Str>,
        /// Its place among the runs with its concurrency key.
        40 lock: Option<Box<Locking>>,
        /// How urgent its tasks are that say nothing themselves; none is the default.
        41 priority: Option<u32>,
        /// The last place given to a kept outcome; older releases did not count them.
        42 kept_place: Option<u32>,
    }
}

record! {
    /// One opening of a body.
    pub struct Frame {
        /// The container step; none for the root.
        1 owner: Option<StepId>,
        /// Index of the body.
        2 body: u32,
        /// Which round, element or branch.
        3 index: u32,
        /// What the container opened it for.
        4 phase: Phase,
        /// Variables bound here, without `$`.
        5 vars: BTreeMap<Str, Value>,
        /// Steps that go on in it.
        6 steps: BTreeSet<StepId>,
        /// Data of the last token that left while others went on.
        7 output: Option<Value>,
        /// Set while the rest of it is withdrawn: how it will end.
        8 ending: Option<Ending>,
        /// Tokens that wait in joins, by node.
        9 joins: BTreeMap<u32, Arrivals>,
    }
}

record! {
    /// Tokens that have come to a join in this cycle.
    pub struct Arrivals {
        /// Their data.
        1 data: Vec<Value>,
        /// By which edge each came, where the join counts them.
        2 edges: Vec<u32>,
    }
}

union! {
    /// How a frame ends when it does not just run out.
    pub enum Ending {
        /// A step in it failed.
        1 Failed(Failure),
        /// It was withdrawn.
        2 Withdrawn(Nothing),
        /// The run was ended on purpose with this output.
        3 Completed(Value),
    }
}

record! {
    /// A variant that says it all by its name.
    #[derive(Copy, Eq, Default)]
    pub struct Nothing {}
}

words! {
    /// What a container is busy with.
    pub enum Phase {
        /// Its body.
        1 Body = "body",
        /// A caught failure.
        2 Catch = "catch",
        /// Compensation.
        3 Undo = "undo",
        /// The clean-up at the end.
        4 Finally = "finally",
        /// A pause before the body is tried again.
        5 Backoff = "backoff",
        /// Branches that nobody waits for any more.
        6 Leftover = "leftover",
    }
}

record! {
    /// One visit to a node.
    pub struct Step {
        /// Index of the node.
        1 node: u32,
        /// The frame it belongs to.
        2 frame: FrameId,
        /// The data that came in; none is the data of the body around it.
        3 input: Option<Value>,
        /// When.
        4 entered_at: Time,
        /// Until when the visit must end.
        5 deadline: Option<Time>,
        /// Set while its frames are withdrawn, before it is cancelled or fails.
        6 withdrawing: bool,
        /// What it is doing.
        7 activity: Activity,
        /// The input as the node shaped it on entry, if what follows the work can see it.
        8 shaped: Option<Value>,
        /// The edge it came by, if what it came to tells them apart and has yet to count it.
        40 edge: Option<u32>,
    }
}

union! {
    /// What a step is doing.
    pub enum Activity {
        /// Waits for a worker or for its report.
        1 Task(TaskWork),
        /// Waits for a time.
        2 Timer(Due),
        /// Waits for events.
        3 Listen(Listening),
        /// Waits for another run.
        4 Child(Awaited),
        /// Has opened bodies.
        5 Region(Region),
        /// Waits for the suspended run to be resumed; then begins. Only earlier releases went this far.
        6 Held(Nothing),
        /// Waits for its turn after a long chain of transitions; then begins.
        7 Yielded(Due),
        /// Its work is over; waits for the suspended run to go on, then leaves.
        8 Kept(Outcome),
        /// Waits for a person.
        30 Human(Box<HumanWork>),
        /// Waits until something goes on at the node that its milestone names.
        40 Milestone(Nothing),
    }
}

record! {
    /// What came of a step's work, kept while its run is suspended.
    pub struct Outcome {
        /// Its output; with no failure either, what came in goes on.
        1 output: Option<Value>,
        /// Why it failed.
        2 failure: Option<Failure>,
        /// The order in which outcomes count.
        3 place: u32,
    }
}

record! {
    /// An instant that a step waits for.
    #[derive(Copy, Eq)]
    pub struct Due {
        /// When.
        1 at: Time,
    }
}

record! {
    /// Work offered to a queue.
    pub struct TaskWork {
        /// The queue.
        1 queue: Str,
        /// What to do.
        2 name: Str,
        /// With what.
        3 input: Value,
        /// Which attempt, from 1.
        4 attempt: u32,
        /// Claims so far.
        5 claims: u32,
        /// Where it stands.
        6 stage: TaskStage,
        /// Bound on the wait for a worker, in milliseconds.
        7 queue_timeout_ms: Option<u64>,
        /// Bound on one attempt, in milliseconds.
        8 run_timeout_ms: Option<u64>,
        /// Bound on the silence of the worker, in milliseconds.
        9 heartbeat_timeout_ms: Option<u64>,
        /// When the first attempt was offered.
        10 first_at: Time,
        /// How urgent it is, from 0 to 9; none is the default.
        40 priority: Option<u32>,
    }
}

union! {
    /// Where a task stands.
    pub enum TaskStage {
        /// Waits for a worker since then.
        1 Queued(Due),
        /// A worker has it.
        2 Claimed(Claim),
        /// Waits until it is offered again.
        3 BackedOff(Due),
        /// Retries have run out; waits for a person.
        4 Parked(Failure),
    }
}

record! {
    /// A worker's hold on a task.
    #[derive(Copy, Eq)]
    pub struct Claim {
        /// The worker's session.
        1 session: SessionId,
        /// Since when.
        2 at: Time,
        /// When it was last heard of.
        3 heard_at: Time,
    }
}

record! {
    /// A wait for events.
    pub struct Listening {
        /// The filters, in the order of the node's.
        1 wanted: Vec<Wanted>,
        /// How many of them must be met.
        2 need: u32,
        /// What came, in order, without what a body has taken.
        3 received: Vec<Value>,
        /// What the events so far have settled, by name.
        50 bound: BTreeMap<Str, Value>,
        /// Which events have come of those that said so, the newest.
        51 seen: Vec<u64>,
        /// About how many bytes of events wait or are kept.
        52 bytes: Option<u64>,
    }
}

record! {
    /// One filter of a wait, computed on entry.
    pub struct Wanted {
        /// Type of event or name of signal.
        1 event_type: Str,
        /// Members that must be equal.
        2 with: BTreeMap<Str, Value>,
        /// What each correlation must give.
        3 expect: Vec<Value>,
        /// Whether its event has come.
        4 met: bool,
    }
}

record! {
    /// A run that a step started.
    pub struct Awaited {
        /// The child's id.
        1 child: RunId,
        /// Its workflow.
        2 workflow: Str,
        /// Its version; none is the latest.
        3 version: Option<Str>,
        /// Its business key.
        4 key: Option<Str>,
        /// Its input.
        5 input: Value,
        /// Whether the step goes on as soon as the child has started.
        6 detach: bool,
    }
}

record! {
    /// What a container keeps while bodies are open.
    pub struct Region {
        /// What it is busy with.
        1 phase: Phase,
        /// Bodies opened in this phase.
        2 opened: u32,
        /// Bodies open now.
        3 frames: BTreeSet<FrameId>,
        /// Bodies that ended well in this phase.
        4 done: u32,
        /// Branches that failed and are tolerated.
        5 failed: u32,
        /// The list of a for-each.
        6 items: Option<Value>,
        /// Outputs collected, by index.
        7 outputs: BTreeMap<u32, Value>,
        /// Weight of the outputs.
        8 output_bytes: u64,
        /// The data bodies start with; none is what came into the step.
        9 data: Option<Value>,
        /// Which attempt of the tried body, from 1.
        10 attempt: u32,
        /// When the next attempt, or the rest of an opening, is due.
        11 due: Option<Time>,
        /// The failure in hand.
        12 failure: Option<Failure>,
        /// The output in hand while others are withdrawn or the clean-up runs.
        13 result: Option<Value>,
        /// Set when a failure was caught.
        14 caught: bool,
        /// What a saga would undo, oldest first.
        15 undo: Vec<Undo>,
        /// What a listen with bodies waits for.
        50 listening: Option<Box<Listening>>,
        /// What a for-each still takes in.
        40 more: Option<Box<Taking>>,
        /// The lock that is held while its body runs.
        41 lock: Option<Box<Locking>>,
    }
}

record! {
    /// Elements that may still come to a for-each.
    pub struct Taking {
        /// What brings one.
        1 wanted: Wanted,
        /// How many may still come.
        2 left: u32,
        /// Weight of those that came.
        3 bytes: u64,
    }
}

record! {
    /// A completed step that a saga can undo.
    pub struct Undo {
        /// Index of the completed node.
        1 node: u32,
        /// Its output.
        2 output: Value,
    }
}

impl Region {
    /// A region about to open its first body.
    #[must_use]
    pub fn new(data: Option<Value>) -> Region {
        Region {
            phase: Phase::Body,
            opened: 0,
            frames: BTreeSet::new(),
            done: 0,
            failed: 0,
            items: None,
            outputs: BTreeMap::new(),
            output_bytes: 0,
            data,
            attempt: 1,
            due: None,
            failure: None,
            result: None,
            caught: false,
            undo: Vec::new(),
            listening: None,
            more: None,
            lock: None,
        }
    }

    /// What brings one more element, while there is room and the for-each has not ended.
    fn taking(&self) -> Option<&Wanted> {
        let more = self.more.as_ref()?;
        let has_room = more.left > 0 && more.bytes <= DATA_BYTES_MAX as u64;
        let is_open = self.phase == Phase::Body && self.result.is_none();
        (has_room && is_open).then_some(&more.wanted)
    }
}

impl Run {
    /// Whether it goes on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status == Status::Running
    }

    /// The word for where the run stands: its status, or for a live run what it is held up by.
    #[must_use]
    pub fn condition(&self) -> &'static str {
        if !self.is_live() {
            return self.status.word();
        }
        if self.suspended {
            return "suspended";
        }
        if self.is_queued() {
            return "waiting";
        }
        if self.steps.values().any(|step| step.is_parked()) {
            return "incident";
        }
        let waits = |activity: &Activity| {
            matches!(
                activity,
                Activity::Timer(_)
                    | Activity::Listen(_)
                    | Activity::Child(_)
                    | Activity::Region(_)
                    | Activity::Human(_)
                    | Activity::Milestone(_)
            )
        };
        if !self.steps.is_empty() && self.steps.values().all(|step| waits(&step.activity)) {
            "waiting"
        } else {
            "running"
        }
    }

    /// The step, if it goes on.
    #[must_use]
    pub fn step(&self, step: StepId) -> Option<&Step> {
        self.steps.get(&step).map(|step| &**step)
    }

    /// The data that came into a step.
    #[must_use]
    pub fn input_of<'a>(&'a self, step: &'a Step) -> &'a Value {
        step.input
            .as_ref()
            .unwrap_or_else(|| self.data_around(step.frame))
    }

    /// The data of a body: what its container's bodies start with, or for the root the run's input.
    /// What equals it is not written again, else each element of a list would carry the whole list.
    #[must_use]
    pub fn data_around(&self, frame: FrameId) -> &Value {
        let owner = self
            .frames
            .get(&frame)
            .and_then(|frame| frame.owner)
            .and_then(|owner| self.step(owner));
        owner.map_or(&self.input, |owner| self.data_of(owner))
    }

    /// The data that a container's bodies start with.
    #[must_use]
    pub fn data_of<'a>(&'a self, step: &'a Step) -> &'a Value {
        step.region()
            .and_then(|region| region.data.as_ref())
            .unwrap_or_else(|| self.input_of(step))
    }

    /// The next instant at which time alone changes something at a step, or at the run as a whole.
    #[must_use]
    pub fn due(&self, step: StepId) -> Option<Time> {
        if step == WHOLE_RUN {
            let ending = self.frames.get(&ROOT_FRAME)?.ending.is_some();
            return self.deadline.filter(|_| !ending && !self.suspended);
        }
        let step = self.step(step)?;
        step.due().filter(|_| !self.holds_back(step))
    }

    /// A variable, looked up from a frame outwards.
    #[must_use]
    pub fn variable(&self, frame: FrameId, name: &str) -> Option<&Value> {
        let mut at = Some(frame);
        while let Some(frame) = at.and_then(|id| self.frames.get(&id)) {
            if let Some(value) = frame.vars.get(name) {
                return Some(value);
            }
            at = frame
                .owner
                .and_then(|owner| self.step(owner))
                .map(|step| step.frame);
        }
        None
    }
}

impl Step {
    /// Whether a person must act.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        matches!(
            &self.activity,
            Activity::Task(TaskWork {
                stage: TaskStage::Parked(_),
                ..
            })
        )
    }

    /// The region, if this is a container.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        match &self.activity {
            Activity::Region(region) => Some(region),
            _ => None,
        }
    }

    /// The task, if this is one.
    #[must_use]
    pub fn task(&self) -> Option<&TaskWork> {
        match &self.activity {
            Activity::Task(task) => Some(task),
            _ => None,
        }
    }

    /// What the step waits for or takes in, in the order of its node's filters.
    pub(crate) fn wanted(&self) -> &[Wanted] {
        match &self.activity {
            Activity::Listen(listening) => &listening.wanted,
            Activity::Region(region) if !self.withdrawing => match &region.listening {
                Some(listening) => &listening.wanted,
                None => region.taking().map_or(&[], core::slice::from_ref),
            },
            _ => &[],
        }
    }

    /// Event types that the step still waits for.
    pub fn listens(&self) -> impl Iterator<Item = &Str> {
        self.wanted()
            .iter()
            .filter(|wanted| !wanted.met)
            .map(|wanted| &wanted.event_type)
    }

    /// The next instant at which time alone changes something.
    fn due(&self) -> Option<Time> {
        let own = match &self.activity {
            Activity::Task(task) => task.due(),
            Activity::Timer(due) | Activity::Yielded(due) => Some(due.at),
            Activity::Region(region) => region.due,
            Activity::Human(work) => work.due(),
            Activity::Held(_) | Activity::Kept(_) => self.due_when_released(),
            Activity::Listen(_) | Activity::Child(_) | Activity::Milestone(_) => None,
        };
        let deadline = self.deadline.filter(|_| !self.withdrawing);
        own.into_iter().chain(deadline).min()
    }
}

impl Activity {
    /// What is handed to someone outside the run.
    #[must_use]
    pub fn input(&self) -> Option<&Value> {
        match self {
            Activity::Task(task) => Some(&task.input),
            Activity::Child(awaited) => Some(&awaited.input),
            Activity::Human(work) => Some(&work.data),
            Activity::Timer(_)
            | Activity::Listen(_)
            | Activity::Region(_)
            | Activity::Held(_)
            | Activity::Yielded(_)
            | Activity::Milestone(_)
            | Activity::Kept(_) => None,
        }
    }
}

impl TaskWork {
    /// The next instant at which time alone changes something.
    fn due(&self) -> Option<Time> {
        match &self.stage {
            TaskStage::Queued(since) => self.queue_timeout_ms.map(|ms| since.at.plus(ms)),
            TaskStage::Claimed(claim) => {
                let run = self.run_timeout_ms.map(|ms| claim.at.plus(ms));
                let silence = self.heartbeat_timeout_ms.map(|ms| claim.heard_at.plus(ms));
                run.into_iter().chain(silence).min()
            }
            TaskStage::BackedOff(due) => Some(due.at),
            TaskStage::Parked(_) => None,
        }
    }
}

impl Wire for Failure {
    const VARINT: bool = false;

    fn put(&self, out: &mut Vec<u8>) {
        self.to_value().put(out);
    }

    fn get(input: &mut &[u8]) -> Result<Failure, Damage> {
        <Value as Wire>::get(input).map(|value| Failure::from_value(&value))
    }

    fn to_value(&self) -> Value {
        Failure::to_value(self)
    }
}

/// About how many bytes of JSON a value makes, counted up to `limit`. One that nests deeper than
/// [`DEPTH_MAX`] is always too heavy: it could be written but never read again.
#[must_use]
pub fn weight(value: &Value, limit: usize) -> usize {
    weigh(value, limit, DEPTH_MAX)
}

fn weigh(value: &Value, limit: usize, depth_left: usize) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Int(_) | Value::Float(_) => 8,
        Value::Text(text) => text.len() + 2,
        Value::Array(elements) => sum(
            elements.iter().map(|element| (0, element)),
            limit,
            depth_left,
        ),
        Value::Object(members) => sum(
            members.iter().map(|(key, value)| (key.len() + 3, value)),
            limit,
            depth_left,
        ),
    }
}

fn sum<'a>(
    parts: impl Iterator<Item = (usize, &'a Value)>,
    limit: usize,
    depth_left: usize,
) -> usize {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return limit.saturating_add(1);
    };
    let mut total = 2;
    for (extra, value) in parts {
        if total > limit {
            break;
        }
        total += extra + 1 + weigh(value, limit - total, depth_left);
    }
    total
}

impl State {
    /// The bytes of a run, for a checkpoint.
    #[must_use]
    pub fn encode_run(run: &Run) -> Vec<u8> {
        encode(run)
    }

    /// Puts back a run from a checkpoint.
    ///
    /// # Errors
    /// Bytes that are not a run.
    pub fn restore_run(&mut self, bytes: &[u8]) -> Result<RunId, Damage> {
        let run: Run = decode(bytes)?;
        let id = run.id;
        let steps: Vec<StepId> = run.steps.keys().copied().collect();
        self.runs.insert(id, Box::new(run));
        for step in core::iter::once(WHOLE_RUN).chain(steps) {
            self.index(id, step, true);
        }
        Ok(id)
    }

    /// Takes a finished run out of memory.
    pub fn take_finished(&mut self, run: RunId) -> Option<Box<Run>> {
        if self.runs.get(&run).is_some_and(|run| run.is_live()) {
            return None;
        }
        self.runs.remove(&run)
    }
}

/// An empty object, the context of a run that exports nothing.
#[must_use]
pub fn empty_object() -> Value {
    Value::object(Object::new())
}
