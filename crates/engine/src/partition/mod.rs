//! Owns the partition: a synchronous machine. Inputs come in, events and outputs come out.
//!
//! Invariants: state changes only through the kernel; every output of a batch waits in that batch until
//! its events are durable; a step takes bounded time whatever one run does. No clock, disk or thread is
//! in reach: `now` and the readers are given.

mod batch;
mod board;
mod census;
pub mod chronicle;
mod dirty;
mod dispatch;
mod messages;
mod questions;
mod timers;
mod workers;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use kernel::effect::Effect;
use kernel::event::RunFact;
use kernel::{
    Calendar, Command, Decision, Event, Rejection, Reply, Run, RunEvent, RunId, SessionId, State,
    StepRef, Time, decide, keys, outstanding,
};

pub use batch::{Batch, Change, Finished};
pub use dirty::Snapshot;
pub use questions::{HistoryTail, LivePage, Question, Welcome};

use crate::driver::handle::{FromWorker, ToWorker};
use crate::query::{Cursor, HistoryEvent, RunView, Site};
use batch::Output;
use board::Board;
use census::Census;
use chronicle::{Chronicle, Noted};
use dirty::Dirty;
use dispatch::Dispatch;
use messages::Messages;
use timers::{Timers, Wake};

/// Events on their way to one watcher before it counts as too slow.
pub(crate) const WATCH_EVENTS_MAX: usize = 4_096;

/// Watchers of one run; the oldest makes room. Its stream ends, and it watches again if it still wants to.
const WATCHERS_MAX: usize = 1_000;

/// Timers fired and tasks claimed in one batch, each.
const BATCH_WORK_MAX: usize = 1_024;

/// Bytes of events after which a batch takes no more timers and claims. Well below a segment of the
/// journal, which a batch must fit into.
pub(crate) const BATCH_BYTES_MAX: usize = 8 << 20;

/// How long a worker's lost connection may take to come back, in milliseconds.
pub const SESSION_GRACE_MS: u64 = 10_000;

/// Where one answer goes.
pub struct Answer<T>(Box<dyn Asker<T>>);

/// Who takes an answer.
pub trait Asker<T>: Send {
    /// Takes it.
    fn take(self: Box<Self>, answer: T);

    /// Whether nobody waits for it any more.
    fn is_gone(&self) -> bool {
        false
    }
}

/// Where a stream of messages goes. Says false once it is closed or full.
pub struct Outlet<T>(Box<dyn FnMut(T) -> bool + Send>);

impl<T, F: FnOnce(T) + Send> Asker<T> for F {
    fn take(self: Box<Self>, answer: T) {
        self(answer);
    }
}

impl<T> Answer<T> {
    /// An answer that goes to this asker.
    pub fn new(asker: impl Asker<T> + 'static) -> Answer<T> {
        Answer(Box::new(asker))
    }

    pub(crate) fn give(self, answer: T) {
        self.0.take(answer);
    }

    fn is_gone(&self) -> bool {
        self.0.is_gone()
    }
}

impl<T> Outlet<T> {
    /// A stream that goes to `take`.
    pub fn new(take: impl FnMut(T) -> bool + Send + 'static) -> Outlet<T> {
        Outlet(Box::new(take))
    }

    pub(crate) fn put(&mut self, message: T) -> bool {
        (self.0)(message)
    }
}

/// What can come in.
pub enum Input {
    /// A command.
    Ask {
        /// It.
        command: Box<Command>,
        /// Where the reply goes.
        answer: Answer<Result<Reply, Rejection>>,
    },
    /// A command that starts a run, by someone who waits for its end.
    AskAndWait {
        /// It.
        command: Box<Command>,
        /// Where the reply goes.
        answer: Answer<Result<Reply, Rejection>>,
        /// Where the ended run goes; none if it had ended before.
        ended: Answer<Option<RunView>>,
    },
    /// Someone waits for a run's end.
    Wait {
        /// The run.
        run: RunId,
        /// Where the ended run goes; none if it does not go on.
        ended: Answer<Option<RunView>>,
    },
    /// A worker said something.
    Worker {
        /// Its session.
        session: SessionId,
        /// What.
        said: FromWorker,
    },
    /// A worker's connection was lost.
    Disconnect {
        /// Its session.
        session: SessionId,
    },
    /// A question, answered without change.
    Question(Box<Question>),
    /// A checkpoint has become durable; everything the journal holds up to there can go.
    Checkpointed {
        /// The position of the checkpoint.
        position: u64,
    },
    /// A checkpoint cannot become durable, and none after it.
    StoreFailed,
    /// Finish what is there and stop.
    Stop,
}

