//! Owns the read model: finished runs, histories and counts in the store, fed by durable batches.
//!
//! Invariants: it only ever shows what is durable; it lags, so reads that must be fresh wait for the
//! number of the batch they follow; feeding the same run twice (as after a crash) changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use graph::value::{Str, Value};
use kernel::catalog::Definition;
use kernel::codec::{decode, encode};
use kernel::{Rejection, Run, RunId, State, Time};
use store::{Batch, Direction, Store, TableId, WriteFault};
use tokio::sync::watch;
use tracing::error;

use super::handle::AskError;
use crate::partition::chronicle::{Tail, Told, read_events};
use crate::partition::{Archive, ArchiveFault, Change, Finished, HistoryTail, LivePage, Snapshot};
use crate::query::{Counts, Cursor, Filter, HistoryEvent, HistoryPage, Page, RunView, Summary};

/// Names of the tables, in the order of the constants below.
pub const TABLES: [&str; 5] = ["live", "finished", "started", "history", "things"];

/// Live runs as of the last checkpoint: number of the next event, run.
pub(crate) const LIVE: TableId = TableId(0);

/// Finished runs, newest first: inverted start and id, run.
const FINISHED: TableId = TableId(1);

/// When each finished run started.
const STARTED: TableId = TableId(2);

/// Parts of histories: run, number of the first event.
const HISTORY: TableId = TableId(3);

/// Definitions, schedules, kept events, the checkpoint, the counts.
pub(crate) const THINGS: TableId = TableId(4);

/// Where the checkpoint's position and instant stand.
pub(crate) const CHECKPOINT_KEY: &[u8] = b"checkpoint";

const COUNTS_KEY: &[u8] = b"totals";

/// Finished runs looked at for one page. A page may be short; its cursor says where to go on.
const FINISHED_SCAN_MAX: usize = 20_000;

/// Finished runs looked at in one look for those whose retention is over.
const PURGE_SCAN_MAX: usize = 10_000;

/// The read model; cheap to clone.
#[derive(Clone)]
pub struct View {
    pub(crate) store: Store,
    shown: Arc<watch::Sender<u64>>,
    shelf: Arc<RwLock<Shelf>>,
    totals: Arc<Mutex<Totals>>,
    /// Where the search for runs to forget goes on.
    purge_from: Arc<Mutex<Option<Vec<u8>>>>,
}

/// Definitions by workflow and version.
type Shelf = BTreeMap<(Str, Str), Arc<Definition>>;

