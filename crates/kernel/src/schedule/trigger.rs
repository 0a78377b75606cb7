//! Owns schedules that start runs when events come.
//!
//! Invariants: an event that names itself counts once, however often it is published: among the newest it is known
//! again, and of the older ones the business key of the run still says that it began. What a schedule holds of
//! events that wait for others is bounded, and the oldest goes first. Taking in an event and starting its run is
//! one decision, so no crash can come between.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use graph::ir::Listen;
use graph::value::{Str, Value};
use graph::{Expr, Failure, Template};

use super::{EventSet, EventTaken, Overlap, Schedule, Trigger, end_active, start_with};
use crate::catalog::Definition;
use crate::eval::{fill, rfc3339};
use crate::id::RunId;
use crate::limits::{
    DATA_BYTES_MAX, SCHEDULE_RUNS_MAX, TRIGGER_BYTES_MAX, TRIGGER_PAST_MAX, TRIGGER_SETS_MAX,
};
use crate::listen::{identity, meets, needed, read, wanted};
use crate::message::Message;
use crate::rejection::Rejection;
use crate::state::weight;
use crate::turn::Turn;

/// Refuses events where the workflow names none, and policies that make no sense with them.
pub(super) fn check(turn: &Turn<'_>, schedule: &Schedule) -> Result<(), Rejection> {
    let catalog = &turn.state().catalog;
    let definition = catalog.find(&schedule.workflow, schedule.version.as_deref());
    if definition.is_none_or(|definition| definition.graph.trigger.is_none()) {
        return Err(Rejection::Invalid(format!(
            "the workflow {} does not say which events start it; add `schedule.on` to it",
            schedule.workflow
        )));
    }
    if schedule.overlap == Overlap::Queue {
        return Err(Rejection::Invalid(
            "a start by events cannot wait for the run before; let overlap be allow, skip, cancel or terminate".into(),
        ));
    }
    Ok(())
}

/// Offers an event to all schedules that start runs by events; gives how many took it.
pub(crate) fn offer(turn: &mut Turn<'_>, event: &Value) -> u32 {
    let now = turn.now;
    let is_open = |schedule: &&Schedule| {
        let begun = schedule.from.is_none_or(|from| from <= now);
        let over = schedule.until.is_some_and(|until| until < now);
        schedule.trigger.is_some() && !schedule.paused && begun && !over
    };
    let schedules = turn.state().schedules.values().filter(is_open);
    let names: Vec<Str> = schedules.map(|schedule| schedule.name.clone()).collect();
    let taken = names.iter().filter(|name| take(turn, name, event));
    u32::try_from(taken.count()).unwrap_or(u32::MAX)
}

/// Gives an event to a schedule, if it means it.
fn take(turn: &mut Turn<'_>, name: &Str, event: &Value) -> bool {
    let Some(schedule) = turn.state().schedules.get(name) else {
        return false;
    };
    let catalog = &turn.state().catalog;
    let found = catalog.find(&schedule.workflow, schedule.version.as_deref());
    let (Some(definition), Some(trigger)) = (found.cloned(), &schedule.trigger) else {
        return false;
    };
    let Some(listen) = &definition.graph.trigger else {
        return false;
    };
    let identity = identity(event);
    if identity.is_some_and(|identity| trigger.knows(identity)) {
        return true;
    }
    let none = EventSet::default();
    let sets = (0_u32..).zip(trigger.sets.iter().chain([&none]));
    let met = |(place, set)| {
        let (filter, bound) = meeting(&definition, listen, set, event)?;
        Some((place, set, filter, bound))
    };
    let Some((place, set, filter, bound)) = { sets }.find_map(met) else {
        return false;
    };
    let given = read(event, listen.envelope);
    let taken = EventTaken {
        set: place,
        filter,
        event: None,
        bound,
        identity,
        dropped: 0,
    };
    let mut schedule = schedule.clone();
    if set.met.len() + 1 >= needed(listen.need, listen.filters.len()) {
        let events = set.events.iter().cloned().chain([given]).collect();
        begin(turn, &mut schedule, events, identity);
        super::move_on(turn, schedule, None, Some(taken));
        return true;
    }
    let dropped = trigger.overflow(place, &given);
    let taken = EventTaken {
        event: Some(given),
        dropped,
        ..taken
    };
    super::move_on(turn, schedule, None, Some(taken));
    true
}

