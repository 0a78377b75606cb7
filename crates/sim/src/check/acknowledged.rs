//! Owns "acknowledged is kept": what a client was told is done is among the facts, and no fact is missing
//! from the journal that a crash leaves.

use std::ops::ControlFlow;

use journal::{Journal, Position};
use kernel::RunId;

use crate::facts::Facts;
use crate::verdict::{Invariant, Violation};

const KEPT: Invariant = Invariant::AcknowledgedIsKept;

/// What a client was promised.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Promise {
    /// The run exists.
    Exists(RunId),
    /// An event carries this mark.
    Marked(String),
    /// The run's history has an event of this kind.
    Happened(RunId, &'static str),
    /// The version can be run.
    Deployed(String, String),
    /// Nothing that can be looked for.
    Nothing,
}

/// A promise at the moment when it is made.
pub(crate) fn promise(facts: &Facts, promise: &Promise) -> Result<(), Violation> {
    let kept = match promise {
        Promise::Exists(run) => facts.runs.contains_key(run),
        Promise::Marked(mark) => facts.marks.contains(mark),
        Promise::Happened(run, kind) => facts
            .runs
            .get(run)
            .is_some_and(|past| past.history.iter().any(|(_, fact)| fact.name() == *kind)),
        Promise::Deployed(workflow, version) => {
            facts.state.catalog.find(workflow, Some(version)).is_some()
        }
        Promise::Nothing => true,
    };
    if kept {
        return Ok(());
    }
    Violation::found(
        Invariant::NothingLeavesEarly,
        format!("{promise:?} was acknowledged, but is not durable"),
    )
}

/// The journal as it was found: every fact must be there, and beyond them all or none of the records
/// whose fate was unknown. Takes in those that survived.
pub(crate) fn journal(
    facts: &mut Facts,
    journal: &dyn Journal,
    unknown: &[Vec<u8>],
) -> Result<(), Violation> {
    let (start, end) = (journal.start().0, journal.end().0);
    if end < facts.end {
        return Violation::found(
            KEPT,
            format!(
                "the journal ends at {end}, but {} was acknowledged",
                facts.end
            ),
        );
    }
    let mut found = Vec::new();
    let mut each = |position: Position, bytes: &[u8]| {
        found.push((position.0, bytes.to_vec()));
        ControlFlow::Continue(())
    };
    if let Err(fault) = journal.read(Position(start), &mut each) {
        return Violation::found(KEPT, format!("the journal cannot be read: {fault}"));
    }
    let known = facts.end;
    let beyond: Vec<&Vec<u8>> = found
        .iter()
        .filter(|(position, _)| *position > known)
        .map(|(_, bytes)| bytes)
        .collect();
    if !beyond.is_empty()
        && (beyond.len() != unknown.len() || beyond.iter().zip(unknown).any(|(a, b)| *a != b))
    {
        return Violation::found(
            KEPT,
            format!(
                "the journal holds {} records beyond {known}, of {} attempted",
                beyond.len(),
                unknown.len()
            ),
        );
    }
    for (position, bytes) in found.iter().filter(|(position, _)| *position <= known) {
        if facts.record(*position) != Some(bytes) {
            return Violation::found(
                KEPT,
                format!("record {position} is not what was acknowledged"),
            );
        }
    }
    for bytes in unknown.iter().take(beyond.len()) {
        facts.take(bytes)?;
    }
    Ok(())
}
