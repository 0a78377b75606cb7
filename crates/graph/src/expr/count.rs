//! Owns the analysis of which nodes give exactly one result; those are evaluated without callbacks.
//!
//! Invariant: a node is only called single if it is: a recursive function is assumed single and the
//! assumption taken back until nothing changes, which is at most once per function.

use alloc::vec;
use alloc::vec::Vec;

use super::function::Special;
use super::node::{Count, Function, Node, NodeId, Part};

/// How many results each node gives.
pub(super) fn counts(nodes: &[Node], functions: &[Function]) -> Vec<Count> {
    let mut bodies = vec![Count::OneIfParameters; functions.len()];
    loop {
        let mut counts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let count = count(node, &counts, &bodies);
            counts.push(count);
        }
        let mut changed = false;
        for (assumed, function) in bodies.iter_mut().zip(functions) {
            if *assumed != Count::Any && counts[function.body as usize] == Count::Any {
                *assumed = Count::Any;
                changed = true;
            }
        }
        if !changed {
            return counts;
        }
    }
}

fn count(node: &Node, known: &[Count], bodies: &[Count]) -> Count {
    let of = |id: NodeId| known[id as usize];
    let all = |ids: &[NodeId]| ids.iter().map(|id| of(*id)).min().unwrap_or(Count::One);
    match node {
        Node::Identity
        | Node::Constant(_)
        | Node::Global(_)
        | Node::Local { .. }
        | Node::Array(_)
        | Node::Convert(_)
        | Node::Update(..) => Count::One,
        Node::Path { base, parts } => parts.iter().fold(of(*base), |least, part| {
            least.min(match part {
                Part::Key(_) => Count::One,
                Part::Index(id) => of(*id),
                Part::Slice(from, to) => from.map_or(Count::One, of).min(to.map_or(Count::One, of)),
                Part::Each => Count::Any,
            })
        }),
        Node::Object(members) => members
            .iter()
            .map(|(key, value)| of(*key).min(of(*value)))
            .min()
            .unwrap_or(Count::One),
        Node::Text { parts, .. } | Node::Strict(_, parts) => all(parts),
        Node::Negate(id) | Node::Assign(_, id) | Node::Modify(_, _, id) => of(*id),
        Node::Math(_, a, b)
        | Node::Compare(_, a, b)
        | Node::And(a, b)
        | Node::Or(a, b)
        | Node::Alternative(a, b)
        | Node::Pipe(a, b)
        | Node::Bind {
            source: a, body: b, ..
        } => of(*a).min(of(*b)),
        Node::If { test, then, or } => of(*test).min(of(*then)).min(of(*or)),
        Node::Reduce { start, .. } => of(*start),
        Node::Call {
            function,
            arguments,
            ..
        } => match bodies[*function as usize] {
            Count::Any => Count::Any,
            _ => all(arguments),
        },
        Node::Parameter { .. } => Count::OneIfParameters,
        Node::Special(Special::Walk, arguments) => all(arguments),
        Node::Special(Special::GetPath, arguments) => all(arguments),
        Node::Comma(_)
        | Node::Try { .. }
        | Node::Foreach { .. }
        | Node::Label(_)
        | Node::Break { .. }
        | Node::Special(..) => Count::Any,
    }
}

/// Whether a program can give a value that is not part of what it was given.
pub(super) fn builds(nodes: &[Node]) -> bool {
    !nodes.iter().all(|node| {
        matches!(
            node,
            Node::Identity
                | Node::Constant(_)
                | Node::Global(_)
                | Node::Local { .. }
                | Node::Path { .. }
                | Node::Compare(..)
                | Node::And(..)
                | Node::Or(..)
                | Node::Alternative(..)
                | Node::Pipe(..)
                | Node::Comma(_)
                | Node::If { .. }
                | Node::Try { .. }
                | Node::Bind { .. }
        )
    })
}
