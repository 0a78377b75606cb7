//! Owns signals and correlated events: keeping what comes early, matching what is waited for.
//!
//! A signal goes to one run and is consumed by one wait. An event goes to every wait that it meets;
//! if it meets none it is kept, and the first wait it meets later consumes it. Kept things expire.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use graph::ir::{Filter, Listen, Need};
use graph::value::{Str, Value};
use graph::{Failure, Kind};

use crate::codec::record;
use crate::command::Reply;
use crate::eval::Scope;
use crate::event::{Event, EventReceived, Number, RunEvent};
use crate::id::{FrameId, RunId, StepId, StepRef, Time};
use crate::limits::{
    DATA_BYTES_MAX, EVENT_LISTENERS_MAX, EVENTS_KEPT_MAX, NAME_BYTES_MAX, PUBLISHED_BYTES_MAX,
    REASON_BYTES_MAX, SIGNALS_MAX, TURN_BYTES_MAX, TURN_TRANSITIONS_MAX,
};
use crate::message::{Handing, Message};
use crate::rejection::Rejection;
use crate::state::{Activity, Listening, Run, Wanted, weight};
use crate::turn::{RunTurn, Turn};

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
        self.events.insert(kept.number, kept);
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let Some(kept) = self.events.remove(&number) else {
            return;
        };
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

    fn of_type(&self, event_type: &Str, now: Time) -> Vec<KeptEvent> {
        let numbers = self.by_type.get(event_type).into_iter().flatten();
        let kept = numbers.filter_map(|number| self.events.get(number));
        kept.filter(|kept| kept.expires_at > now).cloned().collect()
    }
}

