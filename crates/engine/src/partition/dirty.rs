//! Owns what has changed since the last checkpoint.
//!
//! Invariant: applying a snapshot to the store as one batch makes the store's live tables equal to the
//! state at that position, whatever was there before. Cost follows what changed, not what there is.

use std::collections::BTreeSet;

use graph::value::Str;
use kernel::RunId;
use kernel::codec::encode;
use kernel::event::Event;
use kernel::message::Deferred;
use kernel::{State, Time};

use super::chronicle::{Chronicle, Tail};

/// Names of what has changed.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    runs: BTreeSet<RunId>,
    /// Live runs that the store holds.
    stored: BTreeSet<RunId>,
    /// Runs that the store holds as live and that have ended.
    gone: BTreeSet<RunId>,
    workflows: Vec<(Str, Str)>,
    schedules: BTreeSet<Str>,
    kept_events: BTreeSet<u64>,
    messages: BTreeSet<u64>,
}

/// The changes themselves.
#[derive(Debug)]
pub struct Snapshot {
    /// Position of the last record it reflects.
    pub position: u64,
    /// The newest instant that was stamped on anything.
    pub now: Time,
    /// Live runs: bytes, and number of the next event.
    pub runs: Vec<(RunId, Vec<u8>, u64)>,
    /// Parts of their histories.
    pub tails: Vec<(RunId, Tail)>,
    /// Runs no longer live.
    pub gone: Vec<RunId>,
    /// Definitions, schedules, kept events and messages: key, and the event that brings it back; none deletes.
    pub things: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Dirty {
    pub(crate) fn run(&mut self, run: RunId) {
        self.runs.insert(run);
    }

    pub(crate) fn ended(&mut self, run: RunId) {
        self.runs.remove(&run);
        if self.stored.remove(&run) {
            self.gone.insert(run);
        }
    }

    /// The store holds this live run.
    pub(crate) fn stored(&mut self, run: RunId) {
        self.stored.insert(run);
    }

    pub(crate) fn workflow(&mut self, workflow: Str, version: Str) {
        self.workflows.push((workflow, version));
    }

    pub(crate) fn schedule(&mut self, name: Str) {
        self.schedules.insert(name);
    }

    pub(crate) fn kept_event(&mut self, number: u64) {
        self.kept_events.insert(number);
    }

    pub(crate) fn message(&mut self, number: u64) {
        self.messages.insert(number);
    }

    /// Everything that has changed; from here on nothing has.
    pub(crate) fn snapshot(
        &mut self,
        state: &State,
        chronicle: &mut Chronicle,
        position: u64,
        now: Time,
    ) -> Snapshot {
        let mut snapshot = Snapshot {
            position,
            now,
            runs: Vec::new(),
            tails: Vec::new(),
            gone: Vec::new(),
            things: Vec::new(),
        };
        for id in std::mem::take(&mut self.runs) {
            let Some(run) = state.runs.get(&id) else {
                continue;
            };
            if let Some(tail) = chronicle.flush(id) {
                snapshot.tails.push((id, tail));
            }
            snapshot
                .runs
                .push((id, State::encode_run(run), chronicle.tail(id).next()));
            self.stored.insert(id);
            // Its key was used anew after it had ended and was forgotten.
            self.gone.remove(&id);
        }
        snapshot.gone = std::mem::take(&mut self.gone).into_iter().collect();
        self.things(state, &mut snapshot);
        snapshot
    }

    fn things(&mut self, state: &State, snapshot: &mut Snapshot) {
        for (workflow, version) in std::mem::take(&mut self.workflows) {
            // In order of deployment: the newest is the latest again after recovery.
            let deployed = state.catalog.deployed(&workflow, &version);
            let event =
                deployed.map(|(order, event)| (order, encode(&Event::WorkflowDeployed(event))));
            if let Some((order, event)) = event {
                snapshot
                    .things
                    .push((thing_key(b'w', &order.to_be_bytes()), Some(event)));
            }
        }
        for name in std::mem::take(&mut self.schedules) {
            let event = state
                .schedules
                .get(&name)
                .map(|schedule| encode(&Event::SchedulePut(schedule.clone())));
            snapshot
                .things
                .push((thing_key(b's', name.as_bytes()), event));
        }
        for number in std::mem::take(&mut self.kept_events) {
            let event = state
                .kept_events
                .get(number)
                .map(|kept| encode(&Event::EventKept(kept.clone())));
            snapshot
                .things
                .push((thing_key(b'k', &number.to_be_bytes()), event));
        }
        for number in std::mem::take(&mut self.messages) {
            let event = state.messages.get(&number).map(|message| {
                let message = message.clone();
                encode(&Event::MessageDeferred(Deferred { number, message }))
            });
            snapshot
                .things
                .push((thing_key(b'm', &number.to_be_bytes()), event));
        }
    }
}

fn thing_key(kind: u8, name: &[u8]) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(name);
    key
}
