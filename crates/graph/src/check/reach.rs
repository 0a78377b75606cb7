//! Owns [`unreachable`]: the nodes that no token ever comes to.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::nexts;
use crate::ir::{Graph, Next, Node, NodeIndex};

/// The nodes to which no way leads from the start of their body. All of a body that has no start.
#[must_use]
pub fn unreachable(graph: &Graph) -> Vec<&Node> {
    let mut seen = vec![false; graph.nodes.len()];
    let mut todo: Vec<NodeIndex> = graph.bodies.iter().filter_map(|body| body.first).collect();
    while let Some(index) = todo.pop() {
        if !core::mem::replace(&mut seen[index.0 as usize], true) {
            let to_node = |next| match next {
                Next::Node(to) => Some(to),
                _ => None,
            };
            let node = &graph.nodes[index.0 as usize];
            todo.extend(nexts(node).into_iter().filter_map(to_node));
        }
    }
    let unseen = graph.nodes.iter().zip(seen).filter(|(_, seen)| !seen);
    unseen.map(|(node, _)| node).collect()
}

/// What to say of such a node.
#[must_use]
pub fn unreachable_message(node: &Node) -> String {
    alloc::format!(
        "the task {:?} can never be reached; let a `then` or an edge lead to it, or remove it",
        node.name
    )
}
