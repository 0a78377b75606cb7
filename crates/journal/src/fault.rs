//! A disk in memory that fails on purpose: for tests and simulation.
//!
//! `sync` is the only durability barrier. At a crash each sector written since is, by seed, kept, dropped or
//! torn (a new beginning, an old end), and only the first few changes of names since `sync_directory` survive.
//! A failed sync loses some sectors for good although reads still show them, as a page cache does.
//! The same seed and the same operations give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Disk, DiskFile};

/// What a device writes as a whole.
pub const SECTOR_BYTES: usize = 512;

/// The kinds of operation that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writing to a file.
    Write,
    /// Syncing a file or the directory.
    Sync,
    /// Creating a file.
    Create,
    /// Renaming or removing a file.
    Rename,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An input/output error.
    Io,
    /// The disk is full.
    NoSpace,
}

/// A disk in memory. Clones are handles to the same disk; a handle that has the journal open dies at a crash.
pub struct FaultDisk {
    state: Arc<Mutex<State>>,
    /// The generation in which this handle took the lock.
    locked_in: Option<u64>,
}

impl Clone for FaultDisk {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            locked_in: None,
        }
    }
}

impl FaultDisk {
    /// An empty disk whose faults follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            random: seed,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            locked_in: None,
        }
    }

    /// Loses power: what was not synced is kept, dropped or torn. All open handles are dead afterwards, and a
    /// power cut that was planned is over.
    pub fn crash(&self) {
        self.state().crash();
    }

    /// Lets the power fail in the midst of an operation that changes the disk, after `operations` others.
    /// Every later one fails until [`Self::crash`].
    pub fn cut_power_after(&self, operations: u64) {
        let mut state = self.state();
        if state.power_left != Some(0) {
            state.power_left = Some(operations + 1);
        }
    }

    /// Lets the operation of this kind fail that follows `skipped` others.
    pub fn fail(&self, operation: Operation, skipped: u64, failure: Failure) {
        self.state().failures.push((operation, skipped, failure));
    }

    /// Flips one bit of a file, as rot does.
    pub fn flip(&self, name: &str, offset: usize, bit: u8) {
        self.edit(name, |bytes| bytes[offset] ^= 1 << bit);
    }

    /// Changes a file behind the back of its owner, as rot or an operator does. Returns false if there is none.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state();
        let file = state.names.get(name).copied();
        let Some(file) = file.and_then(|id| state.files.get_mut(&id)) else {
            return false;
        };
        change(&mut file.cached);
        file.durable.clone_from(&file.cached);
        file.dirty.clear();
        true
    }

    /// The names of all files, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// A deep copy with the same content, unlocked, whose faults follow from `seed`.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let mut state = self.state().clone();
        state.random = seed;
        state.locked = false;
        Self {
            state: Arc::new(Mutex::new(state)),
            locked_in: None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, state: &State, id: u64) -> Box<dyn DiskFile> {
        Box::new(FaultFile {
            state: Arc::clone(&self.state),
            generation: state.generation,
            id,
        })
    }

    /// The state, if this handle is not dead.
    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        state.check(self.locked_in.unwrap_or(state.generation))?;
        Ok(state)
    }
}

impl Disk for FaultDisk {
    fn lock(&mut self) -> io::Result<()> {
        let mut state = self.alive()?;
        if state.locked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.locked = true;
        let generation = state.generation;
        drop(state);
        self.locked_in = Some(generation);
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("fault:/{name}")
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.alive()?.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let state = self.alive()?;
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(&state, id))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.alive()?;
        state.begin(Operation::Create)?;
        let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
        let id = state.files.keys().next_back().map_or(0, |last| last + 1);
        let file = MemoryFile {
            cached: vec![0; bytes],
            durable: vec![0; bytes],
            dirty: BTreeSet::new(),
        };
        state.files.insert(id, file);
        state.change_names(|names| names.insert(name.to_owned(), id));
        Ok(self.file(&state, id))
    }

    fn prepare(&self, _name: &str, _bytes: u64) {}

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.alive()?;
        state.begin(Operation::Rename)?;
        let id = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.change_names(|names| {
            names.remove(from);
            names.insert(to.to_owned(), id)
        });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.alive()?;
        state.begin(Operation::Rename)?;
        state
            .change_names(|names| names.remove(name))
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.alive()?;
        state.begin(Operation::Sync)?;
        state.durable_names.clear();
        Ok(())
    }
}

impl Drop for FaultDisk {
    fn drop(&mut self) {
        if let Some(generation) = self.locked_in {
            let mut state = self.state();
            if state.generation == generation {
                state.locked = false;
            }
        }
    }
}

struct FaultFile {
    state: Arc<Mutex<State>>,
    generation: u64,
    id: u64,
}

impl FaultFile {
    fn with<T>(&self, run: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.check(self.generation)?;
        run(&mut state)
    }
}

