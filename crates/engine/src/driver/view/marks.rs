//! Owns the marks of finished runs: rows by which lists find runs of one kind without looking at the others.
//!
//! Invariants: a run has exactly the marks that follow from it, written and removed in one batch with it; a
//! mark is a hash, so what is found by marks is looked at before it is shown.

use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow};

use graph::value::Value;
use kernel::{Run, Status, Time};
use sha2::{Digest, Sha256};
use store::{Batch, Direction, ReadFault, Store, TableId};

use crate::query::{Cursor, Filter};

/// Mark, place in lists; the value is the run's state.
const MARKS: TableId = TableId(5);

/// The states that a finished run can have.
const STATES: [Status; 4] = [
    Status::Completed,
    Status::Failed,
    Status::Cancelled,
    Status::Terminated,
];

/// Rows read at a time: few at first, because most searches find what they want soon.
const ROWS_MIN: usize = 32;
const ROWS_MAX: usize = 4_096;

/// Where a finished run stands in lists, and the key it is kept under: instants and ids are inverted, so that
/// the newest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) [u8; 24]);

impl Place {
    pub(super) fn of(run: &Run) -> Place {
        Place::at(Cursor {
            started_at: run.started_at,
            run: run.id,
        })
    }

    pub(super) fn at(cursor: Cursor) -> Place {
        let mut key = [0; 24];
        key[..8].copy_from_slice(&(!cursor.started_at.0).to_be_bytes());
        for (place, byte) in key[8..].iter_mut().zip(cursor.run.0) {
            *place = !byte;
        }
        Place(key)
    }

    /// A cursor after which lists go on with this place.
    pub(super) fn before(self) -> Cursor {
        let before = step(self.0, |byte| byte.overflowing_sub(1));
        let bytes = before.map(|byte| !byte);
        let (instant, id) = bytes.split_at(8);
        Cursor {
            started_at: Time(u64::from_be_bytes(instant.try_into().expect("8 bytes"))),
            run: kernel::RunId(id.try_into().expect("16 bytes")),
        }
    }
}

/// Something that finished runs have in common.
type Mark = [u8; 8];

fn mark(kind: u8, name: &[u8], value: &[u8]) -> Mark {
    let mut hash = Sha256::new();
    hash.update([kind]);
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name);
    hash.update(value);
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finalize()[..8]);
    mark
}

fn state_mark(state: Status) -> Mark {
    mark(b's', &[], state.word().as_bytes())
}

fn workflow_mark(workflow: &str, state: Status) -> Mark {
    mark(b'w', workflow.as_bytes(), state.word().as_bytes())
}

fn parent_mark(parent: kernel::RunId) -> Mark {
    mark(b'p', &[], &parent.0)
}

fn label_mark(name: &str, value: &str) -> Mark {
    mark(b'l', name.as_bytes(), value.as_bytes())
}

/// Equal values have equal marks; numbers that are hard to tell apart may have equal ones too.
fn attribute_mark(name: &str, value: &Value) -> Mark {
    let name = name.as_bytes();
    match value {
        Value::Text(text) => mark(b't', name, text.as_bytes()),
        Value::Bool(is) => mark(b'b', name, &[u8::from(*is)]),
        Value::Int(number) => number_mark(name, *number as f64),
        Value::Float(number) => number_mark(name, *number),
        Value::Null | Value::Array(_) | Value::Object(_) => mark(b'o', name, &[]),
    }
}

fn number_mark(name: &[u8], number: f64) -> Mark {
    // Adding zero makes one zero of the two.
    mark(b'n', name, &(number + 0.0).to_bits().to_be_bytes())
}

fn marks_of(run: &Run) -> impl Iterator<Item = Mark> {
    let labels = run.labels.iter();
    let attributes = run.attributes.iter();
    [
        state_mark(run.status),
        workflow_mark(&run.workflow, run.status),
    ]
    .into_iter()
    .chain(run.parent.map(|step| parent_mark(step.run)))
    .chain(labels.map(|(name, value)| label_mark(name, value)))
    .chain(attributes.map(|(name, value)| attribute_mark(name, value)))
}

/// Adds the marks of a finished run.
pub(super) fn put(batch: &mut Batch, run: &Run) {
    let state = STATES.iter().position(|state| *state == run.status);
    let Some(state) = state.and_then(|state| u8::try_from(state).ok()) else {
        return;
    };
    for mark in marks_of(run) {
        batch.put(MARKS, row_key(mark, Place::of(run)), [state]);
    }
}

/// Removes the marks of a finished run.
pub(super) fn remove(batch: &mut Batch, run: &Run) {
    for mark in marks_of(run) {
        batch.delete(MARKS, row_key(mark, Place::of(run)));
    }
}

fn row_key(mark: Mark, place: Place) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&mark);
    key[8..].copy_from_slice(&place.0);
    key
}

/// The finished runs that a filter may mean, newest first.
pub(super) struct Search {
    store: Store,
    /// A run is meant that is found in each of them, in any of its rows.
    all: Vec<Vec<Rows>>,
    /// Everything before it was found, or is not meant.
    next: Place,
    last: Place,
    /// How many rows may still be read.
    rows_left: usize,
    /// Where to go on, if more rows would have had to be read.
    pub(super) stopped_at: Option<Cursor>,
    /// Whether what is found is surely meant, but for hashes that are equal by chance.
    pub(super) is_exact: bool,
}

