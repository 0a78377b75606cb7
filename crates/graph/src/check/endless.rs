//! Owns [`endless`]: the tasks from which no way leads out of their list.
//!
//! That is sound, since a run may mean to go on for ever; but more often a jump was forgotten. Invariant: what is said
//! to spin does: nothing in it or around it takes time, ends it early or catches a failure.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use super::{nexts, owned};
use crate::ir::{Graph, Kind, Next, Node, NodeIndex};

/// A task from which no way leads out of its list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Endless<'g> {
    /// The task.
    pub node: &'g Node,
    /// Whether it is certain that a run that comes here goes round, without a pause, until it fails.
    pub spins: bool,
}

/// Of each body in which tasks go round for ever unless they fail, the first such task. A way out is the end of the
/// list or of the run, and raising an error, also from within. Nodes that are `open` may do anything.
#[must_use]
pub fn endless<'g>(graph: &'g Graph, open: &BTreeSet<NodeIndex>) -> Vec<Endless<'g>> {
    let owners = owners(graph);
    let leaves = leaving(graph, &owners, open);
    let slow = slow(graph, &owners);
    let splits = |node: &Node| matches!(node.kind, Kind::Split(_) | Kind::Threads(_));
    let is_single = graph.timeout.is_none() && !graph.nodes.iter().any(splits);
    let mut told = vec![false; graph.bodies.len()];
    let stuck = (0..graph.nodes.len()).filter(|index| !leaves[*index]);
    stuck
        .filter(|index| {
            let body = graph.nodes[*index].body.0 as usize;
            !core::mem::replace(&mut told[body], true)
        })
        .map(|index| Endless {
            node: &graph.nodes[index],
            spins: is_single
                && is_quick(graph, index, &slow)
                && is_left_alone(graph, index, &owners),
        })
        .collect()
}

/// For each body the node that opens it.
fn owners(graph: &Graph) -> Vec<Option<usize>> {
    let mut owners = vec![None; graph.bodies.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        for body in owned(node) {
            owners[body.0 as usize] = Some(index);
        }
    }
    owners
}

/// Marks a node and all that it stands in; those marked already have theirs.
fn mark_around(graph: &Graph, owners: &[Option<usize>], node: usize, marked: &mut [bool]) {
    let mut around = Some(node);
    while let Some(at) = around {
        if core::mem::replace(&mut marked[at], true) {
            return;
        }
        around = owners[graph.nodes[at].body.0 as usize];
    }
}

/// Which nodes a token can come from out of their list.
fn leaving(graph: &Graph, owners: &[Option<usize>], open: &BTreeSet<NodeIndex>) -> Vec<bool> {
    let mut leaves = vec![false; graph.nodes.len()];
    let mut before = vec![Vec::new(); graph.nodes.len()];
    for (number, node) in (0_u32..).zip(&graph.nodes) {
        let (index, nexts) = (number as usize, nexts(node));
        if matches!(node.kind, Kind::Raise(_))
            || nexts.contains(&Next::End)
            || open.contains(&NodeIndex(number))
        {
            mark_around(graph, owners, index, &mut leaves);
        }
        for next in nexts {
            if let Next::Node(to) = next {
                before[to.0 as usize].push(index);
            }
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        leaves[index] |= nexts(node).contains(&Next::Exit);
    }
    let mut todo: Vec<usize> = (0..leaves.len()).filter(|index| leaves[*index]).collect();
    while let Some(index) = todo.pop() {
        for from in &before[index] {
            if !core::mem::replace(&mut leaves[*from], true) {
                todo.push(*from);
            }
        }
    }
    leaves
}

/// Which nodes take time, or may be cut off; also within.
fn slow(graph: &Graph, owners: &[Option<usize>]) -> Vec<bool> {
    let mut slow = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let is_quick = match &node.kind {
            Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Raise(_)
            | Kind::Emit(_)
            | Kind::Do(_)
            | Kind::Saga(_)
            | Kind::Loop(_)
            | Kind::Fork(_) => true,
            Kind::ForEach(each) => each.more.is_none(),
            Kind::Try(body) => body.catch.iter().all(|catch| catch.retry.is_none()),
            _ => false,
        };
        if !is_quick || node.timeout.is_some() {
            mark_around(graph, owners, index, &mut slow);
        }
    }
    slow
}

/// Whether nothing takes time wherever a token may come to from here.
fn is_quick(graph: &Graph, from: usize, slow: &[bool]) -> bool {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(index) = todo.pop() {
        if slow[index] {
            return false;
        }
        if seen.insert(index) {
            let to_node = |next| match next {
                Next::Node(to) => Some(to.0 as usize),
                _ => None,
            };
            todo.extend(nexts(&graph.nodes[index]).into_iter().filter_map(to_node));
        }
    }
    true
}

/// Whether nothing around a node ends it early, goes on beside it, or catches its failures.
fn is_left_alone(graph: &Graph, node: usize, owners: &[Option<usize>]) -> bool {
    let mut around = owners[graph.nodes[node].body.0 as usize];
    while let Some(at) = around {
        let owner = &graph.nodes[at];
        let is_plain = match &owner.kind {
            Kind::Do(_) | Kind::Saga(_) | Kind::Loop(_) | Kind::Lock(_) => true,
            Kind::ForEach(each) => !each.collect,
            _ => false,
        };
        if !is_plain || owner.timeout.is_some() {
            return false;
        }
        around = owners[owner.body.0 as usize];
    }
    true
}
