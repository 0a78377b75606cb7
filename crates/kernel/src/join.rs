//! Owns the join: tokens that wait for others, and how many of them make a cycle.
//!
//! Invariants: each token that comes counts once, in one cycle; a cycle lets at most one token go; a cycle that
//! can never have enough fails the body instead of vanishing. A merge holds tokens here too, but when it lets them go
//! follows from the graph.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use graph::ir::{Join, JoinBy, Need};
use graph::value::Value;
use graph::{Failure, Kind, Node};

use crate::eval::Scope;
use crate::event::{JoinReset, RunEvent, StepOnly, TokenJoined};
use crate::limits::JOIN_TOKENS_MAX;
use crate::state::{Arrivals, Run};
use crate::step::Token;
use crate::turn::RunTurn;

/// What the tokens at a join amount to.
struct Cycle {
    /// The data that goes on now.
    goes: Option<Vec<Value>>,
    /// Set when the cycle is over: which arrivals stay for the next.
    kept: Option<Vec<u32>>,
}

impl RunTurn<'_, '_> {
    /// A token comes to a join, or without one to a merge.
    pub(crate) fn join(&mut self, token: &Token, node: &Node, scope: &Scope, join: Option<Join>) {
        let (frame, index) = (token.frame, token.node);
        if let Some(step) = token.step {
            // It was held back on its way in; from here on the join's own count stands for it.
            self.emit(RunEvent::StepCancelled(StepOnly { step }));
        }
        let held = self.arrived(token).map_or(0, |arrived| arrived.data.len());
        if held >= JOIN_TOKENS_MAX {
            let text = format!("more than {JOIN_TOKENS_MAX} tokens wait here");
            return self.fail_token(
                &Token {
                    step: None,
                    ..token.clone()
                },
                Failure::new("runtime", text),
            );
        }
        self.emit(RunEvent::TokenJoined(TokenJoined {
            frame,
            node: index,
            data: scope.data.clone(),
            edge: token.edge,
        }));
        // What becomes of it at a merge is seen when nothing moves.
        let Some(join) = join else { return };
        let incoming = self.definition().incoming(index);
        let (mut has_gone, mut is_first) = (false, true);
        while let Some(arrived) = self.arrived(token) {
            let Cycle { goes, kept } = cycle(join, incoming, arrived, is_first);
            is_first = false;
            let is_over = kept.is_some();
            if let Some(kept) = kept {
                self.emit(RunEvent::JoinReset(JoinReset {
                    frame,
                    node: index,
                    kept,
                }));
            }
            if let Some(data) = goes {
                has_gone = true;
                let joined = Token::at(frame, index, Value::Null);
                self.finish(&joined, node, scope, Value::array(data), None);
            }
            if !is_over {
                break;
            }
        }
        if !has_gone {
            self.close_if_done(frame);
        }
    }

    /// The tokens that wait where this one comes to.
    fn arrived(&self, token: &Token) -> Option<&Arrivals> {
        let open = self.state().frames.get(&token.frame)?;
        open.joins.get(&token.node)
    }

    /// Whether a join has tokens but never had enough in this cycle; a merge with tokens has not gone on yet.
    pub(crate) fn is_starved(&self, node: u32, arrived: &Arrivals) -> bool {
        let definition = self.definition();
        match definition.node(node).map(|node| &node.kind) {
            Some(Kind::Join(join)) => {
                let counted = match join.by {
                    JoinBy::Edges => firsts(arrived).len(),
                    JoinBy::Tokens | JoinBy::Threads => arrived.data.len(),
                };
                counted < needed(*join, definition.incoming(node))
            }
            Some(Kind::Merge) => true,
            _ => false,
        }
    }
}

/// How many must have come before one goes on.
fn needed(join: Join, incoming: usize) -> usize {
    match (join.need, join.by) {
        (Need::All, _) => incoming,
        (Need::Count(count), JoinBy::Threads) => count as usize,
        (Need::Count(count), JoinBy::Tokens | JoinBy::Edges) => (count as usize).min(incoming),
    }
}

/// What follows from the tokens that are there. `is_first` says that the last of them has just come; else
/// they are what an older cycle has left.
fn cycle(join: Join, incoming: usize, arrived: &Arrivals, is_first: bool) -> Cycle {
    let (need, count) = (needed(join, incoming), arrived.data.len());
    if join.by != JoinBy::Edges {
        let length = match join.by {
            JoinBy::Threads => need,
            JoinBy::Tokens | JoinBy::Edges => incoming,
        };
        return Cycle {
            goes: (count == need).then(|| arrived.data.clone()),
            kept: (count == length).then(Vec::new),
        };
    }
    let firsts = firsts(arrived);
    let is_in = |place: &usize| firsts.contains(place);
    let has_enough = match is_first {
        true => firsts.len() == need && count.checked_sub(1).is_some_and(|last| is_in(&last)),
        false => firsts.len() >= need,
    };
    let data = |place: &usize| arrived.data.get(*place).cloned().unwrap_or_default();
    let rest = (0..count).filter(|place| !is_in(place));
    Cycle {
        goes: has_enough.then(|| firsts.iter().take(need).map(data).collect()),
        kept: (firsts.len() == incoming)
            .then(|| rest.filter_map(|place| u32::try_from(place).ok()).collect()),
    }
}

/// The places of the arrivals that belong to this cycle: the first by each edge.
fn firsts(arrived: &Arrivals) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let places = arrived.edges.iter().enumerate();
    let first = places.filter(|(_, edge)| seen.insert(**edge));
    first.map(|(place, _)| place).collect()
}

impl Run {
    pub(crate) fn apply_token_joined(&mut self, joined: &TokenJoined) {
        if let Some(frame) = self.frames.get_mut(&joined.frame) {
            let empty = || Arrivals {
                data: Vec::new(),
                edges: Vec::new(),
            };
            let arrived = frame.joins.entry(joined.node).or_insert_with(empty);
            arrived.data.push(joined.data.clone());
            arrived.edges.extend(joined.edge);
        }
    }

    pub(crate) fn apply_join_reset(&mut self, reset: &JoinReset) {
        let Some(frame) = self.frames.get_mut(&reset.frame) else {
            return;
        };
        let Some(arrived) = frame.joins.remove(&reset.node) else {
            return;
        };
        if reset.kept.is_empty() {
            return;
        }
        let places = || reset.kept.iter().map(|place| *place as usize);
        let kept = Arrivals {
            data: places()
                .filter_map(|at| arrived.data.get(at).cloned())
                .collect(),
            edges: places()
                .filter_map(|at| arrived.edges.get(at).copied())
                .collect(),
        };
        frame.joins.insert(reset.node, kept);
    }
}
