//! Owns messages between runs: what one run, or a schedule, asks of another.
//!
//! A message is carried out in the batch whose events caused it, so both become durable together. What
//! a batch has no room for is *deferred* by an event of that same batch, and taken up by a later one.
//! Invariant: a message has been carried out, or it is in the state; no crash can come between.

use alloc::format;

use graph::Failure;
use graph::value::{Str, Value};

use crate::codec::{record, union};
use crate::command::{Command, Reply, StartRun};
use crate::event::{Event, Number};
use crate::id::{RunId, StepRef};
use crate::limits::{DATA_BYTES_MAX, MESSAGES_MAX};
use crate::lock::LockKey;
use crate::rejection::Rejection;
use crate::state::{State, weight};
use crate::turn::{RunTurn, Turn};

/// About how many bytes a message takes besides its data.
const ENVELOPE_BYTES: usize = 256;

union! {
    /// What can be asked of another run: these commands and no others.
    pub enum Message {
        /// As [`Command::StartRun`].
        1 StartRun(StartRun),
        /// As [`Command::CancelRun`].
        2 CancelRun(Stopping),
        /// As [`Command::TerminateRun`].
        3 TerminateRun(Stopping),
        /// As [`Command::OfferEvent`].
        4 PublishEvent(Publishing),
        /// As [`Command::HandEvent`].
        5 HandEvent(Handing),
        /// As [`Command::LinkChild`].
        6 LinkChild(StepRef),
        /// As [`Command::EndChild`].
        7 EndChild(ChildEnd),
        /// As [`Command::NoteScheduledEnd`].
        8 NoteScheduledEnd(ScheduledEnd),
        /// As [`Command::GrantLock`].
        30 GrantLock(LockKey),
    }
}

record! {
    /// A run that is to end.
    pub struct Stopping {
        /// The run.
        1 run: RunId,
        /// Why.
        2 reason: Str,
    }
}

record! {
    /// An event for every run that waits for it.
    pub struct Publishing {
        /// The event.
        1 event: Value,
        /// How long it is kept if it comes early, in milliseconds.
        2 ttl_ms: u64,
    }
}

record! {
    /// An event for one step that waits for it.
    pub struct Handing {
        /// The step.
        1 step: StepRef,
        /// The event.
        2 event: Value,
    }
}

record! {
    /// The end of a run that a step waits for: well with an output, or with a failure.
    pub struct ChildEnd {
        /// The step.
        1 step: StepRef,
        /// The run's output.
        2 output: Value,
        /// Why it did not end well.
        3 failure: Option<Failure>,
    }
}

record! {
    /// The end of a run that a schedule started.
    pub struct ScheduledEnd {
        /// The schedule's name.
        1 name: Str,
        /// The run.
        2 run: RunId,
    }
}

record! {
    /// A message that its batch had no room for.
    pub struct Deferred {
        /// Its number; lower ones go first.
        1 number: u64,
        /// It.
        2 message: Message,
    }
}

impl Message {
    /// That a run which a step waits for has ended.
    pub(crate) fn end_of_child(step: StepRef, outcome: Result<Value, Failure>) -> Message {
        let (output, failure) = match outcome {
            Ok(output) => (output, None),
            Err(failure) => (Value::Null, Some(failure)),
        };
        Message::EndChild(ChildEnd {
            step,
            output,
            failure,
        })
    }

    /// About how many bytes a record that defers it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let data = match self {
            Message::StartRun(start) => &start.input,
            Message::PublishEvent(publishing) => &publishing.event,
            Message::HandEvent(handing) => &handing.event,
            Message::EndChild(end) => &end.output,
            Message::CancelRun(_)
            | Message::TerminateRun(_)
            | Message::LinkChild(_)
            | Message::GrantLock(_)
            | Message::NoteScheduledEnd(_) => &Value::Null,
        };
        let failure = match self {
            Message::EndChild(ChildEnd {
                failure: Some(failure),
                ..
            }) => weight(&failure.to_value(), DATA_BYTES_MAX),
            _ => 0,
        };
        ENVELOPE_BYTES + weight(data, DATA_BYTES_MAX) + failure
    }
}

impl From<Message> for Command {
    fn from(message: Message) -> Command {
        match message {
            Message::StartRun(start) => Command::StartRun(start),
            Message::CancelRun(stopping) => Command::CancelRun {
                run: stopping.run,
                reason: Some(stopping.reason),
            },
            Message::TerminateRun(stopping) => Command::TerminateRun {
                run: stopping.run,
                reason: Some(stopping.reason),
            },
            Message::PublishEvent(publishing) => Command::OfferEvent {
                event: publishing.event,
                ttl_ms: publishing.ttl_ms,
            },
            Message::HandEvent(handing) => Command::HandEvent {
                step: handing.step,
                event: handing.event,
            },
            Message::GrantLock(key) => Command::GrantLock { key },
            Message::LinkChild(step) => Command::LinkChild { step },
            Message::EndChild(end) => Command::EndChild {
                step: end.step,
                outcome: end.failure.map_or(Ok(end.output), Err),
            },
            Message::NoteScheduledEnd(end) => Command::NoteScheduledEnd {
                name: end.name,
                run: end.run,
            },
        }
    }
}

/// What too many messages that wait are called.
const MESSAGES: &str = "messages between runs that wait";

/// Refuses what would send more messages while too many wait.
pub(crate) fn check_room(state: &State) -> Result<(), Rejection> {
    if state.messages.len() >= MESSAGES_MAX {
        return Err(Rejection::LimitReached(MESSAGES, MESSAGES_MAX as u64));
    }
    Ok(())
}

impl RunTurn<'_, '_> {
    /// Fails a step that would send more messages while too many wait.
    pub(crate) fn room_for_message(&self) -> Result<(), Failure> {
        let room = check_room(self.turn().state());
        room.map_err(|full| Failure::new("runtime", format!("{full}")))
    }
}

/// Keeps a message for a later batch.
pub(crate) fn decide_defer(turn: &mut Turn<'_>, message: Message) -> Reply {
    let newest = turn.state().messages.last_key_value();
    let number = newest.map_or(0, |(number, _)| *number) + 1;
    turn.emit(Event::MessageDeferred(Deferred { number, message }));
    Reply::Done
}

/// Lets go of a message that is about to be carried out, in the same batch.
pub(crate) fn decide_take(turn: &mut Turn<'_>, number: u64) -> Result<Reply, Rejection> {
    if !turn.state().messages.contains_key(&number) {
        return Err(Rejection::NotDue);
    }
    turn.emit(Event::MessageTaken(Number { number }));
    Ok(Reply::Done)
}
