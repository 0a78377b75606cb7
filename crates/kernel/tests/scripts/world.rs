//! Owns the world around the kernel as tests see it: a clock, a calendar, workers, and a journal.
//!
//! Messages that the kernel sends are judged right after the command that caused them. Offers, timers
//! and claims are kept only from effects, never read from the state, so that `verify` can compare them
//! with what the kernel says is outstanding, and the state with a replay of the journal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use graph::{Failure, Graph, Value, failure};
use kernel::codec::{decode, encode};
use kernel::effect::Effect;
use kernel::event::{RunFact, ScheduleMoved, StepEntered};
use kernel::human::Whose;
use kernel::id::WHOLE_RUN;
use kernel::schedule::Schedule;
use kernel::state::{Activity, Ending, Phase};
use kernel::{
    Calendar, Command, Delivery, Entry, Event, HumanAct, Message, Notice, Rejection, Reply,
    RunEvent, RunId, SessionId, StartRun, State, StepId, StepRef, TaskToken, Time, decide,
    outstanding,
};

use crate::graphs::{N, graph, json};

/// Messages that one command may lead to.
const SENDS_MAX: usize = 10_000;

/// Timers that one tick may fire.
const FIRES_MAX: usize = 20_000;

/// When scripts begin.
pub(crate) const START: Time = Time(1_000_000);

/// `every N` means the multiples of N milliseconds; `until T every N` those up to T.
pub(crate) struct Almanac;

impl Calendar for Almanac {
    fn next_after(&self, cron: &str, zone: &str, after: Time) -> Result<Option<Time>, String> {
        let words: Vec<&str> = cron.split(' ').collect();
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("{text} is no number"))
        };
        let (until, every) = match words[..] {
            ["every", every] => (u64::MAX, number(every)?),
            ["until", until, "every", every] => (number(until)?, number(every)?),
            _ => return Err(format!("cannot read {cron} in {zone}")),
        };
        let next = (after.0 / every + 1) * every;
        Ok((next <= until).then_some(Time(next)))
    }
}

#[derive(Default)]
pub(crate) struct World {
    pub state: State,
    pub now: Time0,
    pub journal: Vec<Entry>,
    pub offers: BTreeSet<(String, StepRef)>,
    pub timers: BTreeSet<(Time, StepRef)>,
    pub claims: BTreeMap<TaskToken, SessionId>,
    pub work: BTreeMap<StepRef, Delivery>,
    /// Open human tasks.
    pub shown: BTreeMap<StepRef, Notice>,
    pub schedules: BTreeMap<String, Time>,
    pub expiries: BTreeSet<(Time, u64)>,
    /// Whether commands write into the log.
    pub quiet: bool,
    /// Whether each message is deferred before it is carried out.
    pub defers: bool,
    labels: Vec<RunId>,
    log: String,
    runs: u8,
}

/// The clock; begins at [`START`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Time0(pub Time);

impl Default for Time0 {
    fn default() -> Time0 {
        Time0(START)
    }
}

/// One run of workflow `w`, begun with null.
pub(crate) fn run(nodes: Vec<N>) -> World {
    run_on("null", nodes)
}

/// One run of workflow `w`, begun with this JSON.
pub(crate) fn run_on(input: &str, nodes: Vec<N>) -> World {
    let mut world = World::of(nodes);
    world.start("w", input);
    world
}

impl World {
    /// A world that knows workflow `w`.
    pub(crate) fn of(nodes: Vec<N>) -> World {
        let mut world = World::default();
        world.deploy(graph("w", nodes));
        world
    }

    pub(crate) fn deploy(&mut self, graph: Graph) {
        let reply = self.ask(Command::DeployWorkflow {
            graph: Arc::new(graph),
            source: "".into(),
        });
        assert_eq!(reply, Ok(Reply::Deployed { created: true }));
    }

    /// How a run with a fresh id is begun.
    pub(crate) fn starting(&mut self, workflow: &str, input: &str) -> StartRun {
        self.runs += 1;
        StartRun {
            run: RunId([self.runs; 16]),
            workflow: workflow.into(),
            version: None,
            key: None,
            input: json(input),
            labels: BTreeMap::new(),
            attributes: BTreeMap::new(),
            parent: None,
            depth: 0,
        }
    }

