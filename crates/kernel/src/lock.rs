//! Owns locks: who holds one, who waits for it, and who is next. Runs that count together by a concurrency key
//! are the same thing: a run holds its lock as a whole.
//!
//! Invariants: a lock has never more holders than the limit of the last one let in; those that wait go in order
//! of arrival; a hold ends with the step or run that has it, whatever ends that. The table follows from the runs,
//! so a restart finds it as it was. Nobody waits for a lock that is free: whatever frees one sends the message
//! that grants it. A suspended run rests: it keeps its place, but is passed over until it goes on.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use graph::Failure;
use graph::ir::{ConcurrencyPolicy, Graph, Lock, LockScope};
use graph::value::{Str, Value};

use crate::codec::{record, words};
use crate::command::Reply;
use crate::eval::Scope;
use crate::event::{RunEvent, StepOnly};
use crate::id::{FrameId, RunId, StepId, StepRef, WHOLE_RUN};
use crate::limits::{LOCK_WAITERS_MAX, NAME_BYTES_MAX};
use crate::message::{Message, Stopping};
use crate::rejection::Rejection;
use crate::state::{Run, State, Step};
use crate::turn::{RunTurn, Turn};

words! {
    /// What kind of name a lock has.
    pub enum LockKind {
        /// Known in one run.
        1 Run = "run",
        /// Known in the runs of one workflow.
        2 Workflow = "workflow",
        /// Known everywhere.
        3 Server = "server",
        /// The concurrency key of the runs of one workflow.
        4 Concurrency = "concurrency",
    }
}

record! {
    /// Which lock.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct LockKey {
        /// What kind of name it has.
        1 kind: LockKind,
        /// The run or workflow that knows it.
        2 owner: Str,
        /// Its name.
        3 name: Str,
    }
}

record! {
    /// A hold on a lock, or a place among those that wait for it.
    pub struct Locking {
        /// Which lock.
        1 key: LockKey,
        /// Lower ones came earlier.
        2 place: u64,
        /// How many may hold it at once.
        3 limit: u32,
        /// Whether it is held.
        4 held: bool,
    }
}

/// Locks that are held or waited for.
#[derive(Debug, Default, PartialEq)]
pub struct Locks(BTreeMap<LockKey, Queue>);

/// Those at one lock, in order of arrival.
#[derive(Debug, Default, PartialEq)]
struct Queue {
    holders: BTreeSet<(u64, StepRef)>,
    waiting: BTreeMap<(u64, StepRef), u32>,
    /// Those of suspended runs: nobody waits for them, but those who come later stand behind them.
    resting: BTreeSet<(u64, StepRef)>,
}

impl Queue {
    /// All that do not hold the lock, in no order.
    fn queued(&self) -> impl Iterator<Item = &(u64, StepRef)> {
        self.waiting.keys().chain(&self.resting)
    }

    fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.waiting.is_empty() && self.resting.is_empty()
    }
}

