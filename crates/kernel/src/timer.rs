//! Owns what happens when an instant has come.
//!
//! Invariant: never early. A timer that fires before its instant, or for something that is over, is
//! refused and changes nothing.

use graph::Failure;

use crate::command::Reply;
use crate::id::{ROOT_FRAME, StepId, StepRef, WHOLE_RUN};
use crate::rejection::Rejection;
use crate::state::{Activity, Ending};
use crate::turn::{RunTurn, Turn};

/// Does what a step (or the run) waited for time to do.
pub(crate) fn decide_fire(turn: &mut Turn<'_>, at: StepRef) -> Result<Reply, Rejection> {
    let run = turn.live_run(at.run).map_err(|_| Rejection::NotDue)?;
    if run.due(at.step).is_none_or(|due| due > turn.now) {
        return Err(Rejection::NotDue);
    }
    let mut run = turn.run(at.run)?;
    if at.step == WHOLE_RUN {
        let failure = Failure::new("timeout", "the run took longer than its timeout");
        run.end_frame(ROOT_FRAME, Ending::Failed(failure));
    } else {
        run.step_due(at.step);
    }
    run.settle();
    Ok(Reply::Done)
}

impl RunTurn<'_, '_> {
    fn step_due(&mut self, id: StepId) {
        let now = self.now();
        let Some(step) = self.state().step(id) else {
            return;
        };
        let expired = !step.withdrawing && step.deadline.is_some_and(|deadline| deadline <= now);
        match step.activity {
            _ if expired => {
                self.cancel_child(id);
                self.fail(
                    id,
                    Failure::new("timeout", "the step took longer than its timeout"),
                );
            }
            Activity::Task(_) => self.task_due(id),
            Activity::Human(_) => self.human_due(id),
            Activity::Timer(_) => self.complete_wait(id),
            Activity::Region(_) => self.continue_region(id),
            Activity::Yielded(_) => self.begin_held(id),
            Activity::Kept(_) if self.state().suspended => self.cancel_held(Some(id)),
            Activity::Held(_) | Activity::Kept(_) => {
                self.release_held(Some(id));
            }
            Activity::Listen(_) | Activity::Child(_) | Activity::Milestone(_) => {}
        }
    }
}
