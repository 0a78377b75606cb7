//! Owns the fork: branches side by side, and how many of them are waited for.
//!
//! Invariant: the token goes on once, when enough branches have ended well; what becomes of the
//! others is the author's choice, and nobody waits for their outputs.

use alloc::vec::Vec;

use graph::ir::{Fork, Losers, Need};
use graph::value::Value;
use graph::{Failure, Node};

use crate::event::{RegionReleased, RunEvent, StepOnly};
use crate::id::StepId;
use crate::region::Opening;
use crate::state::Phase;
use crate::turn::{Move, RunTurn};

impl RunTurn<'_, '_> {
    pub(crate) fn next_branches(&mut self, owner: StepId, fork: &Fork, data: &Value) {
        let opened = self
            .state()
            .step(owner)
            .and_then(|step| step.region())
            .map_or(0, |region| region.opened);
        for (index, body) in (0_u32..).zip(&fork.branches).skip(opened as usize) {
            if self.pauses(owner, None) {
                return;
            }
            self.open(
                owner,
                Opening {
                    index,
                    ..Opening::new(*body, Phase::Body, data.clone())
                },
            );
        }
        if fork.branches.is_empty() {
            self.complete(owner, Value::array(Vec::new()));
        }
    }

    fn needed(fork: &Fork) -> u32 {
        let branches = u32::try_from(fork.branches.len()).unwrap_or(u32::MAX);
        match fork.need {
            Need::All => branches,
            Need::Count(count) => count.clamp(1, branches),
        }
    }

    pub(crate) fn branch_done(&mut self, owner: StepId, fork: &Fork, data: Value) {
        let Some((region, node)) = self.region_of(owner) else {
            return;
        };
        if region.phase == Phase::Leftover {
            return self.loser_gone(owner);
        }
        if region.done < Self::needed(fork) {
            return;
        }
        let output = if fork.first {
            data
        } else {
            self.collected(owner)
        };
        if region.is_idle {
            return self.complete(owner, output);
        }
        match fork.losers {
            Losers::Cancel => {
                self.turn_region(owner, |turned| {
                    turned.phase = Phase::Leftover;
                    turned.due = None;
                    turned.result = Some(output);
                });
                self.withdraw_frames(owner);
            }
            Losers::Leave => self.release(owner, &node, output),
        }
    }

    /// The token goes on while other branches run on.
    fn release(&mut self, owner: StepId, node: &Node, output: Value) {
        let Some(frame) = self.state().step(owner).map(|step| step.frame) else {
            return;
        };
        let scope = self.scope_of(owner, output.clone());
        match self.shape_output(node, &scope, output) {
            Ok((output, context)) => {
                let data = output.clone();
                self.emit(RunEvent::RegionReleased(RegionReleased {
                    step: owner,
                    output,
                    context,
                }));
                self.push(Move::Advance {
                    frame,
                    next: node.next,
                    data,
                });
            }
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    pub(crate) fn branch_failed(&mut self, owner: StepId, fork: &Fork, failure: Failure) {
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        if region.phase == Phase::Leftover {
            return self.loser_gone(owner);
        }
        let branches = u32::try_from(fork.branches.len()).unwrap_or(u32::MAX);
        if branches - region.failed < Self::needed(fork) {
            self.fail_region(owner, failure);
        }
    }

    /// A branch that nobody waited for is gone; with the last one the fork is over.
    pub(crate) fn loser_gone(&mut self, owner: StepId) {
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        if region.phase != Phase::Leftover || !region.is_idle {
            return;
        }
        match region.result {
            Some(output) => self.complete(owner, output),
            None => self.leave_released(owner),
        }
    }

    /// The last branch left running has ended: nothing but the bookkeeping is left to do.
    fn leave_released(&mut self, owner: StepId) {
        let Some(frame) = self.state().step(owner).map(|step| step.frame) else {
            return;
        };
        self.emit(RunEvent::StepCancelled(StepOnly { step: owner }));
        self.close_if_done(frame);
    }
}