    pub(crate) fn start(&mut self, workflow: &str, input: &str) -> RunId {
        let start = self.starting(workflow, input);
        let run = start.run;
        let reply = self.ask(Command::StartRun(start));
        assert_eq!(reply, Ok(Reply::Started { run, created: true }));
        run
    }

    /// The run that was seen first.
    pub(crate) fn first(&self) -> RunId {
        self.labels[0]
    }

    /// Judges a command and all messages that follow from it.
    pub(crate) fn ask(&mut self, command: Command) -> Result<Reply, Rejection> {
        let mut queue = VecDeque::new();
        let reply = self.judge(command, &mut queue);
        for _ in 0..SENDS_MAX {
            let Some(message) = queue.pop_front() else {
                return reply;
            };
            if self.defers {
                self.defer(&message);
            }
            // A refused message is no error: what it was about is over.
            let _ = self.judge(message.into(), &mut queue);
        }
        panic!("messages without end");
    }

    /// Keeps a message and lets go of it again, as when a batch is full.
    fn defer(&mut self, message: &Message) {
        let nothing = &mut VecDeque::new();
        let message = message.clone();
        self.judge(Command::DeferMessage { message }, nothing)
            .unwrap();
        let (number, _) = self.state.messages.first_key_value().unwrap();
        let take = Command::TakeMessage { number: *number };
        self.judge(take, nothing).unwrap();
    }

    /// The same, and writes what was refused.
    pub(crate) fn tell(&mut self, command: Command) {
        if let Err(rejection) = self.ask(command) {
            writeln!(self.log, "refused {}: {rejection}", rejection.code()).unwrap();
        }
    }

    fn judge(
        &mut self,
        command: Command,
        queue: &mut VecDeque<Message>,
    ) -> Result<Reply, Rejection> {
        let (reply, decision) = decide(&mut self.state, command, self.now.0, &Almanac)?;
        if !self.quiet {
            for event in &decision.events {
                let line = self.line(event);
                self.log.push_str(&line);
            }
        }
        for effect in decision.effects {
            self.perform(effect, queue);
        }
        if !decision.events.is_empty() {
            self.journal.push(Entry {
                at: self.now.0,
                events: decision.events,
            });
        }
        Ok(reply)
    }

    fn perform(&mut self, effect: Effect, queue: &mut VecDeque<Message>) {
        match effect {
            Effect::OfferTask { queue, task, .. } => assert!(
                self.offers.insert((queue.to_string(), task)),
                "offered twice"
            ),
            Effect::RetractTask { queue, task } => assert!(
                self.offers.remove(&(queue.to_string(), task)),
                "not offered"
            ),
            Effect::DeliverTask(delivery) => {
                self.claims.insert(delivery.token, delivery.session);
                self.work.insert(delivery.token.step_ref(), delivery);
            }
            Effect::EndClaim { token, session } => {
                assert_eq!(
                    self.claims.remove(&token),
                    Some(session),
                    "a claim ended that did not hold"
                );
                self.work.remove(&token.step_ref());
            }
            Effect::ArmTimer { step, at } => assert!(self.timers.insert((at, step)), "armed twice"),
            Effect::DisarmTimer { step, at } => {
                assert!(self.timers.remove(&(at, step)), "not armed");
            }
            Effect::ShowHuman(notice) => {
                self.shown.insert(notice.task, notice);
            }
            Effect::HideHuman(task) => {
                assert!(self.shown.remove(&task).is_some(), "not shown");
            }
            Effect::Send(message) => queue.push_back(message),
            Effect::ArmSchedule { name, at: Some(at) } => {
                self.schedules.insert(name.to_string(), at);
            }
            Effect::ArmSchedule { name, at: None } => {
                self.schedules.remove(&*name);
            }
            Effect::ArmExpiry { number, at } => {
                self.expiries.insert((at, number));
            }
            // One that has just fired is gone already.
            Effect::DisarmExpiry { number, at } => {
                self.expiries.remove(&(at, number));
            }
        }
    }

