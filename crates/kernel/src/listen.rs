//! Owns waits for events: what is waited for, which event meets it, and what is done with each.
//!
//! Invariants: an event counts once for a wait; what a wait takes in is bounded; the bodies of a wait that has
//! some run one after the other, in the order in which the events came.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use graph::ir::{EachEvent, Filter, Listen, Need, Until};
use graph::value::{Str, Value};
use graph::{Expr, Failure, Kind, Template};
use sha2::{Digest, Sha256};

use crate::eval::Scope;
use crate::event::{Event, EventReceived, Number, RunEvent};
use crate::id::StepId;
use crate::limits::{DATA_BYTES_MAX, LISTEN_EVENTS_MAX};
use crate::region::Opening;
use crate::signal::{ANY_TYPE, event_type};
use crate::state::{Activity, Listening, Phase, Run, Wanted, weight};
use crate::turn::RunTurn;

/// How an event meets a wait.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meeting {
    /// Which filter.
    pub filter: u32,
    /// What it settles for the events after it.
    pub bound: BTreeMap<Str, Value>,
}

/// Which event this is, if it says so by `source` and `id`.
pub(crate) fn identity(event: &Value) -> Option<u64> {
    let text = |member| event.get(member).and_then(Value::as_text);
    let (source, id) = (text("source")?, text("id")?);
    let mut hash = Sha256::new();
    hash.update((source.len() as u64).to_le_bytes());
    hash.update(&**source);
    hash.update(&**id);
    let mut word = [0; 8];
    word.copy_from_slice(&hash.finalize()[..8]);
    Some(u64::from_le_bytes(word))
}

/// A filter as it stands when its wait begins, given what its templates make.
pub(crate) fn wanted(
    filter: &Filter,
    fill: &mut dyn FnMut(&Template) -> Result<Value, Failure>,
) -> Result<Wanted, Failure> {
    let mut with = BTreeMap::new();
    for (member, template) in &filter.with {
        with.insert(member.clone(), fill(template)?);
    }
    let expect = filter.correlate.iter().map(|(_, template)| fill(template));
    Ok(Wanted {
        event_type: filter.event_type.clone(),
        with,
        expect: expect.collect::<Result<_, _>>()?,
        met: false,
    })
}

/// Whether an event is meant by a filter; if so, what it settles. An expression that fails on the event does
/// not mean it: other events may still come.
pub(crate) fn meets(
    filter: &Filter,
    wanted: &Wanted,
    bound: &BTreeMap<Str, Value>,
    event: &Value,
    evaluate: &dyn Fn(&Expr) -> Option<Value>,
) -> Option<BTreeMap<Str, Value>> {
    let is_type = &*wanted.event_type == ANY_TYPE || event_type(event)? == wanted.event_type;
    let mut with = wanted.with.iter();
    let fits = is_type
        && with.all(|(member, value)| event.get(member) == Some(value))
        && filter
            .when
            .as_ref()
            .is_none_or(|when| evaluate(when).is_some_and(|truth| truth.is_true()));
    let mut pairs = filter.correlate.iter().zip(&wanted.expect);
    if !fits || !pairs.all(|((from, _), expect)| evaluate(from).as_ref() == Some(expect)) {
        return None;
    }
    let mut settled = BTreeMap::new();
    for (name, from) in &filter.bind {
        let value = evaluate(from).filter(|value| !value.is_null())?;
        match bound.get(name) {
            Some(known) if *known != value => return None,
            Some(_) => {}
            None => {
                settled.insert(name.clone(), value);
            }
        }
    }
    Some(settled)
}

/// How many filters must have met their event.
pub(crate) fn needed(need: Need, filters: usize) -> usize {
    match need {
        Need::All => filters,
        Need::Count(count) => count as usize,
    }
}

/// An event as a wait hands it on.
pub(crate) fn read(event: &Value, envelope: bool) -> Value {
    match envelope {
        true => event.clone(),
        false => event.get("data").cloned().unwrap_or_default(),
    }
}

/// Whether a wait takes no more events, as far as events decide.
fn is_over(listen: &Listen, listening: &Listening) -> bool {
    let met = |from: usize| {
        let wanted = listening.wanted.iter().skip(from);
        wanted.filter(|wanted| wanted.met).count()
    };
    match &listen.until {
        None => met(0) >= listening.need as usize,
        Some(Until::Never | Until::Holds(_)) => false,
        Some(Until::Events { filters, need }) => {
            met(listen.filters.len()) >= needed(*need, filters.len())
        }
    }
}

impl RunTurn<'_, '_> {
    /// A filter as it stands when its wait begins.
    pub(crate) fn wanted(&self, filter: &Filter, scope: &Scope) -> Result<Wanted, Failure> {
        wanted(filter, &mut |template| self.template(template, scope))
    }

