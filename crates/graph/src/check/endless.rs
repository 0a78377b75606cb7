//! Owns [`endless`]: the tasks from which no way leads out of their list.
//!
//! That is sound, since a run may mean to go on for ever; but more often a jump was forgotten.

use alloc::vec;
use alloc::vec::Vec;

use super::{nexts, owned};
use crate::ir::{Graph, Kind, Next, Node};

/// Of each body in which tasks go round for ever unless they fail, the first such task. A way out is the end of the
/// list or of the run, and raising an error, also from within.
#[must_use]
pub fn endless(graph: &Graph) -> Vec<&Node> {
    let mut owners = vec![None; graph.bodies.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        for body in owned(node) {
            owners[body.0 as usize] = Some(index);
        }
    }
    let mut leaves = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let nexts = nexts(node);
        leaves[index] |= nexts.contains(&Next::Exit);
        let mut escaping =
            (matches!(node.kind, Kind::Raise(_)) || nexts.contains(&Next::End)).then_some(index);
        while let Some(at) = escaping {
            leaves[at] = true;
            escaping = owners[graph.nodes[at].body.0 as usize];
        }
    }
    let mut before = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        for next in nexts(node) {
            if let Next::Node(to) = next {
                before[to.0 as usize].push(index);
            }
        }
    }
    let mut todo: Vec<usize> = (0..leaves.len()).filter(|index| leaves[*index]).collect();
    while let Some(index) = todo.pop() {
        for from in &before[index] {
            if !core::mem::replace(&mut leaves[*from], true) {
                todo.push(*from);
            }
        }
    }
    let mut told = vec![false; graph.bodies.len()];
    let stuck = graph.nodes.iter().zip(leaves).filter(|(_, leaves)| !leaves);
    stuck
        .filter(|(node, _)| !core::mem::replace(&mut told[node.body.0 as usize], true))
        .map(|(node, _)| node)
        .collect()
}
