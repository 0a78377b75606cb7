//! Owns the merge: a join that waits for exactly the tokens that can still come.
//!
//! Whether a token can come follows from the graph alone: from where it is, edges lead to the merge.
//! Merges are looked at when nothing moves in the run. Invariant: none waits for ever. A merge does not
//! wait for a token that itself waits at a join or merge which lies behind this merge; so of two merges that
//! can reach each other neither waits for the other, and waiting never goes round in a circle.

use alloc::vec::Vec;

use graph::Kind;
use graph::value::Value;

use crate::eval::Scope;
use crate::event::{JoinReset, RunEvent};
use crate::id::FrameId;
use crate::state::{Frame, Phase, Step};
use crate::step::Token;
use crate::turn::{Move, RunTurn};

impl RunTurn<'_, '_> {
    /// Lets a merge go on that nothing can come to any more; says whether something moves again. Only where
    /// something has moved in this turn can that be news.
    pub(crate) fn merge_at_rest(&mut self) -> bool {
        while let Some(frame) = self.stirred.first().copied() {
            match self.ready_merge(frame) {
                Some(Some(node)) => self.let_merge_go(frame, node),
                Some(None) => self.push(Move::Close {
                    frame,
                    data: Value::Null,
                }),
                None => {
                    self.stirred.remove(&frame);
                    continue;
                }
            }
            return true;
        }
        false
    }

    /// The merge of a frame that can go on; none but the end of the frame, if merges wait there for nothing.
    fn ready_merge(&self, frame: FrameId) -> Option<Option<u32>> {
        let frames = &self.state().frames;
        let open = frames.get(&frame).filter(|open| open.ending.is_none())?;
        let mut merges = open.joins.keys().filter(|node| self.is_merge(**node));
        let ready = merges.find(|node| !self.can_still_come(open, **node));
        // With nothing else in the frame a merge that is not ready waits behind a join that starves.
        let is_stuck = self.holds_merge(open) && open.steps.is_empty();
        (ready.is_some() || is_stuck).then_some(ready.copied())
    }

    pub(crate) fn let_merge_go(&mut self, frame: FrameId, index: u32) {
        let open = self.state().frames.get(&frame);
        let arrived = open.and_then(|open| open.joins.get(&index));
        let data = Value::array(arrived.map_or_else(Default::default, |held| held.data.clone()));
        self.emit(RunEvent::JoinReset(JoinReset {
            frame,
            node: index,
            kept: Vec::new(),
        }));
        let definition = self.definition();
        let Some(node) = definition.node(index) else {
            return;
        };
        let scope = Scope {
            input: Some(data.clone()),
            ..Scope::of_node(frame, index, data.clone())
        };
        let merged = Token::at(frame, index, Value::Null);
        self.finish(&merged, node, &scope, data, None);
    }

    /// Whether a token that waits elsewhere in the frame can still come to a merge.
    fn can_still_come(&self, open: &Frame, merge: u32) -> bool {
        let definition = self.definition();
        let leads = |from: u32, to: u32| definition.leads(from, to);
        let steps = open
            .steps
            .iter()
            .filter_map(|step| self.state().step(*step));
        let mut at_work = steps.filter(|step| !has_gone_on(step));
        at_work.any(|step| step.node == merge || leads(step.node, merge))
            || open.joins.iter().any(|(other, arrived)| {
                *other != merge
                    && self.is_starved(*other, arrived)
                    && leads(*other, merge)
                    && !leads(merge, *other)
            })
    }

    fn is_merge(&self, node: u32) -> bool {
        let definition = self.definition();
        let kind = definition.node(node).map(|node| &node.kind);
        matches!(kind, Some(Kind::Merge))
    }

    /// Whether tokens wait at a merge of this frame.
    pub(crate) fn holds_merge(&self, open: &Frame) -> bool {
        open.joins.keys().any(|node| self.is_merge(*node))
    }
}

/// Whether a step's token has left it already: a fork that let it go on before its last branches ended.
pub(crate) fn has_gone_on(step: &Step) -> bool {
    let released = |phase, has_result: bool| phase == Phase::Leftover && !has_result;
    step.region()
        .is_some_and(|region| released(region.phase, region.result.is_some()))
}
