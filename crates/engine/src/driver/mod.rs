//! Owns the thread that drives the partition: waiting, batching, committing, checkpointing, recovering.
//!
//! It has no opinion of its own: what to do is the partition's business, this says when. One thread
//! decides, writes and syncs; while it waits for the disk the inbox fills, which makes the next group.

mod clock;
pub mod handle;
pub mod inbox;
mod recovery;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{AppendFault, Journal};
use kernel::Time;
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use crate::metrics::Metrics;
use crate::partition::{BATCH_BYTES_MAX, Change, Input, Partition};
use crate::secrets::{NoSecrets, SecretSource, Unsealer};
use clock::Clock;
use handle::Engine;
use inbox::{Inbox, Outbox, inbox};
pub use recovery::StartFault;
use recovery::{Opened, Place, recover};
use view::View;

/// Inputs taken into one batch.
const BATCH_INPUTS_MAX: usize = 4_096;

/// Records after which a batch closes, unless writing takes longer than deciding: while it is written and its
/// answers travel, others get on with their part. In larger batches all would wait for each other in turn.
const BATCH_RECORDS_ENOUGH: usize = 32;

/// Journal written since the last checkpoint after which the next is taken: what a restart may have to replay.
const CHECKPOINT_BYTES: u64 = 8 << 20;

/// Batches on their way to the read model; when it is full the partition waits.
const VIEW_BATCHES_MAX: usize = 64;

/// The longest the thread sleeps without looking around.
const IDLE: Duration = Duration::from_secs(1);

/// How often finished runs whose retention is over are looked for.
const PURGE_EVERY_MS: u64 = 60_000;

/// Where an engine keeps its data.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nowhere: it is gone with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// How to start an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it keeps its data.
    pub data: Data,
    /// Requests that may wait; more are refused.
    pub inbox_max: usize,
    /// Where the secrets come from that workers get.
    pub secrets: Arc<dyn SecretSource>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            data: Data::Memory,
            inbox_max: 16_384,
            secrets: Arc::new(NoSecrets),
        }
    }
}

/// A started engine's thread.
pub struct Running {
    inbox: Inbox,
    thread: Option<JoinHandle<()>>,
    ended: oneshot::Receiver<()>,
}

/// Starts an engine: opens or creates its data, recovers, and begins to take commands.
///
/// # Errors
/// Data that cannot be opened, with what is wrong.
pub fn start(options: Options) -> Result<(Engine, Running), StartFault> {
    let Options {
        data,
        inbox_max,
        secrets,
    } = options;
    let metrics = Arc::new(Metrics::default());
    let (inbox, outbox) = inbox(inbox_max, metrics.clone());
    let place = Place::open(data)?;
    let view = View::open(place.store()).map_err(StartFault::read)?;
    let opened = recover(&place, &view)?;
    let (life, lifeline) = watch::channel(());
    let engine = Engine {
        inbox: inbox.clone(),
        view: view.while_open(lifeline.clone()),
        metrics: metrics.clone(),
        unsealer: Unsealer::new(secrets),
        lifeline,
    };
    let (over, ended) = oneshot::channel();
    let driver = Driver {
        place,
        view,
        inbox: inbox.clone(),
        outbox,
        metrics,
    };
    let thread = std::thread::Builder::new()
        .name("partition".into())
        .spawn(move || {
            driver.run(opened);
            drop(life);
            let _ = over.send(());
        })
        .map_err(StartFault::Thread)?;
    Ok((
        engine,
        Running {
            inbox,
            thread: Some(thread),
            ended,
        },
    ))
}

