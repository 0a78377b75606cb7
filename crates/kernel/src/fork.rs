//! Owns the fork: branches side by side, and how many of them are waited for.
//!
//! Invariant: the token goes on once, when enough branches have ended well; what becomes of the
//! others is the author's choice, and nobody waits for their outputs.

use alloc::vec::Vec;

use graph::Failure;
use graph::ir::{Fork, Need};
use graph::value::Value;

use crate::id::StepId;
use crate::region::Opening;
use crate::state::Phase;
use crate::turn::RunTurn;

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
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        if region.done < Self::needed(fork) {
            return;
        }
        let output = if fork.first {
            data
        } else {
            self.collected(owner)
        };
        self.conclude(owner, fork.losers, output);
    }

    pub(crate) fn branch_failed(&mut self, owner: StepId, fork: &Fork, failure: Failure) {
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        let branches = u32::try_from(fork.branches.len()).unwrap_or(u32::MAX);
        if branches - region.failed < Self::needed(fork) {
            self.fail_region(owner, failure);
        }
    }
}