/// The type of an event.
fn event_type(event: &Value) -> Option<Str> {
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
    let listeners = turn
        .state()
        .listeners
        .get(name)
        .into_iter()
        .flat_map(|listeners| listeners.range(steps.clone()));
    let listening: Vec<StepId> = listeners.map(|listener| listener.step).collect();
    let mut runs = turn.run(run)?;
    for step in listening {
        if let Some(filter) = runs.matching_filter(step, &event, false) {
            runs.receive(step, filter, &event);
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
    let listeners: Vec<StepRef> = turn
        .state()
        .listeners
        .get(&event_type)
        .into_iter()
        .flatten()
        .copied()
        .collect();
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
        let Some(filter) = run.matching_filter(listener.step, event, false) else {
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
        run.receive(listener.step, filter, event);
        run.settle();
        transitions += run.transitions + 1;
        bytes += run.bytes;
    }
    if receivers == 0 && ttl_ms > 0 {
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
    let filter = run
        .matching_filter(at.step, event, false)
        .ok_or(Rejection::NotDue)?;
    run.receive(at.step, filter, event);
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

impl RunTurn<'_, '_> {
    /// Computes what a listen waits for.
    pub(crate) fn listening(
        &mut self,
        listen: &Listen,
        scope: &Scope,
    ) -> Result<Listening, Failure> {
        let mut wanted = Vec::with_capacity(listen.filters.len());
        for filter in &listen.filters {
            wanted.push(self.wanted(filter, scope)?);
        }
        let need = match listen.need {
            Need::All => u32::try_from(wanted.len()).unwrap_or(u32::MAX),
            Need::Count(count) => count,
        };
        Ok(Listening {
            wanted,
            need,
            received: Vec::new(),
        })
    }

    /// Computes what meets a filter.
    pub(crate) fn wanted(&self, filter: &Filter, scope: &Scope) -> Result<Wanted, Failure> {
        let mut with = BTreeMap::new();
        for (member, template) in &filter.with {
            with.insert(member.clone(), self.template(template, scope)?);
        }
        let mut expect = Vec::with_capacity(filter.correlate.len());
        for (_, template) in &filter.correlate {
            expect.push(self.template(template, scope)?);
        }
        Ok(Wanted {
            event_type: filter.event_type.clone(),
            with,
            expect,
            met: false,
        })
    }

    /// Gives a new wait what has come before it.
    pub(crate) fn receive_kept(&mut self, step: StepId) {
        let now = self.now();
        for signal in self.state().signals.clone() {
            if self.state().step(step).is_none() {
                return;
            }
            if signal.expires_at <= now {
                self.emit(RunEvent::SignalDropped(Number {
                    number: signal.number,
                }));
            } else if let Some(filter) = self.matching_filter(step, &signal.event, true) {
                self.emit(RunEvent::SignalDropped(Number {
                    number: signal.number,
                }));
                self.receive(step, filter, &signal.event);
            }
        }
        let types: BTreeSet<Str> = self
            .state()
            .step(step)
            .map(|step| step.listens().cloned().collect())
            .unwrap_or_default();
        for event_type in types {
            for kept in self.turn().state().kept_events.of_type(&event_type, now) {
                if self.state().step(step).is_none() {
                    return;
                }
                if let Some(filter) = self.matching_filter(step, &kept.event, true) {
                    self.turn_mut().emit(Event::EventDropped(Number {
                        number: kept.number,
                    }));
                    self.receive(step, filter, &kept.event);
                }
            }
        }
    }

    /// Which filter of a waiting step the event meets, if any. One that was kept from before meets no
    /// transient filter.
    pub(crate) fn matching_filter(
        &mut self,
        step: StepId,
        event: &Value,
        was_kept: bool,
    ) -> Option<u32> {
        let waiting = self.state().step(step).filter(|step| !step.withdrawing)?;
        let (frame, node, wanted) = (waiting.frame, waiting.node, waiting.wanted().to_vec());
        let definition = self.definition();
        let filters = match &definition.node(node)?.kind {
            Kind::Listen(listen) => &listen.filters[..],
            Kind::ForEach(for_each) => {
                let more = for_each.more.as_ref()?;
                core::slice::from_ref(&more.filter)
            }
            _ => return None,
        };
        let arrived = event_type(event)?;
        let candidates = wanted.iter().zip(filters).enumerate();
        for (index, (wanted, filter)) in candidates {
            let comes_too_late = wanted.met || (was_kept && filter.transient);
            let fits = !comes_too_late
                && wanted.event_type == arrived
                && self.meets(frame, node, wanted, filter, event);
            if fits {
                return u32::try_from(index).ok();
            }
        }
        None
    }

    fn meets(
        &mut self,
        frame: FrameId,
        node: u32,
        wanted: &Wanted,
        filter: &Filter,
        event: &Value,
    ) -> bool {
        let equal = wanted
            .with
            .iter()
            .all(|(member, value)| event.get(member) == Some(value));
        if !equal {
            return false;
        }
        let scope = Scope::of_node(frame, node, event.clone());
        // A condition that fails on this event does not mean it: other events may still come.
        if let Some(when) = &filter.when
            && !self
                .expression(when, &scope)
                .is_ok_and(|truth| truth.is_true())
        {
            return false;
        }
        let pairs = filter.correlate.iter().zip(&wanted.expect);
        pairs.into_iter().all(|((from, _), expect)| {
            self.expression(from, &scope)
                .is_ok_and(|value| value == *expect)
        })
    }

    /// Hands an event to a waiting step, which may end by it; to a for-each it brings one more element.
    pub(crate) fn receive(&mut self, step: StepId, filter: u32, event: &Value) {
        let Some(node) = self.state().step(step).map(|step| step.node) else {
            return;
        };
        let definition = self.definition();
        let data = || event.get("data").cloned().unwrap_or_default();
        let data = match definition.node(node).map(|node| &node.kind) {
            Some(Kind::ForEach(for_each)) => return self.add_item(step, for_each, data()),
            Some(Kind::Listen(listen)) if listen.envelope => event.clone(),
            _ => data(),
        };
        self.emit(RunEvent::EventReceived(EventReceived {
            step,
            filter,
            event: data,
        }));
        let Some(Activity::Listen(listening)) = self.state().step(step).map(|step| &step.activity)
        else {
            return;
        };
        if listening.received.len() >= listening.need as usize {
            let received = Value::array(listening.received.clone());
            self.complete(step, received);
        }
    }
}

impl Run {
    pub(crate) fn apply_event_received(&mut self, received: &EventReceived) {
        let Some(step) = self.steps.get_mut(&received.step) else {
            return;
        };
        let Activity::Listen(listening) = &mut step.activity else {
            return;
        };
        if let Some(wanted) = listening.wanted.get_mut(received.filter as usize) {
            wanted.met = true;
        }
        listening.received.push(received.event.clone());
    }

    pub(crate) fn apply_signal_dropped(&mut self, number: u64) {
        self.signals.retain(|signal| signal.number != number);
    }
}