/// Which filter that a set still lacks an event meets, and what it settles.
fn meeting(
    definition: &Definition,
    listen: &Listen,
    set: &EventSet,
    event: &Value,
) -> Option<(u32, BTreeMap<Str, Value>)> {
    let unknown = |_: &str| Value::Null;
    let evaluate = |expr: &Expr, data: &Value| definition.evaluate(expr, data, &unknown);
    let mut filled = |template: &Template| -> Result<Value, Failure> {
        fill(template, &|expr| evaluate(expr, &Value::Null))
    };
    let lacking = (0_u32..).zip(&listen.filters);
    let mut lacking = lacking.filter(|(index, _)| !set.met.contains(index));
    lacking.find_map(|(index, filter)| {
        let wanted = wanted(filter, &mut filled).ok()?;
        let of_event = |expr: &Expr| evaluate(expr, event).ok();
        let bound = meets(filter, &wanted, &set.bound, event, &of_event)?;
        Some((index, bound))
    })
}

/// Starts the run of a set that is complete, as the overlap policy says. An event that names itself names the run.
fn begin(turn: &mut Turn<'_>, schedule: &mut Schedule, events: Vec<Value>, last: Option<u64>) {
    let now = turn.now;
    let key: Str = match last {
        Some(id) => format!("{}@{id:016x}", schedule.name),
        None => format!("{}@{}#{}", schedule.name, rfc3339(now), schedule.started),
    }
    .into();
    let run = RunId::of_key(&schedule.workflow, &key);
    if schedule.active.contains(&run) || schedule.active.len() >= SCHEDULE_RUNS_MAX {
        return;
    }
    if !schedule.active.is_empty() {
        match schedule.overlap {
            Overlap::Skip | Overlap::Queue => return,
            Overlap::Allow => {}
            Overlap::Cancel => end_active(turn, schedule, Message::CancelRun),
            Overlap::Terminate => end_active(turn, schedule, Message::TerminateRun),
        }
    }
    start_with(turn, schedule, now, key, Value::array(events));
}

impl Trigger {
    /// Whether this very event waits for others here, or has had its run.
    fn knows(&self, identity: u64) -> bool {
        let waits = self.sets.iter().any(|set| set.seen.contains(&identity));
        waits || self.past.contains(&identity)
    }

    /// How many of the oldest sets are past the bounds, once the one at a place has this event.
    fn overflow(&self, place: u32, event: &Value) -> u32 {
        let bytes = |event: &Value| weight(event, DATA_BYTES_MAX);
        let mut sets: Vec<usize> = self
            .sets
            .iter()
            .map(|set| set.events.iter().map(bytes).sum())
            .collect();
        match sets.get_mut(place as usize) {
            Some(set) => *set += bytes(event),
            None => sets.push(bytes(event)),
        }
        let (mut left, mut all) = (sets.len(), sets.iter().sum::<usize>());
        let mut dropped = 0;
        for bytes in sets {
            if left <= TRIGGER_SETS_MAX && all <= TRIGGER_BYTES_MAX {
                break;
            }
            (left, all, dropped) = (left - 1, all - bytes, dropped + 1);
        }
        dropped
    }

    pub(super) fn apply_taken(&mut self, taken: &EventTaken) {
        let place = taken.set as usize;
        let Some(event) = &taken.event else {
            let complete = (place < self.sets.len()).then(|| self.sets.remove(place));
            let seen = complete.map(|set| set.seen).unwrap_or_default();
            self.past.extend(seen.into_iter().chain(taken.identity));
            let forgotten = self.past.len().saturating_sub(TRIGGER_PAST_MAX);
            self.past.drain(..forgotten);
            return;
        };
        if place == self.sets.len() {
            self.sets.push(EventSet::default());
        }
        if let Some(set) = self.sets.get_mut(place) {
            set.met.push(taken.filter);
            set.events.push(event.clone());
            set.bound.extend(taken.bound.clone());
            set.seen.extend(taken.identity);
        }
        let dropped = self.sets.len().min(taken.dropped as usize);
        self.sets.drain(..dropped);
    }
}
