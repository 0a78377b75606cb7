//! Owns schedules that start runs when events come.
//!
//! Invariants: an event that names itself starts one run of a schedule, however often it is published; what a
//! schedule holds of events that wait for others is bounded, and the oldest goes first. Taking in an event
//! and starting its run is one decision, so no crash can come between.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use graph::ir::Listen;
use graph::value::{Str, Value};
use graph::{Expr, Failure, Template};

use super::{EventSet, Overlap, Schedule, Trigger, end_active, start_with};
use crate::catalog::Definition;
use crate::eval::{fill, rfc3339};
use crate::event::Event;
use crate::id::RunId;
use crate::limits::{DATA_BYTES_MAX, SCHEDULE_RUNS_MAX, TRIGGER_BYTES_MAX, TRIGGER_SETS_MAX};
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
    let schedules: Vec<Schedule> = schedules.cloned().collect();
    let mut taken = 0;
    for schedule in schedules {
        taken += u32::from(take(turn, schedule, event));
    }
    taken
}

/// Gives an event to a schedule, if it means it.
fn take(turn: &mut Turn<'_>, mut schedule: Schedule, event: &Value) -> bool {
    let catalog = &turn.state().catalog;
    let found = catalog.find(&schedule.workflow, schedule.version.as_deref());
    let Some(definition) = found.cloned() else {
        return false;
    };
    let Some(listen) = &definition.graph.trigger else {
        return false;
    };
    let mut sets = schedule
        .trigger
        .take()
        .unwrap_or(Trigger { sets: Vec::new() })
        .sets;
    let id = identity(event);
    if id.is_some_and(|id| sets.iter().any(|set| set.seen.contains(&id))) {
        return true;
    }
    let none = EventSet {
        met: Vec::new(),
        events: Vec::new(),
        bound: BTreeMap::new(),
        seen: Vec::new(),
    };
    let met = sets.iter().enumerate().find_map(|(place, set)| {
        let (filter, bound) = meeting(&definition, listen, set, event)?;
        Some((place, filter, bound))
    });
    let (place, filter, bound) = match met {
        Some(met) => met,
        None => match meeting(&definition, listen, &none, event) {
            Some((filter, bound)) => {
                sets.push(none);
                (sets.len() - 1, filter, bound)
            }
            None => return false,
        },
    };
    let set = &mut sets[place];
    set.met.push(filter);
    set.events.push(read(event, listen.envelope));
    set.bound.extend(bound);
    set.seen.extend(id);
    if set.met.len() >= needed(listen.need, listen.filters.len()) {
        let set = sets.remove(place);
        schedule.trigger = Some(Trigger { sets });
        begin(turn, &mut schedule, set, id);
    } else {
        bound_sets(&mut sets);
        schedule.trigger = Some(Trigger { sets });
    }
    turn.emit(Event::SchedulePut(schedule));
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
fn begin(turn: &mut Turn<'_>, schedule: &mut Schedule, set: EventSet, last: Option<u64>) {
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
    start_with(turn, schedule, now, key, Value::array(set.events));
}

/// Drops the oldest sets past the bounds.
fn bound_sets(sets: &mut Vec<EventSet>) {
    let bytes = |set: &EventSet| -> usize {
        let events = set.events.iter().map(|event| weight(event, DATA_BYTES_MAX));
        events.sum()
    };
    let mut all: usize = sets.iter().map(bytes).sum();
    while sets.len() > TRIGGER_SETS_MAX || (all > TRIGGER_BYTES_MAX && !sets.is_empty()) {
        all -= bytes(&sets.remove(0));
    }
}
