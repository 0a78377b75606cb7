//! Owns opening an engine's data and bringing a partition back from it.
//!
//! Invariant: what is recovered is the last checkpoint plus every journaled event after it; time to
//! recover follows live runs and the journal since the checkpoint, never history.

use std::ops::{Bound, ControlFlow};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{fs, io};

use journal::{Journal, LocalDisk, LocalJournal, MemoryJournal, OpenFault, Position, ReadFault};
use kernel::codec::{Damage, decode};
use kernel::event::Entry;
use kernel::{Event, Time};
use store::{Direction, Store, WriteFault};
use thiserror::Error;
use tracing::{info, warn};

use super::Data;
use super::view::{CHECKPOINT_KEY, LIVE, TABLES, THINGS, View};
use crate::calendar::ZonedCalendar;
use crate::partition::{Change, Partition};

/// Replayed changes are handed on after so many records.
const REPLAY_RECORDS: u64 = 1_024;

/// Replayed changes that wait for the read model; when there are more replay waits.
const REPLAY_BATCHES_MAX: usize = 4;

/// Replayed changes, with their number.
type Changes = (u64, Vec<Change>);

/// Why an engine cannot start.
#[derive(Debug, Error)]
pub enum StartFault {
    /// The folder cannot be made or used.
    #[error("the data folder {path} cannot be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The journal cannot be opened.
    #[error("the journal in {path} cannot be opened: {source}")]
    Journal {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Box<OpenFault>,
    },
    /// The store cannot be opened.
    #[error("the store in {path} cannot be opened: {source}")]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Box<store::OpenFault>,
    },
    /// The data cannot be read.
    #[error("the data cannot be read: {0}")]
    Read(String),
    /// The store takes nothing, and will not before it is opened again.
    #[error("the data cannot be brought up to date: {0}")]
    Write(WriteFault),
    /// What the journal or store holds is not what was written.
    #[error(
        "record {position} of the {what} is damaged: {source}\nrestore the data folder from a backup, or start with an empty one"
    )]
    Damaged {
        /// Journal or store.
        what: &'static str,
        /// Which record.
        position: String,
        /// How.
        source: Damage,
    },
    /// Journal and store do not belong together.
    #[error(
        "the store reflects journal position {checkpoint} but the journal holds {start} to {end}\nthe two folders do not belong together, or part of the data folder is missing"
    )]
    Apart {
        /// The store's checkpoint.
        checkpoint: u64,
        /// First position of the journal.
        start: u64,
        /// Last position of the journal.
        end: u64,
    },
    /// No thread could be started.
    #[error("no thread could be started: {0}")]
    Thread(io::Error),
}

impl StartFault {
    pub(crate) fn read(error: impl std::fmt::Display) -> StartFault {
        StartFault::Read(error.to_string())
    }
}

/// Where the data is.
pub(crate) struct Place {
    folder: Option<PathBuf>,
    store: Store,
}

/// A recovered partition and its journal.
pub struct Opened {
    /// The partition, which has yet to [`Partition::resume`].
    pub partition: Partition,
    /// Its journal.
    pub journal: Box<dyn Journal>,
    /// The newest instant that was ever stamped; the clock must go on from there.
    pub last_now: Time,
    /// Bytes of records after the checkpoint.
    pub replayed_bytes: u64,
}

impl Place {
    pub(crate) fn open(data: Data) -> Result<Place, StartFault> {
        let Data::Folder(folder) = data else {
            return Ok(Place {
                folder: None,
                store: Store::memory(&TABLES),
            });
        };
        let journal = folder.join("journal");
        fs::create_dir_all(&journal).map_err(|source| StartFault::Folder {
            path: journal,
            source,
        })?;
        let path = folder.join("store");
        let store = Store::open(&path, &TABLES, store::Options::default()).map_err(|source| {
            StartFault::Store {
                path,
                source: Box::new(source),
            }
        })?;
        Ok(Place {
            folder: Some(folder),
            store,
        })
    }

    pub(crate) fn store(&self) -> Store {
        self.store.clone()
    }

    fn journal(&self) -> Result<Box<dyn Journal>, StartFault> {
        let Some(folder) = &self.folder else {
            return Ok(Box::new(MemoryJournal::new()));
        };
        open_journal(&folder.join("journal"))
    }
}

fn open_journal(path: &Path) -> Result<Box<dyn Journal>, StartFault> {
    let disk = LocalDisk::open(path).map_err(|source| StartFault::Folder {
        path: path.to_path_buf(),
        source,
    })?;
    let (journal, recovery) =
        LocalJournal::open(disk, journal::Options::default()).map_err(|source| {
            StartFault::Journal {
                path: path.to_path_buf(),
                source: Box::new(source),
            }
        })?;
    if recovery.dropped_bytes > 0 {
        warn!(
            bytes = recovery.dropped_bytes,
            "the journal ended in a torn write that nobody was told of; it was dropped"
        );
    }
    Ok(Box::new(journal))
}

/// Brings the partition back from its place.
pub(crate) fn recover(place: &Place, view: &View) -> Result<Opened, StartFault> {
    view.recover(place.journal()?)
}

