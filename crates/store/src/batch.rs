//! Changes that are made together.
//!
//! A batch holds at most one change per key, the last one asked for, in the order of tables and keys.

use std::collections::BTreeMap;

use crate::{TableId, WriteFault};

/// The longest key.
const KEY_BYTES_MAX: usize = 65_535;
/// The longest value.
const VALUE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Changes to any number of tables.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: BTreeMap<(TableId, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
}

impl Batch {
    /// A batch without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of `key`.
    pub fn put(&mut self, table: TableId, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.change(table, key.into(), Some(value.into()));
    }

    /// Removes `key`; it need not exist.
    pub fn delete(&mut self, table: TableId, key: impl Into<Vec<u8>>) {
        self.change(table, key.into(), None);
    }

    /// The number of keys changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// True if nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn change(&mut self, table: TableId, key: Vec<u8>, value: Option<Vec<u8>>) {
        let key_bytes = key.len();
        self.bytes += value.as_ref().map_or(0, Vec::len);
        match self.changes.insert((table, key), value) {
            Some(replaced) => self.bytes -= replaced.map_or(0, |value| value.len()),
            None => self.bytes += key_bytes,
        }
    }

    pub(crate) fn check(&self, table_count: usize) -> Result<(), WriteFault> {
        for ((table, key), value) in &self.changes {
            let table = table.0;
            assert!(table < table_count, "table {table} of {table_count}");
            let bytes = key.len();
            if bytes == 0 || bytes > KEY_BYTES_MAX {
                return Err(WriteFault::Key {
                    table,
                    bytes,
                    bytes_max: KEY_BYTES_MAX,
                });
            }
            let bytes = value.as_ref().map_or(0, Vec::len);
            if bytes > VALUE_BYTES_MAX {
                return Err(WriteFault::Value {
                    table,
                    bytes,
                    bytes_max: VALUE_BYTES_MAX,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn into_changes(self) -> impl Iterator<Item = (TableId, Vec<u8>, Option<Vec<u8>>)> {
        let flatten = |((table, key), value)| (table, key, value);
        self.changes.into_iter().map(flatten)
    }
}
