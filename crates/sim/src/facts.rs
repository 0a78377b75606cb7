//! Owns the facts: every event that is durable, and what is true by them, kept apart from the system.
//!
//! Invariant: facts only grow. They take in a record when the journal has accepted it, or when recovery
//! shows that a record of unknown fate has survived; so whatever they hold must be found after any crash.

use std::collections::{BTreeMap, BTreeSet};

use graph::Value;
use kernel::codec::decode;
use kernel::event::{Entry, RunFact};
use kernel::state::TaskStage;
use kernel::{Event, RunEvent, RunId, SessionId, State, StepId, TaskToken, Time};

use crate::check;
use crate::verdict::{Invariant, Violation};

/// All that is durable.
pub(crate) struct Facts {
    /// What is true by the records so far; finished runs are taken out.
    pub(crate) state: State,
    /// Position of the newest record.
    pub(crate) end: u64,
    /// The newest instant stamped on a record.
    pub(crate) now: Time,
    /// The latest instant that the machine's clock has shown.
    pub(crate) clock: Time,
    /// What the driver's clock shows.
    pub(crate) present: Time,
    /// When the connection of each session without one was lost.
    pub(crate) lost: BTreeMap<SessionId, Time>,
    records: BTreeMap<u64, Vec<u8>>,
    pub(crate) runs: BTreeMap<RunId, Past>,
    /// Claims that were delivered to a worker.
    pub(crate) given: BTreeSet<TaskToken>,
    /// How claims ended.
    pub(crate) claims: BTreeMap<TaskToken, ClaimEnd>,
    /// Marks of clients that were seen in an event.
    pub(crate) marks: BTreeSet<String>,
    /// How often each kind of event was seen.
    pub(crate) kinds: BTreeMap<&'static str, u64>,
}

/// What happened to a run so far.
pub(crate) struct Past {
    pub(crate) history: Vec<(Time, RunEvent)>,
    /// Its bytes, and until when it is kept, once it has ended.
    pub(crate) finished: Option<(Vec<u8>, Time)>,
}

/// How a claim ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClaimEnd {
    /// Its result counted.
    Done(Value),
    /// Its attempt failed.
    Failed,
    /// The task went back to its queue.
    Released,
    /// The task was withdrawn.
    Withdrawn,
}

impl Past {
    /// Whether it began with the newest batch: what was asked before in the same batch knows nothing of it.
    pub(crate) fn is_new(&self, present: Time) -> bool {
        self.history
            .first()
            .is_none_or(|(began, _)| *began >= present)
    }

    /// Whether it may have been forgotten by then.
    pub(crate) fn is_forgotten(&self, now: Time) -> bool {
        self.finished
            .as_ref()
            .is_some_and(|(_, kept_until)| *kept_until <= now)
    }
}

impl Facts {
    pub(crate) fn new() -> Facts {
        Facts {
            state: State::default(),
            end: 0,
            now: Time(0),
            clock: Time(0),
            present: Time(0),
            lost: BTreeMap::new(),
            records: BTreeMap::new(),
            runs: BTreeMap::new(),
            given: BTreeSet::new(),
            claims: BTreeMap::new(),
            marks: BTreeSet::new(),
            kinds: BTreeMap::new(),
        }
    }

    /// The record at a position.
    pub(crate) fn record(&self, position: u64) -> Option<&[u8]> {
        self.records.get(&position).map(Vec::as_slice)
    }

