//! Owns the way into the partition's thread: a bounded queue.
//!
//! Invariant: a sender never waits. What finds the queue full is refused and told so.

use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::time::{Duration, Instant};

use super::handle::AskError;
use crate::metrics::Metrics;
use crate::partition::Input;

/// Where inputs go in.
#[derive(Clone)]
pub struct Inbox {
    sender: SyncSender<Input>,
    capacity: usize,
    metrics: Arc<Metrics>,
}

/// Where inputs come out.
pub struct Outbox {
    receiver: Receiver<Input>,
}

/// A new inbox that holds so many inputs.
pub(crate) fn inbox(capacity: usize, metrics: Arc<Metrics>) -> (Inbox, Outbox) {
    let (sender, receiver) = sync_channel(capacity);
    (
        Inbox {
            sender,
            capacity,
            metrics,
        },
        Outbox { receiver },
    )
}

impl Inbox {
    pub(crate) fn send(&self, input: Input) -> Result<(), AskError> {
        match self.sender.try_send(input) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.metrics.overloads.inc();
                Err(AskError::Overloaded(self.capacity))
            }
            Err(TrySendError::Disconnected(_)) => Err(AskError::Stopped),
        }
    }

    /// For inputs that must not get lost and are few: waits on a thread of its own if the queue is full.
    pub(crate) fn send_urgent(&self, input: Input) {
        if let Err(TrySendError::Full(input)) = self.sender.try_send(input) {
            let sender = self.sender.clone();
            std::thread::spawn(move || drop(sender.send(input)));
        }
    }
}

impl Outbox {
    /// The next input if one is there.
    pub(crate) fn try_next(&self) -> Result<Option<Input>, Closed> {
        match self.receiver.try_recv() {
            Ok(input) => Ok(Some(input)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Closed),
        }
    }

    /// The next input within so long.
    pub(crate) fn next(&self, wait: Duration) -> Result<Option<Input>, Closed> {
        match self.receiver.recv_timeout(wait) {
            Ok(input) => Ok(Some(input)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }

    /// Drops what comes in within so long, so that its senders are told that the outcome is unknown. Returns
    /// at once when asked to stop.
    pub(crate) fn drop_for(&self, wait: Duration) -> Result<(), Closed> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.next(left)? {
                Some(Input::Stop) => return Err(Closed),
                Some(_) if !left.is_zero() => {}
                _ => return Ok(()),
            }
        }
    }
}

/// Nobody can send any more, or nobody is to be served any more.
#[derive(Debug)]
pub(crate) struct Closed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_gets_to_a_stop_behind_all_that_waits() {
        let (sender, outbox) = inbox(8, Arc::default());
        for position in 0..5 {
            let input = Input::Checkpointed { position };
            sender.send(input).expect("there is room");
        }
        sender.send(Input::Stop).expect("there is room");
        let long = Duration::from_secs(3_600);
        assert!(outbox.drop_for(long).is_err());
    }
}