impl Locks {
    /// Every lock with its holders and those that wait and can have it, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (&LockKey, Vec<StepRef>, Vec<StepRef>)> {
        self.0.iter().map(|(key, queue)| {
            let holders = queue.holders.iter().map(|(_, at)| *at).collect();
            let waiting = queue.waiting.keys().map(|(_, at)| *at).collect();
            (key, holders, waiting)
        })
    }

    /// Who is to have a lock next, if anybody can.
    pub(crate) fn next(&self, key: &LockKey) -> Option<StepRef> {
        let queue = self.0.get(key)?;
        let ((_, at), limit) = queue.waiting.first_key_value()?;
        (queue.holders.len() < *limit as usize).then_some(*at)
    }

    /// Locks that somebody can have now.
    pub(crate) fn free(&self) -> impl Iterator<Item = &LockKey> {
        self.0.keys().filter(|key| self.next(key).is_some())
    }

    /// A place behind all others.
    fn place(&self, key: &LockKey) -> u64 {
        let Some(queue) = self.0.get(key) else {
            return 0;
        };
        let waits = queue.waiting.last_key_value().map(|(at, _)| at);
        let lasts = [queue.holders.last(), waits, queue.resting.last()];
        let last = lasts.into_iter().flatten().map(|(place, _)| *place).max();
        last.map_or(0, |last| last + 1)
    }

    /// How many hold a lock, and how many wait, resting or not.
    fn count(&self, key: &LockKey) -> (usize, usize) {
        let queue = self.0.get(key);
        queue.map_or((0, 0), |queue| {
            let waiting = queue.waiting.len() + queue.resting.len();
            (queue.holders.len(), waiting)
        })
    }

    /// All at a lock, oldest first.
    fn all(&self, key: &LockKey) -> Vec<StepRef> {
        let Some(queue) = self.0.get(key) else {
            return Vec::new();
        };
        let all: BTreeSet<&(u64, StepRef)> = queue.holders.iter().chain(queue.queued()).collect();
        all.into_iter().map(|(_, at)| *at).collect()
    }

    fn insert(&mut self, at: StepRef, locking: &Locking, rests: bool) {
        let queue = self.0.entry(locking.key.clone()).or_default();
        let place = (locking.place, at);
        match (locking.held, rests) {
            (true, _) => drop(queue.holders.insert(place)),
            (false, false) => drop(queue.waiting.insert(place, locking.limit)),
            (false, true) => drop(queue.resting.insert(place)),
        }
    }

    fn remove(&mut self, at: StepRef, locking: &Locking, rests: bool) {
        let Some(queue) = self.0.get_mut(&locking.key) else {
            return;
        };
        let place = (locking.place, at);
        match (locking.held, rests) {
            (true, _) => drop(queue.holders.remove(&place)),
            (false, false) => drop(queue.waiting.remove(&place)),
            (false, true) => drop(queue.resting.remove(&place)),
        }
        if queue.is_empty() {
            self.0.remove(&locking.key);
        }
    }
}

/// Lets whoever is next have a lock that is free.
pub(crate) fn decide_grant(turn: &mut Turn<'_>, key: &LockKey) -> Result<Reply, Rejection> {
    let at = turn.state().locks.next(key).ok_or(Rejection::NotDue)?;
    let mut run = turn.run(at.run)?;
    run.emit(RunEvent::LockGranted(StepOnly { step: at.step }));
    if at.step == WHOLE_RUN {
        let input = run.state().input.clone();
        run.enter_root(input);
    } else {
        run.open_region(at.step);
    }
    run.settle();
    Ok(Reply::Done)
}

/// The place of a run about to begin among those with the same concurrency key; null is no key.
pub(crate) fn of_run(
    state: &State,
    graph: &Graph,
    evaluate: &dyn Fn(&graph::Expr) -> Result<Value, Rejection>,
) -> Result<Option<Locking>, Rejection> {
    let Some(concurrency) = &graph.concurrency else {
        return Ok(None);
    };
    let name: Str = match evaluate(&concurrency.key)? {
        Value::Null => return Ok(None),
        Value::Text(text) => text,
        scalar @ (Value::Bool(_) | Value::Int(_) | Value::Float(_)) => scalar.to_json().into(),
        other => {
            let kind = other.kind();
            return Err(Rejection::Invalid(format!(
                "the concurrency key must be text, a number or a bool, not {kind}"
            )));
        }
    };
    crate::signal::check_name("concurrency key", &name)?;
    let (limit, owner) = (concurrency.limit, graph.workflow.clone());
    let kind = LockKind::Concurrency;
    let key = LockKey { kind, owner, name };
    let (holders, waiting) = state.locks.count(&key);
    if concurrency.policy == ConcurrencyPolicy::Drop && holders + waiting >= limit as usize {
        return Err(Rejection::RunDropped(key.name, limit));
    }
    if waiting >= LOCK_WAITERS_MAX {
        let most = LOCK_WAITERS_MAX as u64;
        return Err(Rejection::LimitReached(
            "runs waiting for one concurrency key",
            most,
        ));
    }
    Ok(Some(Locking {
        place: state.locks.place(&key),
        key,
        limit,
        held: false,
    }))
}

