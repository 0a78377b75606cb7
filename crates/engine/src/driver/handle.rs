//! Owns [`Engine`], the handle through which everything outside talks to a running engine.
//!
//! Invariants: an answer to a command means that it is durable; every call returns, if only to say
//! that the engine is overloaded or has stopped.

use std::cmp::Ordering;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use graph::value::{Str, Value};
use kernel::catalog::Definition;
use kernel::schedule::Schedule;
use kernel::{
    Command, Delivery, Rejection, Reply, RunId, SessionId, StepId, StepRef, TaskToken, Time,
};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::driver::inbox::Inbox;
use crate::driver::view::View;
use crate::human::{HUMAN_EVENTS_MAX, HumanFilter, HumanPage, HumanPlace, HumanStory, HumanTask};
use crate::metrics::Metrics;
use crate::partition::{Answer, Asker, HistoryTail, Input, Outlet, Question, Welcome};
use crate::query::{Counts, Cursor, Filter, HistoryEvent, HistoryPage, PAGE_MAX, Page, RunView};
use crate::secrets::Unsealer;

/// Frames on their way to one worker before it counts as stuck.
pub(crate) const WORKER_FRAMES_MAX: usize = 1_024;

/// Why a call was not answered.
#[derive(Clone, Debug, Error)]
pub enum AskError {
    /// The kernel refused.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// Too much is waiting already; try again later.
    #[error("the server is overloaded: {0} requests wait already; try again later")]
    Overloaded(usize),
    /// The engine has stopped or is stopping.
    #[error("the server is shutting down")]
    Stopped,
    /// The environment failed; whether a command was accepted is unknown.
    #[error("storage failed: {0}")]
    Fault(Arc<str>),
}

/// A handle on a running engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inbox: Inbox,
    pub(crate) view: View,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) unsealer: Unsealer,
    /// Closed when the engine has stopped.
    pub(crate) lifeline: watch::Receiver<()>,
}

/// A worker that connects.
#[derive(Clone, Debug, Default)]
pub struct WorkerHello {
    /// For people.
    pub name: String,
    /// Queues to take from.
    pub queues: Vec<Str>,
    /// The session before, after a reconnect.
    pub session: Option<SessionId>,
    /// Claims that the worker still holds, after a reconnect: running, or with results to resend.
    pub holding: Vec<TaskToken>,
    /// It lives and dies with this process: after a crash its tasks need not wait for it.
    pub in_process: bool,
}

/// What a worker says.
#[derive(Clone, Debug, Default)]
pub struct FromWorker {
    /// How many more tasks it can take.
    pub credits: u32,
    /// Results: output, or failure and whether trying again could help.
    pub results: Vec<(TaskToken, TaskOutcome)>,
    /// Claims still at work.
    pub heartbeats: Vec<TaskToken>,
    /// Claims handed back untouched.
    pub returned: Vec<TaskToken>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskOutcome {
    /// With this output.
    Done(Value),
    /// Without success.
    Failed {
        /// Why.
        failure: graph::Failure,
        /// Whether trying again could help.
        retryable: bool,
    },
}

/// What a worker is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToWorker {
    /// Tasks to do.
    pub tasks: Vec<Delivery>,
    /// Claims to stop.
    pub cancels: Vec<TaskToken>,
    /// Results that are durable (true) or came too late (false).
    pub receipts: Vec<(TaskToken, bool)>,
}

/// A connected worker. Dropping it disconnects.
pub struct WorkerLink {
    /// Its session.
    pub session: SessionId,
    /// Milliseconds a lost connection may take to come back before its tasks go to others.
    pub grace_ms: u64,
    inbox: Inbox,
    unsealer: Unsealer,
    frames: mpsc::Receiver<ToWorker>,
}

/// Speaks for a connected worker.
#[derive(Clone)]
pub struct WorkerVoice {
    session: SessionId,
    inbox: Inbox,
    unsealer: Unsealer,
}

/// A run's events: the past page by page, then each as it happens.
pub struct Watch {
    view: View,
    run: RunId,
    /// Number of the event that is due.
    next: u64,
    page: std::vec::IntoIter<HistoryEvent>,
    /// What memory had when the watch began, while the past is not at its end.
    past: Option<HistoryTail>,
    /// What has happened since then.
    live: Option<mpsc::Receiver<HistoryEvent>>,
}