impl View {
    /// Brings the partition back: checkpoint, then the journal since.
    ///
    /// # Errors
    /// What cannot be read, or a journal and a store that do not belong together.
    pub fn recover(&self, journal: Box<dyn Journal>) -> Result<Opened, StartFault> {
        let (checkpoint, last_now) = read_checkpoint(&self.store)?;
        let (start, end) = (journal.start().0, journal.end().0);
        if checkpoint > end || start > checkpoint + 1 {
            return Err(StartFault::Apart {
                checkpoint,
                start,
                end,
            });
        }
        let first_session = journal.epoch().0 << 32;
        let mut partition = Partition::new(
            Box::new(ZonedCalendar),
            Box::new(self.clone()),
            first_session,
        );
        // Readers may still wait for a batch of the partition before: numbers only grow.
        partition.number_from(self.shown() + 1);
        restore_things(&self.store, &mut partition)?;
        restore_runs(&self.store, &mut partition)?;
        let (last, replayed_bytes) =
            replay(&*journal, Position(checkpoint + 1), &mut partition, self)?;
        let [live, ..] = partition.gauges();
        info!(checkpoint, end, live, "recovered");
        Ok(Opened {
            partition,
            journal,
            last_now: last.max(last_now),
            replayed_bytes,
        })
    }
}

fn read_checkpoint(store: &Store) -> Result<(u64, Time), StartFault> {
    let Some(bytes) = store
        .get(THINGS, CHECKPOINT_KEY)
        .map_err(StartFault::read)?
    else {
        return Ok((0, Time(0)));
    };
    let number = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .and_then(|part| part.try_into().ok())
            .map_or(0, u64::from_be_bytes)
    };
    Ok((number(0..8), Time(number(8..16))))
}

fn restore_things(store: &Store, partition: &mut Partition) -> Result<(), StartFault> {
    for kind in [b'w', b's', b'k', b'm'] {
        let (from, to) = ([kind], [kind + 1]);
        each_record(
            store,
            THINGS,
            Bound::Included(&from),
            Bound::Excluded(&to),
            &mut |bytes| {
                let event: Event = decode(bytes)?;
                partition.restore(&event);
                Ok(())
            },
        )?;
    }
    Ok(())
}

fn restore_runs(store: &Store, partition: &mut Partition) -> Result<(), StartFault> {
    each_record(
        store,
        LIVE,
        Bound::Unbounded,
        Bound::Unbounded,
        &mut |bytes| {
            let (number, run) = bytes.split_at_checked(8).ok_or(Damage::Short)?;
            let next_event = u64::from_be_bytes(number.try_into().map_err(|_| Damage::Short)?);
            partition.restore_run(run, next_event)
        },
    )
}

fn each_record(
    store: &Store,
    table: store::TableId,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Damage>,
) -> Result<(), StartFault> {
    let mut damage = None;
    let mut visit = |key: &[u8], bytes: &[u8]| match each(bytes) {
        Ok(()) => ControlFlow::Continue(()),
        Err(source) => {
            let position = key.iter().map(|byte| format!("{byte:02x}")).collect();
            damage = Some(StartFault::Damaged {
                what: "store",
                position,
                source,
            });
            ControlFlow::Break(())
        }
    };
    store
        .range(table, from, to, Direction::Forward, &mut visit)
        .map_err(StartFault::read)?;
    damage.map_or(Ok(()), Err)
}

/// Makes the journaled events after the checkpoint true again, handing finished runs to the read model, which
/// takes them in meanwhile.
fn replay(
    journal: &dyn Journal,
    from: Position,
    partition: &mut Partition,
    view: &View,
) -> Result<(Time, u64), StartFault> {
    let (feed, fed) = sync_channel(REPLAY_BATCHES_MAX);
    let replayed = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| take_in(view, fed));
        let replayed = replay_records(journal, from, partition, view, &feed);
        drop(feed);
        let taken = feeder.join().expect("the read model does not panic");
        taken.map_err(StartFault::Write).and(replayed)
    })?;
    partition.shown_up_to(view.shown());
    Ok(replayed)
}

fn take_in(view: &View, fed: Receiver<Changes>) -> Result<(), WriteFault> {
    for (number, changes) in fed {
        view.feed(number, changes, true)?;
    }
    Ok(())
}

fn replay_records(
    journal: &dyn Journal,
    from: Position,
    partition: &mut Partition,
    view: &View,
    feed: &SyncSender<Changes>,
) -> Result<(Time, u64), StartFault> {
    let (mut last, mut failed, mut records, mut replayed) = (Time(0), None, 0_u64, 0);
    let mut each = |position: Position, bytes: &[u8]| {
        let entry: Entry = match decode(bytes) {
            Ok(entry) => entry,
            Err(source) => {
                let position = position.to_string();
                failed = Some(StartFault::Damaged {
                    what: "journal",
                    position,
                    source,
                });
                return ControlFlow::Break(());
            }
        };
        last = last.max(entry.at);
        for event in &entry.events {
            partition.replay(event, entry.at);
        }
        records += 1;
        replayed += bytes.len() as u64;
        match records.is_multiple_of(REPLAY_RECORDS) {
            true => hand_on(partition, view, feed),
            false => ControlFlow::Continue(()),
        }
    };
    journal
        .read(from, &mut each)
        .map_err(|fault: ReadFault| StartFault::read(fault))?;
    // A feeder that is gone says itself why.
    let _ = hand_on(partition, view, feed);
    failed.map_or(Ok((last, replayed)), Err)
}

fn hand_on(partition: &mut Partition, view: &View, feed: &SyncSender<Changes>) -> ControlFlow<()> {
    partition.shown_up_to(view.shown());
    let batch = partition.take_batch();
    let number = batch.number;
    let changes = partition.release(batch);
    match changes.is_empty() || feed.send((number, changes)).is_ok() {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    }
}
