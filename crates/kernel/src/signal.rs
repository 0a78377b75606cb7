//! Owns signals and correlated events: keeping what comes early, matching what is waited for.
//!
//! A signal goes to one run and is consumed by one wait. An event goes to every wait that it meets;
//! if it meets none it is kept, and the first wait it meets later consumes it. Kept things expire.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use graph::value::{Str, Value};

use crate::codec::record;
use crate::command::Reply;
use crate::event::{Event, Number, RunEvent};
use crate::id::{RunId, StepId, StepRef, Time};
use crate::limits::{
    DATA_BYTES_MAX, EVENT_LISTENERS_MAX, EVENTS_KEPT_MAX, NAME_BYTES_MAX, PUBLISHED_BYTES_MAX,
    REASON_BYTES_MAX, SIGNALS_MAX, TURN_BYTES_MAX, TURN_TRANSITIONS_MAX,
};
use crate::listen::identity;
use crate::message::{Handing, Message};
use crate::rejection::Rejection;
use crate::schedule;
use crate::state::{Run, weight};
use crate::turn::Turn;

record! {
    /// A signal that came early.
    pub struct Signal {
        /// Its number within the run.
        1 number: u64,
        /// It, as an event.
        2 event: Value,
        /// Until when it is kept.
        3 expires_at: Time,
    }
}

record! {
    /// A correlated event that came early.
    pub struct KeptEvent {
        /// Its number.
        1 number: u64,
        /// It.
        2 event: Value,
        /// Until when it is kept.
        3 expires_at: Time,
    }
}

/// Correlated events that came before anybody waited, findable by type.
#[derive(Debug, Default)]
pub struct KeptEvents {
    events: BTreeMap<u64, KeptEvent>,
    by_type: BTreeMap<Str, BTreeSet<u64>>,
    identities: BTreeSet<u64>,
    last_number: u64,
}

impl KeptEvents {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &KeptEvent> {
        self.events.values()
    }

    /// The one with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&KeptEvent> {
        self.events.get(&number)
    }

    pub(crate) fn insert(&mut self, kept: KeptEvent) {
        self.last_number = self.last_number.max(kept.number);
        if let Some(event_type) = event_type(&kept.event) {
            self.by_type
                .entry(event_type)
                .or_default()
                .insert(kept.number);
        }
        self.identities.extend(identity(&kept.event));
        self.events.insert(kept.number, kept);
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let Some(kept) = self.events.remove(&number) else {
            return;
        };
        if let Some(identity) = identity(&kept.event) {
            self.identities.remove(&identity);
        }
        let Some(event_type) = event_type(&kept.event) else {
            return;
        };
        if let Some(numbers) = self.by_type.get_mut(&event_type) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_type.remove(&event_type);
            }
        }
    }

    /// Whether this very event is kept already.
    pub(crate) fn knows(&self, event: &Value) -> bool {
        identity(event).is_some_and(|identity| self.identities.contains(&identity))
    }

    /// Those of a type that have not expired, oldest first; of every type if it is [`ANY_TYPE`].
    pub(crate) fn of_type(&self, event_type: &str, now: Time) -> Vec<KeptEvent> {
        let lives = |kept: &&KeptEvent| kept.expires_at > now;
        if event_type == ANY_TYPE {
            return self.events.values().filter(lives).cloned().collect();
        }
        let numbers = self.by_type.get(event_type).into_iter().flatten();
        let kept = numbers.filter_map(|number| self.events.get(number));
        kept.filter(lives).cloned().collect()
    }
}

/// Stands for every type of event.
pub(crate) const ANY_TYPE: &str = "";

/// The type of an event.
pub(crate) fn event_type(event: &Value) -> Option<Str> {
    event.get("type").and_then(Value::as_text).cloned()
}

/// Sends a signal to a run.
pub(crate) fn decide_signal(
    turn: &mut Turn<'_>,
    run: RunId,
    name: &Str,
    data: &Value,
    ttl_ms: u64,
) -> Result<Reply, Rejection> {
    check_name("signal name", name)?;
    let state = turn.live_run(run)?;
    let number = state.signals.last().map_or(0, |kept| kept.number) + 1;
    let event = Value::from([("type", Value::Text(name.clone())), ("data", data.clone())]);
    check_weight("signal", &event)?;
    let steps = StepRef {
        run,
        step: StepId(0),
    }..=StepRef {
        run,
        step: StepId(u32::MAX),
    };
    let listeners = [&**name, ANY_TYPE]
        .into_iter()
        .filter_map(|of| turn.state().listeners.get(of));
    let listeners = listeners.flat_map(|listeners| listeners.range(steps.clone()));
    let listening: BTreeSet<StepId> = listeners.map(|listener| listener.step).collect();
    let mut runs = turn.run(run)?;
    for step in listening {
        if let Some(met) = runs.meeting(step, &event, false) {
            runs.receive(step, met, &event);
            runs.settle();
            return Ok(Reply::Done);
        }
    }
    if ttl_ms == 0 {
        return Ok(Reply::Done);
    }
    let now = runs.now();
    if runs.state().signals.len() >= SIGNALS_MAX {
        let expired = runs
            .state()
            .signals
            .iter()
            .filter(|kept| kept.expires_at <= now);
        let expired: Vec<u64> = expired.map(|kept| kept.number).collect();
        if expired.is_empty() {
            return Err(Rejection::LimitReached(
                "signals kept for one run",
                SIGNALS_MAX as u64,
            ));
        }
        expired
            .into_iter()
            .for_each(|number| runs.emit(RunEvent::SignalDropped(Number { number })));
    }
    let expires_at = now.plus(ttl_ms);
    runs.emit(RunEvent::SignalKept(Signal {
        number,
        event,
        expires_at,
    }));
    Ok(Reply::Done)
}

