//! The store as its users see it: tables by number, batches with a position, two ways to keep them.
//!
//! Invariants: the position never goes back; a batch is applied as a whole or not at all; what `sync` has
//! returned survives a crash, and with it everything applied before.

use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::memory_tables::MemoryTables;
use crate::tree_tables::{TreeTables, plain};
use crate::{Batch, OpenFault, ReadFault, WriteFault};

/// The longest name of a table.
const NAME_BYTES_MAX: usize = 255;
/// Each key carries the number of its table in one byte.
const TABLES_MAX: usize = 64;

/// A table, by its place in the list that the store was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub usize);

/// The order in which a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Forward,
    /// From the largest key down.
    Backward,
}

/// Takes a key and its value, and says whether to go on.
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// How much memory the tables may take.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of blocks read from disk, for all tables together.
    pub cache_bytes: u64,
    /// Of records not yet in a sorted file. There may be twice as much, and a batch, while a file is written.
    pub write_buffer_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 * 1024 * 1024,
            write_buffer_bytes: 32 * 1024 * 1024,
        }
    }
}

/// Tables with ordered keys. Clones are handles to the same tables.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    tables: Tables,
    table_count: usize,
    position: AtomicU64,
    /// Held while a batch is applied.
    writer: Mutex<()>,
}

enum Tables {
    Tree(TreeTables),
    Memory(MemoryTables),
}

impl Store {
    /// Opens the store in the folder `path`, and creates it if it does not exist. The order of `tables` gives
    /// their [`TableId`]s: from one opening to the next names may be added at the end, and nothing else.
    pub fn open(
        path: impl AsRef<Path>,
        tables: &[&str],
        options: Options,
    ) -> Result<Self, OpenFault> {
        assert!(tables.len() <= TABLES_MAX, "{} tables", tables.len());
        for (index, &name) in tables.iter().enumerate() {
            let flaw = match name {
                "" => "empty",
                name if name.contains('\0') => "not plain text",
                name if name.len() > NAME_BYTES_MAX => "longer than 255 bytes",
                name if tables[..index].contains(&name) => "given twice",
                _ => continue,
            };
            let name = name.to_owned();
            return Err(OpenFault::TableName { name, flaw });
        }
        let (opened, position) = TreeTables::open(path.as_ref(), tables, &options)?;
        Ok(Self::new(Tables::Tree(opened), tables.len(), position))
    }

    /// An empty store in memory.
    #[must_use]
    pub fn memory(tables: &[&str]) -> Self {
        let count = tables.len();
        Self::new(Tables::Memory(MemoryTables::new(count)), count, 0)
    }

    fn new(tables: Tables, table_count: usize, position: u64) -> Self {
        let shared = Shared {
            tables,
            table_count,
            position: AtomicU64::new(position),
            writer: Mutex::new(()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The position that the last batch carried, 0 before the first. Everything up to it is readable.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Acquire)
    }

    /// The value of `key`, if it exists.
    pub fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>, ReadFault> {
        match &self.shared.tables {
            Tables::Tree(tables) => tables
                .get(table, key)
                .map_err(|error| ReadFault(plain(error))),
            Tables::Memory(tables) => Ok(tables.get(table, key)),
        }
    }

    /// Gives the records between two keys to `each`, in order of their keys, until it breaks. All of them are
    /// of one moment between two batches. `each` must not write to the store.
    pub fn range(
        &self,
        table: TableId,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        each: &mut Each<'_>,
    ) -> Result<(), ReadFault> {
        if is_empty(from, to) {
            return Ok(());
        }
        match &self.shared.tables {
            Tables::Tree(tables) => tables
                .range(table, (from, to), direction, each)
                .map_err(|error| ReadFault(plain(error))),
            Tables::Memory(tables) => {
                tables.range(table, (from, to), direction, each);
                Ok(())
            }
        }
    }

    /// Applies a batch that brings the tables to `position`, which must not go back. All of it is readable
    /// when this returns; it is durable after [`Self::sync`].
    pub fn apply(&self, batch: Batch, position: u64) -> Result<(), WriteFault> {
        batch.check(self.shared.table_count)?;
        let writer = self.shared.writer.lock();
        let _writer = writer.unwrap_or_else(PoisonError::into_inner);
        let current = self.position();
        if position < current {
            let found = position;
            return Err(WriteFault::Position { current, found });
        }
        match &self.shared.tables {
            Tables::Tree(tables) => tables.apply(batch, position)?,
            Tables::Memory(tables) => tables.apply(batch),
        }
        self.shared.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Makes all applied batches durable and returns the position they reach. Others may apply more meanwhile.
    pub fn sync(&self) -> Result<u64, WriteFault> {
        let position = self.position();
        if let Tables::Tree(tables) = &self.shared.tables {
            tables.sync()?;
        }
        Ok(position)
    }

    /// What the tables take on disk. Looks at every file, so ask seldom.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        match &self.shared.tables {
            Tables::Tree(tables) => tables.disk_bytes(),
            Tables::Memory(_) => 0,
        }
    }
}

/// True if no key can lie between the bounds.
fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
    }
}