impl Engine {
    /// Asks for a command; answered once it is durable.
    ///
    /// # Errors
    /// A rejection, overload, stop, or storage fault.
    pub async fn ask(&self, command: Command) -> Result<Reply, AskError> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Input::Ask {
            command: Box::new(command),
            answer: give(answer),
        })?;
        Ok(answered.await.map_err(|_| AskError::Stopped)??)
    }

    /// Starts a run and waits for its end at most so long: the run as it stands then, and whether it is new.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn start_and_wait(
        &self,
        start: kernel::StartRun,
        wait: std::time::Duration,
    ) -> Result<(RunView, bool), AskError> {
        let id = start.run;
        // The waiter is registered with the start itself, so that a short run costs one visit to the partition.
        let (ended, end) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let command = Box::new(Command::StartRun(start));
        self.inbox.send(Input::AskAndWait {
            command,
            answer: give(answer),
            ended: give(ended),
        })?;
        let created = match answered.await.map_err(|_| AskError::Stopped)?? {
            Reply::Started { created, .. } => created,
            _ => false,
        };
        match tokio::time::timeout(wait, end).await {
            Ok(Ok(Some(view))) => Ok((view, created)),
            Ok(Ok(None)) | Err(_) => self.run(id).await.map(|view| (view, created)),
            Ok(Err(_)) => Err(AskError::Stopped),
        }
    }

    /// A run as it is now.
    ///
    /// # Errors
    /// [`Rejection::RunMissing`], or as [`Engine::ask`].
    pub async fn run(&self, id: RunId) -> Result<RunView, AskError> {
        let found = self
            .question(|answer| Question::Run { run: id, answer })
            .await?;
        match found {
            Ok(view) => Ok(view),
            Err(position) => self.view.finished(id, position).await,
        }
    }

    /// A run once it has ended, or as it stands when the wait is over.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn wait(&self, id: RunId, wait: std::time::Duration) -> Result<RunView, AskError> {
        let (ended, end) = oneshot::channel();
        self.inbox.send(Input::Wait {
            run: id,
            ended: give(ended),
        })?;
        match tokio::time::timeout(wait, end).await {
            Ok(Ok(Some(view))) => Ok(view),
            Ok(Ok(None)) | Err(_) => self.run(id).await,
            Ok(Err(_)) => Err(AskError::Stopped),
        }
    }

    /// One page of runs, newest first.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, AskError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let asked = filter.clone();
        let live = self
            .question(|answer| Question::List {
                filter: asked,
                after,
                limit,
                answer,
            })
            .await?;
        self.view.list(live, filter, after, limit).await
    }

    /// How many runs there are, by state.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn count(&self, filter: Filter) -> Result<Counts, AskError> {
        let asked = filter.clone();
        let (live, position) = self
            .question(|answer| Question::Count {
                filter: asked,
                answer,
            })
            .await?;
        self.view.count(live, filter, position).await
    }

    /// Part of a run's history.
    ///
    /// # Errors
    /// [`Rejection::RunMissing`], or as [`Engine::ask`].
    pub async fn history(
        &self,
        id: RunId,
        from: u64,
        limit: usize,
    ) -> Result<HistoryPage, AskError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let tail = self
            .question(|answer| Question::History {
                run: id,
                watch: None,
                answer,
            })
            .await?;
        self.view.history(id, tail, from, limit).await
    }

    /// A run's events from a number on, the past first and then live until the run ends.
    ///
    /// # Errors
    /// As [`Engine::history`].
    pub async fn watch(&self, id: RunId, from: u64) -> Result<Watch, AskError> {
        let (sender, live) = mpsc::channel(crate::partition::WATCH_EVENTS_MAX);
        let tail = self
            .question(|answer| Question::History {
                run: id,
                watch: Some(outlet(sender)),
                answer,
            })
            .await?;
        let mut watch = Watch {
            view: self.view.clone(),
            run: id,
            next: from,
            page: Vec::new().into_iter(),
            live: tail.is_live().then_some(live),
            past: Some(tail),
        };
        watch.turn().await?;
        Ok(watch)
    }

    /// Ids of the runs that a run started, newest first, at most a page of them. When the run itself
    /// started bounds how far back is looked.
    ///
    /// # Errors
    /// As [`Engine::list`].
    pub async fn children(&self, id: RunId, started_at: Time) -> Result<Vec<RunId>, AskError> {
        let filter = Filter {
            parent: Some(id),
            started_after: Some(started_at),
            ..Filter::default()
        };
        let page = self.list(filter, None, PAGE_MAX).await?;
        Ok(page.runs.into_iter().map(|run| run.id).collect())
    }

    /// A human task, open or closed.
    ///
    /// # Errors
    /// [`Rejection::HumanTaskMissing`], [`Rejection::RunMissing`], or as [`Engine::ask`].
    pub async fn human(&self, task: StepRef) -> Result<HumanTask, AskError> {
        let open = self.question(|answer| Question::Human { task, answer });
        if let Some(open) = open.await? {
            return Ok(open);
        }
        let mut tasks = self.humans_of(task.run, Some(task.step)).await?;
        tasks
            .pop()
            .ok_or(AskError::Rejected(Rejection::HumanTaskMissing(task)))
    }

    /// One page of human tasks, the most urgent first: open ones, or of one run also those that are closed.
    ///
    /// # Errors
    /// States of closed tasks without a run, or as [`Engine::ask`].
    pub async fn humans(
        &self,
        filter: HumanFilter,
        after: Option<HumanPlace>,
        limit: usize,
    ) -> Result<HumanPage, AskError> {
        let limit = limit.clamp(1, PAGE_MAX);
        if !filter.wants_closed() {
            let page = |answer| Question::Humans {
                filter,
                after,
                limit,
                answer,
            };
            return self.question(page).await;
        }
        let Some(run) = filter.run else {
            let why = "closed human tasks are kept with their run: say which run";
            return Err(AskError::Rejected(Rejection::Invalid(why.into())));
        };
        let tasks = self.humans_of(run, None).await?;
        Ok(HumanPage::of(tasks, &filter, after, limit))
    }

    /// The human tasks that a run's history tells of: all, or that of one step.
    async fn humans_of(&self, id: RunId, only: Option<StepId>) -> Result<Vec<HumanTask>, AskError> {
        let run = self.run(id).await?.summary;
        let version = Some(run.version.clone());
        let (definition, _) = self.workflow(run.workflow, version).await?;
        let mut story = HumanStory::new(id, definition, only);
        let mut next = Some(0);
        while let Some(from) = next.filter(|from| *from < HUMAN_EVENTS_MAX) {
            let page = self.history(id, from, PAGE_MAX).await?;
            next = page.next;
            story.read(&page.events);
        }
        Ok(story.tasks())
    }

    /// All workflow versions, and for each whether it is the latest.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn workflows(&self) -> Result<Vec<(Arc<Definition>, bool)>, AskError> {
        self.question(|answer| Question::Workflows { answer }).await
    }

    /// A workflow version; the latest if none is named.
    ///
    /// # Errors
    /// [`Rejection::WorkflowMissing`], or as [`Engine::ask`].
    pub async fn workflow(
        &self,
        workflow: Str,
        version: Option<Str>,
    ) -> Result<(Arc<Definition>, bool), AskError> {
        let found = self
            .question(|answer| Question::Workflow {
                workflow: workflow.clone(),
                version,
                answer,
            })
            .await?;
        found.ok_or(AskError::Rejected(Rejection::WorkflowMissing(workflow)))
    }

    /// All schedules by name.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn schedules(&self) -> Result<Vec<Schedule>, AskError> {
        self.question(|answer| Question::Schedules { answer }).await
    }

    /// Connects a worker.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn connect(&self, hello: WorkerHello) -> Result<WorkerLink, AskError> {
        let (sender, frames) = mpsc::channel(WORKER_FRAMES_MAX);
        let (answer, answered) = oneshot::channel();
        let (inbox, unsealer) = (self.inbox.clone(), self.unsealer.clone());
        // The link is made where the answer is given: if nobody waits for it any more, dropping it disconnects.
        let link = move |welcome: Welcome| {
            let link = WorkerLink {
                session: welcome.session,
                grace_ms: welcome.grace_ms,
                inbox,
                unsealer,
                frames,
            };
            drop(answer.send(link));
        };
        self.inbox
            .send(Input::Question(Box::new(Question::Connect {
                hello,
                frames: outlet(sender),
                answer: Answer::new(link),
            })))?;
        answered.await.map_err(|_| AskError::Stopped)
    }

    /// Counters and gauges.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Resolves when the engine has stopped.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut lifeline = self.lifeline.clone();
        async move { while lifeline.changed().await.is_ok() {} }
    }

    /// Whether commands are being accepted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.metrics.is_ready()
    }

    async fn question<T: Send + 'static>(
        &self,
        ask: impl FnOnce(Answer<T>) -> Question,
    ) -> Result<T, AskError> {
        let (answer, answered) = oneshot::channel();
        self.inbox
            .send(Input::Question(Box::new(ask(give(answer)))))?;
        answered.await.map_err(|_| AskError::Stopped)
    }
}