/// Finds finished runs that are no longer in memory.
pub trait Archive: Send {
    /// The run, if it is kept.
    ///
    /// # Errors
    /// It cannot be told.
    fn finished(&self, run: RunId) -> Result<Option<Box<Run>>, ArchiveFault>;
}

/// The archive cannot be read: what it holds must not be taken for missing.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveFault;

/// One partition.
pub struct Partition {
    state: State,
    now: Time,
    calendar: Box<dyn Calendar + Send>,
    archive: Box<dyn Archive>,
    archive_failed: bool,
    timers: Timers,
    dispatch: Dispatch,
    board: Board,
    chronicle: Chronicle,
    census: Census,
    dirty: Dirty,
    waiters: BTreeMap<RunId, Vec<Answer<Option<RunView>>>>,
    watchers: BTreeMap<RunId, Vec<Outlet<HistoryEvent>>>,
    /// Runs that ended but may not be readable in the store yet, by the batch that ended them.
    ended: BTreeMap<RunId, (u64, Arc<Run>)>,
    /// Those batches and runs in order.
    ended_in: VecDeque<(u64, RunId)>,
    /// Live runs in the order of lists.
    order: BTreeSet<Cursor>,
    messages: Messages,
    batch: Batch,
    /// Number of the batch that is gathering.
    number: u64,
    /// Number of the last batch that changed what the read model shows.
    changed_in: u64,
    next_session: u64,
    process_since: u64,
}

impl Partition {
    /// An empty partition. Sessions are numbered upward from `first_session`, which no earlier owner may
    /// have used.
    #[must_use]
    pub fn new(
        calendar: Box<dyn Calendar + Send>,
        archive: Box<dyn Archive>,
        first_session: u64,
    ) -> Partition {
        Partition {
            state: State::default(),
            now: Time(0),
            calendar,
            archive,
            archive_failed: false,
            timers: Timers::default(),
            dispatch: Dispatch::default(),
            board: Board::default(),
            chronicle: Chronicle::default(),
            census: Census::default(),
            dirty: Dirty::default(),
            waiters: BTreeMap::new(),
            watchers: BTreeMap::new(),
            ended: BTreeMap::new(),
            ended_in: VecDeque::new(),
            order: BTreeSet::new(),
            messages: Messages::default(),
            batch: Batch::default(),
            number: 1,
            changed_in: 0,
            next_session: first_session,
            process_since: first_session,
        }
    }

    /// Takes one input. `now` never goes back.
    pub fn take(&mut self, input: Input, now: Time) {
        self.advance_clock(now);
        match input {
            Input::Ask { command, answer } => {
                let reply = self.decide(*command);
                self.batch.outputs.push(Output::Reply(answer, reply));
            }
            Input::AskAndWait {
                command,
                answer,
                ended,
            } => {
                let run = keys(&command).or(match &*command {
                    Command::StartRun(start) => Some(start.run),
                    _ => None,
                });
                let reply = self.decide(*command);
                if let (Some(run), Ok(_)) = (run, &reply) {
                    self.wait(run, ended);
                }
                self.batch.outputs.push(Output::Reply(answer, reply));
            }
            Input::Wait { run, ended } => self.wait(run, ended),
            Input::Worker { session, said } => self.hear(session, said),
            Input::Disconnect { session } => self.lose(session),
            Input::Question(question) => self.question(*question),
            Input::Checkpointed { .. } | Input::StoreFailed | Input::Stop => {}
        }
        self.carry_messages();
    }

    /// Lets time do what is due, and workers have what waits. Says whether more is left to do at once.
    pub fn turn(&mut self, now: Time) -> bool {
        self.advance_clock(now);
        let mut work = 0;
        while work < BATCH_WORK_MAX
            && self.batch_bytes() < BATCH_BYTES_MAX
            && let Some(wake) = self.timers.next_due(self.now)
        {
            self.wake(wake);
            self.carry_messages();
            work += 1;
        }
        let mut skip = BTreeSet::new();
        let mut claims = 0;
        while claims < BATCH_WORK_MAX
            && self.batch_bytes() < BATCH_BYTES_MAX
            && let Some((task, session)) = self.dispatch.next_match(&skip)
        {
            claims += 1;
            if self.decide(Command::ClaimTask { task, session }).is_err() {
                // Cannot be while offers and state agree; skipping keeps one odd task from blocking a queue.
                skip.insert(task);
            }
        }
        self.carry_messages();
        let is_full = self.batch_bytes() >= BATCH_BYTES_MAX;
        is_full || work == BATCH_WORK_MAX || claims == BATCH_WORK_MAX || self.has_messages()
    }