    /// Computes what a listen waits for.
    pub(crate) fn listening(
        &mut self,
        listen: &Listen,
        scope: &Scope,
    ) -> Result<Activity, Failure> {
        let filters = listen.all_filters();
        let filled = filters.map(|filter| self.wanted(filter, scope));
        let listening = Listening {
            wanted: filled.collect::<Result<_, _>>()?,
            need: u32::try_from(needed(listen.need, listen.filters.len())).unwrap_or(u32::MAX),
            received: Vec::new(),
            bound: BTreeMap::new(),
            seen: Vec::new(),
            bytes: None,
        };
        if listen.each.is_none() {
            return Ok(Activity::Listen(listening));
        }
        let mut region = crate::state::Region::new(Some(scope.data.clone()));
        region.listening = Some(Box::new(listening));
        Ok(Activity::Region(region))
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
            } else if let Some(met) = self.meeting(step, &signal.event, true) {
                self.emit(RunEvent::SignalDropped(Number {
                    number: signal.number,
                }));
                self.receive(step, met, &signal.event);
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
                if let Some(met) = self.meeting(step, &kept.event, true) {
                    self.turn_mut().emit(Event::EventDropped(Number {
                        number: kept.number,
                    }));
                    self.receive(step, met, &kept.event);
                }
            }
        }
    }

    /// How an event meets a waiting step, if it does. One that was kept from before meets no transient filter.
    pub(crate) fn meeting(
        &mut self,
        step: StepId,
        event: &Value,
        was_kept: bool,
    ) -> Option<Meeting> {
        let waiting = self.state().step(step).filter(|step| !step.withdrawing)?;
        let definition = self.definition();
        let (filters, results): (Vec<&Filter>, usize) = match &definition.node(waiting.node)?.kind {
            Kind::Listen(listen) => {
                let listening = waiting.activity.listening()?;
                if is_over(listen, listening) || listening.knows(event) {
                    return None;
                }
                (listen.all_filters().collect(), listen.filters.len())
            }
            Kind::ForEach(for_each) => (Vec::from([&for_each.more.as_ref()?.filter]), 1),
            _ => return None,
        };
        let unbound = BTreeMap::new();
        let listening = waiting.activity.listening();
        let bound = listening.map_or(&unbound, |listening| &listening.bound);
        let scope = Scope {
            step: Some(step),
            ..Scope::of_node(waiting.frame, waiting.node, event.clone())
        };
        let evaluate = |expr: &Expr| self.expression(expr, &scope).ok();
        let candidates = (0_u32..).zip(waiting.wanted().iter().zip(filters));
        let (mine, ends): (Vec<_>, Vec<_>) =
            candidates.partition(|(filter, _)| (*filter as usize) < results);
        // What ends the wait does so even if it could be part of the result as well.
        for (filter, (wanted, meant)) in ends.into_iter().chain(mine) {
            let comes_too_late = wanted.met || (was_kept && meant.transient);
            let settled = (!comes_too_late)
                .then(|| meets(meant, wanted, bound, event, &evaluate))
                .flatten();
            if let Some(bound) = settled {
                return Some(Meeting { filter, bound });
            }
        }
        None
    }

    /// Whether a waiting step has had this very event already.
    pub(crate) fn has_had(&self, step: StepId, event: &Value) -> bool {
        let waiting = self.state().step(step);
        let listening = waiting.and_then(|step| step.activity.listening());
        listening.is_some_and(|listening| listening.knows(event))
    }

    /// Hands an event to a waiting step, which may end by it; to a for-each it brings one more element.
    pub(crate) fn receive(&mut self, step: StepId, met: Meeting, event: &Value) {
        let definition = self.definition();
        let node = self
            .state()
            .step(step)
            .and_then(|step| definition.node(step.node));
        let listen = match node.map(|node| &node.kind) {
            Some(Kind::Listen(listen)) => listen,
            Some(Kind::ForEach(for_each)) => {
                return self.add_item(step, for_each, read(event, false));
            }
            _ => return,
        };
        let ends = met.filter as usize >= listen.filters.len();
        self.emit(RunEvent::EventReceived(EventReceived {
            step,
            filter: met.filter,
            event: if ends {
                Value::Null
            } else {
                read(event, listen.envelope)
            },
            bound: met.bound,
            identity: identity(event),
            ends: ends.then_some(true),
            again: (listen.until.is_some() && !ends).then_some(true),
        }));
        if !self.bounds_received(step) {
            return;
        }
        match &listen.each {
            Some(each) => self.next_event(step, listen, each),
            None => self.end_listen(step, listen),
        }
    }

    /// A wait that has taken in too much fails.
    fn bounds_received(&mut self, step: StepId) -> bool {
        let waiting = self.state().step(step);
        let Some(listening) = waiting.and_then(|step| step.activity.listening()) else {
            return false;
        };
        let (count, bytes) = (
            listening.received.len(),
            listening.bytes.unwrap_or_default(),
        );
        let what = match (count > LISTEN_EVENTS_MAX, bytes > DATA_BYTES_MAX as u64) {
            (true, _) => format!("{LISTEN_EVENTS_MAX} events"),
            (_, true) => format!("{DATA_BYTES_MAX} bytes of events"),
            _ => return true,
        };
        let failure =
            format!("the listen took in more than {what}; let its `until` end it earlier");
        self.fail(step, Failure::new("runtime", failure));
        false
    }

    /// Ends a wait without bodies if it has what it needs.
    fn end_listen(&mut self, step: StepId, listen: &Listen) {
        let waiting = self.state().step(step);
        let Some(listening) = waiting.and_then(|step| step.activity.listening()) else {
            return;
        };
        let over = is_over(listen, listening);
        let received = Value::array(listening.received.clone());
        match self.until_holds(step, listen, &received) {
            Ok(holds) if holds || over => self.complete(step, received),
            Ok(_) => {}
            Err(failure) => self.fail(step, failure),
        }
    }

    /// Whether the condition that ends a wait holds on what its result would be now.
    fn until_holds(&self, step: StepId, listen: &Listen, result: &Value) -> Result<bool, Failure> {
        match &listen.until {
            Some(Until::Holds(until)) => {
                let scope = self.scope_of(step, result.clone());
                self.holds(Some(until), &scope)
            }
            _ => Ok(false),
        }
    }

    /// The body of an event is over.
    pub(crate) fn event_done(&mut self, step: StepId, listen: &Listen) {
        let region = self.state().step(step).and_then(|step| step.region());
        let bytes = region.map_or(0, |region| region.output_bytes);
        if bytes > DATA_BYTES_MAX as u64 {
            let failure =
                format!("the outputs of the listen together exceed {DATA_BYTES_MAX} bytes");
            return self.fail_region(step, Failure::new("runtime", failure));
        }
        let result = self.collected(step);
        match (self.until_holds(step, listen, &result), &listen.each) {
            (Ok(true), _) => self.complete(step, result),
            (Ok(false), Some(each)) => self.next_event(step, listen, each),
            (Ok(false), None) => {}
            (Err(failure), _) => self.fail_region(step, failure),
        }
    }

    /// Opens the body of the next event, if none is open; ends the wait when there is nothing more to come.
    pub(crate) fn next_event(&mut self, step: StepId, listen: &Listen, each: &EachEvent) {
        let Some(region) = self.state().step(step).and_then(|step| step.region()) else {
            return;
        };
        let Some(listening) = &region.listening else {
            return;
        };
        if !region.frames.is_empty() {
            return;
        }
        let index = region.opened;
        match listening.received.first() {
            // A suspended run opens nothing; the rest is due at once when it goes on.
            Some(_) if self.state().suspended => {
                let now = self.now();
                self.turn_region(step, |turned| turned.due = Some(now));
            }
            Some(event) => {
                let event = event.clone();
                let vars = BTreeMap::from([
                    (each.each.clone(), event.clone()),
                    (each.at.clone(), Value::Int(i64::from(index))),
                ]);
                let opening = Opening {
                    index,
                    vars,
                    ..Opening::new(each.body, Phase::Body, event)
                };
                self.open(step, opening);
            }
            None if is_over(listen, listening) => {
                let result = self.collected(step);
                self.complete(step, result);
            }
            None => {}
        }
    }
}

