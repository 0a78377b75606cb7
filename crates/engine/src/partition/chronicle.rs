//! Owns the histories of live runs: the part of each that is not in the store yet.
//!
//! Invariant: numbers run from 0 without gaps over store and memory together, and replaying the journal
//! after a crash makes the same numbers again.

use std::collections::BTreeMap;

use kernel::codec::{Damage, Wire, get_varint, put_varint};
use kernel::{RunEvent, RunId, Time};

/// A tail longer than this moves to the store.
const TAIL_BYTES_MAX: usize = 32 << 10;

/// Histories by run.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    tails: BTreeMap<RunId, Tail>,
}

/// The newest part of a run's history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// Number of its first event.
    pub from: u64,
    /// How many events it holds.
    pub count: u64,
    /// Each event: length, instant, event.
    pub bytes: Vec<u8>,
}

impl Tail {
    /// Number of the next event to come.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.from + self.count
    }

    fn push(&mut self, at: Time, event: &RunEvent) {
        let mark = self.bytes.len();
        put_varint(at.0, &mut self.bytes);
        event.put(&mut self.bytes);
        let length = self.bytes.len() - mark;
        let mut prefix = Vec::with_capacity(5);
        put_varint(length as u64, &mut prefix);
        self.bytes.splice(mark..mark, prefix);
        self.count += 1;
    }
}

/// Reads the events of a part of a history.
///
/// # Errors
/// Bytes that are none.
pub fn read_events(mut bytes: &[u8]) -> Result<Vec<(Time, RunEvent)>, Damage> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(get_varint(&mut bytes)?).map_err(|_| Damage::Short)?;
        let (mut event, rest) = bytes.split_at_checked(length).ok_or(Damage::Short)?;
        bytes = rest;
        let at = Time(get_varint(&mut event)?);
        events.push((at, RunEvent::get(&mut event)?));
    }
    Ok(events)
}

impl Chronicle {
    /// Adds an event and returns its number.
    pub(crate) fn push(&mut self, run: RunId, at: Time, event: &RunEvent) -> u64 {
        let tail = self.tails.entry(run).or_default();
        tail.push(at, event);
        tail.next() - 1
    }

    /// A part that has become too long for memory, taken out.
    pub(crate) fn overflow(&mut self, run: RunId) -> Option<Tail> {
        self.tails
            .get(&run)
            .filter(|tail| tail.bytes.len() > TAIL_BYTES_MAX)?;
        self.flush(run)
    }

    /// The tail of a run, taken out; what follows goes on from its end.
    pub(crate) fn flush(&mut self, run: RunId) -> Option<Tail> {
        let tail = self.tails.get_mut(&run).filter(|tail| tail.count > 0)?;
        let next = Tail {
            from: tail.next(),
            ..Tail::default()
        };
        Some(std::mem::replace(tail, next))
    }

    /// Ends a history.
    pub(crate) fn take(&mut self, run: RunId) -> Tail {
        self.tails.remove(&run).unwrap_or_default()
    }

    /// The tail as it is now.
    pub(crate) fn tail(&self, run: RunId) -> Tail {
        self.tails.get(&run).cloned().unwrap_or_default()
    }

    /// Goes on after what the store holds.
    pub(crate) fn restore(&mut self, run: RunId, next: u64) {
        self.tails.insert(
            run,
            Tail {
                from: next,
                ..Tail::default()
            },
        );
    }
}