/// A task that waits for an answer. If it no longer does it misses the answer.
struct Waiting<T>(oneshot::Sender<T>);

impl<T: Send> Asker<T> for Waiting<T> {
    fn take(self: Box<Self>, answer: T) {
        drop(self.0.send(answer));
    }

    fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

fn give<T: Send + 'static>(sender: oneshot::Sender<T>) -> Answer<T> {
    Answer::new(Waiting(sender))
}

/// A stream that goes to a bounded channel.
fn outlet<T: Send + 'static>(sender: mpsc::Sender<T>) -> Outlet<T> {
    Outlet::new(move |message| sender.try_send(message).is_ok())
}

impl WorkerLink {
    /// Lets another task speak for the worker while this one listens. Dropping it does not disconnect.
    #[must_use]
    pub fn voice(&self) -> WorkerVoice {
        WorkerVoice {
            session: self.session,
            inbox: self.inbox.clone(),
            unsealer: self.unsealer.clone(),
        }
    }

    /// What to tell the worker next, as much as there is; none when the engine has stopped.
    pub async fn next(&mut self) -> Option<ToWorker> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`WorkerLink::next`], for streams.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ToWorker>> {
        let Some(mut frame) = ready!(self.frames.poll_recv(context)) else {
            return Poll::Ready(None);
        };
        while let Ok(more) = self.frames.try_recv() {
            frame.tasks.extend(more.tasks);
            frame.cancels.extend(more.cancels);
            frame.receipts.extend(more.receipts);
        }
        let results = self.unsealer.unseal(&mut frame);
        if !results.is_empty() {
            // The worker never hears of these tasks, so it cannot give back the credits that they took.
            let credits = u32::try_from(results.len()).unwrap_or(u32::MAX);
            let said = FromWorker {
                credits,
                results,
                ..FromWorker::default()
            };
            self.inbox.send_urgent(Input::Worker {
                session: self.session,
                said,
            });
        }
        Poll::Ready(Some(frame))
    }
}

