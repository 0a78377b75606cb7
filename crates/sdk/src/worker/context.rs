//! Owns [`TaskContext`]: what a task function may know about its task, and how it hears of cancellation.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::execution::Note;

/// The task that a function does. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct TaskContext {
    pub(super) claim: Arc<Claim>,
}

/// A task at work, without its input.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) token: Bytes,
    pub(super) name: String,
    pub(super) queue: String,
    pub(super) run: String,
    pub(super) workflow: String,
    pub(super) attempt: u32,
    pub(super) idempotency_key: String,
    pub(super) cancel: CancellationToken,
    pub(super) notes: mpsc::Sender<Note>,
}

impl TaskContext {
    /// Name of the task.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.claim.name
    }

    /// The queue that it came from.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.claim.queue
    }

    /// The run that it is for.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.claim.run
    }

    /// The workflow of that run.
    #[must_use]
    pub fn workflow(&self) -> &str {
        &self.claim.workflow
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.claim.attempt
    }

    /// The same for every attempt of this step: hand it to whatever must not happen twice.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.claim.idempotency_key
    }

    /// Tells the server that the work goes on. This happens by itself while the function awaits; call it
    /// from code that blocks its thread for long.
    pub fn heartbeat(&self) {
        // A full channel means that the stream is behind or lost: after a reconnect the task is named
        // anyway, so a lost beat costs nothing.
        let _ = self
            .claim
            .notes
            .try_send(Note::Beat(self.claim.token.clone()));
    }

    /// Ends when the server says that the result is no longer wanted. A function that does not end soon
    /// after that is dropped.
    pub async fn cancelled(&self) {
        self.claim.cancel.cancelled().await;
    }

    /// Whether the server said that the result is no longer wanted.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.claim.cancel.is_cancelled()
    }
}
