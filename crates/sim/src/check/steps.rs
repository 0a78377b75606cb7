//! Owns "no step is recorded twice": a step or body is opened once, and left once.

use kernel::event::RunFact;
use kernel::{Event, RunEvent, State};

use crate::verdict::{Invariant, Violation};

/// An event that opens or leaves something.
pub(crate) fn event(state: &State, event: &Event) -> Result<(), Violation> {
    let Event::Run(RunFact { run: id, fact }) = event else {
        return Ok(());
    };
    let Some(run) = state.runs.get(id) else {
        return Ok(());
    };
    let fits = match fact {
        RunEvent::Started(_) => false,
        RunEvent::StepEntered(fact) => {
            fact.step.0 == run.last_id + 1 && run.frames.contains_key(&fact.frame)
        }
        RunEvent::FrameOpened(fact) => {
            fact.frame.0 == run.last_id + 1 && run.steps.contains_key(&fact.owner)
        }
        RunEvent::StepBegan(fact) => run.steps.contains_key(&fact.step),
        RunEvent::OutcomeKept(fact) => run.suspended && run.steps.contains_key(&fact.step),
        RunEvent::StepCompleted(fact) => run.steps.contains_key(&fact.step),
        RunEvent::StepFailed(fact) => fact.step.is_none_or(|step| run.steps.contains_key(&step)),
        RunEvent::StepCancelled(fact) => run.steps.contains_key(&fact.step),
        RunEvent::FrameClosed(fact) => run.frames.contains_key(&fact.frame),
        RunEvent::StepPassed(fact) => run.frames.contains_key(&fact.frame),
        RunEvent::Suspended(_) => !run.suspended,
        RunEvent::Resumed(_) => run.suspended,
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Violation::found(
            Invariant::StepsOnce,
            format!("{fact:?} of run {id} a second time"),
        )
    }
}