/// Finished runs by workflow and state.
#[derive(Clone, Debug, Default)]
struct Totals(BTreeMap<(Str, &'static str), u64>);

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
            shelf: Arc::default(),
            totals: Arc::new(Mutex::new(totals)),
            purge_from: Arc::default(),
        })
    }

    /// Batches up to this one are readable.
    #[must_use]
    pub fn shown(&self) -> u64 {
        *self.shown.borrow()
    }

    /// A recovered partition numbers its batches anew.
    pub(crate) fn restart(&self) {
        self.shown.send_replace(0);
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
                Change::Finished(finished) => self.put_finished(&mut fed, &finished, replayed),
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
            let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
            fed.batch.put(THINGS, COUNTS_KEY, totals.bytes());
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
        let tables = |fault: AskError| WriteFault::Tables(Arc::new(fault));
        let earlier = self.find(id).map_err(tables)?;
        match earlier.filter(|run| run.started_at != at) {
            Some(run) => self.forget(&mut fed.batch, &run).map_err(tables),
            None => Ok(()),
        }
    }

    fn put_finished(&self, fed: &mut Fed, finished: &Finished, replayed: bool) {
        let run = &finished.run;
        let key = finished_key(run.started_at, run.id);
        put_tail(&mut fed.batch, run.id, &finished.tail);
        fed.batch.put(FINISHED, key, State::encode_run(run));
        fed.batch
            .put(STARTED, run.id.0, run.started_at.0.to_be_bytes());
        fed.finished.insert(run.id);
        if replayed
            && self
                .store
                .get(FINISHED, &key)
                .is_ok_and(|found| found.is_some())
        {
            return;
        }
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        *totals
            .0
            .entry((run.workflow.clone(), run.status.word()))
            .or_default() += 1;
        fed.counted = true;
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

    /// Waits until a batch is readable.
    async fn fresh(&self, number: u64) -> Result<(), AskError> {
        let mut shown = self.shown.subscribe();
        shown
            .wait_for(|shown| *shown >= number)
            .await
            .map(drop)
            .map_err(|_| AskError::Stopped)
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
        let started = Time(u64::from_be_bytes(started.try_into().unwrap_or_default()));
        let bytes = self
            .store
            .get(FINISHED, &finished_key(started, id))
            .map_err(fault)?;
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
        let scan = move || view.finished_page(&filter, after, limit);
        let (finished, scanned_to) = tokio::task::spawn_blocking(scan)
            .await
            .map_err(|_| AskError::Stopped)??;
        Ok(merge(live, finished, scanned_to, limit))
    }

    fn finished_page(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Summary>, Option<Cursor>), AskError> {
        let newest = filter
            .started_before
            .map(|before| finished_key(Time(before.0.saturating_sub(1)), RunId([0xff; 16])));
        let from = after.map(|after| finished_key(after.started_at, after.run));
        let from = match (&from, &newest) {
            (Some(from), newest) if newest.as_ref().is_none_or(|newest| from >= newest) => {
                Bound::Excluded(&from[..])
            }
            (_, Some(newest)) => Bound::Included(&newest[..]),
            _ => Bound::Unbounded,
        };
        let (mut runs, mut scanned, mut scanned_to, mut damage) = (Vec::new(), 0, None, None);
        let mut each = |_: &[u8], bytes: &[u8]| {
            let run: Run = match decode(bytes) {
                Ok(run) => run,
                Err(error) => {
                    damage = Some(error);
                    return ControlFlow::Break(());
                }
            };
            if filter
                .started_after
                .is_some_and(|oldest| run.started_at < oldest)
            {
                return ControlFlow::Break(());
            }
            if runs.len() == limit || scanned == FINISHED_SCAN_MAX {
                let here = Cursor {
                    started_at: run.started_at,
                    run: run.id,
                };
                scanned_to = Some(runs.last().map_or(here, Summary::cursor));
                return ControlFlow::Break(());
            }
            scanned += 1;
            if filter.matches(&run) {
                runs.push(Summary::of(&run));
            }
            ControlFlow::Continue(())
        };
        self.store
            .range(
                FINISHED,
                from,
                Bound::Unbounded,
                Direction::Forward,
                &mut each,
            )
            .map_err(fault)?;
        damage.map_or(Ok((runs, scanned_to)), |damage| Err(fault(damage)))
    }

    /// Adds the finished runs to the counts of the live ones.
    pub(crate) async fn count(
        &self,
        mut live: Counts,
        filter: Filter,
        number: u64,
    ) -> Result<Counts, AskError> {
        self.fresh(number).await?;
        let by_total = Filter {
            workflow: filter.workflow.clone(),
            states: filter.states.clone(),
            ..Filter::default()
        };
        if by_total == filter {
            let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
            for ((workflow, state), count) in &totals.0 {
                let wanted = filter
                    .workflow
                    .as_ref()
                    .is_none_or(|wanted| wanted == workflow)
                    && (filter.states.is_empty()
                        || filter.states.iter().any(|wanted| **wanted == **state));
                if wanted {
                    *live.states.entry(state).or_default() += count;
                }
            }
            return Ok(live);
        }
        let mut after = None;
        loop {
            let (view, filter) = (self.clone(), filter.clone());
            let scan = move || view.finished_page(&filter, after, crate::query::PAGE_MAX);
            let (runs, scanned_to) = tokio::task::spawn_blocking(scan)
                .await
                .map_err(|_| AskError::Stopped)??;
            for run in runs {
                *live.states.entry(run.state).or_default() += 1;
            }
            match scanned_to {
                Some(cursor) => after = Some(cursor),
                None => return Ok(live),
            }
        }
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
        let name = |node| Some(definition.as_ref()?.node(node)?.name.clone());
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
                    step_name: node.and_then(name),
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

    /// Forgets finished runs whose retention is over; looks at a bounded number of them, oldest first,
    /// and goes on there the next time. Returns how many were forgotten.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn purge(&self, now: Time) -> Result<usize, AskError> {
        let mut from = self
            .purge_from
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let to = from.clone();
        let upper = to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let (mut over, mut scanned, mut stopped_at) = (Vec::new(), 0, None);
        let mut each = |key: &[u8], bytes: &[u8]| {
            if scanned == PURGE_SCAN_MAX {
                return ControlFlow::Break(());
            }
            scanned += 1;
            stopped_at = Some(key.to_vec());
            if let Ok(run) = decode::<Run>(bytes)
                && run
                    .ended_at
                    .is_some_and(|ended| ended.plus(run.retention_ms) <= now)
            {
                over.push(run);
            }
            ControlFlow::Continue(())
        };
        self.store
            .range(
                FINISHED,
                Bound::Unbounded,
                upper,
                Direction::Backward,
                &mut each,
            )
            .map_err(fault)?;
        *from = stopped_at.filter(|_| scanned == PURGE_SCAN_MAX);
        let mut batch = Batch::new();
        for run in &over {
            self.forget(&mut batch, run)?;
        }
        if !batch.is_empty() {
            self.store
                .apply(batch, self.store.position())
                .map_err(fault)?;
        }
        Ok(over.len())
    }

    fn forget(&self, batch: &mut Batch, run: &Run) -> Result<(), AskError> {
        batch.delete(FINISHED, finished_key(run.started_at, run.id));
        batch.delete(STARTED, run.id.0);
        let (first, last) = (history_key(run.id, 0), history_key(run.id, u64::MAX));
        let mut each = |key: &[u8], _: &[u8]| {
            batch.delete(HISTORY, key);
            ControlFlow::Continue(())
        };
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        self.store
            .range(HISTORY, bounds.0, bounds.1, Direction::Forward, &mut each)
            .map_err(fault)?;
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = totals.0.get_mut(&(run.workflow.clone(), run.status.word())) {
            *count = count.saturating_sub(1);
        }
        batch.put(THINGS, COUNTS_KEY, totals.bytes());
        Ok(())
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

impl Totals {
    fn bytes(&self) -> Vec<u8> {
        let rows = self.0.iter().map(|((workflow, state), count)| {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            Value::array(vec![
                Value::Text(workflow.clone()),
                Value::from(*state),
                Value::Int(count),
            ])
        });
        encode(&Value::array(rows.collect()))
    }

    fn read(bytes: &[u8]) -> Totals {
        let mut totals = Totals::default();
        let Ok(Value::Array(rows)) = decode::<Value>(bytes) else {
            return totals;
        };
        for row in rows.iter() {
            let Value::Array(cells) = row else { continue };
            if let [Value::Text(workflow), Value::Text(state), Value::Int(count)] = &cells[..]
                && let Some(status) = kernel::Status::from_word(state)
            {
                totals.0.insert(
                    (workflow.clone(), status.word()),
                    u64::try_from(*count).unwrap_or(0),
                );
            }
        }
        totals
    }
}

/// Sorts newest first: instants and ids are inverted.
fn finished_key(started_at: Time, id: RunId) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&(!started_at.0).to_be_bytes());
    for (place, byte) in key[8..].iter_mut().zip(id.0) {
        *place = !byte;
    }
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

fn fault(error: impl std::fmt::Display) -> AskError {
    AskError::Fault(error.to_string().into())
}
