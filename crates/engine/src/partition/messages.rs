//! Owns messages between runs on their way: those of this batch, and those that earlier ones had no room for.
//!
//! Invariants: messages are carried out in the order in which they were sent; a batch that is let out has
//! carried out or deferred every message that its events caused, and fits one group of the journal.

use std::collections::VecDeque;

use graph::Value;
use kernel::{Command, Message};

use super::Partition;

/// Messages carried out in one batch; what comes after them is deferred. More than one command can cause by
/// itself: only runs that keep waking each other get there.
const BATCH_MESSAGES_MAX: usize = 25_000;

/// Bytes of events, and of messages that may have to be deferred, after which a batch carries out no more
/// messages. What the last command adds, a record of at most 16 MiB, must still fit into a segment.
const FULL_BYTES: usize = 12 << 20;

/// Messages that are not in the state.
pub(super) struct Messages {
    /// What recovery found outstanding. A crash finds it again, so it is never deferred.
    asked: VecDeque<Message>,
    /// Caused by events of the gathering batch, and about how many bytes it takes to defer each.
    sent: VecDeque<(Message, usize)>,
    /// Their bytes together.
    sent_bytes: usize,
    /// Carried out in the gathering batch.
    carried: usize,
    batch_max: usize,
    /// Events that runs published since somebody last looked, if somebody looks.
    overheard: Option<Vec<Value>>,
}

impl Default for Messages {
    fn default() -> Messages {
        Messages {
            asked: VecDeque::new(),
            sent: VecDeque::new(),
            sent_bytes: 0,
            carried: 0,
            batch_max: BATCH_MESSAGES_MAX,
            overheard: None,
        }
    }
}

impl Messages {
    pub(super) fn send(&mut self, message: Message) {
        if let (Some(overheard), Message::PublishEvent(published)) = (&mut self.overheard, &message)
        {
            overheard.push(published.event.clone());
        }
        let bytes = message.bytes();
        self.sent_bytes += bytes;
        self.sent.push_back((message, bytes));
    }

    pub(super) fn bytes(&self) -> usize {
        self.sent_bytes
    }

    /// What was sent so far follows from what is true, not from the gathering batch.
    pub(super) fn sent_by_recovery(&mut self) {
        while let Some(message) = self.take_sent() {
            self.asked.push_back(message);
        }
    }

    fn take_sent(&mut self) -> Option<Message> {
        let (message, bytes) = self.sent.pop_front()?;
        self.sent_bytes -= bytes;
        Some(message)
    }
}

impl Partition {
    /// Lets a batch carry out fewer messages than it would, at least one: so that a test gets to where
    /// messages are deferred.
    pub fn carry_at_most(&mut self, messages: usize) {
        self.messages.batch_max = messages.max(1);
    }

    /// The events that runs published since this was last asked; none before it was asked for the first time.
    pub fn overhear(&mut self) -> Vec<Value> {
        self.messages
            .overheard
            .replace(Vec::new())
            .unwrap_or_default()
    }

    /// Carries out messages until there are none, or the batch is full.
    pub(super) fn carry_messages(&mut self) {
        while self.messages.carried < self.messages.batch_max
            && self.batch_bytes() < FULL_BYTES
            && let Some(message) = self.next_message()
        {
            self.messages.carried += 1;
            // A refusal means that what the message was about is over; its sender does not wait.
            let _ = self.decide(message.into());
        }
    }

    /// The oldest message.
    fn next_message(&mut self) -> Option<Message> {
        if let Some(message) = self.messages.asked.pop_front() {
            return Some(message);
        }
        let Some((number, message)) = self.state().messages.first_key_value() else {
            return self.messages.take_sent();
        };
        let (number, message) = (*number, message.clone());
        self.decide(Command::TakeMessage { number })
            .expect("a message that is in the state can be taken");
        Some(message)
    }

    /// Closes the gathering batch under its messages: what it has not carried out it keeps for the next.
    pub(super) fn defer_messages(&mut self) {
        self.messages.carried = 0;
        while let Some(message) = self.messages.take_sent() {
            self.decide(Command::DeferMessage { message })
                .expect("a message can always be deferred");
        }
    }

    /// Whether messages wait for a later batch.
    pub(super) fn has_messages(&self) -> bool {
        let Messages { asked, sent, .. } = &self.messages;
        !(asked.is_empty() && sent.is_empty() && self.state().messages.is_empty())
    }
}
