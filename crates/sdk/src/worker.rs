//! Owns [`Worker`]: task functions, and the loop that keeps them supplied over one stream.
//!
//! One task owns the [`desk::Desk`] and the stream; task functions run beside it and reach it by one
//! bounded channel. Frames leave as soon as the stream takes them and carry what has gathered by then.

pub(crate) mod context;
mod desk;
mod execution;
pub(crate) mod task_error;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status, Streaming};

use crate::client::Client;
use crate::error::Error;
use context::TaskContext;
use desk::{AtWork, Desk};
use execution::{Function, Functions, Note, execution, untyped};
use task_error::TaskError;

/// Tasks done at the same time if nothing else is said.
const CONCURRENCY_DEFAULT: usize = 64;
/// The most tasks that a worker does at the same time.
const CONCURRENCY_MAX: usize = 16_384;
/// How long running tasks may take to end on shutdown if nothing else is said.
const DRAIN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// How long the server may take to welcome a worker.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may take to close a stream after our last word.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Notes taken in at once.
const NOTES_MAX: usize = 1024;
/// Frames that wait for the stream: one, so that what follows gathers in the next.
const FRAMES_MAX: usize = 1;
/// Wait before the first attempt to reconnect.
const RETRY_MIN: Duration = Duration::from_millis(50);
/// Longest wait between attempts to reconnect.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Does the tasks of some queues.
#[must_use = "a worker does nothing before `run`"]
pub struct Worker {
    url: String,
    name: String,
    queues: Vec<String>,
    concurrency: usize,
    drain_timeout: Duration,
    in_process: bool,
    functions: Functions,
}

/// Describes a [`Worker`].
#[must_use = "nothing happens before `build`"]
pub struct WorkerBuilder {
    worker: Worker,
    functions: HashMap<String, Function>,
}

impl Worker {
    /// Begins the description of a worker for the server at `url`, such as `http://127.0.0.1:8080`.
    pub fn builder(url: impl Into<String>) -> WorkerBuilder {
        let worker = Worker {
            url: url.into(),
            name: format!("process {}", std::process::id()),
            queues: Vec::new(),
            concurrency: CONCURRENCY_DEFAULT,
            drain_timeout: DRAIN_TIMEOUT_DEFAULT,
            in_process: false,
            functions: Functions::default(),
        };
        WorkerBuilder {
            worker,
            functions: HashMap::new(),
        }
    }

    /// Works until `shutdown` ends. A lost stream is made again for as long as it takes, and its tasks go
    /// on meanwhile. After `shutdown` no task is taken; those at work may end within the drain timeout,
    /// what is left then is dropped and offered again by the server.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Refused`] if the server refuses the worker for good at its first contact.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let stop = CancellationToken::new();
        let drain_timeout = self.drain_timeout;
        let drained = async {
            shutdown.await;
            stop.cancel();
            tokio::time::sleep(drain_timeout).await;
        };
        let desk = Desk::new(self.name.clone(), self.queues.clone(), self.concurrency)
            .in_process(self.in_process);
        let mut shift = Shift::new(&self, desk, stop.clone()).await?;
        tokio::select! {
            biased;
            result = shift.serve() => return result,
            () = drained => {}
        }
        let (at_work, answers) = shift.desk.owed();
        tracing::warn!(
            at_work,
            answers,
            "worker stopped before all of its tasks had ended"
        );
        Ok(())
    }
}

impl WorkerBuilder {
    /// Takes tasks from this queue; may be said several times.
    pub fn queue(mut self, queue: impl Into<String>) -> WorkerBuilder {
        self.worker.queues.push(queue.into());
        self
    }

    /// Name of the worker, for people. By default the process.
    pub fn name(mut self, name: impl Into<String>) -> WorkerBuilder {
        self.worker.name = name.into();
        self
    }

