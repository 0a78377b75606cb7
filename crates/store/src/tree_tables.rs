//! Tables on disk: one ordered tree for all of them, in which each key begins with the number of its table.
//!
//! There is no log written ahead: the journal that the store stands behind is one. A batch is in memory until
//! the memory is written to a sorted file as a whole, batches never being split, so that a crash leaves all
//! batches up to some position and nothing of those after it, and opening reads no more than the list of files.
//! Values are never kept apart from their keys, and nothing is ever cleared: both have lost data before.

use std::fs::{self, File, TryLockError};
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lsm_tree::config::{BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, Config, Error, Guard, SeqNo, SequenceNumberCounter, Slice,
};

use crate::keeper::{Keeper, Kept};
use crate::{Batch, Direction, Each, OpenFault, Options, TableId, WriteFault};

/// What a key of the tree begins with: this for what is said about all tables, else the number of the table
/// plus one.
const META: u8 = 0;
const POSITION_KEY: &[u8] = &[META, 0];
const VERSION_KEY: &[u8] = &[META, 1];
const NAMES_KEY: &[u8] = &[META, 2];
/// Of everything kept here. What another version wrote is not read.
const VERSION: u64 = 2;
/// The file by which the tables of version 1 are known.
const VERSION_1_FILE: &str = "version";
const LOCK_FILE: &str = "lock";
/// What a file system counts in.
const BLOCK_BYTES: u64 = 512;
/// How seldom the filter of a new file says that a key may be there which is not, and bits for each key later on.
const NEW_FILTER_RATE: f32 = 0.0001;
const OLD_FILTER_BITS: f32 = 10.0;

/// Held for reading while a snapshot is taken, for writing while a batch goes in, the memory is set aside, or
/// it is asked which snapshots are no longer needed.
pub(crate) type Gate = Arc<RwLock<()>>;

pub(crate) struct TreeTables {
    tree: AnyTree,
    /// The number of the next batch.
    next: SequenceNumberCounter,
    /// Readers see batches below this number.
    visible: SequenceNumberCounter,
    gate: Gate,
    names: Vec<u8>,
    buffer_bytes: u64,
    keeper: Keeper,
    path: PathBuf,
    _lock: File,
}

impl TreeTables {
    /// Opens or creates the tables and returns the position they reflect.
    pub(crate) fn open(
        path: &Path,
        names: &[&str],
        options: &Options,
    ) -> Result<(Self, u64), OpenFault> {
        let lock = lock(path)?;
        if path.join(VERSION_1_FILE).exists() {
            return Err(unknown_version(path, 1));
        }
        let (next, visible) = <(SequenceNumberCounter, SequenceNumberCounter)>::default();
        let rate = BloomConstructionPolicy::FalsePositiveRate(NEW_FILTER_RATE);
        let bits = BloomConstructionPolicy::BitsPerKey(OLD_FILTER_BITS);
        let tree = Config::new(path, next.clone(), visible.clone())
            .use_cache(Arc::new(Cache::with_capacity_bytes(options.cache_bytes)))
            .filter_policy(FilterPolicy::new([
                FilterPolicyEntry::Bloom(rate),
                FilterPolicyEntry::Bloom(bits),
            ]))
            .open()
            .map_err(|error| tables(path, error))?;
        let seen = tree
            .get_highest_persisted_seqno()
            .map_or(0, |seen| seen + 1);
        next.fetch_max(seen);
        visible.fetch_max(seen);
        let names = names.join("\0").into_bytes();
        let position = check_meta(path, &tree, &names)?;
        let gate = Gate::default();
        let keeper = Keeper::start(&tree, &visible, &gate).map_err(|error| tables(path, error))?;
        let tables = Self {
            tree,
            next,
            visible,
            gate,
            names,
            buffer_bytes: options.write_buffer_bytes,
            keeper,
            path: path.to_owned(),
            _lock: lock,
        };
        Ok((tables, position))
    }

    pub(crate) fn get(&self, table: TableId, key: &[u8]) -> lsm_tree::Result<Option<Vec<u8>>> {
        let value = self.tree.get(tree_key(table, key), SeqNo::MAX)?;
        Ok(value.map(|value| value.to_vec()))
    }

