//! Owns "history numbers have no gaps": the history of a run, put together from store and memory, counts
//! from 0 and is what happened.

use engine::driver::view::View;
use engine::partition::HistoryTail;
use kernel::RunId;

use crate::facts::Facts;
use crate::moment::at_once;
use crate::verdict::{Invariant, Violation};

/// More events than any run of the simulation has.
const EVENTS_MAX: usize = 1_000_000;

/// One run's history; says nothing while the read model lags.
pub(crate) fn history(
    facts: &Facts,
    view: &View,
    id: RunId,
    tail: HistoryTail,
) -> Result<(), Violation> {
    let Some(past) = facts.runs.get(&id) else {
        return Ok(());
    };
    // A live run may have gone on since it was asked after, in the same batch.
    let known = tail
        .tail
        .as_ref()
        .map(|tail| usize::try_from(tail.next()).unwrap_or(usize::MAX));
    let page = match at_once(view.history(id, tail, 0, EVENTS_MAX)) {
        Some(Ok(page)) => page,
        Some(Err(_)) if past.is_forgotten(facts.clock) || past.is_new(facts.present) => {
            return Ok(());
        }
        Some(Err(fault)) => {
            return Violation::found(
                Invariant::AcknowledgedIsKept,
                format!("run {id} has no history: {fault}"),
            );
        }
        None => return Ok(()),
    };
    for (place, shown) in page.events.iter().enumerate() {
        let fact = past.history.get(place);
        let fits = shown.number == place as u64
            && fact.is_some_and(|(at, fact)| *at == shown.at && *fact == shown.event);
        if !fits {
            return Violation::found(
                Invariant::NumbersWithoutGaps,
                format!("event {place} of run {id} is shown as {shown:?}, but was {fact:?}"),
            );
        }
    }
    let (shown, happened) = (page.events.len(), known.unwrap_or(past.history.len()));
    if shown == happened {
        return Ok(());
    }
    Violation::found(
        Invariant::NumbersWithoutGaps,
        format!("{shown} events of run {id} are shown, {happened} happened"),
    )
}
