//! Owns "replay equals live": what the partition holds is what the facts give when applied from the first
//! on, and the read model shows the rest of it.

use engine::driver::view::View;
use engine::partition::Partition;
use kernel::State;

use crate::check::finished;
use crate::facts::Facts;
use crate::moment::at_once;
use crate::verdict::{Invariant, Violation};

const REPLAY: Invariant = Invariant::ReplayEqualsLive;

/// The partition, with nothing on its way to the journal.
pub(crate) fn partition(facts: &Facts, partition: &Partition) -> Result<(), Violation> {
    let (live, facts) = (partition.state(), &facts.state);
    if !live.runs.keys().eq(facts.runs.keys()) {
        let missing = facts.runs.keys().find(|run| !live.runs.contains_key(run));
        let extra = live.runs.keys().find(|run| !facts.runs.contains_key(run));
        return Violation::found(
            REPLAY,
            format!("live runs differ: {missing:?} is missing, {extra:?} should not be"),
        );
    }
    for (id, run) in &live.runs {
        let expected = &facts.runs[id];
        if State::encode_run(run) != State::encode_run(expected) {
            return Violation::found(
                REPLAY,
                format!("run {id} is {run:?}, but by its facts {expected:?}"),
            );
        }
    }
    if live.schedules != facts.schedules {
        return Violation::found(
            REPLAY,
            format!(
                "schedules are {:?}, by the facts {:?}",
                live.schedules, facts.schedules
            ),
        );
    }
    if !live.kept_events.iter().eq(facts.kept_events.iter()) {
        return Violation::found(REPLAY, "kept events differ");
    }
    if live.messages != facts.messages {
        return Violation::found(REPLAY, "messages between runs differ");
    }
    if live.listeners != facts.listeners {
        return Violation::found(
            REPLAY,
            format!(
                "listeners are {:?}, by the facts {:?}",
                live.listeners, facts.listeners
            ),
        );
    }
    if live.locks != facts.locks {
        return Violation::found(
            REPLAY,
            format!("locks are {:?}, by the facts {:?}", live.locks, facts.locks),
        );
    }
    let versions = |state: &State| -> Vec<(String, bool)> {
        let catalog = &state.catalog;
        catalog
            .iter()
            .map(|definition| (format!("{definition:?}"), catalog.is_latest(definition)))
            .collect()
    };
    if versions(live) != versions(facts) {
        return Violation::found(
            REPLAY,
            format!(
                "the catalog is {:?}, by the facts {:?}",
                versions(live),
                versions(facts)
            ),
        );
    }
    Ok(())
}

/// The read model, once it has taken in everything: finished runs that are kept, each as it ended.
pub(crate) fn read_model(facts: &Facts, view: &View) -> Result<(), Violation> {
    for (id, past) in facts
        .runs
        .iter()
        .filter(|(_, past)| past.finished.is_some() && !past.is_forgotten(facts.clock))
    {
        match at_once(view.finished(*id, 0)) {
            Some(Ok(shown)) => finished::shown(facts, *id, &shown)?,
            Some(Err(fault)) => {
                let ended = past.history.len();
                return Violation::found(
                    Invariant::AcknowledgedIsKept,
                    format!(
                        "run {id} ended after {ended} events, but the read model says: {fault}"
                    ),
                );
            }
            None => {}
        }
    }
    Ok(())
}
