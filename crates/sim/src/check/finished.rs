//! Owns "finished stays finished": nothing happens to a run after its end, its key cannot begin another
//! one while it is kept, and everyone who asks sees the same bytes.

use engine::query::RunView;
use kernel::codec::decode;
use kernel::event::RunFact;
use kernel::{Event, Run, RunEvent, RunId, Time};

use crate::facts::Facts;
use crate::verdict::{Invariant, Violation};

const FINISHED: Invariant = Invariant::FinishedStaysFinished;

/// An event of a run that may have ended.
pub(crate) fn event(facts: &Facts, event: &Event, at: Time) -> Result<(), Violation> {
    let Event::Run(RunFact { run: id, fact }) = event else {
        return Ok(());
    };
    let past = facts.runs.get(id).filter(|past| past.finished.is_some());
    match (past, fact) {
        (Some(past), RunEvent::Started(_)) if past.is_forgotten(at) => Ok(()),
        (Some(_), _) => Violation::found(
            FINISHED,
            format!("{} after the end of run {id}", fact.name()),
        ),
        (None, RunEvent::Started(_)) => Ok(()),
        (None, _) if facts.state.runs.contains_key(id) => Ok(()),
        (None, _) => Violation::found(
            FINISHED,
            format!("{} of run {id}, which never began", fact.name()),
        ),
    }
}

/// A finished run as someone is shown it.
pub(crate) fn shown(facts: &Facts, id: RunId, shown: &RunView) -> Result<(), Violation> {
    let Some((bytes, _)) = facts.runs.get(&id).and_then(|past| past.finished.as_ref()) else {
        return Violation::found(
            Invariant::NothingLeavesEarly,
            format!("run {id} was shown as ended, which is not durable"),
        );
    };
    let run: Run = match decode(bytes) {
        Ok(run) => run,
        Err(damage) => {
            return Violation::found(FINISHED, format!("run {id} cannot be read: {damage}"));
        }
    };
    let expected = RunView::of(&run, None);
    if *shown == expected {
        return Ok(());
    }
    Violation::found(
        FINISHED,
        format!(
            "run {id} ended as {:?} but shows {:?}",
            expected.summary, shown.summary
        ),
    )
}
