//! Owns "a lock has no more holders than it may": counted over all runs and steps, not by the table of locks.

use kernel::event::RunFact;
use kernel::id::WHOLE_RUN;
use kernel::lock::Locking;
use kernel::state::Step;
use kernel::{Event, Run, RunEvent, State, StepId};

use crate::verdict::{Invariant, Violation};

/// An event by which a step, or a run as a whole, gets a lock.
pub(crate) fn event(state: &State, event: &Event) -> Result<(), Violation> {
    let Event::Run(RunFact { run: id, fact }) = event else {
        return Ok(());
    };
    let RunEvent::LockGranted(granted) = fact else {
        return Ok(());
    };
    let wanted = state
        .runs
        .get(id)
        .and_then(|run| locking(run, granted.step));
    let Some(wanted) = wanted.filter(|wanted| !wanted.held) else {
        let detail = format!("{fact:?} of run {id}, which does not wait for it");
        return Violation::found(Invariant::LocksWithinLimit, detail);
    };
    let all = state.runs.values().flat_map(|run| {
        let of_steps = run.steps.values().filter_map(|step| step.locking());
        of_steps.chain(run.lock.as_deref())
    });
    let holders = all.filter(|locking| locking.held && locking.key == wanted.key);
    let holders = holders.count();
    if holders < wanted.limit as usize {
        return Ok(());
    }
    Violation::found(
        Invariant::LocksWithinLimit,
        format!("run {id} gets {wanted:?}, which {holders} hold"),
    )
}

fn locking(run: &Run, step: StepId) -> Option<&Locking> {
    match step {
        WHOLE_RUN => run.lock.as_deref(),
        step => run.step(step).and_then(Step::locking),
    }
}
