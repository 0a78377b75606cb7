//! Owns [`Budget`]: what one evaluation may still spend, in steps, bytes and native recursion.
//!
//! Invariant: a charge is made before the work, so that nothing is allocated or visited that was not
//! paid for; a spent budget stays spent, and no expression can catch that.
//! The counters are cells because nested callbacks charge the same budget.

use core::cell::Cell;

use super::error::Stop;

/// How many steps one evaluation may take (about 10 ms of work).
pub const STEPS_MAX: u64 = 250_000;

/// How many bytes one evaluation may allocate in total; what it frees is not given back.
pub const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How deep calls, pipes and operators may nest while running. A level costs up to
/// 2.5 KiB of native stack in an unoptimised build; the whole must fit a stack of 512 KiB.
pub const DEPTH_MAX: u32 = 120;

/// Cheap work (one element compared, one character looked at) that counts as one step.
const WORK_PER_STEP: u64 = 8;

/// What an evaluation may still spend. One budget may serve several evaluations in a row.
#[derive(Clone, Debug)]
pub struct Budget {
    work: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<u32>,
    labels: Cell<u32>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(STEPS_MAX, BYTES_MAX)
    }
}

impl Budget {
    /// A budget of `steps` evaluation steps and `bytes` allocated bytes.
    pub fn new(steps: u64, bytes: u64) -> Budget {
        Budget {
            work: Cell::new(steps.saturating_mul(WORK_PER_STEP)),
            bytes: Cell::new(bytes),
            depth: Cell::new(0),
            labels: Cell::new(0),
        }
    }

    /// Steps that are left.
    pub fn steps(&self) -> u64 {
        self.work.get() / WORK_PER_STEP
    }

    /// Bytes that are left.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Charges one step.
    pub(crate) fn step(&self) -> Result<(), Stop> {
        self.work(WORK_PER_STEP)
    }

    /// Charges cheap work, in elements or characters looked at.
    pub(crate) fn work(&self, units: u64) -> Result<(), Stop> {
        match self.work.get().checked_sub(units) {
            Some(left) => {
                self.work.set(left);
                Ok(())
            }
            None => {
                self.work.set(0);
                Err(Stop::budget("the expression takes too many steps"))
            }
        }
    }

    /// Charges an allocation.
    pub(crate) fn alloc(&self, bytes: usize) -> Result<(), Stop> {
        match self.bytes.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => {
                self.bytes.set(0);
                Err(Stop::budget("the expression needs too much memory"))
            }
        }
    }

    /// Goes one level down until the guard is dropped.
    pub(super) fn descend(&self) -> Result<Level<'_>, Stop> {
        let depth = self.depth.get() + 1;
        if depth > DEPTH_MAX {
            return Err(Stop::budget(
                "the expression recurses too deep\nuse `reduce`, `recurse` or `until`, or end a function without arguments in its own call",
            ));
        }
        self.depth.set(depth);
        Ok(Level(&self.depth))
    }

    /// A number that no other label of this evaluation has.
    pub(super) fn label(&self) -> u32 {
        let label = self.labels.get();
        self.labels.set(label.wrapping_add(1));
        label
    }
}

/// One level of nesting; ends when dropped.
pub(super) struct Level<'b>(&'b Cell<u32>);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
