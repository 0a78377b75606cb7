//! Owns what is held back: outcomes of steps in a suspended run, and steps that a long turn left for the next.
//!
//! Invariant: in a suspended run nothing moves. What comes of a step that was under way is kept at that
//! step; when the run goes on, outcomes count in the order in which they came, as many in one turn as it
//! has room for: each of the others is due at once.

use alloc::vec::Vec;

use graph::Failure;
use graph::value::Value;

use crate::event::{OutcomeKept, RunEvent};
use crate::id::{FrameId, ROOT_FRAME, StepId, Time};
use crate::state::{Activity, Ending, Nothing, Outcome, Phase, Run, Step};
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
            edge: step.edge,
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
        let run = self.state();
        let last = run.kept_place.or_else(|| {
            // Of a run that an older release suspended.
            run.steps.values().filter_map(|step| step.place()).max()
        });
        let place = last.map_or(0, |last| last.saturating_add(1));
        let outcome = Outcome {
            output,
            failure,
            place,
        };
        self.emit(RunEvent::OutcomeKept(OutcomeKept { step, outcome }));
    }

    /// What was held back goes on: this step, if one is named, then all that are due, in the order in which
    /// their outcomes came, until the turn is full. Says whether that was all.
    pub(crate) fn release_held(&mut self, first: Option<StepId>) -> bool {
        let run = self.state();
        let held = run.steps.iter().filter(|(_, step)| step.place().is_some());
        let mut due: Vec<(Option<Time>, StepId)> =
            held.map(|(id, _)| (run.due(*id), *id)).collect();
        due.retain(|(at, id)| at.is_some() && Some(*id) != first);
        due.sort_unstable();
        for id in first.into_iter().chain(due.into_iter().map(|(_, id)| id)) {
            if self.is_full() {
                return false;
            }
            self.transitions += 1;
            self.release_step(id);
        }
        true
    }

    fn release_step(&mut self, id: StepId) {
        let is_suspended = self.state().suspended;
        let activity = self.state().step(id).map(|step| step.activity.clone());
        match activity {
            Some(Activity::Held(_)) => self.begin_held(id),
            Some(Activity::Kept(outcome)) => match outcome.failure {
                None if is_suspended => self.complete_last(id, outcome.output),
                None => self.complete_with(id, outcome.output, None),
                Some(failure) => self.fail(id, failure),
            },
            _ => {}
        }
    }

    /// Cancels a suspended run: the clean-up must not wait for someone to resume a run that nobody wants any
    /// more. First what was done counts, because a saga must know it to undo it; what the turn has no room
    /// for is due at once, and with the last of it the run goes on to its end. Failures no longer matter.
    pub(crate) fn cancel_held(&mut self, first: Option<StepId>) {
        if self.release_held(first) {
            self.emit(RunEvent::Resumed(Nothing {}));
            self.end_frame(ROOT_FRAME, Ending::Withdrawn(Nothing {}));
            self.release_held(None);
        }
    }
}

impl Step {
    /// The place of what is kept or held here among all that is.
    fn place(&self) -> Option<u32> {
        match &self.activity {
            Activity::Held(_) => Some(0),
            Activity::Kept(outcome) => Some(outcome.place),
            _ => None,
        }
    }

    /// When what is kept or held here is due once the run goes on: at once, which is an instant long gone,
    /// the earlier the sooner it counts.
    pub(crate) fn due_when_released(&self) -> Option<Time> {
        self.place().map(|place| Time(u64::from(place)))
    }
}

impl Run {
    /// Whether a step waits for nothing but that the run goes on.
    pub(crate) fn holds_back(&self, step: &Step) -> bool {
        let is_held = match &step.activity {
            Activity::Yielded(_) | Activity::Region(_) | Activity::Held(_) => true,
            Activity::Kept(outcome) => {
                let counts = outcome.failure.is_none() && !self.cleans_up(step.frame);
                !(counts && self.is_to_be_cancelled())
            }
            _ => false,
        };
        is_held && self.suspended
    }

    /// Whether cancellation was asked for, but outcomes kept before have yet to count.
    pub(crate) fn is_to_be_cancelled(&self) -> bool {
        let root = self.frames.get(&ROOT_FRAME);
        self.suspended && self.cancelling && root.is_some_and(|root| root.ending.is_none())
    }

    /// Whether a frame belongs to a clean-up, which goes on when the run is cancelled.
    fn cleans_up(&self, mut frame: FrameId) -> bool {
        let owner = |frame| self.step(self.frames.get(&frame)?.owner?);
        while let Some(step) = owner(frame) {
            let region = step.region();
            if step.withdrawing || region.is_some_and(|region| region.phase == Phase::Finally) {
                return true;
            }
            frame = step.frame;
        }
        false
    }

    pub(crate) fn apply_outcome_kept(&mut self, kept: &OutcomeKept) {
        self.kept_place = self.kept_place.max(Some(kept.outcome.place));
        if let Some(step) = self.steps.get_mut(&kept.step) {
            step.activity = Activity::Kept(kept.outcome.clone());
            step.deadline = None;
        }
    }
}
