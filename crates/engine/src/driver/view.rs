//! Owns the read model: finished runs, histories and counts in the store, fed by durable batches.
//!
//! Invariants: it only ever shows what is durable; it lags, so reads that must be fresh wait for the
//! number of the batch they follow; feeding the same run twice (as after a crash) changes nothing.

mod marks;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use graph::value::Str;
use kernel::catalog::Definition;
use kernel::codec::decode;
use kernel::{Rejection, Run, RunId, State, Time};
use store::{Batch, Direction, Store, TableId, WriteFault};
use tokio::sync::watch;
use tracing::error;

use super::handle::AskError;
use crate::partition::chronicle::{Tail, Told, read_events};
use crate::partition::{Archive, ArchiveFault, Change, Finished, HistoryTail, LivePage, Snapshot};
use crate::query::{
    Counts, Cursor, Filter, HistoryEvent, HistoryPage, Page, RunView, Site, Summary,
};
use marks::{Place, Search};
use totals::Totals;

/// Names of the tables, in the order of the constants below.
pub const TABLES: [&str; 7] = [
    "live", "finished", "started", "history", "things", "marks", "due",
];

/// Live runs as of the last checkpoint: number of the next event, run.
pub(crate) const LIVE: TableId = TableId(0);

/// Finished runs, newest first: place in lists, run.
const FINISHED: TableId = TableId(1);

/// When each finished run started.
const STARTED: TableId = TableId(2);

/// Parts of histories: run, number of the first event.
const HISTORY: TableId = TableId(3);

/// Definitions, schedules, kept events, the checkpoint, the counts.
pub(crate) const THINGS: TableId = TableId(4);

/// When each finished run is to be forgotten: instant, run.
const DUE: TableId = TableId(6);

/// Where the checkpoint's position and instant stand.
pub(crate) const CHECKPOINT_KEY: &[u8] = b"checkpoint";

const COUNTS_KEY: &[u8] = b"totals";

/// Rows looked at for one page. A page may be short; its cursor says where to go on.
const SEARCH_ROWS_MAX: usize = 50_000;

/// Finished runs forgotten at a time, so that feeding does not wait for long.
pub const PURGE_RUNS_MAX: usize = 256;

/// Parts of a history forgotten at a time.
const PURGE_PARTS_MAX: usize = 512;

/// The read model; cheap to clone.
#[derive(Clone)]
pub struct View {
    pub(crate) store: Store,
    shown: Arc<watch::Sender<u64>>,
    /// Closed when nothing is fed any more; none if that is never said.
    lifeline: Option<watch::Receiver<()>>,
    shelf: Arc<RwLock<Shelf>>,
    totals: Arc<Mutex<Totals>>,
}

/// Definitions by workflow and version.
type Shelf = BTreeMap<(Str, Str), Arc<Definition>>;

/// What one look for runs to forget has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many runs were forgotten.
    pub runs: usize,
    /// Whether all were whose retention is over.
    pub is_all: bool,
}

/// What is being fed.
#[derive(Default)]
struct Fed {
    batch: Batch,
    /// Runs that the batch holds as finished.
    finished: BTreeSet<RunId>,
    /// Whether the totals have changed.
    counted: bool,
}

