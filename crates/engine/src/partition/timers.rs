//! Owns what is armed: steps, schedules and kept events, in the order of their instants.
//!
//! Invariant: nothing comes out before its instant. Cost is logarithmic in what is pending, whether
//! that is ten or ten million.

use std::collections::{BTreeMap, BTreeSet};

use graph::value::Str;
use kernel::{StepRef, Time};

/// What is armed.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Time, Wake)>,
    schedules: BTreeMap<Str, Time>,
}

/// What to wake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wake {
    /// A step, or a run as a whole.
    Step(StepRef),
    /// A schedule.
    Schedule(Str),
    /// A kept event, to expire.
    Expiry(u64),
    /// A worker's session whose connection is lost.
    Session(u64),
}

impl Timers {
    pub(crate) fn arm(&mut self, wake: Wake, at: Time) {
        self.due.insert((at, wake));
    }

    pub(crate) fn disarm(&mut self, wake: Wake, at: Time) {
        self.due.remove(&(at, wake));
    }

    /// A schedule has one instant at a time.
    pub(crate) fn arm_schedule(&mut self, name: Str, at: Option<Time>) {
        if let Some(before) = self.schedules.remove(&name) {
            self.disarm(Wake::Schedule(name.clone()), before);
        }
        if let Some(at) = at {
            self.schedules.insert(name.clone(), at);
            self.arm(Wake::Schedule(name), at);
        }
    }

    /// The earliest of what is due, taken out.
    pub(crate) fn next_due(&mut self, now: Time) -> Option<Wake> {
        if self.due.first()?.0 > now {
            return None;
        }
        let (_, wake) = self.due.pop_first()?;
        if let Wake::Schedule(name) = &wake {
            self.schedules.remove(name);
        }
        Some(wake)
    }

    /// The instant of the earliest.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How many are armed.
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }
}
