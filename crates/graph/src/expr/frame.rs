//! Owns the frames of an evaluation: variables, parameters and labels, linked from inner to outer.
//!
//! Invariant: frames live on the native stack and are never copied; the compiler counted them, so a
//! number of hops always leads to the right one.

use alloc::vec::Vec;

use super::node::NodeId;
use crate::value::Value;

/// One frame and all outside it.
pub(super) enum Frame<'f> {
    /// Outside everything.
    Outermost,
    /// One variable.
    Variable(Value, &'f Frame<'f>),
    /// The variables of a pattern.
    Variables(Vec<Value>, &'f Frame<'f>),
    /// The parameters of a function.
    Parameters(Vec<Closure<'f>>, &'f Frame<'f>),
    /// A label, by its number.
    Label(u32, &'f Frame<'f>),
}

/// An argument: an expression and the frames it was written in.
#[derive(Clone, Copy)]
pub(super) struct Closure<'f> {
    pub(super) node: NodeId,
    pub(super) frame: &'f Frame<'f>,
}

impl<'f> Frame<'f> {
    /// The frame so many hops outside.
    pub(super) fn up(&'f self, hops: u32) -> &'f Frame<'f> {
        let mut frame = self;
        for _ in 0..hops {
            frame = match frame {
                Frame::Outermost => unreachable!("hops are counted by the compiler"),
                Frame::Variable(_, up)
                | Frame::Variables(_, up)
                | Frame::Parameters(_, up)
                | Frame::Label(_, up) => up,
            };
        }
        frame
    }

    /// A variable.
    pub(super) fn variable(&'f self, hops: u32, index: u32) -> &'f Value {
        match self.up(hops) {
            Frame::Variable(value, _) => value,
            Frame::Variables(values, _) => &values[index as usize],
            _ => unreachable!("the compiler resolved a variable here"),
        }
    }

    /// A parameter.
    pub(super) fn parameter(&'f self, hops: u32, index: u32) -> Closure<'f> {
        match self.up(hops) {
            Frame::Parameters(closures, _) => closures[index as usize],
            _ => unreachable!("the compiler resolved a parameter here"),
        }
    }

    /// The number of a label.
    pub(super) fn label(&'f self, hops: u32) -> u32 {
        match self.up(hops) {
            Frame::Label(label, _) => *label,
            _ => unreachable!("the compiler resolved a label here"),
        }
    }
}