    /// What has gathered since the last batch.
    pub fn take_batch(&mut self) -> Batch {
        self.defer_messages();
        self.changed_in = self.shown_by();
        let mut batch = std::mem::take(&mut self.batch);
        batch.number = self.number;
        self.number += 1;
        batch
    }

    /// Number of the batch from which on the read model shows what memory no longer has.
    fn shown_by(&self) -> u64 {
        if self.batch.changes.is_empty() {
            self.changed_in
        } else {
            self.number
        }
    }

    /// Numbers the batches from here on.
    pub fn number_from(&mut self, first: u64) {
        self.number = first;
    }

    /// Adds a checkpoint of everything up to the journal's `position` to the gathering batch, which must
    /// hold no records yet.
    pub fn checkpoint(&mut self, position: u64) {
        assert!(
            self.batch.records.is_empty(),
            "a checkpoint reflects the journal and nothing beyond"
        );
        let snapshot = self
            .dirty
            .snapshot(&self.state, &mut self.chronicle, position, self.now);
        self.batch.changes.push(Change::Checkpoint(snapshot));
    }

    /// Whether something was decided without knowing all that is kept: the batch must not be let out.
    #[must_use]
    pub fn has_archive_failed(&self) -> bool {
        self.archive_failed
    }

    /// How many bytes have gathered: of events, and of messages that may have to be deferred.
    #[must_use]
    pub fn batch_bytes(&self) -> usize {
        self.batch.bytes + self.messages.bytes()
    }

    /// How many events' records have gathered.
    #[must_use]
    pub fn batch_records(&self) -> usize {
        self.batch.records.len()
    }

    /// Lets a durable batch out: replies, frames, watched events.
    pub fn release(&mut self, batch: Batch) -> Vec<Change> {
        for output in batch.outputs {
            match output {
                Output::Reply(answer, reply) => answer.give(reply),
                Output::Ended(answer, view) => answer.give(view),
                Output::Read(give) => give(),
                Output::Watched(run, event) => self.show(run, &event),
            }
        }
        for session in self.dispatch.flush() {
            self.lose(session);
        }
        batch.changes
    }

