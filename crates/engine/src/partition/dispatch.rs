//! Owns the meeting of waiting tasks and waiting workers.
//!
//! Invariants: of one queue the most urgent tasks go first, those of one priority in the order in which they were
//! offered, and every so often the one that waits longest, so that none starves; a worker never gets more than it has credits for; a lost connection keeps its claims until its grace is over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use graph::value::Str;
use kernel::{Delivery, SessionId, StepRef, TaskToken, Time};
use rustc_hash::FxHashMap;

use super::{Outlet, ToWorker};

/// The most credits one worker can hold.
pub(crate) const CREDITS_MAX: u32 = 10_000;

/// The most queues one worker can take from.
pub(crate) const QUEUES_MAX: usize = 256;

/// Of so many tasks handed out of one queue, one is that which waits longest, however urgent the others are.
const OLDEST_EVERY: u32 = 10;

/// Queues and sessions.
#[derive(Default)]
pub(crate) struct Dispatch {
    queues: BTreeMap<Str, Queue>,
    sessions: BTreeMap<SessionId, Session>,
    places: FxHashMap<StepRef, Place>,
    next_place: u64,
}

/// A task's place in its queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// How much is more urgent: lower ranks go first.
    rank: u8,
    /// Counts the offers.
    number: u64,
}

#[derive(Default)]
struct Queue {
    tasks: BTreeMap<Place, StepRef>,
    /// The same by the time of their offers.
    oldest: BTreeMap<u64, StepRef>,
    /// Tasks handed out since the oldest one was.
    urgent: u32,
    /// Sessions that take from it, the next one to serve first.
    takers: VecDeque<SessionId>,
}

struct Session {
    queues: Vec<Str>,
    credits: u32,
    claims: BTreeSet<TaskToken>,
    outlet: Option<Outlet<ToWorker>>,
    /// While the connection is lost: until when it may come back.
    grace_until: Time,
    frame: ToWorker,
}

impl Dispatch {
    /// A task waits. Of its priority, 9 is the most urgent.
    pub(crate) fn offer(&mut self, queue: Str, task: StepRef, priority: u8) {
        let number = self.next_place;
        self.next_place += 1;
        let rank = u8::MAX - priority;
        let place = Place { rank, number };
        self.places.insert(task, place);
        let queue = self.queues.entry(queue).or_default();
        queue.tasks.insert(place, task);
        queue.oldest.insert(number, task);
    }

    pub(crate) fn retract(&mut self, queue: &Str, task: StepRef) {
        let (Some(place), Some(tasks)) = (self.places.remove(&task), self.queues.get_mut(queue))
        else {
            return;
        };
        tasks.tasks.remove(&place);
        tasks.oldest.remove(&place.number);
        self.forget_if_empty(queue);
    }

    fn forget_if_empty(&mut self, name: &Str) {
        if self
            .queues
            .get(name)
            .is_some_and(|queue| queue.tasks.is_empty() && queue.takers.is_empty())
        {
            self.queues.remove(name);
        }
    }

    /// How many tasks wait.
    pub(crate) fn task_count(&self) -> usize {
        self.places.len()
    }

    /// How many workers are connected.
    pub(crate) fn worker_count(&self) -> usize {
        self.sessions
            .values()
            .filter(|session| session.outlet.is_some())
            .count()
    }

    /// A task and a worker that can have it. Workers of a queue take turns.
    pub(crate) fn next_match(&mut self, skip: &BTreeSet<StepRef>) -> Option<(StepRef, SessionId)> {
        let sessions = &self.sessions;
        for queue in self.queues.values_mut() {
            let Some(task) = queue.next(skip) else {
                continue;
            };
            let free = |session: &SessionId| {
                sessions
                    .get(session)
                    .is_some_and(|session| session.credits > 0 && session.outlet.is_some())
            };
            let Some(taker) = queue.takers.iter().position(free) else {
                continue;
            };
            let session = queue.takers[taker];
            queue.takers.rotate_left(taker + 1);
            queue.urgent = (queue.urgent + 1) % OLDEST_EVERY;
            return Some((task, session));
        }
        None
    }

