//! Owns the milestone: a token passes only while something goes on at another node.
//!
//! A token that comes looks once; one that waits is looked at when nothing moves, and only in a turn in which a
//! token came to a node that some milestone names. So waiting costs nothing. Invariant: none waits, when nothing
//! moves, for what goes on.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use graph::{Kind, NodeIndex};

use crate::id::{FrameId, StepId};
use crate::merge::has_gone_on;
use crate::state::{Activity, Frame};
use crate::turn::RunTurn;
use crate::withdraw::LOOKS_PER_TRANSITION;

impl RunTurn<'_, '_> {
    /// Whether something goes on at a node, as seen from a frame.
    pub(crate) fn is_reached(&mut self, frame: FrameId, node: NodeIndex) -> bool {
        let found = self.frames_of(frame, &[node]);
        let around = found.first().map(|(frame, _)| *frame);
        let live = around.map_or_else(BTreeSet::new, |around| self.live_nodes(around));
        live.contains(&node.0)
    }

    /// Lets the tokens go on whose milestone is reached; says whether something moves again.
    pub(crate) fn milestones_at_rest(&mut self) -> bool {
        if !core::mem::take(&mut self.milestone_reached) {
            return false;
        }
        let definition = self.definition();
        self.charge(self.state().steps.len());
        let steps = self.state().steps.iter();
        let waiting = steps.filter_map(|(id, step)| {
            let waits = matches!(step.activity, Activity::Milestone(_));
            match &definition.node(step.node).filter(|_| waits)?.kind {
                Kind::Milestone(milestone) => Some((*id, step.frame, milestone.node)),
                _ => None,
            }
        });
        let waiting: Vec<(StepId, FrameId, NodeIndex)> = waiting.collect();
        let mut live = BTreeMap::<FrameId, BTreeSet<u32>>::new();
        let mut passing = Vec::new();
        for (id, frame, node) in waiting {
            let Some((around, _)) = self.frames_of(frame, &[node]).pop() else {
                continue;
            };
            let nodes = live
                .entry(around)
                .or_insert_with(|| self.live_nodes(around));
            if nodes.contains(&node.0) {
                passing.push(id);
            }
        }
        let moves = !passing.is_empty();
        for id in passing {
            self.complete_wait(id);
        }
        moves
    }

    /// The nodes of a frame at which something goes on.
    fn live_nodes(&mut self, frame: FrameId) -> BTreeSet<u32> {
        let Some(open) = self.state().frames.get(&frame) else {
            return BTreeSet::new();
        };
        let looks = open.steps.len();
        let nodes = self.nodes_of(open);
        self.charge(looks);
        nodes
    }

    fn nodes_of(&self, open: &Frame) -> BTreeSet<u32> {
        let steps = open
            .steps
            .iter()
            .filter_map(|step| self.state().step(*step));
        let going_on = steps.filter(|step| !step.withdrawing && !has_gone_on(step));
        let at = going_on.map(|step| step.node);
        at.chain(open.joins.keys().copied()).collect()
    }

    /// Charges the turn for steps looked at.
    pub(crate) fn charge(&mut self, looks: usize) {
        let cost = u32::try_from(looks / LOOKS_PER_TRANSITION).unwrap_or(u32::MAX);
        self.transitions = self.transitions.saturating_add(cost);
    }
}
