//! Owns the histories of live runs: the part of each that is not in the store yet.
//!
//! Invariants: numbers run from 0 without gaps over store and memory together, and replaying the journal
//! after a crash makes the same numbers and the same parts again; an event can be shown without those before it.

use kernel::codec::{Damage, Wire, get_varint, put_block, put_varint};
use kernel::{Run, RunEvent, RunId, StepId, Time};
use rustc_hash::FxHashMap;

use crate::query::step_of;

/// A tail longer than this moves to the store. Part of the store's format: parts that are made again after a
/// crash must begin where they began before.
const TAIL_BYTES_MAX: usize = 32 << 10;

/// What the history of a short run takes.
const TAIL_BYTES: usize = 512;

/// Histories by run.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    stories: FxHashMap<RunId, Story>,
}

/// One run's history.
#[derive(Debug, Default)]
struct Story {
    tail: Tail,
    /// The nodes of the steps that go on, in order of the steps.
    nodes: Vec<(StepId, u32)>,
}

/// The newest part of a run's history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// Number of its first event.
    pub from: u64,
    /// How many events it holds.
    pub count: u64,
    /// Each event: length, instant, 0 or 1 more than the node it is about, event.
    pub bytes: Vec<u8>,
}

/// An event that was added.
pub(crate) struct Noted {
    /// Its number.
    pub(crate) number: u64,
    /// Index of the node that it is about.
    pub(crate) node: Option<u32>,
    /// Whether the tail has become too long for memory.
    pub(crate) is_long: bool,
}

/// An event of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When it was decided.
    pub at: Time,
    /// Index of the node that it is about, if it is about one.
    pub node: Option<u32>,
    /// It.
    pub event: RunEvent,
}

impl Tail {
    /// Number of the next event to come.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.from + self.count
    }

    fn push(&mut self, at: Time, node: Option<u32>, event: &RunEvent) {
        if self.bytes.is_empty() {
            self.bytes.reserve(TAIL_BYTES);
        }
        put_block(&mut self.bytes, |bytes| {
            put_varint(at.0, bytes);
            put_varint(node.map_or(0, |node| u64::from(node) + 1), bytes);
            event.put(bytes);
        });
        self.count += 1;
    }
}

/// Reads the events of a part of a history, but for so many at its beginning.
pub fn read_events(
    mut bytes: &[u8],
    mut skipped: u64,
) -> impl Iterator<Item = Result<Told, Damage>> {
    std::iter::from_fn(move || {
        while !bytes.is_empty() {
            let event = match split_event(&mut bytes) {
                Ok(event) => event,
                Err(damage) => {
                    bytes = &[];
                    return Some(Err(damage));
                }
            };
            if skipped == 0 {
                return Some(read_event(event));
            }
            skipped -= 1;
        }
        None
    })
}

fn split_event<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Damage> {
    let length = usize::try_from(get_varint(bytes)?).map_err(|_| Damage::Short)?;
    let (event, rest) = bytes.split_at_checked(length).ok_or(Damage::Short)?;
    *bytes = rest;
    Ok(event)
}

fn read_event(mut bytes: &[u8]) -> Result<Told, Damage> {
    let at = Time(get_varint(&mut bytes)?);
    let node = get_varint(&mut bytes)?.checked_sub(1);
    Ok(Told {
        at,
        node: node.and_then(|node| u32::try_from(node).ok()),
        event: RunEvent::get(&mut bytes)?,
    })
}

impl Story {
    /// The node that an event is about. Steps are entered in the order of their numbers.
    fn node_of(&mut self, event: &RunEvent) -> Option<u32> {
        let found = step_of(event).map(|step| self.nodes.binary_search_by_key(&step, |at| at.0));
        match (event, found) {
            (RunEvent::StepEntered(fact), Some(Err(place))) => {
                self.nodes.insert(place, (fact.step, fact.node));
                Some(fact.node)
            }
            (RunEvent::StepPassed(fact), _) => Some(fact.node),
            (RunEvent::StepFailed(fact), None) => Some(fact.node),
            (
                RunEvent::StepCompleted(_) | RunEvent::StepFailed(_) | RunEvent::StepCancelled(_),
                Some(Ok(place)),
            ) => Some(self.nodes.remove(place).1),
            (_, Some(Ok(place))) => Some(self.nodes[place].1),
            _ => None,
        }
    }
}

impl Chronicle {
    /// Adds an event.
    pub(crate) fn push(&mut self, run: RunId, at: Time, event: &RunEvent) -> Noted {
        let story = self.stories.entry(run).or_default();
        let node = story.node_of(event);
        story.tail.push(at, node, event);
        Noted {
            number: story.tail.next() - 1,
            node,
            is_long: story.tail.bytes.len() > TAIL_BYTES_MAX,
        }
    }

    /// The tail of a run, taken out; what follows goes on from its end.
    pub(crate) fn flush(&mut self, run: RunId) -> Option<Tail> {
        let story = self.stories.get_mut(&run)?;
        let next = Tail {
            from: story.tail.next(),
            ..Tail::default()
        };
        Some(std::mem::replace(&mut story.tail, next)).filter(|tail| tail.count > 0)
    }

    /// Ends a history.
    pub(crate) fn take(&mut self, run: RunId) -> Tail {
        self.stories.remove(&run).unwrap_or_default().tail
    }

    /// The tail as it is now.
    pub(crate) fn tail(&self, run: RunId) -> Tail {
        let story = self.stories.get(&run);
        story.map(|story| story.tail.clone()).unwrap_or_default()
    }

    /// Goes on after what the store holds.
    pub(crate) fn restore(&mut self, run: &Run, next: u64) {
        let tail = Tail {
            from: next,
            ..Tail::default()
        };
        let nodes = run.steps.iter().map(|(id, step)| (*id, step.node));
        let nodes = nodes.collect();
        self.stories.insert(run.id, Story { tail, nodes });
    }
}
