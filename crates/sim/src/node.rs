//! Owns the running process: a partition, its journal, its read model and what is on the way between them.
//!
//! Invariant: it drives the partition in the order that the real driver keeps: take, turn, append, let
//! out, feed; a crash may come between any two of them, and an append that failed is never repeated.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use engine::driver::view::View;
use engine::partition::{Change, Input, Partition};
use journal::{AppendFault, Epoch, Journal, Position, ReadFault, TrimFault};
use kernel::Time;

/// A process.
pub(crate) struct Node {
    pub(crate) partition: Partition,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) view: View,
    /// What came in and was not taken yet.
    pub(crate) inbox: VecDeque<Input>,
    /// What the read model was given and has not taken in yet.
    pub(crate) feed: VecDeque<Fed>,
    /// The clock shows at least this.
    pub(crate) floor: Time,
    pub(crate) checkpointing: bool,
}

/// What the read model is given.
pub(crate) enum Fed {
    /// The changes of a batch.
    Changes(u64, Vec<Change>),
    /// Finished runs whose retention was over then.
    Purge(Time),
}

/// A journal that does not show its newest record.
pub(crate) struct Shortened(pub(crate) Box<dyn Journal>);

impl Journal for Shortened {
    fn append(&mut self, records: &[&[u8]]) -> Result<Position, AppendFault> {
        self.0.append(records)
    }

    fn end(&self) -> Position {
        self.0.end()
    }

    fn start(&self) -> Position {
        self.0.start()
    }

    fn epoch(&self) -> Epoch {
        self.0.epoch()
    }

    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadFault> {
        let newest = self.0.end();
        self.0.read(from, &mut |position, bytes| {
            if position == newest {
                ControlFlow::Break(())
            } else {
                each(position, bytes)
            }
        })
    }

    fn trim(&mut self, before: Position) -> Result<(), TrimFault> {
        self.0.trim(before)
    }
}