impl Running {
    /// Finishes what waits, takes a checkpoint, and stops.
    pub async fn stop(mut self) {
        self.inbox.send_urgent(Input::Stop);
        if let Some(thread) = self.thread.take() {
            // Joining blocks; the runtime must go on answering meanwhile.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Resolves when the engine has stopped by itself, which only a fault makes it do.
    pub async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

/// Why the partition's loop was left.
enum Left {
    /// On request, or because nobody can ask any more.
    Stopped,
    /// The journal failed: memory is dropped and recovered from it.
    Journal(AppendFault),
    /// The store failed: only a restart helps.
    Store,
}

struct Driver {
    place: Place,
    view: View,
    inbox: Inbox,
    outbox: Outbox,
    metrics: Arc<Metrics>,
}

impl Driver {
    fn run(self, mut opened: Opened) {
        let process_since = opened.partition.process_since();
        loop {
            let left = Session::begin(&self, opened).serve(&self);
            self.metrics.set_ready(false);
            match left {
                Left::Stopped => return,
                Left::Store => {
                    error!("the store failed; the engine stops");
                    return;
                }
                Left::Journal(
                    fault
                    @ (AppendFault::RecordTooLarge { .. } | AppendFault::GroupTooLarge { .. }),
                ) => error!(
                    %fault,
                    "a change is too large for the journal and was not made; recovering what was before it"
                ),
                Left::Journal(fault) => error!(%fault, "the journal failed; recovering from it"),
            }
            opened = loop {
                match recover(&self.place, &self.view) {
                    Ok(mut opened) => {
                        opened.partition.continue_process(process_since);
                        break opened;
                    }
                    Err(fault @ StartFault::Write(_)) => {
                        error!(%fault, "recovery failed; the engine stops");
                        return;
                    }
                    Err(fault) => warn!(%fault, "recovery failed; trying again"),
                }
                if self.outbox.drop_for(IDLE).is_err() {
                    return;
                }
            };
        }
    }
}

/// One owner's time: from recovery to stop or fault.
struct Session {
    partition: Partition,
    journal: Box<dyn Journal>,
    clock: Clock,
    /// How long the last write took.
    write_time: Duration,
    batch_number: u64,
    bytes_since_checkpoint: u64,
    checkpointing: bool,
    feed: SyncSender<Feed>,
    feeder: JoinHandle<()>,
    next_purge: Time,
}

/// What the thread that feeds the read model is given.
enum Feed {
    Changes { number: u64, changes: Vec<Change> },
    Purge { now: Time },
}

impl Session {
    fn begin(driver: &Driver, opened: Opened) -> Session {
        let (feed, fed) = sync_channel(VIEW_BATCHES_MAX);
        let (view, inbox) = (driver.view.clone(), driver.inbox.clone());
        let feeder = std::thread::Builder::new()
            .name("feeder".into())
            .spawn(move || feed_view(&view, &inbox, &fed))
            .expect("a server that cannot start a thread cannot serve");
        let Opened {
            partition,
            journal,
            last_now,
            replayed_bytes,
        } = opened;
        Session {
            partition,
            journal,
            clock: Clock::new(last_now),
            write_time: Duration::ZERO,
            batch_number: 0,
            bytes_since_checkpoint: replayed_bytes,
            checkpointing: false,
            feed,
            feeder,
            next_purge: Time(0),
        }
    }

    fn serve(mut self, driver: &Driver) -> Left {
        let now = self.clock.now();
        self.partition.resume(now);
        let left = loop {
            match self.turn(driver) {
                Ok(true) => {}
                Ok(false) => break self.finish(),
                Err(left) => break left,
            }
        };
        drop(self.feed);
        // The read model finishes what it was given before anyone recovers.
        let _ = self.feeder.join();
        left
    }

    /// One batch. Says whether to go on.
    fn turn(&mut self, driver: &Driver) -> Result<bool, Left> {
        let now = self.clock.now();
        let more = self.partition.turn(now);
        self.commit(&driver.metrics)?;
        // Here and nowhere else the batch is empty, however busy the server is.
        self.housekeeping()?;
        driver.metrics.set_ready(true);
        self.partition.shown_up_to(driver.view.shown());
        let wait = if more {
            Duration::ZERO
        } else {
            self.patience()
        };
        self.gather(driver, wait)
    }

    /// How long nothing needs to be done unless something comes in.
    fn patience(&mut self) -> Duration {
        let now = self.clock.now();
        self.partition
            .next_at()
            .map_or(IDLE, |at| Duration::from_millis(at.since(now)).min(IDLE))
    }

    /// Takes what waits in the inbox; says false when asked to stop.
    fn gather(&mut self, driver: &Driver, wait: Duration) -> Result<bool, Left> {
        let outbox = &driver.outbox;
        let mut input = match outbox.next(wait) {
            Ok(input) => input,
            Err(inbox::Closed) => return Ok(false),
        };
        let (now, begun) = (self.clock.now(), Instant::now());
        let mut taken = 0;
        while let Some(next) = input {
            match next {
                Input::Stop => return Ok(false),
                Input::StoreFailed => return Err(Left::Store),
                Input::Checkpointed { position } => {
                    driver.metrics.checkpoints.inc();
                    self.checkpointed(position);
                }
                next => self.partition.take(next, now),
            }
            taken += 1;
            if taken == BATCH_INPUTS_MAX
                || self.partition.batch_bytes() >= BATCH_BYTES_MAX
                || self.partition.batch_records() >= BATCH_RECORDS_ENOUGH
                    && begun.elapsed() >= self.write_time
            {
                break;
            }
            input = outbox.try_next().unwrap_or_default();
        }
        Ok(true)
    }

    /// Makes the batch durable, then lets it out.
    fn commit(&mut self, metrics: &Metrics) -> Result<(), Left> {
        let batch = self.partition.take_batch();
        if self.partition.has_archive_failed() {
            return Err(Left::Store);
        }
        self.batch_number = batch.number;
        if batch.is_empty() {
            return self.release(batch);
        }
        let bytes = batch.bytes as u64;
        if !batch.records.is_empty() {
            // One group, so that no crash parts what caused a message from what it did.
            let records: Vec<&[u8]> = batch.records.iter().map(Vec::as_slice).collect();
            let begun = Instant::now();
            self.journal.append(&records).map_err(Left::Journal)?;
            self.write_time = begun.elapsed();
            metrics.commits.inc();
            metrics.journal_bytes.inc_by(bytes);
            self.bytes_since_checkpoint += bytes;
        }
        metrics.commands.inc_by(batch.commands);
        metrics.rejections.inc_by(batch.rejections);
        metrics.runs_started.inc_by(batch.started);
        metrics.runs_ended.inc_by(batch.ended);
        metrics.tasks_delivered.inc_by(batch.delivered);
        metrics.timers_fired.inc_by(batch.fired);
        let [live, timers, queued, workers, human_tasks] = self
            .partition
            .gauges()
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        metrics.runs_live.set(live);
        metrics.timers_pending.set(timers);
        metrics.tasks_queued.set(queued);
        metrics.workers.set(workers);
        metrics.human_tasks.set(human_tasks);
        self.release(batch)
    }

    fn release(&mut self, batch: crate::partition::Batch) -> Result<(), Left> {
        let changes = self.partition.release(batch);
        if changes.is_empty() {
            return Ok(());
        }
        self.feed
            .send(Feed::Changes {
                number: self.batch_number,
                changes,
            })
            .map_err(|_| Left::Store)
    }

    fn housekeeping(&mut self) -> Result<(), Left> {
        if self.bytes_since_checkpoint >= CHECKPOINT_BYTES && !self.checkpointing {
            self.checkpoint();
        }
        let now = self.clock.now();
        if now >= self.next_purge {
            self.next_purge = now.plus(PURGE_EVERY_MS);
            self.feed
                .send(Feed::Purge { now })
                .map_err(|_| Left::Store)?;
        }
        Ok(())
    }

    /// Begins a checkpoint of everything journaled so far.
    fn checkpoint(&mut self) {
        self.partition.checkpoint(self.journal.end().0);
        self.bytes_since_checkpoint = 0;
        self.checkpointing = true;
    }

    fn checkpointed(&mut self, position: u64) {
        self.checkpointing = false;
        // What cannot be trimmed now is trimmed next time.
        if let Err(fault) = self.journal.trim(journal::Position(position).next()) {
            warn!(%fault, "the journal could not be trimmed");
        }
    }

    /// The last batch and a last checkpoint, so that the next start has nothing to replay.
    fn finish(&mut self) -> Left {
        let metrics = Metrics::default();
        let mut last = self.commit(&metrics);
        if last.is_ok() {
            self.checkpoint();
            last = self.commit(&metrics);
        }
        // On the way out nothing is recovered: the next start does that.
        match last {
            Ok(()) => info!("stopped"),
            Err(Left::Journal(fault)) => error!(%fault, "the journal failed while stopping"),
            Err(Left::Stopped | Left::Store) => error!("the store failed while stopping"),
        }
        Left::Stopped
    }
}

/// Feeds the read model until nobody gives it anything, or it fails. A checkpoint is made durable aside, so
/// that nobody waits for the files it takes; runs are forgotten piece by piece, in between.
fn feed_view(view: &View, inbox: &Inbox, fed: &Receiver<Feed>) {
    let mut checkpoint: Option<JoinHandle<()>> = None;
    let mut purge: Option<Time> = None;
    loop {
        let feed = match purge {
            None => fed.recv().map_err(|_| TryRecvError::Disconnected),
            Some(_) => fed.try_recv(),
        };
        let done = match feed {
            Ok(Feed::Changes { number, changes }) => view.feed(number, changes, false),
            Ok(Feed::Purge { now }) => {
                purge = Some(now);
                Ok(None)
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => break,
        };
        match done {
            Ok(Some(position)) => {
                let keeping = keep(view.clone(), inbox.clone(), position);
                // Only a stop does not wait for the checkpoint before; what is kept now is kept after it.
                drop(checkpoint.replace(keeping).map(JoinHandle::join));
            }
            Ok(None) => {}
            Err(fault) => {
                error!(%fault, "the store failed");
                break;
            }
        }
        purge = purge.filter(|now| match view.purge(*now) {
            Ok(purged) => !purged.is_all,
            Err(fault) => {
                warn!(%fault, "runs whose retention is over could not be forgotten");
                false
            }
        });
    }
    // The last checkpoint must not be lost by stopping.
    drop(checkpoint.map(JoinHandle::join));
}

/// Makes a checkpoint durable, aside.
fn keep(view: View, inbox: Inbox, position: u64) -> JoinHandle<()> {
    let keep = move || match view.sync() {
        Ok(()) => inbox.send_urgent(Input::Checkpointed { position }),
        Err(fault) => {
            error!(%fault, "a checkpoint could not be written");
            inbox.send_urgent(Input::StoreFailed);
        }
    };
    std::thread::Builder::new()
        .name("checkpoint".into())
        .spawn(keep)
        .expect("a server that cannot start a thread cannot serve")
}
