//! Owns "nothing leaves before it is durable": whatever anyone is told can be explained by the records
//! that the journal had accepted by then, and those survive a power cut at that very moment.

use engine::query::HistoryEvent;
use journal::fault::FaultDisk;
use journal::{Journal, LocalJournal, Options};
use kernel::{Rejection, RunId};

use crate::facts::Facts;
use crate::verdict::{Invariant, Violation};

const EARLY: Invariant = Invariant::NothingLeavesEarly;

/// The power fails now: is everything there that someone could have been told of?
pub(crate) fn probe(
    facts: &Facts,
    disk: &FaultDisk,
    seed: u64,
    options: Options,
) -> Result<(), Violation> {
    let copy = disk.fork(seed);
    copy.crash();
    let end = match LocalJournal::open(copy, options) {
        Ok((journal, _)) => journal.end().0,
        Err(fault) => {
            return Violation::found(
                EARLY,
                format!("after a power cut the journal does not open: {fault}"),
            );
        }
    };
    if end >= facts.end {
        return Ok(());
    }
    Violation::found(
        EARLY,
        format!(
            "after a power cut the journal would end at {end}, not at {}",
            facts.end
        ),
    )
}

/// An event as a watcher sees it.
pub(crate) fn watched(facts: &Facts, run: RunId, seen: &HistoryEvent) -> Result<(), Violation> {
    let place = usize::try_from(seen.number).unwrap_or(usize::MAX);
    let fact = facts
        .runs
        .get(&run)
        .and_then(|past| past.history.get(place));
    if fact.is_some_and(|(at, fact)| *at == seen.at && *fact == seen.event) {
        return Ok(());
    }
    Violation::found(
        EARLY,
        format!("a watcher of run {run} saw {seen:?}, which is not durable"),
    )
}

/// A refusal that speaks of a run.
pub(crate) fn refused(facts: &Facts, rejection: &Rejection) -> Result<(), Violation> {
    let past = |run: &RunId| facts.runs.get(run);
    match rejection {
        Rejection::RunEnded(run) if past(run).is_none_or(|past| past.finished.is_none()) => {
            Violation::found(
                EARLY,
                format!("run {run} was said to have ended, which is not durable"),
            )
        }
        Rejection::RunMissing(run)
            if past(run).is_some_and(|past| {
                !past.is_forgotten(facts.clock) && !past.is_new(facts.present)
            }) =>
        {
            Violation::found(
                Invariant::AcknowledgedIsKept,
                format!("run {run} was said not to exist"),
            )
        }
        _ => Ok(()),
    }
}