/// Cancels the oldest runs that a new one has made too many, where the workflow says so.
pub(crate) fn replace_oldest(turn: &mut Turn<'_>, graph: &Graph, locking: &Locking) {
    let policy = graph
        .concurrency
        .as_ref()
        .map(|concurrency| concurrency.policy);
    if policy != Some(ConcurrencyPolicy::Replace) {
        return;
    }
    let goes_on = |at: &StepRef| {
        let run = turn.state().runs.get(&at.run);
        run.is_some_and(|run| !run.cancelling)
    };
    let mut runs: Vec<RunId> = turn
        .state()
        .locks
        .all(&locking.key)
        .iter()
        .copied()
        .filter(goes_on)
        .map(|at| at.run)
        .collect();
    runs.truncate(runs.len().saturating_sub(locking.limit as usize));
    for run in runs {
        let reason = "a newer run with its concurrency key has begun".into();
        turn.send(Message::CancelRun(Stopping { run, reason }));
    }
}

impl RunTurn<'_, '_> {
    /// The place of a new step among those that want a lock; none where a body around it holds it already.
    pub(crate) fn locking(&self, lock: &Lock, scope: &Scope) -> Result<Option<Locking>, Failure> {
        let name = self.text("the name of a lock", &lock.name, scope)?;
        if name.len() > NAME_BYTES_MAX {
            let text = format!("the name of a lock has at most {NAME_BYTES_MAX} bytes");
            return Err(Failure::new("configuration", text));
        }
        let (kind, owner) = match lock.scope {
            LockScope::Run => (LockKind::Run, format!("{}", self.id()).into()),
            LockScope::Workflow => (LockKind::Workflow, self.state().workflow.clone()),
            LockScope::Server => (LockKind::Server, "".into()),
        };
        let key = LockKey { kind, owner, name };
        if self.holds_around(scope.frame, &key) {
            return Ok(None);
        }
        let locks = &self.turn().state().locks;
        let (_, waiting) = locks.count(&key);
        if waiting >= LOCK_WAITERS_MAX {
            let text = format!(
                "more than {LOCK_WAITERS_MAX} steps wait for the lock {:?}",
                key.name
            );
            return Err(Failure::new("runtime", text));
        }
        Ok(Some(Locking {
            place: locks.place(&key),
            key,
            limit: lock.limit,
            held: false,
        }))
    }

    /// Whether a container around a frame holds the lock.
    fn holds_around(&self, frame: FrameId, key: &LockKey) -> bool {
        let run = self.state();
        let owner = |frame: FrameId| run.step(run.frames.get(&frame)?.owner?);
        let around = core::iter::successors(owner(frame), |step| owner(step.frame));
        let mut locks = around.filter_map(Step::locking);
        locks.any(|locking| locking.held && locking.key == *key)
    }
}

impl Step {
    /// The lock that the step holds or waits for.
    #[must_use]
    pub fn locking(&self) -> Option<&Locking> {
        self.region()?.lock.as_deref()
    }
}

impl Run {
    /// Whether the run as a whole waits for others with its concurrency key to end.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| !lock.held)
    }

    /// The lock that a step, or the run as a whole, holds or stands in line for.
    fn locking(&self, step: StepId) -> Option<&Locking> {
        let locking = match step {
            WHOLE_RUN => self.lock.as_deref(),
            step => self.step(step)?.locking(),
        };
        locking.filter(|_| self.is_live())
    }

    pub(crate) fn apply_lock_granted(&mut self, step: StepId) {
        let lock = match step {
            WHOLE_RUN => self.lock.as_mut(),
            step => self
                .region_mut(step)
                .and_then(|region| region.lock.as_mut()),
        };
        if let Some(lock) = lock {
            lock.held = true;
        }
    }
}

impl State {
    /// The locks that steps of a run hold or stand in line for.
    pub(crate) fn locks_at(&self, id: RunId, steps: &[StepId]) -> Vec<LockKey> {
        let run = self.runs.get(&id);
        let locking = steps.iter().filter_map(|step| run?.locking(*step));
        locking.map(|locking| locking.key.clone()).collect()
    }

    /// Keeps the table of locks up with a step that is about to change, or has.
    pub(crate) fn index_lock(&mut self, id: RunId, step: StepId, present: bool) {
        let State { runs, locks, .. } = self;
        let Some(run) = runs.get(&id) else {
            return;
        };
        let Some(locking) = run.locking(step) else {
            return;
        };
        let at = StepRef { run: id, step };
        match present {
            true => locks.insert(at, locking, run.suspended),
            false => locks.remove(at, locking, run.suspended),
        }
    }
}