    /// A claim holds: the work goes into the worker's next frame.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let session = self
            .sessions
            .entry(delivery.session)
            .or_insert_with(Session::lost);
        session.credits = session.credits.saturating_sub(1);
        session.claims.insert(delivery.token);
        session.frame.tasks.push(delivery);
    }

    /// A claim is over; the worker is told unless it ended it itself.
    pub(crate) fn end_claim(&mut self, token: TaskToken, session: SessionId, tell: bool) {
        let Some(session) = self.sessions.get_mut(&session) else {
            return;
        };
        session.claims.remove(&token);
        if tell {
            session.frame.cancels.push(token);
        }
    }

    /// Takes note of a claim from before a restart.
    pub(crate) fn restore_claim(&mut self, token: TaskToken, session: SessionId) {
        self.sessions
            .entry(session)
            .or_insert_with(Session::lost)
            .claims
            .insert(token);
    }

    pub(crate) fn receipt(&mut self, session: SessionId, token: TaskToken, accepted: bool) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.frame.receipts.push((token, accepted));
        }
    }

    pub(crate) fn grant(&mut self, session: SessionId, credits: u32) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.credits = session.credits.saturating_add(credits).min(CREDITS_MAX);
        }
    }

    /// Connects a worker, perhaps again. Returns the claims it no longer holds.
    pub(crate) fn connect(
        &mut self,
        id: SessionId,
        queues: &[Str],
        outlet: Outlet<ToWorker>,
        holding: &BTreeSet<TaskToken>,
    ) -> Vec<TaskToken> {
        self.leave_queues(id);
        let session = self.sessions.entry(id).or_insert_with(Session::lost);
        session.queues = queues.to_vec();
        session.credits = 0;
        session.outlet = Some(outlet);
        session.frame = ToWorker::default();
        // What ended while the worker was away it could not be told; now it can.
        let over = holding
            .iter()
            .filter(|token| !session.claims.contains(token));
        session.frame.cancels.extend(over);
        let gone = session
            .claims
            .iter()
            .filter(|token| !holding.contains(token))
            .copied()
            .collect();
        for queue in queues {
            self.queues
                .entry(queue.clone())
                .or_default()
                .takers
                .push_back(id);
        }
        gone
    }

    /// Whether the session's newest connection takes messages. The end of an older one must not end it.
    pub(crate) fn is_connected(&mut self, id: SessionId) -> bool {
        let outlet = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.outlet.as_mut());
        outlet.is_some_and(|outlet| outlet.put(ToWorker::default()))
    }

    /// Whether this session is known.
    pub(crate) fn knows(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// The connection is lost; claims stay until the grace is over.
    pub(crate) fn disconnect(&mut self, id: SessionId, grace_until: Time) {
        self.leave_queues(id);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.outlet = None;
            session.grace_until = grace_until;
            session.credits = 0;
            session.frame = ToWorker::default();
        }
    }

    fn leave_queues(&mut self, id: SessionId) {
        let queues = self
            .sessions
            .get(&id)
            .map(|session| session.queues.clone())
            .unwrap_or_default();
        for name in queues {
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.takers.retain(|taker| *taker != id);
            }
            self.forget_if_empty(&name);
        }
    }

    /// Forgets a session that did not come back in time, and returns its claims.
    pub(crate) fn forget(&mut self, id: SessionId, now: Time) -> Vec<TaskToken> {
        if self
            .sessions
            .get(&id)
            .is_none_or(|session| session.outlet.is_some() || session.grace_until > now)
        {
            return Vec::new();
        }
        self.sessions
            .remove(&id)
            .map(|session| session.claims.into_iter().collect())
            .unwrap_or_default()
    }

    /// Sessions without a connection.
    pub(crate) fn lost_sessions(&self) -> Vec<SessionId> {
        self.sessions
            .iter()
            .filter(|(_, session)| session.outlet.is_none())
            .map(|(id, _)| *id)
            .collect()
    }

    /// Sends what has gathered. A worker that does not take its frames counts as lost.
    pub(crate) fn flush(&mut self) -> Vec<SessionId> {
        let mut stuck = Vec::new();
        for (id, session) in &mut self.sessions {
            if session.frame == ToWorker::default() {
                continue;
            }
            let frame = std::mem::take(&mut session.frame);
            if session
                .outlet
                .as_mut()
                .is_some_and(|outlet| !outlet.put(frame))
            {
                // Its frame is lost, so the connection must not be used again even if it moves on.
                session.outlet = None;
                stuck.push(*id);
            }
        }
        stuck
    }
}

impl Queue {
    /// The task to hand out next.
    fn next(&self, skip: &BTreeSet<StepRef>) -> Option<StepRef> {
        let is_free = |task: &&StepRef| !skip.contains(task);
        let next = match self.urgent + 1 == OLDEST_EVERY {
            true => self.oldest.values().find(is_free),
            false => self.tasks.values().find(is_free),
        };
        next.copied()
    }
}

impl Session {
    fn lost() -> Session {
        Session {
            queues: Vec::new(),
            credits: 0,
            claims: BTreeSet::new(),
            outlet: None,
            grace_until: Time(0),
            frame: ToWorker::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{RunId, StepId};

    use super::*;

    fn task(number: u32) -> StepRef {
        StepRef {
            run: RunId([0; 16]),
            step: StepId(number),
        }
    }

    /// A queue with these priorities, and the numbers of its tasks in the order in which they are handed out.
    fn order(priorities: &[u8]) -> Vec<u32> {
        let mut dispatch = Dispatch::default();
        let session = SessionId(1);
        let queue: Str = "q".into();
        dispatch.connect(
            session,
            std::slice::from_ref(&queue),
            Outlet::new(|_| true),
            &BTreeSet::new(),
        );
        dispatch.grant(session, CREDITS_MAX);
        for (number, priority) in (0..).zip(priorities) {
            dispatch.offer(queue.clone(), task(number), *priority);
        }
        let mut order = Vec::new();
        while let Some((task, _)) = dispatch.next_match(&BTreeSet::new()) {
            dispatch.retract(&queue, task);
            order.push(task.step.0);
        }
        order
    }

    #[test]
    fn the_most_urgent_go_first_and_equals_in_order() {
        assert_eq!(order(&[5, 0, 9, 5, 9]), [2, 4, 0, 3, 1]);
    }

    #[test]
    fn the_least_urgent_does_not_starve() {
        let mut priorities = vec![0];
        priorities.extend([9; 30]);
        let place = order(&priorities).iter().position(|number| *number == 0);
        assert_eq!(place, Some(OLDEST_EVERY as usize - 1));
    }
}
