//! Tables in memory: for tests and for runs that need no durability.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::{Batch, Direction, Each, TableId};

type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// Ordered maps behind one lock, so that a batch is seen as a whole.
pub(crate) struct MemoryTables {
    tables: RwLock<Vec<Table>>,
}

impl MemoryTables {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            tables: RwLock::new(vec![Table::new(); count]),
        }
    }

    pub(crate) fn get(&self, table: TableId, key: &[u8]) -> Option<Vec<u8>> {
        self.read()[table.0].get(key).cloned()
    }

    pub(crate) fn range(
        &self,
        table: TableId,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        each: &mut Each<'_>,
    ) {
        let tables = self.read();
        let mut records = tables[table.0].range::<[u8], _>(bounds);
        while let Some((key, value)) = match direction {
            Direction::Forward => records.next(),
            Direction::Backward => records.next_back(),
        } {
            if each(key, value).is_break() {
                break;
            }
        }
    }

    pub(crate) fn apply(&self, batch: Batch) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (table, key, value) in batch.into_changes() {
            match value {
                Some(value) => tables[table.0].insert(key, value),
                None => tables[table.0].remove(&key),
            };
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Table>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }
}