    /// How many tasks are done at the same time: 1 to 16384, 64 by default.
    pub fn concurrency(mut self, tasks: usize) -> WorkerBuilder {
        self.worker.concurrency = tasks;
        self
    }

    /// How long running tasks may take to end on shutdown; 30 seconds by default.
    pub fn drain_timeout(mut self, timeout: Duration) -> WorkerBuilder {
        self.worker.drain_timeout = timeout;
        self
    }

    /// Says that the worker lives and dies with the server's own process, so that after a crash its tasks
    /// need not wait for it to come back.
    pub fn in_process(mut self) -> WorkerBuilder {
        self.worker.in_process = true;
        self
    }

    /// The function for tasks of this name. The input is decoded into its second argument and the output
    /// encoded, both as JSON. It runs on the caller's runtime: what blocks belongs into
    /// `tokio::task::spawn_blocking`.
    pub fn task<F, I, O, Fut>(mut self, name: impl Into<String>, function: F) -> WorkerBuilder
    where
        F: Fn(TaskContext, I) -> Fut + Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
    {
        self.functions.insert(name.into(), untyped(function));
        self
    }

    /// The worker.
    ///
    /// # Errors
    /// [`Error::Address`] if the URL cannot be used, [`Error::Worker`] if there is no queue, no task
    /// function, or the concurrency is out of its bounds.
    pub fn build(self) -> Result<Worker, Error> {
        let WorkerBuilder {
            mut worker,
            functions,
        } = self;
        crate::client::endpoint(&worker.url)?;
        if worker.queues.is_empty() {
            return Err(Error::Worker("it has no queue; name one with `queue`"));
        }
        if functions.is_empty() {
            return Err(Error::Worker(
                "it has no task function; give one with `task`",
            ));
        }
        if !(1..=CONCURRENCY_MAX).contains(&worker.concurrency) {
            return Err(Error::Worker("the concurrency must be 1 to 16384"));
        }
        worker.functions = Arc::new(functions);
        Ok(worker)
    }
}

/// How a stream ended.
enum Ended {
    /// The worker was stopped and owes nothing.
    Done,
    /// The worker was stopped before the stream stood.
    Unopened,
    Lost(Status),
}

/// A worker at work.
struct Shift {
    client: Client,
    functions: Functions,
    desk: Desk,
    stop: CancellationToken,
    notes: mpsc::Receiver<Note>,
    notes_sender: mpsc::Sender<Note>,
    /// Whether the server has ever welcomed us.
    welcomed: bool,
}

impl Shift {
    async fn new(worker: &Worker, desk: Desk, stop: CancellationToken) -> Result<Shift, Error> {
        let (notes_sender, notes) = mpsc::channel(worker.concurrency);
        Ok(Shift {
            client: Client::connect(worker.url.clone()).await?,
            functions: worker.functions.clone(),
            desk,
            stop,
            notes,
            notes_sender,
            welcomed: false,
        })
    }