    /// When time alone will have something to do.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.timers.next_at()
    }

    /// Forgets ended runs that the store shows by now.
    pub fn shown_up_to(&mut self, number: u64) {
        while let Some((ended_in, run)) = self
            .ended_in
            .pop_front_if(|(ended_in, _)| *ended_in <= number)
        {
            if let Entry::Occupied(ended) = self.ended.entry(run)
                && ended.get().0 == ended_in
            {
                ended.remove();
            }
        }
    }

    /// Live runs, armed timers, waiting tasks, connected workers, open human tasks.
    #[must_use]
    pub fn gauges(&self) -> [usize; 5] {
        [
            self.order.len(),
            self.timers.len(),
            self.dispatch.task_count(),
            self.dispatch.worker_count(),
            self.board.len(),
        ]
    }

    /// What is true here, durable or not yet.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    fn advance_clock(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Judges a command, and takes in what follows from it.
    fn decide(&mut self, command: Command) -> Result<Reply, Rejection> {
        let borrowed = self.borrow_finished(&command);
        let decided = decide(&mut self.state, command, self.now, &*self.calendar);
        if let Some(run) = borrowed {
            self.state.runs.remove(&run);
        }
        let (reply, decision) = match decided {
            Ok(decided) => decided,
            Err(rejection) => {
                self.batch.rejections += 1;
                return Err(rejection);
            }
        };
        self.batch.commands += 1;
        self.absorb(decision);
        Ok(reply)
    }

    /// Brings a finished run back for commands that speak of it, so that they are told that it ended
    /// rather than that it never was.
    fn borrow_finished(&mut self, command: &Command) -> Option<RunId> {
        let named = match command {
            Command::StartRun(_)
            | Command::CancelRun { .. }
            | Command::TerminateRun { .. }
            | Command::SuspendRun { .. }
            | Command::ResumeRun { .. }
            | Command::RetryRun { .. }
            | Command::ActOnHuman { .. }
            | Command::SignalRun { .. } => keys(command)?,
            _ => return None,
        };
        if self.state.runs.contains_key(&named) {
            return None;
        }
        let run = match self.ended.get(&named) {
            Some((_, run)) => Box::new((**run).clone()),
            None => match self.archive.finished(named) {
                Ok(run) => run?,
                Err(ArchiveFault) => {
                    self.archive_failed = true;
                    return None;
                }
            },
        };
        self.state.runs.insert(named, run);
        Some(named)
    }

    fn absorb(&mut self, decision: Decision) {
        if !decision.events.is_empty() {
            self.batch.record(self.now, &decision.events);
        }
        let mut touched = None;
        for event in &decision.events {
            if let Event::Run(RunFact { run, .. }) = event
                && touched != Some(*run)
            {
                touched = Some(*run);
                self.touch(*run);
            }
            self.note(event, self.now);
        }
        for effect in decision.effects {
            self.carry_out(effect);
        }
    }

    /// Keeps the derived tables up with an event, live or replayed.
    fn note(&mut self, event: &Event, at: Time) {
        match event {
            Event::Run(RunFact { run, fact }) => self.note_fact(*run, fact, at),
            Event::WorkflowDeployed(deployed) => {
                self.dirty
                    .workflow(deployed.workflow.clone(), deployed.version.clone());
                if let Some(definition) = self
                    .state
                    .catalog
                    .find(&deployed.workflow, Some(&deployed.version))
                {
                    self.batch
                        .changes
                        .push(Change::Deployed(definition.clone()));
                }
            }
            Event::EventKept(kept) => self.dirty.kept_event(kept.number),
            Event::EventDropped(dropped) => self.dirty.kept_event(dropped.number),
            Event::SchedulePut(schedule) => self.dirty.schedule(schedule.name.clone()),
            Event::ScheduleMoved(moved) => self.dirty.schedule(moved.name.clone()),
            Event::ScheduleDropped(name) => self.dirty.schedule(name.name.clone()),
            Event::MessageDeferred(deferred) => self.dirty.message(deferred.number),
            Event::MessageTaken(taken) => self.dirty.message(taken.number),
        }
    }

    /// A run is about to change.
    fn touch(&mut self, id: RunId) {
        self.dirty.run(id);
        self.census.changed(id);
    }

    fn note_fact(&mut self, id: RunId, fact: &RunEvent, at: Time) {
        let Noted {
            number,
            node,
            is_long,
        } = self.chronicle.push(id, at, fact);
        if !self.watchers.is_empty() && self.watchers.contains_key(&id) {
            let node = node.and_then(|node| self.place(id, node));
            let event = HistoryEvent {
                number,
                at,
                event: fact.clone(),
                node,
            };
            self.batch.outputs.push(Output::Watched(id, event));
        }
        match fact {
            RunEvent::Started(_) => {
                self.order.insert(Cursor {
                    started_at: at,
                    run: id,
                });
                self.batch.started += 1;
            }
            RunEvent::Ended(_) => self.end(id),
            _ if is_long => {
                if let Some(tail) = self.chronicle.flush(id) {
                    self.batch.changes.push(Change::History { run: id, tail });
                }
            }
            _ => {}
        }
    }

    /// A run has ended: it leaves memory for the store, and those who wait are told.
    fn end(&mut self, id: RunId) {
        let Some(run) = self.state.take_finished(id) else {
            return;
        };
        let run: Arc<Run> = Arc::from(run);
        self.batch.ended += 1;
        self.order.remove(&Cursor {
            started_at: run.started_at,
            run: id,
        });
        self.dirty.ended(id);
        self.census.ended(id);
        let view = || RunView::of(&run, None);
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            self.batch.outputs.push(Output::Ended(waiter, Some(view())));
        }
        let tail = self.chronicle.take(id);
        self.ended.insert(id, (self.number, run.clone()));
        self.ended_in.push_back((self.number, id));
        self.batch
            .changes
            .push(Change::Finished(Finished { run, tail }));
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::OfferTask {
                queue,
                task,
                priority,
            } => self.dispatch.offer(queue, task, priority),
            Effect::RetractTask { queue, task } => self.dispatch.retract(&queue, task),
            Effect::DeliverTask(mut delivery) => {
                self.batch.delivered += 1;
                delivery.sealed = self.sealed(delivery.token);
                self.dispatch.deliver(delivery);
            }
            Effect::EndClaim { token, session } => {
                let reported = self.batch.reporting == Some(token);
                self.dispatch.end_claim(token, session, !reported);
            }
            Effect::ShowHuman(notice) => self.board.show(notice),
            Effect::HideHuman(task) => self.board.hide(task),
            Effect::ArmTimer { step, at } => self.timers.arm(Wake::Step(step), at),
            Effect::DisarmTimer { step, at } => self.timers.disarm(Wake::Step(step), at),
            Effect::Send(message) => self.messages.send(message),
            Effect::ArmSchedule { name, at } => self.timers.arm_schedule(name, at),
            Effect::ArmExpiry { number, at } => self.timers.arm(Wake::Expiry(number), at),
            Effect::DisarmExpiry { number, at } => self.timers.disarm(Wake::Expiry(number), at),
        }
    }

    fn wake(&mut self, wake: Wake) {
        self.batch.fired += 1;
        let command = match wake {
            Wake::Step(step) => Command::FireTimer { step },
            Wake::Schedule(name) => Command::FireSchedule { name },
            Wake::Expiry(number) => Command::ExpireEvent { number },
            Wake::Session(session) => return self.forget_session(SessionId(session)),
        };
        // A refusal means that what it was armed for is over.
        let _ = self.decide(command);
    }

    fn wait(&mut self, run: RunId, ended: Answer<Option<RunView>>) {
        if self.state.runs.contains_key(&run) {
            let waiters = self.waiters.entry(run).or_default();
            // Askers give up and come again; those who have must not gather. At powers of two, so that
            // looking costs no more than waiting.
            if waiters.len().is_power_of_two() {
                waiters.retain(|waiter| !waiter.is_gone());
            }
            waiters.push(ended);
        } else {
            let view = self.ended.get(&run).map(|(_, run)| RunView::of(run, None));
            self.batch.outputs.push(Output::Ended(ended, view));
        }
    }

    fn show(&mut self, run: RunId, event: &HistoryEvent) {
        let over = matches!(event.event, RunEvent::Ended(_));
        if let Some(watchers) = self.watchers.get_mut(&run) {
            watchers.retain_mut(|watcher| watcher.put(event.clone()));
            if over || watchers.is_empty() {
                self.watchers.remove(&run);
            }
        }
    }

    // Recovery

    /// Puts back a live run from a checkpoint, with the number of its next event.
    ///
    /// # Errors
    /// Bytes that are not a run.
    pub fn restore_run(
        &mut self,
        bytes: &[u8],
        next_event: u64,
    ) -> Result<(), kernel::codec::Damage> {
        let id = self.state.restore_run(bytes)?;
        self.dirty.stored(id);
        self.census.changed(id);
        if let Some(run) = self.state.runs.get(&id) {
            self.chronicle.restore(run, next_event);
            self.order.insert(Cursor {
                started_at: run.started_at,
                run: id,
            });
        }
        Ok(())
    }

    /// Makes a journaled event true again.
    pub fn replay(&mut self, event: &Event, at: Time) {
        self.advance_clock(at);
        if let Event::Run(RunFact { run, fact }) = event {
            self.touch(*run);
            if matches!(fact, RunEvent::Started(_)) {
                self.batch.changes.push(Change::Begun { run: *run, at });
            }
        }
        self.state.apply(event, at);
        self.note(event, at);
    }

    /// Makes an event from a checkpoint true again: definitions, schedules, kept events, messages.
    pub fn restore(&mut self, event: &Event) {
        self.state.apply(event, self.now);
        if let Event::WorkflowDeployed(deployed) = event
            && let Some(definition) = self
                .state
                .catalog
                .find(&deployed.workflow, Some(&deployed.version))
        {
            self.batch
                .changes
                .push(Change::Deployed(definition.clone()));
        }
    }

    /// After the last replayed event: takes up everything that is owed to the world.
    pub fn resume(&mut self, now: Time) {
        self.advance_clock(now);
        for run in self.state.runs.values() {
            for step in run.steps.keys() {
                let at = StepRef {
                    run: run.id,
                    step: *step,
                };
                if let Some((token, session)) = kernel::effect::Obligations::of(run, at).claim() {
                    self.dispatch.restore_claim(token, session);
                }
            }
        }
        for effect in outstanding(&self.state) {
            if !matches!(effect, Effect::DeliverTask(_)) {
                self.carry_out(effect);
            }
        }
        self.messages.sent_by_recovery();
        for session in self.dispatch.lost_sessions() {
            let grace_until = self.now.plus(self.grace_after_recovery(session));
            self.timers.arm(Wake::Session(session.0), grace_until);
        }
    }

    /// A node as its author knows it.
    fn place(&self, id: RunId, node: u32) -> Option<Site> {
        let run = self.state.runs.get(&id)?;
        let definition = self.state.catalog.find(&run.workflow, Some(&run.version))?;
        definition.node(node).map(Site::of)
    }
}
