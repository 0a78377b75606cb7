//! Owns the post: what the system tells the outside, on its way there.
//!
//! Invariant: letters come out in the order in which they were let out, and each is looked at before
//! anything else happens, while the facts are those of the moment when it left.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use engine::ToWorker;
use engine::partition::{Answer, HistoryTail, Outlet, Welcome};
use engine::query::{HistoryEvent, RunView};
use kernel::{Rejection, Reply, RunId};

/// What someone outside is told.
pub(crate) enum Letter {
    /// The reply to a command.
    Reply(u64, Result<Reply, Rejection>),
    /// The end of a run that someone waited for.
    Ended(RunId, Option<RunView>),
    /// The answer to a question after a run; a number if the store shows it.
    Run(RunId, Result<RunView, u64>),
    /// The newest part of a history.
    History(RunId, HistoryTail),
    /// An event that someone watches.
    Watched(RunId, HistoryEvent),
    /// A worker is connected: which, over which link.
    Welcome(usize, u64, Welcome),
    /// A worker's link was found closed.
    Closed(u64),
    /// A worker is told something: which, over which link.
    Frame(usize, u64, ToWorker),
}

/// The post.
#[derive(Clone, Default)]
pub(crate) struct Post(Arc<Mutex<Vec<Letter>>>);

/// One connection of a worker.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) number: u64,
    /// The worker hung up.
    hung_up: Arc<AtomicBool>,
    /// The server let go of its end.
    let_go: Arc<AtomicBool>,
}

/// Tells that it was dropped.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Post {
    fn put(&self, letter: Letter) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(letter);
    }

    /// All letters that wait.
    pub(crate) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An answer that becomes a letter.
    pub(crate) fn answer<T>(&self, letter: impl FnOnce(T) -> Letter + Send + 'static) -> Answer<T> {
        let post = self.clone();
        Answer::new(move |answer| post.put(letter(answer)))
    }

    /// A stream for someone who watches a run.
    pub(crate) fn watch(&self, run: RunId) -> Outlet<HistoryEvent> {
        let post = self.clone();
        Outlet::new(move |event| {
            post.put(Letter::Watched(run, event));
            true
        })
    }

    /// A stream of frames to a worker, closed when it hangs up.
    pub(crate) fn frames(&self, worker: usize, link: &Link) -> Outlet<ToWorker> {
        let (post, number, hung_up) = (self.clone(), link.number, link.hung_up.clone());
        let end = End(link.let_go.clone());
        Outlet::new(move |frame| {
            let _held = &end;
            let open = !hung_up.load(Ordering::Relaxed);
            post.put(if open {
                Letter::Frame(worker, number, frame)
            } else {
                Letter::Closed(number)
            });
            open
        })
    }
}

impl Link {
    pub(crate) fn new(number: u64) -> Link {
        Link {
            number,
            hung_up: Arc::default(),
            let_go: Arc::default(),
        }
    }

    pub(crate) fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Relaxed);
    }

    /// Whether both ends hold on to it.
    pub(crate) fn is_open(&self) -> bool {
        !self.hung_up.load(Ordering::Relaxed) && !self.let_go.load(Ordering::Relaxed)
    }
}
