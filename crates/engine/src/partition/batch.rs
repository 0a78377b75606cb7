//! Owns the batch: records on their way to the journal, and all that waits for them.
//!
//! Invariant: "nothing leaves before it is durable" is the shape of this type. Outputs can only be got
//! at by giving the batch back after its records were appended.

use std::sync::Arc;

use kernel::catalog::Definition;
use kernel::{Event, Rejection, Reply, Run, RunId, TaskToken, Time};

use super::Answer;
use super::chronicle::Tail;
use crate::query::{HistoryEvent, RunView};

/// What most records take.
const RECORD_BYTES: usize = 384;

/// Records, and what waits for them to be durable.
#[derive(Default)]
pub struct Batch {
    /// One record for each accepted command.
    pub records: Vec<Vec<u8>>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) changes: Vec<Change>,
    /// Counts the batches of one owner.
    pub number: u64,
    pub(crate) bytes: usize,
    /// The claim whose worker is reporting right now: it need not be told that the claim is over.
    pub(crate) reporting: Option<TaskToken>,
    pub(crate) commands: u64,
    pub(crate) rejections: u64,
    pub(crate) started: u64,
    pub(crate) ended: u64,
    pub(crate) delivered: u64,
    pub(crate) fired: u64,
}

/// What waits for a batch to be durable.
pub(crate) enum Output {
    /// A reply.
    Reply(Answer<Result<Reply, Rejection>>, Result<Reply, Rejection>),
    /// The end of a run, for someone who waited.
    Ended(Answer<Option<RunView>>, Option<RunView>),
    /// What was read, which may follow from events of this batch.
    Read(Box<dyn FnOnce() + Send>),
    /// An event of a run that is watched.
    Watched(RunId, HistoryEvent),
}

/// What the read model takes in.
pub enum Change {
    /// A run that began, as replay shows it. Whatever is held of one of the same key before it was forgotten
    /// once already, and a crash has brought it back.
    Begun {
        /// The run.
        run: RunId,
        /// When.
        at: Time,
    },
    /// A run that has ended.
    Finished(Finished),
    /// A part of a live run's history that no longer fits memory.
    History {
        /// The run.
        run: RunId,
        /// The part.
        tail: Tail,
    },
    /// A version that was deployed.
    Deployed(Arc<Definition>),
    /// What changed since the last checkpoint: everything up to this batch can be recovered from it.
    Checkpoint(super::dirty::Snapshot),
}

/// A run that has ended.
pub struct Finished {
    /// The run.
    pub run: Arc<Run>,
    /// The part of its history that is not in the store yet.
    pub tail: Tail,
}

impl Batch {
    pub(crate) fn record(&mut self, at: Time, events: &[Event]) {
        // The same bytes as an `Entry`, without moving the events into one first.
        let mut bytes = Vec::with_capacity(RECORD_BYTES);
        EntryView { at, events }.put(&mut bytes);
        self.bytes += bytes.len();
        self.records.push(bytes);
    }

    /// Whether nothing waits in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outputs.is_empty() && self.changes.is_empty()
    }
}

struct EntryView<'a> {
    at: Time,
    events: &'a [Event],
}

impl EntryView<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        kernel::codec::Field::put_field(&self.at, 1, out);
        for event in self.events {
            kernel::codec::Field::put_field(event, 2, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::codec::{Wire, encode};
    use kernel::event::{Entry, Name, Number};

    use super::*;

    #[test]
    fn a_record_is_an_entry() {
        let events = vec![
            Event::EventDropped(Number { number: 300 }),
            Event::ScheduleDropped(Name { name: "n".into() }),
        ];
        let mut batch = Batch::default();
        batch.record(Time(1_234_567), &events);
        let entry = Entry {
            at: Time(1_234_567),
            events,
        };
        assert_eq!(batch.records[0], encode(&entry));
        assert_eq!(Entry::get(&mut &batch.records[0][..]), Ok(entry));
    }
}