impl View {
    /// The read model that a store holds.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn open(store: Store) -> Result<View, store::ReadFault> {
        let totals = store
            .get(THINGS, COUNTS_KEY)?
            .map(|bytes| Totals::read(&bytes))
            .unwrap_or_default();
        Ok(View {
            store,
            shown: Arc::new(watch::Sender::new(0)),
            lifeline: None,
            shelf: Arc::default(),
            totals: Arc::new(Mutex::new(totals)),
        })
    }

    /// Batches up to this one are readable.
    #[must_use]
    pub fn shown(&self) -> u64 {
        *self.shown.borrow()
    }

    /// The same, but its readers wait no longer than this is open.
    pub(crate) fn while_open(&self, lifeline: watch::Receiver<()>) -> View {
        View {
            lifeline: Some(lifeline),
            ..self.clone()
        }
    }

    /// Takes in the changes of a batch. Returns the position of a checkpoint among them, which is durable once
    /// [`View::sync`] has returned.
    ///
    /// # Errors
    /// A store that cannot be written; the read model takes no more.
    pub fn feed(
        &self,
        number: u64,
        changes: Vec<Change>,
        replayed: bool,
    ) -> Result<Option<u64>, WriteFault> {
        let mut fed = Fed::default();
        let mut checkpoint = None;
        for change in changes {
            match change {
                Change::Begun { run, at } => self.put_begun(&mut fed, run, at)?,
                Change::Finished(finished) => self.put_finished(&mut fed, &finished, replayed)?,
                Change::History { run, tail } => put_tail(&mut fed.batch, run, &tail),
                Change::Deployed(definition) => self.put_definition(definition),
                Change::Checkpoint(snapshot) => {
                    checkpoint = Some(put_snapshot(&mut fed.batch, snapshot));
                }
            }
        }
        self.write(fed, checkpoint.unwrap_or(0))?;
        self.shown.send_replace(number);
        Ok(checkpoint)
    }

    /// Makes everything fed so far durable. More may be fed meanwhile.
    ///
    /// # Errors
    /// A store that cannot be written; the read model takes no more.
    pub fn sync(&self) -> Result<(), WriteFault> {
        self.store.sync().map(drop)
    }

    fn write(&self, mut fed: Fed, checkpoint: u64) -> Result<(), WriteFault> {
        if fed.counted {
            fed.batch.put(THINGS, COUNTS_KEY, self.totals().bytes());
        }
        if fed.batch.is_empty() {
            return Ok(());
        }
        let position = checkpoint.max(self.store.position());
        self.store.apply(fed.batch, position)
    }

    /// A run cannot begin while one of the same key is kept, so what is held of an earlier one goes.
    fn put_begun(&self, fed: &mut Fed, id: RunId, at: Time) -> Result<(), WriteFault> {
        if fed.finished.contains(&id) {
            self.write(std::mem::take(fed), 0)?;
        }
        let earlier = self.find(id).map_err(unread)?;
        match earlier.filter(|run| run.started_at != at) {
            Some(run) => self
                .forget(&mut fed.batch, &run, usize::MAX)
                .map(drop)
                .map_err(unread),
            None => Ok(()),
        }
    }

    fn put_finished(
        &self,
        fed: &mut Fed,
        finished: &Finished,
        replayed: bool,
    ) -> Result<(), WriteFault> {
        let run = &finished.run;
        let key = Place::of(run).0;
        put_tail(&mut fed.batch, run.id, &finished.tail);
        fed.batch.put(FINISHED, key, State::encode_run(run));
        let started = run.started_at.0.to_be_bytes();
        fed.batch.put(STARTED, run.id.0, started);
        fed.batch.put(DUE, due_key(due_at(run), run.id), []);
        marks::put(&mut fed.batch, run);
        fed.finished.insert(run.id);
        // What is there already is counted already.
        if replayed && self.store.get(FINISHED, &key).map_err(unread)?.is_some() {
            return Ok(());
        }
        self.totals().add(run);
        fed.counted = true;
        Ok(())
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_definition(&self, definition: Arc<Definition>) {
        let key = (
            definition.graph.workflow.clone(),
            definition.graph.version.clone(),
        );
        self.shelf
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, definition);
    }

    fn definition(&self, workflow: &Str, version: &Str) -> Option<Arc<Definition>> {
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        shelf.get(&(workflow.clone(), version.clone())).cloned()
    }

    /// Waits until a batch is readable, or never will be.
    async fn fresh(&self, number: u64) -> Result<(), AskError> {
        let mut shown = self.shown.subscribe();
        let mut lifeline = self.lifeline.clone();
        let over = async {
            match &mut lifeline {
                Some(lifeline) => while lifeline.changed().await.is_ok() {},
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reached = shown.wait_for(|shown| *shown >= number) => {
                reached.map(drop).map_err(|_| AskError::Stopped)
            }
            () = over => Err(AskError::Stopped),
        }
    }

    /// A finished run, once the batch is readable.
    ///
    /// # Errors
    /// [`Rejection::RunMissing`], or a store that cannot be read.
    pub async fn finished(&self, id: RunId, number: u64) -> Result<RunView, AskError> {
        self.fresh(number).await?;
        let run = self
            .find(id)?
            .ok_or(AskError::Rejected(Rejection::RunMissing(id)))?;
        Ok(RunView::of(&run, None))
    }

    fn find(&self, id: RunId) -> Result<Option<Box<Run>>, AskError> {
        let Some(started) = self.store.get(STARTED, &id.0).map_err(fault)? else {
            return Ok(None);
        };
        let started_at = Time(u64::from_be_bytes(started.try_into().unwrap_or_default()));
        self.finished_at(Place::at(Cursor {
            started_at,
            run: id,
        }))
    }

    fn finished_at(&self, place: Place) -> Result<Option<Box<Run>>, AskError> {
        let bytes = self.store.get(FINISHED, &place.0).map_err(fault)?;
        bytes
            .map(|bytes| decode::<Run>(&bytes).map(Box::new).map_err(fault))
            .transpose()
    }

    /// Merges a page of live runs with one of finished ones.
    pub(crate) async fn list(
        &self,
        live: LivePage,
        filter: Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, AskError> {
        self.fresh(live.number).await?;
        let view = self.clone();
        let scan = move || view.finished_page(&filter, after, limit, SEARCH_ROWS_MAX);
        let (finished, scanned_to) = tokio::task::spawn_blocking(scan)
            .await
            .map_err(|_| AskError::Stopped)??;
        Ok(merge(live, finished, scanned_to, limit))
    }

    /// Finished runs of a page, and how far the search came; none if it came to the end.
    fn finished_page(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
        rows_max: usize,
    ) -> Result<(Vec<Summary>, Option<Cursor>), AskError> {
        let mut search = Search::new(self.store.clone(), filter, after, rows_max);
        let mut runs = Vec::new();
        while let Some(found) = search.next().map_err(fault)? {
            if runs.len() == limit {
                return Ok((runs, Some(found.place.before())));
            }
            let run = self.finished_at(found.place)?;
            let run = run.filter(|run| filter.matches(run));
            runs.extend(run.map(|run| Summary::of(&run)));
        }
        Ok((runs, search.stopped_at))
    }

    /// Adds the finished runs to the counts of the live ones.
    pub(crate) async fn count(
        &self,
        mut live: Counts,
        filter: Filter,
        number: u64,
    ) -> Result<Counts, AskError> {
        self.fresh(number).await?;
        if filter.is_by_total() {
            self.totals().count(&filter, &mut live);
            return Ok(live);
        }
        let view = self.clone();
        tokio::task::spawn_blocking(move || view.count_found(live, &filter))
            .await
            .map_err(|_| AskError::Stopped)?
    }

    fn count_found(&self, mut counts: Counts, filter: &Filter) -> Result<Counts, AskError> {
        let mut search = Search::new(self.store.clone(), filter, None, usize::MAX);
        while let Some(found) = search.next().map_err(fault)? {
            let is_meant = || {
                let run = self.finished_at(found.place)?;
                Ok::<_, AskError>(run.is_some_and(|run| filter.matches(&run)))
            };
            let state = found.state.word();
            if filter.admits(state) && (search.is_exact || is_meant()?) {
                *counts.states.entry(state).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Events of a run from a number on: those in the store, then those in memory. Costs what it shows, and
    /// the part of the history in which it begins.
    ///
    /// # Errors
    /// [`Rejection::RunMissing`], or a store that cannot be read.
    pub async fn history(
        &self,
        id: RunId,
        tail: HistoryTail,
        from: u64,
        limit: usize,
    ) -> Result<HistoryPage, AskError> {
        self.fresh(tail.number).await?;
        let definition = match &tail.of {
            Some((workflow, version)) => self.definition(workflow, version),
            None => {
                let run = self
                    .find(id)?
                    .ok_or(AskError::Rejected(Rejection::RunMissing(id)))?;
                self.definition(&run.workflow, &run.version)
            }
        };
        let place = |node| Some(Site::of(definition.as_ref()?.node(node)?));
        let mut page = HistoryPage::default();
        let mut next = from;
        loop {
            // Parts of the store may overlap with what memory has, as after a crash; both tell the same.
            let kept = match &tail.tail {
                Some(tail) if tail.from <= next => Some((tail.from, tail.bytes.clone())),
                _ => self.history_part(id, next)?,
            };
            let Some((first, bytes)) = kept else { break };
            let before = next;
            for told in read_events(&bytes, next - first) {
                if page.events.len() == limit {
                    page.next = Some(next);
                    return Ok(page);
                }
                let Told { at, node, event } = told.map_err(fault)?;
                page.events.push(HistoryEvent {
                    number: next,
                    at,
                    event,
                    node: node.and_then(place),
                });
                next += 1;
            }
            if next == before {
                break;
            }
        }
        Ok(page)
    }

    /// The stored part of a history that holds an event if any does, and the number of its first event.
    fn history_part(&self, id: RunId, number: u64) -> Result<Option<(u64, Vec<u8>)>, AskError> {
        let mut part = None;
        let mut each = |key: &[u8], bytes: &[u8]| {
            let first = key.get(16..).and_then(|first| first.try_into().ok());
            part = first.map(|first| (u64::from_be_bytes(first), bytes.to_vec()));
            ControlFlow::Break(())
        };
        let (first, last) = (history_key(id, 0), history_key(id, number));
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        self.store
            .range(HISTORY, bounds.0, bounds.1, Direction::Backward, &mut each)
            .map_err(fault)?;
        Ok(part)
    }

    /// Forgets finished runs whose retention is over, those first for which it has been over the longest, and
    /// looks at no others. Returns whether there may be more: only so many are forgotten at a time.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn purge(&self, now: Time) -> Result<Purged, AskError> {
        let mut due = Vec::new();
        let mut each = |key: &[u8], _: &[u8]| {
            due.extend(<[u8; 24]>::try_from(key));
            match due.len() < PURGE_RUNS_MAX {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        let last = due_key(now, RunId([0xff; 16]));
        let bounds = (Bound::Unbounded, Bound::Included(&last[..]));
        self.store
            .range(DUE, bounds.0, bounds.1, Direction::Forward, &mut each)
            .map_err(fault)?;
        let mut purged = Purged {
            runs: 0,
            is_all: due.len() < PURGE_RUNS_MAX,
        };
        let (mut batch, mut parts) = (Batch::new(), PURGE_PARTS_MAX);
        for key in due {
            let id = RunId(key[8..].try_into().expect("16 bytes"));
            let run = self.find(id)?;
            // A row may be of an earlier run of the same id, which a crash has brought back.
            match run.filter(|run| due_key(due_at(run), id) == key) {
                Some(run) => {
                    let gone = self.forget(&mut batch, &run, parts)?;
                    parts = parts.saturating_sub(gone);
                    if parts == 0 {
                        purged.is_all = false;
                        break;
                    }
                    purged.runs += 1;
                }
                None => batch.delete(DUE, key),
            }
        }
        if !batch.is_empty() {
            self.store
                .apply(batch, self.store.position())
                .map_err(fault)?;
        }
        Ok(purged)
    }

    /// Forgets a run, unless its history has more than so many parts: then only these. Returns how many parts
    /// were forgotten.
    fn forget(&self, batch: &mut Batch, run: &Run, parts_max: usize) -> Result<usize, AskError> {
        let (first, last) = (history_key(run.id, 0), history_key(run.id, u64::MAX));
        let mut parts = 0;
        let mut each = |key: &[u8], _: &[u8]| {
            batch.delete(HISTORY, key);
            parts += 1;
            match parts < parts_max {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        self.store
            .range(HISTORY, bounds.0, bounds.1, Direction::Forward, &mut each)
            .map_err(fault)?;
        if parts < parts_max {
            batch.delete(FINISHED, Place::of(run).0);
            batch.delete(STARTED, run.id.0);
            batch.delete(DUE, due_key(due_at(run), run.id));
            marks::remove(batch, run);
            let mut totals = self.totals();
            totals.remove(run);
            batch.put(THINGS, COUNTS_KEY, totals.bytes());
        }
        Ok(parts)
    }
}

impl Archive for View {
    fn finished(&self, run: RunId) -> Result<Option<Box<Run>>, ArchiveFault> {
        self.find(run).map_err(|fault| {
            error!(%fault, %run, "a finished run cannot be read");
            ArchiveFault
        })
    }
}

/// From when on a finished run is forgotten.
fn due_at(run: &Run) -> Time {
    run.ended_at
        .unwrap_or(run.started_at)
        .plus(run.retention_ms)
}

fn due_key(at: Time, id: RunId) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&at.0.to_be_bytes());
    key[8..].copy_from_slice(&id.0);
    key
}

fn history_key(run: RunId, from: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&run.0);
    key[16..].copy_from_slice(&from.to_be_bytes());
    key
}

fn put_tail(batch: &mut Batch, run: RunId, tail: &Tail) {
    if tail.count > 0 {
        batch.put(HISTORY, history_key(run, tail.from), tail.bytes.clone());
    }
}

fn put_snapshot(batch: &mut Batch, snapshot: Snapshot) -> u64 {
    for (run, tail) in &snapshot.tails {
        put_tail(batch, *run, tail);
    }
    for (run, bytes, next_event) in snapshot.runs {
        let mut value = next_event.to_be_bytes().to_vec();
        value.extend_from_slice(&bytes);
        batch.put(LIVE, run.0, value);
    }
    for run in snapshot.gone {
        batch.delete(LIVE, run.0);
    }
    for (key, event) in snapshot.things {
        match event {
            Some(event) => batch.put(THINGS, key, event),
            None => batch.delete(THINGS, key),
        }
    }
    let mut checkpoint = snapshot.position.to_be_bytes().to_vec();
    checkpoint.extend_from_slice(&snapshot.now.0.to_be_bytes());
    batch.put(THINGS, CHECKPOINT_KEY, checkpoint);
    snapshot.position
}

/// One page out of two: nothing below what either scan has reached may be shown yet.
fn merge(
    live: LivePage,
    finished: Vec<Summary>,
    finished_to: Option<Cursor>,
    limit: usize,
) -> Page {
    let frontier = live.scanned_to.max(finished_to);
    let mut by_cursor: BTreeMap<Cursor, Summary> = live
        .runs
        .into_iter()
        .map(|run| (run.cursor(), run))
        .collect();
    // A run that ended between the two reads is in both; it has ended.
    by_cursor.extend(finished.into_iter().map(|run| (run.cursor(), run)));
    let mut runs: Vec<Summary> = by_cursor
        .into_iter()
        .rev()
        .map(|(_, run)| run)
        .filter(|run| frontier.is_none_or(|f| run.cursor() >= f))
        .collect();
    let next = if runs.len() > limit {
        runs.truncate(limit);
        runs.last().map(Summary::cursor)
    } else {
        frontier
    };
    Page { runs, next }
}

/// What must be read to be written cannot be.
fn unread(fault: impl std::error::Error + Send + Sync + 'static) -> WriteFault {
    WriteFault::Tables(Arc::new(fault))
}

fn fault(error: impl std::fmt::Display) -> AskError {
    AskError::Fault(error.to_string().into())
}
