//! Owns the withdrawal of steps by another step of their run: a cancel region, or work that is cut short.
//!
//! Invariant: what is withdrawn cleans up after itself before it is gone, and a body whose last token was
//! withdrawn ends. A node means its steps in the frames around the token that withdraws, never those of another
//! round, element or branch.

use alloc::vec::Vec;

use graph::ir::{Losers, Withdraw};
use graph::{Kind, NodeIndex};

use crate::event::{JoinReset, RunEvent};
use crate::id::{FrameId, StepId};
use crate::state::{Activity, Phase};
use crate::turn::RunTurn;

/// Steps looked at that cost a turn as much as one transition.
pub(crate) const LOOKS_PER_TRANSITION: usize = 100;

impl RunTurn<'_, '_> {
    /// Ends what goes on at these nodes, as seen from a frame.
    pub(crate) fn withdraw_nodes(&mut self, frame: FrameId, withdraw: &Withdraw) {
        for (around, nodes) in self.frames_of(frame, &withdraw.nodes) {
            let Some(open) = self.state().frames.get(&around) else {
                continue;
            };
            let is_meant = |id: &StepId| {
                let step = self.state().step(*id);
                step.is_some_and(|step| nodes.contains(&step.node) && !step.withdrawing)
            };
            let steps: Vec<StepId> = open.steps.iter().copied().filter(is_meant).collect();
            let held = nodes.iter().filter(|node| open.joins.contains_key(node));
            let held: Vec<u32> = held.copied().collect();
            self.charge(open.steps.len() + LOOKS_PER_TRANSITION * steps.len());
            for node in held {
                self.end_wait(around, node, withdraw.complete);
            }
            for step in steps {
                match withdraw.complete {
                    true => self.cut_short(step),
                    false => self.withdraw(step),
                }
            }
        }
    }

    /// The frame itself and those around it that nodes belong to, each with its nodes.
    pub(crate) fn frames_of(
        &self,
        frame: FrameId,
        nodes: &[NodeIndex],
    ) -> Vec<(FrameId, Vec<u32>)> {
        let definition = self.definition();
        let mut found = Vec::new();
        let mut at = Some(frame);
        while let Some(id) = at
            && let Some(open) = self.state().frames.get(&id)
        {
            let is_here = |index: &&NodeIndex| {
                let node = definition.node(index.0);
                node.is_some_and(|node| node.body.0 == open.body)
            };
            let here: Vec<u32> = nodes.iter().filter(is_here).map(|node| node.0).collect();
            if !here.is_empty() {
                found.push((id, here));
            }
            let owner = open.owner.and_then(|owner| self.state().step(owner));
            at = owner.map(|owner| owner.frame);
        }
        found
    }

    /// The tokens that wait at a join or merge go on with what has come, or are gone.
    fn end_wait(&mut self, frame: FrameId, node: u32, completes: bool) {
        if completes {
            return self.let_merge_go(frame, node);
        }
        self.emit(RunEvent::JoinReset(JoinReset {
            frame,
            node,
            kept: Vec::new(),
        }));
        self.close_if_over(frame);
    }

    /// A step goes on as if its work were done: with the outputs that it has, or with what came in.
    fn cut_short(&mut self, id: StepId) {
        let Some(step) = self.state().step(id) else {
            return;
        };
        if !matches!(step.activity, Activity::Region(_)) {
            self.cancel_child(id);
            return self.complete_wait(id);
        }
        let Some((region, node)) = self.region_of(id) else {
            return;
        };
        let gathers = match &node.kind {
            Kind::ForEach(for_each) => for_each.collect,
            Kind::Fork(fork) => !fork.first,
            _ => false,
        };
        match region.phase {
            // It is on its way out.
            Phase::Finally | Phase::Undo => {}
            Phase::Leftover => self.withdraw_frames(id),
            Phase::Body | Phase::Catch | Phase::Backoff if gathers => {
                let output = self.collected(id);
                self.conclude(id, Losers::Cancel, output);
            }
            Phase::Body | Phase::Catch | Phase::Backoff => {
                self.conclude(id, Losers::Cancel, region.data);
            }
        }
    }
}