/// The type of an event that may be published.
pub(crate) fn check_event(event: &Value) -> Result<Str, Rejection> {
    let event_type = event_type(event).ok_or_else(|| {
        Rejection::Invalid("an event is an object with a text member \"type\"".into())
    })?;
    check_name("event type", &event_type)?;
    check_weight("event", event)?;
    Ok(event_type)
}

/// Offers an event to all that wait for it.
pub(crate) fn decide_publish(
    turn: &mut Turn<'_>,
    event: &Value,
    ttl_ms: u64,
) -> Result<Reply, Rejection> {
    let event_type = check_event(event)?;
    let listeners = [&*event_type, ANY_TYPE]
        .into_iter()
        .filter_map(|of| turn.state().listeners.get(of));
    let listeners: BTreeSet<StepRef> = listeners.flatten().copied().collect();
    if listeners.len() > EVENT_LISTENERS_MAX {
        return Err(Rejection::LimitReached(
            "runs waiting for one event type",
            EVENT_LISTENERS_MAX as u64,
        ));
    }
    if listeners
        .len()
        .saturating_mul(weight(event, DATA_BYTES_MAX))
        > PUBLISHED_BYTES_MAX
    {
        return Err(Rejection::LimitReached(
            "bytes of an event times the runs waiting for its type",
            PUBLISHED_BYTES_MAX as u64,
        ));
    }
    let (mut receivers, mut transitions, mut bytes) = (0, 0, 0);
    for listener in listeners {
        let Ok(mut run) = turn.run(listener.run) else {
            continue;
        };
        let Some(met) = run.meeting(listener.step, event, false) else {
            // Who has had it receives it again, and that changes nothing.
            receivers += u32::from(run.has_had(listener.step, event));
            continue;
        };
        receivers += 1;
        if transitions > TURN_TRANSITIONS_MAX || bytes > TURN_BYTES_MAX {
            // Those before it have done enough for one record: it is reached by a message of its own.
            turn.send(Message::HandEvent(Handing {
                step: listener,
                event: event.clone(),
            }));
            continue;
        }
        run.receive(listener.step, met, event);
        run.settle();
        transitions += run.transitions + 1;
        bytes += run.bytes;
    }
    receivers += schedule::trigger::offer(turn, event);
    if receivers == 0 && ttl_ms > 0 && !turn.state().kept_events.knows(event) {
        if turn.state().kept_events.len() >= EVENTS_KEPT_MAX {
            return Err(Rejection::LimitReached(
                "kept events",
                EVENTS_KEPT_MAX as u64,
            ));
        }
        let number = turn.state().kept_events.last_number + 1;
        let expires_at = turn.now.plus(ttl_ms);
        turn.emit(Event::EventKept(KeptEvent {
            number,
            event: event.clone(),
            expires_at,
        }));
    }
    Ok(Reply::Published { receivers })
}

/// Hands an event to a step that it met.
pub(crate) fn decide_hand(
    turn: &mut Turn<'_>,
    at: StepRef,
    event: &Value,
) -> Result<Reply, Rejection> {
    let mut run = turn.run(at.run).map_err(|_| Rejection::NotDue)?;
    let met = run
        .meeting(at.step, event, false)
        .ok_or(Rejection::NotDue)?;
    run.receive(at.step, met, event);
    run.settle();
    Ok(Reply::Done)
}

/// Forgets a kept event whose time is over.
pub(crate) fn decide_expire(turn: &mut Turn<'_>, number: u64) -> Result<Reply, Rejection> {
    let kept = turn
        .state()
        .kept_events
        .get(number)
        .ok_or(Rejection::NotDue)?;
    if kept.expires_at > turn.now {
        return Err(Rejection::NotDue);
    }
    turn.emit(Event::EventDropped(Number { number }));
    Ok(Reply::Done)
}

/// Refuses a name that is empty or too long.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Rejection> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Rejection::Invalid(format!(
            "{what} must have 1 to {NAME_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(())
}

/// Refuses a reason that is too long.
pub(crate) fn check_reason(reason: Option<&Str>) -> Result<(), Rejection> {
    if reason.is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        return Err(Rejection::LimitReached(
            "bytes of a reason",
            REASON_BYTES_MAX as u64,
        ));
    }
    Ok(())
}

/// Refuses data that is too heavy.
pub(crate) fn check_weight(what: &'static str, value: &Value) -> Result<(), Rejection> {
    if weight(value, DATA_BYTES_MAX) > DATA_BYTES_MAX {
        return Err(Rejection::LimitReached(what, DATA_BYTES_MAX as u64));
    }
    Ok(())
}

impl Run {
    pub(crate) fn apply_signal_dropped(&mut self, number: u64) {
        self.signals.retain(|signal| signal.number != number);
    }
}