    /// Lets time pass, firing what comes due in its order and at its instant.
    pub(crate) fn tick(&mut self, ms: u64) {
        let end = self.now.0.plus(ms);
        for _ in 0..FIRES_MAX {
            let timer = self
                .timers
                .first()
                .map(|(at, step)| (*at, Command::FireTimer { step: *step }));
            let schedule = self.schedules.iter().min_by_key(|(_, at)| **at);
            let schedule = schedule.map(|(name, at)| {
                (
                    *at,
                    Command::FireSchedule {
                        name: name.as_str().into(),
                    },
                )
            });
            let expiry = self
                .expiries
                .first()
                .map(|(at, number)| (*at, Command::ExpireEvent { number: *number }));
            let due = [timer, schedule, expiry]
                .into_iter()
                .flatten()
                .min_by_key(|(at, _)| *at);
            let Some((at, command)) = due.filter(|(at, _)| *at <= end) else {
                self.now = Time0(end);
                return;
            };
            self.now = Time0(self.now.0.max(at));
            if let Command::ExpireEvent { number } = command {
                self.expiries.remove(&(at, number));
            }
            let is_expiry = matches!(command, Command::ExpireEvent { .. });
            let outcome = self.ask(command.clone());
            assert!(
                outcome.is_ok() || is_expiry,
                "{command:?} was armed but is refused: {outcome:?}"
            );
        }
        panic!("timers without end");
    }

    fn offered(&self, name: &str) -> Option<StepRef> {
        let named = |at: &StepRef| {
            self.node_name(at.run, at.step)
                .is_some_and(|known| known == name)
        };
        self.offers.iter().map(|(_, at)| *at).find(named)
    }

    pub(crate) fn step_named(&self, name: &str) -> StepRef {
        let all = self.state.runs.values().flat_map(|run| {
            run.steps.keys().map(|step| StepRef {
                run: run.id,
                step: *step,
            })
        });
        let found: Vec<StepRef> = all
            .filter(|at| self.node_name(at.run, at.step).as_deref() == Some(name))
            .collect();
        *found.first().unwrap_or_else(|| panic!("no step {name}"))
    }

    /// Claims the oldest offered task of this name.
    pub(crate) fn claim(&mut self, name: &str) -> TaskToken {
        let task = self
            .offered(name)
            .unwrap_or_else(|| panic!("no task {name} is offered"));
        self.ask(Command::ClaimTask {
            task,
            session: SessionId(7),
        })
        .unwrap();
        self.work[&task].token
    }

    pub(crate) fn has_offer(&self, name: &str) -> bool {
        self.offered(name).is_some()
    }

    /// Claims and completes the oldest offered task of this name.
    pub(crate) fn done(&mut self, name: &str, output: &str) {
        let token = self.claim(name);
        self.ask(Command::CompleteTask {
            token,
            output: json(output),
        })
        .unwrap();
    }

    /// Claims and fails the oldest offered task of this name, with an error of this type.
    pub(crate) fn fail(&mut self, name: &str, kind: &str) {
        let token = self.claim(name);
        self.ask(Command::FailTask {
            token,
            failure: flop(kind),
            retryable: true,
        })
        .unwrap();
    }

    /// What someone does about the human task of this name.
    pub(crate) fn act(&mut self, name: &str, by: &str, act: HumanAct) {
        let task = self.step_named(name);
        let by = by.into();
        self.tell(Command::ActOnHuman { task, by, act });
    }

    pub(crate) fn signal(&mut self, name: &str, data: &str) {
        let run = self.first();
        self.tell(Command::SignalRun {
            run,
            name: name.into(),
            data: json(data),
            ttl_ms: 60_000,
        });
    }

    pub(crate) fn publish(&mut self, event: &str) {
        self.tell(Command::PublishEvent {
            event: json(event),
            ttl_ms: 60_000,
        });
    }

    pub(crate) fn cancel(&mut self) {
        let run = self.first();
        self.tell(Command::CancelRun { run, reason: None });
    }

    /// What has happened since last asked, and where every run stands.
    pub(crate) fn log(&mut self) -> String {
        self.verify();
        std::mem::take(&mut self.log)
    }

    /// Forgets what has happened so far.
    pub(crate) fn hush(&mut self) {
        self.log.clear();
    }

