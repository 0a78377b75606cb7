//! Owns the store of the simulated machine and what a crash leaves of it.
//!
//! Invariant: as with the real one, a crash keeps every batch up to the last sync and any number of those
//! after it, in their order. The tables live in memory; what is on disk is a copy of them, taken at a sync
//! and now and then in between.

use std::ops::{Bound, ControlFlow};

use engine::driver::view::TABLES;
use store::{Batch, Direction, Store, TableId};

use crate::random::Random;

/// The tables at one moment.
#[derive(Clone, Default)]
struct Copy {
    position: u64,
    records: Vec<(TableId, Vec<u8>, Vec<u8>)>,
}

/// The store, and what of it is on disk.
pub(crate) struct Cellar {
    store: Store,
    synced: Copy,
    /// A moment after the last sync that a crash may leave.
    later: Option<Copy>,
}

impl Cellar {
    pub(crate) fn new() -> Cellar {
        Cellar {
            store: Store::memory(&TABLES),
            synced: Copy::default(),
            later: None,
        }
    }

    pub(crate) fn store(&self) -> Store {
        self.store.clone()
    }

    /// A batch was applied.
    pub(crate) fn applied(&mut self, random: &mut Random) {
        if random.percent(25) {
            self.later = Some(Copy::of(&self.store));
        }
    }

    /// Everything applied was synced.
    pub(crate) fn synced(&mut self) {
        self.synced = Copy::of(&self.store);
        self.later = None;
    }

    /// The machine went down: what was not synced may be lost.
    pub(crate) fn crash(&mut self, random: &mut Random) {
        let now = Copy::of(&self.store);
        let left = match (random.below(3), self.later.take()) {
            (0, _) => now,
            (1, Some(later)) => later,
            _ => self.synced.clone(),
        };
        self.store = left.open();
        self.synced = left;
    }
}

impl Copy {
    fn of(store: &Store) -> Copy {
        let mut copy = Copy {
            position: store.position(),
            records: Vec::new(),
        };
        for table in (0..TABLES.len()).map(TableId) {
            let mut each = |key: &[u8], value: &[u8]| {
                copy.records.push((table, key.to_vec(), value.to_vec()));
                ControlFlow::Continue(())
            };
            store
                .range(
                    table,
                    Bound::Unbounded,
                    Bound::Unbounded,
                    Direction::Forward,
                    &mut each,
                )
                .expect("tables in memory can be read");
        }
        copy
    }

    fn open(&self) -> Store {
        let store = Store::memory(&TABLES);
        let mut batch = Batch::new();
        for (table, key, value) in &self.records {
            batch.put(*table, key.clone(), value.clone());
        }
        store
            .apply(batch, self.position)
            .expect("tables in memory can be written");
        store
    }
}
