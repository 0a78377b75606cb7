//! Owns the assignments: `=`, `|=`, `+=` and their like.
//!
//! Invariant: all paths are found before the first change, on the value as it was; then each place is
//! changed in place where the value is owned.

use alloc::vec::Vec;

use super::access::{self, ARRAY_BYTES};
use super::error::{Flow, Stop};
use super::eval::Eval;
use super::focus::Tracked;
use super::frame::Frame;
use super::node::{Node, NodeId};
use super::stream::Out;
use super::{math, order};
use crate::value::Value;

impl Eval<'_> {
    /// An assignment with one result.
    pub(super) fn assign_one(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: Value,
    ) -> Result<Value, Stop> {
        match self.node(id) {
            Node::Assign(_, value) | Node::Modify(_, _, value) => {
                let value = self.one(*value, frame, &input)?;
                self.assign_value(id, frame, input, &value)
            }
            _ => self.assign_value(id, frame, input, &Value::Null),
        }
    }

    /// An assignment for each result of its right side.
    pub(super) fn each_assign(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: &Value,
        out: Out<'_, Value>,
    ) -> Flow {
        let (Node::Assign(_, value) | Node::Modify(_, _, value)) = self.node(id) else {
            unreachable!("all other nodes are single or have their own arm")
        };
        self.each(*value, frame, input.clone(), &mut |value: Value| {
            out(self.assign_value(id, frame, input.clone(), &value)?)
        })
    }

    fn assign_value(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: Value,
        value: &Value,
    ) -> Result<Value, Stop> {
        let _level = self.budget.descend()?;
        match self.node(id) {
            Node::Assign(place, _) => {
                self.change(*place, frame, input, &mut |_| Ok(Some(value.clone())))
            }
            Node::Modify(Some(operation), place, _) => {
                self.change(*place, frame, input, &mut |before| {
                    math::apply(*operation, before, value, self.budget).map(Some)
                })
            }
            Node::Modify(None, place, _) => self.change(*place, frame, input, &mut |before| {
                Ok(Some(if before.is_true() {
                    before
                } else {
                    value.clone()
                }))
            }),
            Node::Update(place, update) => self.change(*place, frame, input, &mut |before| {
                self.first(*update, frame, before)
            }),
            _ => unreachable!("only called for assignments"),
        }
    }

    fn first(&self, id: NodeId, frame: &Frame<'_>, input: Value) -> Result<Option<Value>, Stop> {
        if self.is_single(id) {
            return self.take(id, frame, input).map(Some);
        }
        let label = self.budget.label();
        let mut first = None;
        let flow = self.each(id, frame, input, &mut |value: Value| {
            first = Some(value);
            Err(Stop::Break(label))
        });
        match flow {
            Err(Stop::Break(to)) if to == label => Ok(first),
            Err(stop) => Err(stop),
            Ok(()) => Ok(first),
        }
    }

    /// Changes each place; a change to nothing removes it.
    fn change(
        &self,
        place: NodeId,
        frame: &Frame<'_>,
        input: Value,
        change: &mut dyn FnMut(Value) -> Result<Option<Value>, Stop>,
    ) -> Result<Value, Stop> {
        let mut paths: Vec<Vec<Value>> = Vec::new();
        self.each(
            place,
            frame,
            Tracked::root(input.clone()),
            &mut |at: Tracked| {
                self.budget.alloc((at.length() + 1) * ARRAY_BYTES)?;
                paths.push(at.path());
                Ok(())
            },
        )?;
        let mut value = input;
        let mut removed = Vec::new();
        for path in paths {
            let mut gone = false;
            access::update(&mut value, &path, self.budget, &mut |at| {
                match change(core::mem::take(at))? {
                    Some(after) => {
                        order::wrap(&after, path.len().max(1), self.budget)?;
                        *at = after;
                    }
                    None => gone = true,
                }
                Ok(())
            })?;
            if gone {
                removed.push(Value::array(path));
            }
        }
        if !removed.is_empty() {
            access::delete_all(&mut value, removed, self.budget)?;
        }
        Ok(value)
    }
}