    /// Checks that a replay gives the same state, and that effects agree with what is outstanding.
    pub(crate) fn verify(&self) {
        let mut replayed = State::default();
        for entry in &self.journal {
            let bytes = encode(entry);
            let read: Entry = decode(&bytes).unwrap();
            assert_eq!(&read, entry, "an entry is read as it was written");
            read.events
                .iter()
                .for_each(|event| replayed.apply(event, read.at));
        }
        assert_same(&self.state, &replayed);
        self.verify_effects();
        for run in self.state.runs.values().filter(|run| !run.is_live()) {
            assert!(
                run.steps.is_empty() && run.frames.is_empty(),
                "a finished run holds on to nothing"
            );
        }
    }

    pub(crate) fn verify_effects(&self) {
        let mut owed = World {
            quiet: true,
            ..World::default()
        };
        let mut sends = VecDeque::new();
        outstanding(&self.state)
            .into_iter()
            .for_each(|effect| owed.perform(effect, &mut sends));
        assert_eq!(self.offers, owed.offers, "offers");
        assert_eq!(self.timers, owed.timers, "timers");
        assert_eq!(self.claims, owed.claims, "claims");
        assert_eq!(self.shown, owed.shown, "human tasks");
        assert_eq!(self.schedules, owed.schedules, "schedules");
        assert_eq!(owed.expiries, self.expiries, "expiries");
        let asks_for_child = |message: &Message| matches!(message, Message::StartRun(start) if start.parent.is_some());
        assert!(sends.iter().all(asks_for_child), "{sends:?}");
    }

    fn node_name(&self, run: RunId, step: StepId) -> Option<String> {
        let run = self.state.runs.get(&run)?;
        self.name_of(run.id, run.step(step)?.node)
    }

    fn name_of(&self, run: RunId, node: u32) -> Option<String> {
        let run = self.state.runs.get(&run)?;
        let definition = self.state.catalog.find(&run.workflow, Some(&run.version))?;
        definition.node(node).map(|node| node.name.to_string())
    }