impl DiskFile for FaultFile {
    fn bytes(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.file(self.id).cached.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.with(|state| {
            let bytes = &state.file(self.id).cached;
            let start = usize::try_from(offset).map_err(io::Error::other)?;
            let end = start.saturating_add(buffer.len());
            let part = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(part);
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with(|state| {
            let outcome = state.begin(Operation::Write);
            let start = usize::try_from(offset).map_err(io::Error::other)?;
            let written = match &outcome {
                Ok(()) => bytes.len(),
                Err(_) => state.below(bytes.len() + 1),
            };
            let file = state.file(self.id);
            let end = start.saturating_add(bytes.len());
            if end > file.cached.len() {
                return Err(io::Error::other("a file of a journal never grows"));
            }
            file.cached[start..start + written].copy_from_slice(&bytes[..written]);
            if outcome.is_ok() {
                // As disks do that are written in whole blocks.
                let whole = end.next_multiple_of(SECTOR_BYTES).min(file.cached.len());
                file.cached[end..whole].fill(0);
            }
            let sectors = start / SECTOR_BYTES..(start + written).div_ceil(SECTOR_BYTES);
            file.dirty.extend(sectors);
            outcome
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state| {
            let outcome = state.begin(Operation::Sync);
            let dirty = std::mem::take(&mut state.file(self.id).dirty);
            for sector in dirty {
                if outcome.is_ok() || state.below(2) == 0 {
                    state.file(self.id).persist(sector, SECTOR_BYTES);
                }
            }
            outcome
        })
    }
}

#[derive(Clone, Default)]
struct State {
    random: u64,
    generation: u64,
    locked: bool,
    names: BTreeMap<String, u64>,
    /// The names as they were before each change since the last sync of the directory.
    durable_names: Vec<BTreeMap<String, u64>>,
    files: BTreeMap<u64, MemoryFile>,
    failures: Vec<(Operation, u64, Failure)>,
    power_left: Option<u64>,
}

#[derive(Clone)]
struct MemoryFile {
    /// What reads see.
    cached: Vec<u8>,
    /// What a crash leaves.
    durable: Vec<u8>,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
}

impl MemoryFile {
    fn persist(&mut self, sector: usize, bytes: usize) {
        let start = (sector * SECTOR_BYTES).min(self.cached.len());
        let end = (start + bytes).min(self.cached.len());
        self.durable[start..end].copy_from_slice(&self.cached[start..end]);
    }
}

impl State {
    fn check(&self, generation: u64) -> io::Result<()> {
        if generation != self.generation {
            return Err(io::Error::other("this handle did not survive the crash"));
        }
        if self.power_left == Some(0) {
            return Err(io::Error::other("the power is off"));
        }
        Ok(())
    }

    /// Counts an operation that changes the disk, and says whether it fails.
    fn begin(&mut self, operation: Operation) -> io::Result<()> {
        if let Some(left) = &mut self.power_left {
            *left -= 1;
            if *left == 0 {
                return Err(io::Error::other("the power went off"));
            }
        }
        let mut outcome = Ok(());
        self.failures.retain_mut(|(kind, skipped, failure)| {
            if *kind != operation {
                return true;
            }
            if *skipped > 0 {
                *skipped -= 1;
                return true;
            }
            outcome = Err(io::Error::from(match failure {
                Failure::Io => io::ErrorKind::Other,
                Failure::NoSpace => io::ErrorKind::StorageFull,
            }));
            false
        });
        outcome
    }

    fn file(&mut self, id: u64) -> &mut MemoryFile {
        self.files
            .get_mut(&id)
            .expect("files live until a crash, and so do handles")
    }

    fn change_names<T>(&mut self, change: impl FnOnce(&mut BTreeMap<String, u64>) -> T) -> T {
        self.durable_names.push(self.names.clone());
        change(&mut self.names)
    }

    fn crash(&mut self) {
        self.generation += 1;
        self.locked = false;
        self.power_left = None;
        self.failures.clear();
        let kept = self.below(self.durable_names.len() + 1);
        if let Some(names) = self.durable_names.drain(..).nth(kept) {
            self.names = names;
        }
        self.durable_names.clear();
        self.files
            .retain(|id, _| self.names.values().any(|named| named == id));
        let mut files = std::mem::take(&mut self.files);
        for file in files.values_mut() {
            for sector in std::mem::take(&mut file.dirty) {
                match self.below(3) {
                    0 => file.persist(sector, SECTOR_BYTES),
                    1 => file.persist(sector, self.below(SECTOR_BYTES)),
                    _ => {}
                }
            }
            file.cached.clone_from(&file.durable);
        }
        self.files = files;
    }

    /// A number below `bound`, by the seed.
    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        usize::try_from(bits % bound as u64).expect("below a usize")
    }
}