    pub(crate) fn range(
        &self,
        table: TableId,
        (from, to): (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        each: &mut Each<'_>,
    ) -> lsm_tree::Result<()> {
        let key = |key| tree_key(table, key);
        let from = match from {
            Bound::Unbounded => Bound::Included(key(&[])),
            from => from.map(key),
        };
        let to = match to {
            Bound::Unbounded => Bound::Excluded(tree_key(TableId(table.0 + 1), &[])),
            to => to.map(key),
        };
        let mut records = {
            let _reading = self.reading();
            self.tree.range((from, to), self.visible.get(), None)
        };
        while let Some(record) = match direction {
            Direction::Forward => records.next(),
            Direction::Backward => records.next_back(),
        } {
            let (key, value) = record.into_inner()?;
            if each(&key[1..], &value).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Waits while more is in memory than may be.
    pub(crate) fn apply(&self, batch: Batch, position: u64) -> Result<(), WriteFault> {
        self.keeper.wait_for_room(|| {
            self.tree.sealed_memtable_count() == 0
                || self.tree.active_memtable().size() < self.buffer_bytes
        })?;
        let _writing = self.writing();
        let number = self.next.next();
        for (table, key, value) in batch.into_changes() {
            let key = tree_key(table, &key);
            match value {
                Some(value) => self.tree.insert(key, Slice::from(value), number),
                None => self.tree.remove(key, number),
            };
        }
        for (key, value) in [
            (VERSION_KEY, &VERSION.to_be_bytes()[..]),
            (NAMES_KEY, &self.names),
        ] {
            self.tree.insert(key, value, number);
        }
        let position = position.to_be_bytes();
        let (_, bytes) = self.tree.insert(POSITION_KEY, &position[..], number);
        self.visible.fetch_max(number + 1);
        if bytes >= self.buffer_bytes {
            self.set_aside();
        }
        Ok(())
    }

    /// Returns when everything applied before is in files.
    pub(crate) fn sync(&self) -> Result<(), WriteFault> {
        let kept = {
            let _writing = self.writing();
            self.set_aside()
        };
        self.keeper.wait_for(kept)
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        folder_bytes(&self.path)
    }

    /// Lets the memory be written to a file while another takes its place. The gate must be held.
    fn set_aside(&self) -> Kept {
        let is_new = self.tree.rotate_memtable().is_some();
        self.keeper.ask(is_new)
    }

    fn reading(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key of the tree. At most 254 tables: see [`crate::Store::open`].
fn tree_key(table: TableId, key: &[u8]) -> Slice {
    let number = u8::try_from(table.0 + 1).expect("tables are few");
    let mut bytes = Vec::with_capacity(key.len() + 1);
    bytes.push(number);
    bytes.extend_from_slice(key);
    Slice::from(bytes)
}

/// The folder, made if it is not there, and for nobody else while the file is held.
fn lock(path: &Path) -> Result<File, OpenFault> {
    let file = fs::create_dir_all(path).and_then(|()| File::create(path.join(LOCK_FILE)));
    let file = file.map_err(|error| tables(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenFault::Locked { path: shown(path) }),
        Err(TryLockError::Error(error)) => Err(tables(path, error)),
    }
}

/// The position that the tables reflect, if they can be trusted.
fn check_meta(path: &Path, tree: &AnyTree, names: &[u8]) -> Result<u64, OpenFault> {
    let get = |key| {
        tree.get(key, SeqNo::MAX)
            .map_err(|error| tables(path, error))
    };
    let number = |key| -> Result<Option<u64>, OpenFault> {
        let value = get(key)?;
        // A malformed number is as good as none.
        Ok(value.and_then(|value| Some(u64::from_be_bytes(value.as_ref().try_into().ok()?))))
    };
    let missing = |missing| OpenFault::Incomplete {
        path: shown(path),
        missing,
    };
    match number(VERSION_KEY)? {
        Some(VERSION) => {}
        Some(found) => return Err(unknown_version(path, found)),
        None if tree.table_count() == 0 => return Ok(0),
        None => return Err(missing("version")),
    }
    let found = get(NAMES_KEY)?.ok_or_else(|| missing("names of tables"))?;
    let is_known = names.strip_prefix(&found[..]);
    if !is_known.is_some_and(|added| added.is_empty() || added[0] == 0) {
        let list = |names: &[u8]| String::from_utf8_lossy(names).replace('\0', ", ");
        return Err(OpenFault::OtherTables {
            path: shown(path),
            found: list(&found),
            asked: list(names),
        });
    }
    number(POSITION_KEY)?.ok_or_else(|| missing("position"))
}

fn unknown_version(path: &Path, found: u64) -> OpenFault {
    OpenFault::UnknownVersion {
        path: shown(path),
        found,
        supported: VERSION,
    }
}

fn tables(path: &Path, error: impl Into<Error>) -> OpenFault {
    OpenFault::Tables {
        path: shown(path),
        source: plain(error.into()),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What the system said rather than who says it.
pub(crate) fn plain(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Io(error) => error.into(),
        error => error.into(),
    }
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