    async fn serve(&mut self) -> Result<(), Error> {
        let mut retry = RETRY_MIN;
        loop {
            let opened_at = Instant::now();
            let status = match self.stream().await {
                Ended::Done => return Ok(()),
                Ended::Unopened => continue,
                Ended::Lost(status) => status,
            };
            if !self.welcomed && is_final(status.code()) {
                return Err(status.into());
            }
            if opened_at.elapsed() > RETRY_MAX {
                retry = RETRY_MIN;
            }
            let pause = jittered(retry);
            retry = (retry * 2).min(RETRY_MAX);
            let error = Error::from(status);
            tracing::warn!(%error, retry_ms = pause.as_millis(), "stream to the server lost");
            let stopping = self.desk.is_stopping();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// One stream, from hello to its end.
    async fn stream(&mut self) -> Ended {
        let stop = self.stop.clone();
        if stop.is_cancelled() {
            self.desk.stop();
        }
        if self.desk.is_done() {
            return Ended::Done;
        }
        let (frames, outgoing) = mpsc::channel(FRAMES_MAX);
        frames
            .try_send(self.desk.hello())
            .expect("a new channel has room for one frame");
        let stopping = self.desk.is_stopping();
        let opened = tokio::select! {
            biased;
            opened = self.open(outgoing) => opened,
            () = stop.cancelled(), if !stopping => return Ended::Unopened,
        };
        let mut incoming = match opened {
            Ok(incoming) => incoming,
            Err(status) => return Ended::Lost(status),
        };
        let mut notes = Vec::with_capacity(NOTES_MAX);
        while !self.desk.is_done() {
            let has_news = self.desk.has_news();
            let stopping = self.desk.is_stopping();
            // What comes in goes first, so that a frame carries all there is to say. That cannot go on for
            // ever: without a frame there are no credits, and without credits nothing comes in.
            tokio::select! {
                biased;
                () = stop.cancelled(), if !stopping => self.desk.stop(),
                message = incoming.message() => match message {
                    Ok(Some(frame)) => self.take(frame),
                    Ok(None) => return Ended::Lost(Status::unavailable("the server ended the stream")),
                    Err(status) => return Ended::Lost(status),
                },
                _ = self.notes.recv_many(&mut notes, NOTES_MAX) => self.note(&mut notes),
                permit = frames.reserve(), if has_news => match permit {
                    Ok(permit) => permit.send(self.desk.frame()),
                    Err(_) => return Ended::Lost(Status::unavailable("the stream broke")),
                },
            }
        }
        drop(frames);
        close(incoming).await;
        Ended::Done
    }

    async fn open(
        &mut self,
        outgoing: mpsc::Receiver<v1::WorkerFrame>,
    ) -> Result<Streaming<v1::ServerFrame>, Status> {
        let mut workers = self.client.raw().workers();
        let opening = async {
            let answer = workers.work(ReceiverStream::new(outgoing)).await?;
            let mut incoming = answer.into_inner();
            let first = incoming.message().await?;
            Ok::<_, Status>((incoming, first))
        };
        let (incoming, first) = tokio::time::timeout(WELCOME_TIMEOUT, opening)
            .await
            .map_err(|_| Status::unavailable("the server sent no welcome"))??;
        let Some(first) = first.filter(|frame| frame.welcome.is_some()) else {
            return Err(Status::unavailable("the server sent no welcome"));
        };
        self.welcomed = true;
        self.take(first);
        Ok(incoming)
    }

    fn take(&mut self, mut frame: v1::ServerFrame) {
        self.desk.take(&mut frame);
        for task in frame.tasks {
            let token = task.token.clone();
            let cancel = CancellationToken::new();
            let work = execution(
                task,
                &self.functions,
                cancel.clone(),
                self.notes_sender.clone(),
            );
            let work = AbortOnDropHandle::new(tokio::spawn(work));
            self.desk.begin(
                token,
                AtWork {
                    cancel,
                    _work: work,
                },
            );
        }
    }

    fn note(&mut self, notes: &mut Vec<Note>) {
        for note in notes.drain(..) {
            match note {
                Note::Done(result) => self.desk.finished(result),
                Note::Beat(token) => self.desk.beat(token),
            }
        }
    }
}

/// Whether a refusal stays as it is, however often a worker comes.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Unimplemented
            | Code::Unauthenticated
    )
}

/// Reads on until the server has closed too, so that its last words do not meet a reset.
async fn close(mut incoming: Streaming<v1::ServerFrame>) {
    let rest = async { while let Ok(Some(_)) = incoming.message().await {} };
    // An open end after this time costs the server one broken stream and us nothing.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, rest).await;
}

/// Between half of a wait and all of it, so that the workers of a restarted server do not come at once.
fn jittered(wait: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let part = RandomState::new().hash_one(0_u8) % 512;
    wait.mul_f64(0.5 + part as f64 / 1024.0)
}
