//! Owns the end of a container before all of its bodies have ended: a won fork, a for-each that has enough.
//!
//! Invariant: the token goes on once, with what there is at that instant; what still runs is withdrawn first, or
//! runs on with nobody waiting for it, and the container is there until the last of it is gone.

use graph::Node;
use graph::ir::Losers;
use graph::value::Value;

use crate::event::{RegionReleased, RunEvent, StepOnly};
use crate::id::StepId;
use crate::state::Phase;
use crate::turn::{Move, RunTurn, Via};

impl RunTurn<'_, '_> {
    /// A container has enough: its token goes on with this output.
    pub(crate) fn conclude(&mut self, owner: StepId, losers: Losers, output: Value) {
        let Some((region, node)) = self.region_of(owner) else {
            return;
        };
        if region.is_idle {
            return self.finish_try(owner, output);
        }
        match losers {
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

    /// The token goes on while other bodies run on.
    fn release(&mut self, owner: StepId, node: &Node, output: Value) {
        let Some((frame, index)) = self.state().step(owner).map(|step| (step.frame, step.node))
        else {
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
                    via: Some(Via {
                        node: index,
                        way: 0,
                    }),
                });
            }
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    /// A body that nobody waited for is gone; with the last one its container is over.
    pub(crate) fn loser_gone(&mut self, owner: StepId) {
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        if region.phase != Phase::Leftover || !region.is_idle {
            return;
        }
        match region.result {
            Some(output) => self.finish_try(owner, output),
            None => self.leave_released(owner),
        }
    }

    /// The last body left running has ended: nothing but the bookkeeping is left to do.
    fn leave_released(&mut self, owner: StepId) {
        let Some(frame) = self.state().step(owner).map(|step| step.frame) else {
            return;
        };
        self.emit(RunEvent::StepCancelled(StepOnly { step: owner }));
        self.close_if_done(frame);
    }
}
