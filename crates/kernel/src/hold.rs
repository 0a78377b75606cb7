//! Owns what is held back: outcomes of steps in a suspended run, and steps that a long turn left for the next.
//!
//! Invariant: in a suspended run nothing moves. What comes of a step that was under way is kept at that
//! step; when the run goes on, outcomes count in the order in which they came.

use alloc::vec::Vec;

use graph::Failure;
use graph::value::Value;

use crate::event::{OutcomeKept, RunEvent};
use crate::id::StepId;
use crate::state::{Activity, Outcome, Run};
use crate::step::Token;
use crate::turn::RunTurn;

impl RunTurn<'_, '_> {
    /// Lets a step that was held back begin.
    pub(crate) fn begin_held(&mut self, id: StepId) {
        let Some(step) = self.state().step(id) else {
            return;
        };
        let input = self.state().input_of(step).clone();
        let token = Token {
            frame: step.frame,
            node: step.node,
            input,
            step: Some(id),
        };
        self.begin(&token);
    }

    /// A step's work is over, but its run is suspended.
    pub(crate) fn keep_outcome(
        &mut self,
        step: StepId,
        output: Option<Value>,
        failure: Option<Failure>,
    ) {
        let steps = self.state().steps.values();
        let kept = steps.filter(|step| matches!(step.activity, Activity::Kept(_)));
        let place = u32::try_from(kept.count()).unwrap_or(u32::MAX);
        let outcome = Outcome {
            output,
            failure,
            place,
        };
        self.emit(RunEvent::OutcomeKept(OutcomeKept { step, outcome }));
    }

    /// The run goes on: steps that were held back begin, and outcomes that were kept count, in the order
    /// in which they came. If the run goes on only to be cancelled, failures no longer matter.
    pub(crate) fn release_held(&mut self, only_done: bool) {
        let mut held: Vec<(u32, StepId, Activity)> = Vec::new();
        for (id, step) in &self.state().steps {
            match &step.activity {
                Activity::Held(_) if !only_done => held.push((0, *id, step.activity.clone())),
                Activity::Kept(outcome) if !only_done || outcome.failure.is_none() => {
                    held.push((outcome.place, *id, step.activity.clone()));
                }
                _ => {}
            }
        }
        held.sort_by_key(|(place, id, _)| (*place, *id));
        for (_, id, activity) in held {
            match activity {
                Activity::Kept(Outcome {
                    failure: Some(failure),
                    ..
                }) => self.fail(id, failure),
                Activity::Kept(outcome) => self.complete_with(id, outcome.output, None),
                _ => self.begin_held(id),
            }
        }
    }
}

impl Run {
    pub(crate) fn apply_outcome_kept(&mut self, kept: &OutcomeKept) {
        if let Some(step) = self.steps.get_mut(&kept.step) {
            step.activity = Activity::Kept(kept.outcome.clone());
            step.deadline = None;
        }
    }
}