    /// Takes in the next record. Returns its events.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Entry, Violation> {
        let entry: Entry = match decode(bytes) {
            Ok(entry) => entry,
            Err(damage) => {
                return Violation::found(
                    Invariant::ReplayEqualsLive,
                    format!("a record is none: {damage}"),
                );
            }
        };
        check::timers::stamp(self, entry.at)?;
        self.end += 1;
        self.now = entry.at;
        self.records.insert(self.end, bytes.to_vec());
        for event in &entry.events {
            self.take_event(event, entry.at)?;
        }
        Ok(entry)
    }

    fn take_event(&mut self, event: &Event, at: Time) -> Result<(), Violation> {
        check::finished::event(self, event, at)?;
        check::steps::event(&self.state, event)?;
        check::claims::event(&self.state, event)?;
        check::locks::event(&self.state, event)?;
        check::timers::event(self, event, at)?;
        if let Event::Run(RunFact { run, fact }) = event {
            self.note_claims(*run, fact);
        }
        self.note_mark(event);
        self.state.apply(event, at);
        if let Event::Run(RunFact { run, fact }) = event {
            *self.kinds.entry(fact.name()).or_default() += 1;
            self.note_past(*run, fact, at);
        } else {
            *self.kinds.entry(event.name()).or_default() += 1;
        }
        Ok(())
    }

    fn note_past(&mut self, id: RunId, fact: &RunEvent, at: Time) {
        if let RunEvent::Started(_) = fact {
            // A key may be used anew once its run was forgotten: then its past is another one's.
            self.given.retain(|token| token.run != id);
            self.claims.retain(|token, _| token.run != id);
            self.runs.insert(
                id,
                Past {
                    history: Vec::new(),
                    finished: None,
                },
            );
        }
        let Some(past) = self.runs.get_mut(&id) else {
            return;
        };
        past.history.push((at, fact.clone()));
        if let RunEvent::Ended(_) = fact
            && let Some(run) = self.state.take_finished(id)
        {
            let kept_until = at.plus(run.retention_ms);
            past.finished = Some((State::encode_run(&run), kept_until));
        }
    }

    fn note_claims(&mut self, id: RunId, fact: &RunEvent) {
        let Some(run) = self.state.runs.get(&id) else {
            return;
        };
        let token = |step: StepId| {
            let task = run.step(step)?.task()?;
            let claimed = matches!(task.stage, TaskStage::Claimed(_));
            claimed.then_some(TaskToken {
                run: id,
                step,
                claim: task.claims,
            })
        };
        let (step, end) = match fact {
            RunEvent::StepCompleted(fact) => (Some(fact.step), ClaimEnd::Done(fact.output.clone())),
            RunEvent::OutcomeKept(fact) if fact.outcome.failure.is_none() => {
                let output = fact.outcome.output.clone().unwrap_or_default();
                (Some(fact.step), ClaimEnd::Done(output))
            }
            RunEvent::OutcomeKept(fact) => (Some(fact.step), ClaimEnd::Failed),
            RunEvent::StepFailed(fact) => (fact.step, ClaimEnd::Failed),
            RunEvent::TaskBackedOff(fact) => (Some(fact.step), ClaimEnd::Failed),
            RunEvent::TaskParked(fact) => (Some(fact.step), ClaimEnd::Failed),
            RunEvent::TaskQueued(fact) => (Some(fact.step), ClaimEnd::Released),
            RunEvent::StepCancelled(fact) => (Some(fact.step), ClaimEnd::Withdrawn),
            RunEvent::Ended(_) => {
                let tokens: Vec<TaskToken> =
                    run.steps.keys().filter_map(|step| token(*step)).collect();
                self.claims
                    .extend(tokens.into_iter().map(|token| (token, ClaimEnd::Withdrawn)));
                return;
            }
            _ => return,
        };
        if let Some(token) = step.and_then(token) {
            self.claims.insert(token, end);
        }
    }

    fn note_mark(&mut self, event: &Event) {
        let carried = match event {
            Event::Run(RunFact {
                fact: RunEvent::EventReceived(fact),
                ..
            }) => Some(&fact.event),
            Event::Run(RunFact {
                fact: RunEvent::SignalKept(signal),
                ..
            }) => signal.event.get("data"),
            Event::EventKept(kept) => kept.event.get("data"),
            Event::SchedulePut(schedule) => Some(&schedule.input),
            _ => None,
        };
        let mark = carried
            .and_then(|data| data.get("mark"))
            .and_then(Value::as_text);
        self.marks.extend(mark.map(ToString::to_string));
    }
}
