//! Owns what happens when an instant has come.
//!
//! Invariant: never early. A timer that fires before its instant, or for something that is over, is
//! refused and changes nothing.

use graph::Failure;

use crate::command::Reply;
use crate::id::{ROOT_FRAME, StepRef, WHOLE_RUN};
use crate::rejection::Rejection;
use crate::state::{Activity, Ending};
use crate::turn::Turn;

/// Does what a step (or the run) waited for time to do.
pub(crate) fn decide_fire(turn: &mut Turn<'_>, at: StepRef) -> Result<Reply, Rejection> {
    let now = turn.now;
    let run = turn.live_run(at.run).map_err(|_| Rejection::NotDue)?;
    if at.step == WHOLE_RUN {
        let late = run.deadline.is_some_and(|deadline| deadline <= now) && !run.cancelling;
        if !late {
            return Err(Rejection::NotDue);
        }
        let mut run = turn.run(at.run)?;
        run.end_frame(ROOT_FRAME, Ending::Failed(Failure::new("timeout", "the run took longer than its timeout")));
        run.settle();
        return Ok(Reply::Done);
    }
    let step = run.step(at.step).ok_or(Rejection::NotDue)?;
    if step.due().is_none_or(|due| due > now) {
        return Err(Rejection::NotDue);
    }
    let expired = !step.withdrawing && step.deadline.is_some_and(|deadline| deadline <= now);
    let activity = step.activity.clone();
    let mut run = turn.run(at.run)?;
    match activity {
        _ if expired => run.fail(at.step, Failure::new("timeout", "the step took longer than its timeout")),
        Activity::Task(_) => run.task_due(at.step),
        Activity::Timer(_) => run.complete_wait(at.step),
        Activity::Region(_) => run.continue_region(at.step),
        Activity::Yielded(_) => run.begin_held(at.step),
        Activity::Listen(_) | Activity::Child(_) | Activity::Held(_) => {}
    }
    run.settle();
    Ok(Reply::Done)
}