impl Activity {
    /// The wait for events, if this is one, with bodies or without.
    #[must_use]
    pub fn listening(&self) -> Option<&Listening> {
        match self {
            Activity::Listen(listening) => Some(listening),
            Activity::Region(region) => region.listening.as_deref(),
            _ => None,
        }
    }
}

impl Listening {
    /// Whether this very event has come already.
    pub(crate) fn knows(&self, event: &Value) -> bool {
        !self.seen.is_empty() && identity(event).is_some_and(|id| self.seen.contains(&id))
    }

    /// Lets go of the oldest event that waits: its body has it in a variable.
    pub(crate) fn take_first(&mut self) {
        if !self.received.is_empty() {
            let bytes = weight(&self.received.remove(0), DATA_BYTES_MAX) as u64;
            self.bytes = self.bytes.map(|all| all.saturating_sub(bytes));
        }
    }
}

impl Run {
    pub(crate) fn apply_event_received(&mut self, received: &EventReceived) {
        let step = self.steps.get_mut(&received.step);
        let listening = step.and_then(|step| match &mut step.activity {
            Activity::Listen(listening) => Some(listening),
            Activity::Region(region) => region.listening.as_deref_mut(),
            _ => None,
        });
        let Some(listening) = listening else {
            return;
        };
        if received.again.is_none()
            && let Some(wanted) = listening.wanted.get_mut(received.filter as usize)
        {
            wanted.met = true;
        }
        listening.bound.extend(received.bound.clone());
        listening.seen.extend(received.identity);
        let forgotten = listening.seen.len().saturating_sub(LISTEN_EVENTS_MAX);
        listening.seen.drain(..forgotten);
        if received.ends.is_none() {
            let bytes = weight(&received.event, DATA_BYTES_MAX) as u64;
            listening.bytes = Some(listening.bytes.unwrap_or_default() + bytes);
            listening.received.push(received.event.clone());
        }
    }
}
