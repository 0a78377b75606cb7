//! Two threads that keep a tree in shape: one writes memory set aside to files, one merges files.
//!
//! Invariants: a file is never waited for because files are being merged; what fails is told to whoever waits
//! and to every write after it; both threads end with the keeper.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use lsm_tree::compaction::Leveled;
use lsm_tree::{AbstractTree, AnyTree, SeqNo, SequenceNumberCounter};

use crate::WriteFault;
use crate::tree_tables::{Gate, plain};

/// New files after which they are merged into the first level.
const NEW_FILES: u8 = 4;
/// New files after which writing waits for merging: with more of them reading would become slow.
const NEW_FILES_MAX: usize = 20;
/// The size of a merged file.
const FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Everything set aside up to here.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub(crate) struct Kept(u64);

pub(crate) struct Keeper {
    desk: Arc<Desk>,
    threads: Vec<JoinHandle<()>>,
}

/// Where the threads and those who wait for them meet.
struct Desk {
    tree: AnyTree,
    visible: SequenceNumberCounter,
    gate: Gate,
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    asked: Kept,
    written: Kept,
    is_merging: bool,
    is_closing: bool,
    fault: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Keeper {
    pub(crate) fn start(
        tree: &AnyTree,
        visible: &SequenceNumberCounter,
        gate: &Gate,
    ) -> io::Result<Self> {
        let desk = Desk {
            tree: tree.clone(),
            visible: visible.clone(),
            gate: Arc::clone(gate),
            work: Mutex::default(),
            changed: Condvar::new(),
        };
        let mut keeper = Self {
            desk: Arc::new(desk),
            threads: Vec::new(),
        };
        keeper.begin("store-write", Desk::write)?;
        keeper.begin("store-merge", Desk::merge)?;
        Ok(keeper)
    }

    fn begin(&mut self, name: &str, run: fn(&Desk)) -> io::Result<()> {
        let desk = Arc::clone(&self.desk);
        let thread = thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(move || run(&desk))?);
        Ok(())
    }

    /// Asks for what is set aside to be written, which is more than before if `is_new`.
    pub(crate) fn ask(&self, is_new: bool) -> Kept {
        let mut work = self.desk.work();
        work.asked.0 += u64::from(is_new);
        self.desk.changed.notify_all();
        work.asked
    }

    /// Waits until so much is written.
    pub(crate) fn wait_for(&self, kept: Kept) -> Result<(), WriteFault> {
        self.desk.wait_until(|work| work.written >= kept)
    }

    /// Waits until there is room for more: in memory, and among the new files.
    pub(crate) fn wait_for_room(&self, has_room: impl Fn() -> bool) -> Result<(), WriteFault> {
        self.desk
            .wait_until(|_| has_room() && self.desk.tree.l0_run_count() < NEW_FILES_MAX)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.desk.work().is_closing = true;
        self.desk.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so, and has nothing to add.
            drop(thread.join());
        }
    }
}

impl Desk {
    fn write(&self) {
        self.work_when(
            |work| work.written < work.asked,
            |work| work.asked,
            |asked| {
                let lock = self.tree.get_flush_lock();
                self.tree.flush(&lock, self.horizon()).map(|_| asked)
            },
            |work, asked| {
                work.written = asked;
                work.is_merging = true;
            },
        );
    }

    fn merge(&self) {
        let strategy = Leveled::default()
            .with_l0_threshold(NEW_FILES)
            .with_table_target_size(FILE_BYTES);
        let strategy = Arc::new(strategy);
        self.work_when(
            |work| work.is_merging,
            |work| work.is_merging = false,
            |()| {
                let before = self.tree.current_version().id();
                self.tree.compact(strategy.clone(), self.horizon())?;
                Ok(self.tree.current_version().id() != before)
            },
            |work, has_merged| work.is_merging |= has_merged,
        );
    }

    /// What no reader looks behind any more. A reader that is about to take its snapshot knows already which
    /// one, and must find it: those that come later look no further back than this.
    fn horizon(&self) -> SeqNo {
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.visible.get()
    }

    /// One thread's life: whenever there is work it is taken, done without holding the desk, and noted as done.
    fn work_when<W, D>(
        &self,
        is_there: impl Fn(&Work) -> bool,
        take: impl Fn(&mut Work) -> W,
        carry_out: impl Fn(W) -> lsm_tree::Result<D>,
        note: impl Fn(&mut Work, D),
    ) {
        let mut work = self.work();
        loop {
            let waited = self.changed.wait_while(work, |work| {
                !work.is_closing && work.fault.is_none() && !is_there(work)
            });
            work = waited.unwrap_or_else(PoisonError::into_inner);
            if work.is_closing || work.fault.is_some() {
                return;
            }
            let taken = take(&mut work);
            drop(work);
            let done = carry_out(taken);
            work = self.work();
            match done {
                Ok(done) => note(&mut work, done),
                Err(error) => work.fault = Some(plain(error).into()),
            }
            self.changed.notify_all();
        }
    }

    fn wait_until(&self, is_so: impl Fn(&Work) -> bool) -> Result<(), WriteFault> {
        let waited = self
            .changed
            .wait_while(self.work(), |work| work.fault.is_none() && !is_so(work));
        let work = waited.unwrap_or_else(PoisonError::into_inner);
        work.fault
            .clone()
            .map_or(Ok(()), |fault| Err(WriteFault::Tables(fault)))
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
