//! Owns nodes that send several tokens along: to every case that holds, or as many along one edge.
//!
//! Invariant: each token says by which of the node's ways it comes, so that a join can tell edges apart.

use alloc::format;
use alloc::vec::Vec;

use graph::check::THREADS_MAX;
use graph::ir::Case;
use graph::{Expr, Failure, Kind, Next, Node};

use crate::eval::Scope;
use crate::step::Token;
use crate::turn::{Move, RunTurn, Via};

impl RunTurn<'_, '_> {
    /// Every case that holds; without any, the one way that is left.
    pub(crate) fn all_cases(
        &mut self,
        node: &Node,
        cases: &[Case],
        scope: &Scope,
    ) -> Result<Vec<(u32, Next)>, Failure> {
        let mut ways = Vec::new();
        for (way, case) in (0..).zip(cases) {
            if self.holds(case.when.as_ref(), scope)? {
                ways.push((way, case.next));
            }
        }
        if ways.is_empty() {
            ways.push((way_past(node), node.next));
        }
        Ok(ways)
    }

    /// So many tokens along one edge.
    pub(crate) fn threads(
        &mut self,
        count: &Expr,
        next: Next,
        scope: &Scope,
    ) -> Result<Vec<(u32, Next)>, Failure> {
        let value = self.expression(count, scope)?;
        let count = value.as_int().and_then(|count| u32::try_from(count).ok());
        match count.filter(|count| (1..=THREADS_MAX).contains(count)) {
            Some(count) => Ok(alloc::vec![(0, next); count as usize]),
            None => Err(Failure::new(
                "expression",
                format!("the count of tokens must be from 1 to {THREADS_MAX}, not {value}"),
            )),
        }
    }

    pub(crate) fn split(
        &mut self,
        token: &Token,
        node: &Node,
        scope: &Scope,
        ways: &[(u32, Next)],
    ) {
        let (data, context) = match self.shape_output(node, scope, scope.data.clone()) {
            Ok(shaped) => shaped,
            Err(failure) => return self.fail_token(token, failure),
        };
        self.left(token, node, data.clone(), context);
        for (way, next) in ways {
            self.push(Move::Advance {
                frame: token.frame,
                next: *next,
                data: data.clone(),
                via: Some(Via {
                    node: token.node,
                    way: *way,
                }),
            });
        }
    }
}

/// The way of a node that leads to its `next`.
pub(crate) fn way_past(node: &Node) -> u32 {
    let Kind::Split(cases) = &node.kind else {
        return 0;
    };
    let same = cases.iter().position(|case| case.next == node.next);
    u32::try_from(same.unwrap_or(cases.len())).unwrap_or(u32::MAX)
}
