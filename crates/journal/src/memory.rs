//! A journal that keeps its records in memory: for tests and for runs that need no durability.
//!
//! Same contract as a durable one, except that nothing outlives the value.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::{AppendFault, Epoch, Journal, Position, ReadFault, TrimFault};

/// Records in memory. Its epoch is always 1.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    records: VecDeque<Box<[u8]>>,
    trimmed: u64,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, records: &[&[u8]]) -> Result<Position, AppendFault> {
        self.records
            .extend(records.iter().map(|&record| Box::from(record)));
        Ok(self.end())
    }

    fn end(&self) -> Position {
        Position(self.trimmed + self.records.len() as u64)
    }

    fn start(&self) -> Position {
        Position(self.trimmed + 1)
    }

    fn epoch(&self) -> Epoch {
        Epoch(1)
    }

    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadFault> {
        let from = from.max(Position(1));
        if from < self.start() {
            return Err(ReadFault::Trimmed {
                from,
                start: self.start(),
            });
        }
        let skip = usize::try_from(from.0 - self.start().0).unwrap_or(usize::MAX);
        for (position, record) in (from.0..).zip(self.records.iter().skip(skip)) {
            if each(Position(position), record).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn trim(&mut self, before: Position) -> Result<(), TrimFault> {
        while self.start() < before && self.records.pop_front().is_some() {
            self.trimmed += 1;
        }
        Ok(())
    }
}