impl WorkerVoice {
    /// Tells the engine what the worker said.
    ///
    /// # Errors
    /// Overload or stop; the worker should reconnect.
    pub fn send(&self, mut said: FromWorker) -> Result<(), AskError> {
        let results = std::mem::take(&mut said.results).into_iter();
        said.results = results
            .map(|(token, outcome)| (token, self.unsealer.hide(token, outcome)))
            .collect();
        self.inbox.send(Input::Worker {
            session: self.session,
            said,
        })
    }
}

impl Drop for WorkerLink {
    fn drop(&mut self) {
        // First, so that whoever hears of it finds the connection closed.
        self.frames.close();
        self.inbox.send_urgent(Input::Disconnect {
            session: self.session,
        });
    }
}

impl Watch {
    /// The next event; none once the run has ended, or when the watcher was too slow to keep up or the past
    /// cannot be read or was forgotten: then watch again from the number after the last one.
    pub async fn next(&mut self) -> Option<HistoryEvent> {
        loop {
            let event = match self.page.next() {
                Some(event) => event,
                None if self.past.is_some() => {
                    self.turn().await.ok()?;
                    continue;
                }
                None => self.live.as_mut()?.recv().await?,
            };
            match event.number.cmp(&self.next) {
                // Told by the past already: it was decided then, but not let out yet.
                Ordering::Less => {}
                Ordering::Equal => {
                    self.next += 1;
                    return Some(event);
                }
                Ordering::Greater => return None,
            }
        }
    }

    /// Reads the next page of the past.
    async fn turn(&mut self) -> Result<(), AskError> {
        if let Some(tail) = self.past.clone() {
            let page = self.view.history(self.run, tail, self.next, PAGE_MAX);
            let page = page.await?;
            self.past = self.past.take().filter(|_| page.next.is_some());
            self.page = page.events.into_iter();
        }
        Ok(())
    }
}