/// A run that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) state: Status,
}

impl Search {
    pub(super) fn new(
        store: Store,
        filter: &Filter,
        after: Option<Cursor>,
        rows_max: usize,
    ) -> Search {
        let is_wanted = |state: &&Status| filter.admits(state.word());
        let rows = |state: &Status| match &filter.workflow {
            Some(workflow) => Rows::new(workflow_mark(workflow, *state)),
            None => Rows::new(state_mark(*state)),
        };
        let mut all = vec![STATES.iter().filter(is_wanted).map(rows).collect()];
        let parent = filter.parent.map(parent_mark).into_iter();
        let labels = filter.labels.iter();
        let attributes = filter.attributes.iter();
        let others = parent
            .chain(labels.map(|(name, value)| label_mark(name, value)))
            .chain(attributes.map(|(name, value)| attribute_mark(name, value)));
        all.extend(others.map(|mark| vec![Rows::new(mark)]));
        if all.len() > 1 && filter.states.is_empty() && filter.workflow.is_none() {
            // Whatever has another mark has a state too, and every row tells which.
            all.remove(0);
        }
        let is_plain = |value: &Value| matches!(value, Value::Text(_) | Value::Bool(_));
        let before = filter.started_before.map(|before| before.0.checked_sub(1));
        let newest = before.map(|newest| {
            Place::at(Cursor {
                started_at: Time(newest.unwrap_or(0)),
                run: kernel::RunId([0xff; 16]),
            })
        });
        let last = Place::at(Cursor {
            started_at: filter.started_after.unwrap_or(Time(0)),
            run: kernel::RunId([0; 16]),
        });
        if before == Some(None) {
            // Nothing started before the first instant.
            all = vec![Vec::new()];
        }
        let mut search = Search {
            store,
            all,
            next: newest.unwrap_or(Place([0; 24])),
            last,
            rows_left: rows_max,
            stopped_at: None,
            is_exact: filter.attributes.values().all(is_plain),
        };
        if let Some(after) = after.map(Place::at).filter(|after| *after >= search.next) {
            search.pass(after);
        }
        search
    }

    /// The next run, if there is one and it is found before too many rows are read.
    pub(super) fn next(&mut self) -> Result<Option<Found>, ReadFault> {
        let mut at = self.next;
        'again: loop {
            if self.rows_left == 0 {
                self.next = at;
                self.stopped_at = Some(at.before());
                return Ok(None);
            }
            let mut agreed: Option<Found> = None;
            for any in &mut self.all {
                let mut first: Option<Found> = None;
                for rows in any {
                    let found = rows.seek(&self.store, at, self.last, &mut self.rows_left)?;
                    first = first.into_iter().chain(found).min();
                }
                let Some(found) = first else {
                    return Ok(None);
                };
                at = found.place;
                if agreed.is_some_and(|agreed| agreed.place < at) {
                    continue 'again;
                }
                agreed = Some(found);
            }
            self.pass(at);
            return Ok(agreed);
        }
    }

    fn pass(&mut self, place: Place) {
        self.next = Place(step(place.0, |byte| byte.overflowing_add(1)));
    }
}

/// The place beside a place. No run has the first or the last one, which would be at the end of time.
fn step(mut place: [u8; 24], change: impl Fn(u8) -> (u8, bool)) -> [u8; 24] {
    for byte in place.iter_mut().rev() {
        let (changed, carries) = change(*byte);
        *byte = changed;
        if !carries {
            break;
        }
    }
    place
}

/// The rows of one mark, read piece by piece.
struct Rows {
    mark: Mark,
    piece: VecDeque<Found>,
    piece_rows: usize,
    is_over: bool,
}

impl Rows {
    fn new(mark: Mark) -> Rows {
        Rows {
            mark,
            piece: VecDeque::new(),
            piece_rows: ROWS_MIN,
            is_over: false,
        }
    }

    /// The first row from a place on.
    fn seek(
        &mut self,
        store: &Store,
        at: Place,
        last: Place,
        rows_left: &mut usize,
    ) -> Result<Option<Found>, ReadFault> {
        let passed = self.piece.partition_point(|found| found.place < at);
        self.piece.drain(..passed);
        if self.piece.is_empty() && !self.is_over {
            // Read to the end, or jumped over: what comes next is more of the same.
            self.piece_rows = match passed {
                0 | 1 => ROWS_MAX.min(self.piece_rows * 2),
                _ => ROWS_MIN,
            };
            let (from, to) = (row_key(self.mark, at), row_key(self.mark, last));
            let piece = &mut self.piece;
            let mut each = |key: &[u8], state: &[u8]| {
                let place = key.get(8..).and_then(|place| place.try_into().ok());
                let state = state
                    .first()
                    .and_then(|state| STATES.get(usize::from(*state)));
                if let (Some(place), Some(state)) = (place, state) {
                    piece.push_back(Found {
                        place: Place(place),
                        state: *state,
                    });
                }
                match piece.len() < self.piece_rows {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            };
            let bounds = (Bound::Included(&from[..]), Bound::Included(&to[..]));
            store.range(MARKS, bounds.0, bounds.1, Direction::Forward, &mut each)?;
            *rows_left = rows_left.saturating_sub(self.piece.len() + 1);
            self.is_over = self.piece.len() < self.piece_rows;
        }
        Ok(self.piece.front().copied())
    }
}
