//! Owns what flows through an evaluation: a value alone, or a value with the path that leads to it.
//!
//! Invariant: with a path, only what was reached from the input may flow on; anything computed is an
//! error. So `path(f)` and the assignments use the same evaluator as everything else.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::error::Stop;
use super::order;
use crate::value::{DEPTH_MAX, Value};

/// Something that an expression is applied to.
pub(super) trait Focus: Clone {
    /// Whether paths are kept.
    const TRACKS: bool;

    /// The value looked at.
    fn value(&self) -> &Value;

    /// The value alone.
    fn into_value(self) -> Value;

    /// A part of this value, reached by a key.
    fn part(&self, key: &dyn Fn() -> Value, value: Value) -> Result<Self, Stop>;

    /// A value that is not part of anything.
    fn computed(value: Value) -> Result<Self, Stop>;
}

impl Focus for Value {
    const TRACKS: bool = false;

    fn value(&self) -> &Value {
        self
    }

    fn into_value(self) -> Value {
        self
    }

    fn part(&self, _: &dyn Fn() -> Value, value: Value) -> Result<Value, Stop> {
        Ok(value)
    }

    fn computed(value: Value) -> Result<Value, Stop> {
        Ok(value)
    }
}

/// A value and the keys that lead to it, the last key first.
#[derive(Clone)]
pub(super) struct Tracked {
    trail: Option<Rc<Link>>,
    value: Value,
}

struct Link {
    up: Option<Rc<Link>>,
    key: Value,
    length: usize,
}

impl Tracked {
    /// The start of all paths.
    pub(super) fn root(value: Value) -> Tracked {
        Tracked { trail: None, value }
    }

    /// How many keys lead here.
    pub(super) fn length(&self) -> usize {
        self.trail.as_ref().map_or(0, |link| link.length)
    }

    /// The keys that lead here.
    pub(super) fn path(&self) -> Vec<Value> {
        let mut keys = Vec::with_capacity(self.length());
        let mut link = self.trail.as_deref();
        while let Some(Link { up, key, .. }) = link {
            keys.push(key.clone());
            link = up.as_deref();
        }
        keys.reverse();
        keys
    }
}

impl Focus for Tracked {
    const TRACKS: bool = true;

    fn value(&self) -> &Value {
        &self.value
    }

    fn into_value(self) -> Value {
        self.value
    }

    fn part(&self, key: &dyn Fn() -> Value, value: Value) -> Result<Tracked, Stop> {
        let length = self.length() + 1;
        if length > DEPTH_MAX {
            return Err(Stop::failed(format!(
                "the path is longer than {DEPTH_MAX} steps"
            )));
        }
        let link = Link {
            up: self.trail.clone(),
            key: key(),
            length,
        };
        Ok(Tracked {
            trail: Some(Rc::new(link)),
            value,
        })
    }

    fn computed(value: Value) -> Result<Tracked, Stop> {
        Err(Stop::failed(format!(
            "{} is computed, so there is no path to it\nonly paths like `.a[0]` can be assigned to",
            order::shown(&value)
        )))
    }
}
