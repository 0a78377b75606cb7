//! Tables on disk: one keyspace each, and one that says which position they reflect.
//!
//! The position is written in the same batch as the changes, so both survive a crash or neither does.
//! Keyspaces are never cleared, and values are never kept apart from their keys: both have lost data before.

use std::fs;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use crate::{Batch, Direction, Each, OpenFault, Options, TableId};

/// The keyspace beside the tables, and its two keys.
pub(crate) const META: &str = "meta";
const POSITION_KEY: &[u8] = b"position";
const VERSION_KEY: &[u8] = b"version";
/// Of keys and values in the keyspace beside the tables.
const VERSION: u64 = 1;
/// Flushing and compacting share one thread: writing is off the path that anybody waits for.
const THREAD_COUNT: usize = 1;
/// The smallest size that the tables accept for what they write ahead.
const AHEAD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a file system counts in.
const BLOCK_BYTES: u64 = 512;
/// The keyspace beside the tables holds two records.
const META_BUFFER_BYTES: u64 = 1024 * 1024;

pub(crate) struct FjallTables {
    database: Database,
    tables: Vec<Keyspace>,
    meta: Keyspace,
    path: PathBuf,
}

impl FjallTables {
    /// Opens or creates the tables and returns the position they reflect.
    pub(crate) fn open(
        path: &Path,
        names: &[&str],
        options: &Options,
    ) -> Result<(Self, u64), OpenFault> {
        let shown = || path.display().to_string();
        let fault = |error: fjall::Error| match error {
            fjall::Error::Locked => OpenFault::Locked { path: shown() },
            error => OpenFault::Tables {
                path: shown(),
                source: error.into(),
            },
        };
        let database = Database::builder(path)
            .worker_threads(THREAD_COUNT)
            .cache_size(options.cache_bytes)
            .max_journaling_size(AHEAD_BYTES_MAX)
            .open()
            .map_err(fault)?;
        let keyspace = |name: &str, buffer_bytes| {
            let options = || KeyspaceCreateOptions::default().max_memtable_size(buffer_bytes);
            database.keyspace(name, options).map_err(fault)
        };
        let meta = keyspace(META, META_BUFFER_BYTES)?;
        let tables = names
            .iter()
            .map(|name| keyspace(name, options.write_buffer_bytes));
        let tables = tables.collect::<Result<Vec<_>, _>>()?;

        let mut is_empty = true;
        for table in &tables {
            is_empty &= table.is_empty().map_err(fault)?;
        }
        let number = |key| number(&meta, key).map_err(fault);
        let (version, position) = (number(VERSION_KEY)?, number(POSITION_KEY)?);
        let position = check_meta(&shown, version, position, is_empty)?;
        let tables = Self {
            database,
            tables,
            meta,
            path: path.to_owned(),
        };
        Ok((tables, position))
    }

    pub(crate) fn get(&self, table: TableId, key: &[u8]) -> fjall::Result<Option<Vec<u8>>> {
        let value = self.tables[table.0].get(key)?;
        Ok(value.map(|value| value.to_vec()))
    }

    pub(crate) fn range(
        &self,
        table: TableId,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        each: &mut Each<'_>,
    ) -> fjall::Result<()> {
        let snapshot = self.database.snapshot();
        let mut records = snapshot.range::<&[u8], _>(&self.tables[table.0], bounds);
        while let Some(record) = match direction {
            Direction::Forward => records.next(),
            Direction::Backward => records.next_back(),
        } {
            let (key, value) = record.into_inner()?;
            if each(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn apply(&self, batch: Batch, position: u64) -> fjall::Result<()> {
        let mut writes = self.database.batch();
        for (table, key, value) in batch.into_changes() {
            let table = &self.tables[table.0];
            match value {
                Some(value) => writes.insert(table, key, value),
                None => writes.remove(table, key),
            }
        }
        writes.insert(&self.meta, VERSION_KEY, VERSION.to_be_bytes());
        writes.insert(&self.meta, POSITION_KEY, position.to_be_bytes());
        writes.commit()
    }

    pub(crate) fn sync(&self) -> fjall::Result<()> {
        self.database.persist(PersistMode::SyncData)
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        folder_bytes(&self.path)
    }
}

/// A number of the keyspace beside the tables; a malformed one is as good as none.
fn number(meta: &Keyspace, key: &[u8]) -> fjall::Result<Option<u64>> {
    let value = meta.get(key)?;
    Ok(value.and_then(|value| Some(u64::from_be_bytes(value.as_ref().try_into().ok()?))))
}

/// The position that the tables reflect, if they can be trusted.
fn check_meta(
    path: &dyn Fn() -> String,
    version: Option<u64>,
    position: Option<u64>,
    is_empty: bool,
) -> Result<u64, OpenFault> {
    let missing = match (version, position) {
        (None, None) if is_empty => return Ok(0),
        (Some(VERSION), Some(position)) => return Ok(position),
        (Some(found), _) if found != VERSION => {
            return Err(OpenFault::UnknownVersion {
                path: path(),
                found,
                supported: VERSION,
            });
        }
        (None, _) => "version",
        (Some(_), _) => "position",
    };
    let path = path();
    Err(OpenFault::Incomplete { path, missing })
}

/// The blocks that the files of a folder take: some files are larger than what was written to them.
/// What vanishes or cannot be read while this looks is not counted.
fn folder_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * BLOCK_BYTES,
        Err(_) => 0,
    });
    bytes.sum()
}
