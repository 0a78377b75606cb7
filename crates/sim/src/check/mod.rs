//! The invariants, one file each: what is looked at, and what must hold.
//!
//! Cheap ones look at every event as it becomes durable, dear ones at the whole after a recovery.

pub(crate) mod acknowledged;
pub(crate) mod claims;
pub(crate) mod durable;
pub(crate) mod finished;
pub(crate) mod locks;
pub(crate) mod numbers;
pub(crate) mod replay;
pub(crate) mod steps;
pub(crate) mod timers;
