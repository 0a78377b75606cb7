//! Owns [`Desk`]: what lies before a worker: tasks at work, answers without a receipt, tasks it may still
//! be sent.
//!
//! Invariant: an answer stays until its receipt comes and is sent once on every stream, so that a lost
//! stream loses no work; tasks at work and those that may still come are never more than the concurrency.
//! The desk knows frames, but neither streams nor time.

use std::collections::{HashMap, HashSet, VecDeque};

use api::v1::{self, task_result::Outcome};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Answers that may lie without a receipt before no more tasks are asked for.
const ANSWERS_MAX: usize = 16_384;
/// A frame that has reached this size takes no further result.
const FRAME_BYTES_TARGET: usize = 256 << 10;

/// A task at work. Dropping it stops the work.
#[derive(Debug)]
pub(super) struct AtWork {
    pub(super) cancel: CancellationToken,
    /// Kept for its drop.
    pub(super) _work: AbortOnDropHandle<()>,
}

/// What goes back for a task.
#[derive(Debug)]
enum Answer {
    Result(v1::TaskResult),
    Returned,
}

#[derive(Debug)]
pub(super) struct Desk {
    worker: String,
    queues: Vec<String>,
    concurrency: usize,
    in_process: bool,
    /// The session of the stream before; 0 for none.
    session: u64,
    /// Tasks that the server may still send on this stream.
    granted: usize,
    at_work: HashMap<Bytes, AtWork>,
    answers: HashMap<Bytes, Answer>,
    /// Answers that this stream has not carried yet.
    unsent: VecDeque<Bytes>,
    beats: HashSet<Bytes>,
    stopping: bool,
}

impl Desk {
    pub(super) fn new(worker: String, queues: Vec<String>, concurrency: usize) -> Desk {
        Desk {
            worker,
            queues,
            concurrency,
            in_process: false,
            session: 0,
            granted: 0,
            at_work: HashMap::new(),
            answers: HashMap::new(),
            unsent: VecDeque::new(),
            beats: HashSet::new(),
            stopping: false,
        }
    }

    /// The worker lives and dies with the server's own process.
    pub(super) fn in_process(mut self, in_process: bool) -> Desk {
        self.in_process = in_process;
        self
    }

    /// The first frame of a stream: who we are, what we hold, and what the stream before left unanswered.
    pub(super) fn hello(&mut self) -> v1::WorkerFrame {
        // Answers count as held until their receipt: they may not all fit into this frame.
        let holding = self
            .at_work
            .keys()
            .chain(self.answers.keys())
            .cloned()
            .collect();
        let hello = v1::Hello {
            worker: self.worker.clone(),
            queues: self.queues.clone(),
            session: self.session,
            holding,
            in_process: self.in_process,
        };
        self.granted = 0;
        self.beats.clear();
        self.unsent = self.answers.keys().cloned().collect();
        v1::WorkerFrame {
            hello: Some(hello),
            ..self.frame()
        }
    }

    /// The next frame, with all that has gathered. Look with [`Desk::has_news`] first.
    pub(super) fn frame(&mut self) -> v1::WorkerFrame {
        let mut frame = v1::WorkerFrame::default();
        let mut bytes = 0;
        while bytes < FRAME_BYTES_TARGET {
            let Some(token) = self.unsent.pop_front() else {
                break;
            };
            match self.answers.get(&token) {
                None => {}
                Some(Answer::Returned) => frame.returned.push(token),
                Some(Answer::Result(result)) => {
                    bytes += token.len() + weight(result);
                    frame.results.push(result.clone());
                }
            }
        }
        frame.heartbeats = self.beats.drain().collect();
        let credits = self.credits();
        self.granted += credits;
        frame.credits = u32::try_from(credits).expect("the concurrency fits into 32 bits");
        frame
    }

    /// Whether there is anything to send.
    pub(super) fn has_news(&self) -> bool {
        !self.unsent.is_empty() || !self.beats.is_empty() || self.credits() > 0
    }

    /// How many more tasks may be asked for.
    fn credits(&self) -> usize {
        if self.stopping {
            return 0;
        }
        let room = self.concurrency.saturating_sub(self.at_work.len());
        let patience = ANSWERS_MAX.saturating_sub(self.answers.len());
        room.min(patience).saturating_sub(self.granted)
    }

    /// Takes in what the server says. The tasks that are to begin are left in the frame.
    pub(super) fn take(&mut self, frame: &mut v1::ServerFrame) {
        if let Some(welcome) = &frame.welcome {
            self.session = welcome.session;
        }
        for receipt in &frame.receipts {
            self.answers.remove(&receipt.token);
        }
        for token in &frame.cancels {
            if let Some(task) = self.at_work.get(token) {
                task.cancel.cancel();
            }
        }
        frame.tasks.retain(|task| self.accepts(task));
    }

    fn accepts(&mut self, task: &v1::Task) -> bool {
        let is_granted = self.granted > 0;
        self.granted = self.granted.saturating_sub(1);
        if self.at_work.contains_key(&task.token) {
            return false;
        }
        if self.answers.contains_key(&task.token) {
            self.unsent.push_back(task.token.clone());
            return false;
        }
        let accepted = is_granted && !self.stopping;
        if !accepted {
            self.answer(task.token.clone(), Answer::Returned);
        }
        accepted
    }

    pub(super) fn begin(&mut self, token: Bytes, task: AtWork) {
        self.at_work.insert(token, task);
    }

    pub(super) fn finished(&mut self, result: v1::TaskResult) {
        self.at_work.remove(&result.token);
        self.answer(result.token.clone(), Answer::Result(result));
    }

    pub(super) fn beat(&mut self, token: Bytes) {
        // A task that has ended since needs no beat.
        if self.at_work.contains_key(&token) {
            self.beats.insert(token);
        }
    }

    fn answer(&mut self, token: Bytes, answer: Answer) {
        self.unsent.push_back(token.clone());
        self.answers.insert(token, answer);
    }

    /// Asks for no more tasks and returns those that still come.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether the worker was stopped and owes nothing any more.
    pub(super) fn is_done(&self) -> bool {
        self.stopping && self.at_work.is_empty() && self.answers.is_empty()
    }

    /// Tasks at work and answers without a receipt.
    pub(super) fn owed(&self) -> (usize, usize) {
        (self.at_work.len(), self.answers.len())
    }
}

/// About the bytes that a result takes in a frame.
fn weight(result: &v1::TaskResult) -> usize {
    match &result.outcome {
        Some(Outcome::Output(output)) => output.len(),
        Some(Outcome::Failure(failure)) => failure.title.len() + failure.detail.len(),
        None => 0,
    }
}

#[cfg(test)]
mod tests;