    /// An event in a line; runs but the first have a label before it.
    fn line(&mut self, event: &Event) -> String {
        let (label, text) = match event {
            Event::Run(RunFact { run, fact }) => {
                let place = self
                    .labels
                    .iter()
                    .position(|known| known == run)
                    .unwrap_or_else(|| {
                        self.labels.push(*run);
                        self.labels.len() - 1
                    });
                (
                    if place == 0 {
                        String::new()
                    } else {
                        format!("r{} ", place + 1)
                    },
                    self.fact(*run, fact),
                )
            }
            Event::WorkflowDeployed(_) => return String::new(),
            Event::EventKept(kept) => (
                String::new(),
                format!("event {} kept {}", kept.number, kept.event),
            ),
            Event::EventDropped(dropped) => {
                (String::new(), format!("event {} dropped", dropped.number))
            }
            Event::SchedulePut(Schedule { name, .. })
            | Event::ScheduleMoved(ScheduleMoved { name, .. }) => {
                let put = &self.state.schedules[name];
                let next = put.next_at.map_or("never".into(), |at| at.0.to_string());
                let (active, waiting) = (
                    put.active.len(),
                    put.waiting
                        .map_or(String::new(), |at| format!(", {} waits", at.0)),
                );
                (
                    String::new(),
                    format!(
                        "schedule {}: {} started, {active} active{waiting}, next {next}",
                        put.name, put.started
                    ),
                )
            }
            Event::ScheduleDropped(name) => {
                (String::new(), format!("schedule {} dropped", name.name))
            }
            Event::MessageDeferred(deferred) => {
                let (number, message) = (deferred.number, deferred.message.name());
                (
                    String::new(),
                    format!("message {number} deferred: {message}"),
                )
            }
            Event::MessageTaken(taken) => {
                (String::new(), format!("message {} taken", taken.number))
            }
        };
        format!("{label}{text}\n")
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn fact(&self, run: RunId, fact: &RunEvent) -> String {
        let node = |node: u32| self.name_of(run, node).unwrap_or_default();
        match fact {
            RunEvent::Started(started) => format!("start {} {}", started.workflow, started.input),
            RunEvent::StepEntered(StepEntered {
                step,
                node: at,
                activity,
                ..
            }) => {
                format!("+{} {} {}", step.0, node(*at), self.doing(activity))
            }
            RunEvent::StepPassed(passed) => {
                let skipped = if passed.skipped.is_some() {
                    " skipped"
                } else {
                    ""
                };
                format!(". {} {}{skipped}", node(passed.node), passed.output)
            }
            RunEvent::StepBegan(began) => {
                format!("^{} {}", began.step.0, self.doing(&began.activity))
            }
            RunEvent::StepCompleted(completed) => {
                format!("={} {}", completed.step.0, completed.output)
            }
            RunEvent::StepFailed(failed) => {
                let step = failed
                    .step
                    .map_or_else(|| node(failed.node), |step| step.0.to_string());
                format!("!{step} {}", brief(&failed.failure))
            }
            RunEvent::StepCancelled(cancelled) => format!("x{}", cancelled.step.0),
            RunEvent::StepWithdrawing(withdrawing) => format!("withdraw {}", withdrawing.step.0),
            RunEvent::FrameOpened(opened) => {
                let phase = if opened.phase == Phase::Body {
                    ""
                } else {
                    opened.phase.word()
                };
                format!(
                    "[{} {}#{} {phase}",
                    opened.frame.0, opened.owner.0, opened.index
                )
                .trim_end()
                .into()
            }
            RunEvent::FrameEnding(ending) => {
                format!("ending {} {}", ending.frame.0, how(&ending.ending))
            }
            RunEvent::FrameClosed(closed) => {
                format!(
                    "]{} {}",
                    closed.frame.0,
                    closed.output.as_ref().map_or("-".into(), Value::to_json)
                )
            }
            RunEvent::TokenExited(exited) => format!("exit {} {}", exited.frame.0, exited.data),
            RunEvent::TokenJoined(joined) => format!("join {} {}", node(joined.node), joined.data),
            RunEvent::JoinReset(reset) => format!("reset {}", node(reset.node)),
            RunEvent::RegionTurned(turned) => {
                let due = turned
                    .due
                    .map_or(String::new(), |at| format!(", due {}", at.since(START)));
                format!(
                    "turn {} {} #{}{due}",
                    turned.step.0,
                    turned.phase.word(),
                    turned.attempt
                )
            }
            RunEvent::RegionReleased(released) => {
                format!("release {} {}", released.step.0, released.output)
            }
            RunEvent::TaskClaimed(claimed) => {
                format!("claim {} #{}", claimed.step.0, claimed.claim)
            }
            RunEvent::TaskHeard(heard) => format!("heard {}", heard.step.0),
            RunEvent::TaskBackedOff(off) => {
                format!(
                    "back off {} until {}: {}",
                    off.step.0,
                    off.until.at.since(START),
                    brief(&off.failure)
                )
            }
            RunEvent::TaskQueued(queued) => format!(
                "queue {} #{}: {}",
                queued.step.0, queued.attempt, queued.reason
            ),
            RunEvent::TaskParked(parked) => {
                format!("park {}: {}", parked.step.0, brief(&parked.failure))
            }
            RunEvent::EventReceived(received) => format!(
                "receive {}.{} {}",
                received.step.0, received.filter, received.event
            ),
            RunEvent::LockGranted(granted) => format!("lock {}", granted.step.0),
            RunEvent::ItemAdded(added) => format!("item {} {}", added.step.0, added.item),
            RunEvent::SignalKept(signal) => {
                format!("signal {} kept {}", signal.number, signal.event)
            }
            RunEvent::SignalDropped(dropped) => format!("signal {} dropped", dropped.number),
            RunEvent::OutcomeKept(kept) => {
                let outcome = &kept.outcome;
                let said = outcome.failure.as_ref().map(brief);
                let said = said.or(outcome.output.as_ref().map(Value::to_json));
                format!("keep {} {}", kept.step.0, said.unwrap_or_default())
                    .trim_end()
                    .into()
            }
            RunEvent::HumanClaimed(fact) => format!("{} has {}", fact.by, fact.step.0),
            RunEvent::HumanReleased(fact) => format!("{} releases {}", fact.by, fact.step.0),
            RunEvent::HumanAssigned(fact) => {
                format!("{} gives {} to {}", fact.by, fact.step.0, whose(&fact.to))
            }
            RunEvent::HumanEscalated(fact) => {
                format!("escalate {} to {}", fact.step.0, whose(&fact.to))
            }
            RunEvent::HumanReminded(fact) => format!("remind {}", fact.step.0),
            RunEvent::HumanCommented(fact) => {
                format!("{} says of {}: {}", fact.by, fact.step.0, fact.text)
            }
            RunEvent::HumanDecided(fact) => {
                let outcome = fact.outcome.as_deref().unwrap_or("rejected");
                format!(
                    "{} decides {}: {outcome} {}",
                    fact.by, fact.step.0, fact.data
                )
            }
            RunEvent::Suspended(_) => "suspended".into(),
            RunEvent::Resumed(_) => "resumed".into(),
            RunEvent::CancelRequested(_) => "cancel requested".into(),
            RunEvent::Ended(ended) => {
                let output = ended
                    .output
                    .as_ref()
                    .map_or(String::new(), |output| format!(" {output}"));
                let failure = ended
                    .failure
                    .as_ref()
                    .map_or(String::new(), |failure| format!(" {}", brief(failure)));
                format!("{}{output}{failure}", ended.status.word())
            }
        }
    }

    fn doing(&self, activity: &Activity) -> String {
        match activity {
            Activity::Task(task) => format!("task {}", task.input),
            Activity::Timer(due) => format!("timer {}", due.at.since(START)),
            Activity::Listen(_) => "listen".into(),
            Activity::Child(awaited) => format!("child {}", awaited.workflow),
            Activity::Region(_) => "region".into(),
            Activity::Held(_) => "held".into(),
            Activity::Kept(_) => "kept".into(),
            Activity::Milestone(_) => "milestone".into(),
            Activity::Yielded(_) => "yielded".into(),
            Activity::Human(work) => format!("human {:?} for {}", work.title, whose(&work.whose)),
        }
    }
}

/// A failure of this type.
pub(crate) fn flop(kind: &str) -> Failure {
    Failure {
        kind: kind.into(),
        ..Failure::new("runtime", "flop")
    }
}

fn whose(whose: &Whose) -> String {
    let names = whose.assignee.iter().chain(&whose.groups);
    let names: Vec<&str> = names.map(|name| &**name).collect();
    if names.is_empty() {
        "anyone".into()
    } else {
        names.join(" ")
    }
}

fn brief(told: &Failure) -> String {
    let detail = told.detail.as_deref().unwrap_or_default();
    let place = told
        .instance
        .as_deref()
        .map_or(String::new(), |place| format!(" at {place}"));
    format!("{}: {detail}{place}", failure::bare_type(&told.kind))
}

fn how(ending: &Ending) -> String {
    match ending {
        Ending::Failed(_) => "failed".into(),
        Ending::Withdrawn(_) => "withdrawn".into(),
        Ending::Completed(output) => format!("completed {output}"),
    }
}

/// Compares two states as bytes.
pub(crate) fn assert_same(a: &State, b: &State) {
    assert_eq!(
        a.runs.keys().collect::<Vec<_>>(),
        b.runs.keys().collect::<Vec<_>>(),
        "runs"
    );
    for (one, other) in a.runs.values().zip(b.runs.values()) {
        if State::encode_run(one) != State::encode_run(other) {
            assert_eq!(one, other, "a run differs");
        }
    }
    assert_eq!(a.listeners, b.listeners, "listeners");
    assert_eq!(a.locks, b.locks, "locks");
    assert_eq!(a.schedules, b.schedules, "schedules");
    assert_eq!(a.messages, b.messages, "messages");
    assert_eq!(
        a.kept_events.iter().collect::<Vec<_>>(),
        b.kept_events.iter().collect::<Vec<_>>(),
        "kept events"
    );
    let listened: BTreeSet<StepRef> = a.listeners.values().flatten().copied().collect();
    let listens = a.runs.values().flat_map(|run| {
        let waiting = run
            .steps
            .iter()
            .filter(|(_, step)| step.listens().next().is_some());
        waiting
            .map(|(step, _)| StepRef {
                run: run.id,
                step: *step,
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(
        listened,
        listens.collect(),
        "the table of listeners is what the runs say"
    );
    assert!(!listened.iter().any(|at| at.step == WHOLE_RUN));
}
