//! Owns the clients: what they wish for, and the oracle that remembers what each was promised.
//!
//! Invariant: a wish without an answer is unknown, and nothing is concluded from it; a promise is looked
//! for among the facts the moment it is made, and facts never go away.

use engine::partition::{Input, Question};
use graph::Value;
use graph::value::Str;
use kernel::schedule::{CatchUp, Overlap, Schedule};
use kernel::{Command, Rejection, Reply, RunId, StartRun};

use crate::check;
use crate::check::acknowledged::Promise;
use crate::film::shoot;
use crate::letter::Letter;
use crate::verdict::Violation;
use crate::workflows::{self, Authored, NAMES, SIGNALS};
use crate::world::World;

/// Business keys, few enough that they meet.
const KEYS: u64 = 4;

/// Names of schedules.
const SCHEDULES: [&str; 2] = ["often", "seldom"];

/// Bytes of what makes some inputs heavy.
const PAD_BYTES: usize = 3_000;

impl World {
    /// A client wishes for something.
    pub(crate) fn wish(&mut self) {
        let (command, promise) = match self.random.below(100) {
            0..45 => self.start(),
            45..60 => self.signal(),
            60..68 => self.publish(),
            68..80 => self.steer(),
            80..85 => self.schedule(),
            85..88 => self.unschedule(),
            88..91 => self.deploy(),
            _ => return self.ask(),
        };
        self.request(command, promise);
    }

    /// Sends a command, to be answered with this promise.
    pub(crate) fn request(&mut self, command: Command, promise: Promise) {
        self.asked += 1;
        let number = self.asked;
        shoot!(self.film, "client asks {number}: {command:?}");
        self.unanswered.insert(number, promise);
        let answer = self.post.answer(move |reply| Letter::Reply(number, reply));
        let command = Box::new(command);
        if let Command::StartRun(StartRun { run, .. }) = &*command
            && self.random.percent(20)
        {
            let run = *run;
            let ended = self.post.answer(move |view| Letter::Ended(run, view));
            return self.tell(Input::AskAndWait {
                command,
                answer,
                ended,
            });
        }
        self.tell(Input::Ask { command, answer });
    }

    /// The reply to a command.
    pub(crate) fn reply(
        &mut self,
        number: u64,
        reply: &Result<Reply, Rejection>,
    ) -> Result<(), Violation> {
        shoot!(self.film, "client is told {number}: {reply:?}");
        let Some(promise) = self.unanswered.remove(&number) else {
            return Ok(());
        };
        match reply {
            Ok(_) => check::acknowledged::promise(&self.facts, &promise),
            Err(rejection) => check::durable::refused(&self.facts, rejection),
        }
    }

    /// A number never used before.
    pub(crate) fn number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    fn mark(&mut self) -> String {
        format!("m{}", self.number())
    }

    fn input(&mut self) -> Value {
        let items = (0..self.random.below(5))
            .map(|item| Value::Int(i64::try_from(item).unwrap_or(0)))
            .collect();
        let pad = if self.random.percent(15) {
            PAD_BYTES
        } else {
            8
        };
        Value::from([
            ("items", Value::array(items)),
            (
                "number",
                Value::Int(i64::try_from(self.random.below(4)).unwrap_or(0)),
            ),
            ("pad", Value::text("x".repeat(pad))),
        ])
    }

    fn start(&mut self) -> (Command, Promise) {
        let workflow = *self.random.pick(&NAMES);
        let key = self
            .random
            .percent(70)
            .then(|| format!("k{}", self.random.below(KEYS)));
        let run = match &key {
            Some(key) => RunId::of_key(workflow, key),
            None => RunId::of_key("fresh", &self.number().to_string()),
        };
        let start = StartRun {
            run,
            workflow: workflow.into(),
            version: None,
            key: key.map(Into::into),
            input: self.input(),
            labels: Default::default(),
            attributes: Default::default(),
            parent: None,
            depth: 0,
        };
        (Command::StartRun(start), Promise::Exists(run))
    }

    /// A run that there is, or was.
    fn some_run(&mut self) -> RunId {
        let live: Vec<RunId> = self.facts.state.runs.keys().copied().collect();
        if !live.is_empty() && self.random.percent(85) {
            return *self.random.pick(&live);
        }
        let all: Vec<RunId> = self.facts.runs.keys().copied().collect();
        if all.is_empty() {
            RunId::of_key("none", "none")
        } else {
            *self.random.pick(&all)
        }
    }

    fn signal(&mut self) -> (Command, Promise) {
        let (run, mark) = (self.some_run(), self.mark());
        let name = (*self.random.pick(&SIGNALS)).into();
        let ttl_ms = 1 + self.random.below(100_000);
        (
            Command::SignalRun {
                run,
                name,
                data: self.carried(&mark),
                ttl_ms,
            },
            Promise::Marked(mark),
        )
    }

    fn carried(&mut self, mark: &str) -> Value {
        let number = i64::try_from(self.random.below(4)).unwrap_or(0);
        Value::from([("mark", Value::text(mark)), ("number", Value::Int(number))])
    }

    fn publish(&mut self) -> (Command, Promise) {
        let mark = self.mark();
        let name = Value::from(*self.random.pick(&SIGNALS));
        let event = Value::from([("type", name), ("data", self.carried(&mark))]);
        let ttl_ms = 1 + self.random.below(100_000);
        (
            Command::PublishEvent { event, ttl_ms },
            Promise::Marked(mark),
        )
    }

    fn steer(&mut self) -> (Command, Promise) {
        let run = self.some_run();
        match self.random.below(6) {
            0 => (
                Command::CancelRun { run, reason: None },
                Promise::Happened(run, "CancelRequested"),
            ),
            1 => (
                Command::TerminateRun {
                    run,
                    reason: Some("by chance".into()),
                },
                Promise::Happened(run, "Ended"),
            ),
            2 | 3 => (
                Command::SuspendRun { run },
                Promise::Happened(run, "Suspended"),
            ),
            4 => (Command::ResumeRun { run }, Promise::Nothing),
            _ => (
                Command::RetryRun { run, step: None },
                Promise::Happened(run, "TaskQueued"),
            ),
        }
    }

    fn schedule(&mut self) -> (Command, Promise) {
        let mark = self.mark();
        let cron = self.random.percent(30).then(|| Str::from("*/20 * * * * *"));
        let every_ms = cron.is_none().then(|| 2_000 + self.random.below(20_000));
        let schedule = Schedule {
            name: (*self.random.pick(&SCHEDULES)).into(),
            workflow: (*self.random.pick(&["nap", "errand"])).into(),
            version: None,
            input: Value::from([("mark", Value::text(mark.as_str()))]),
            cron,
            zone: "UTC".into(),
            every_ms,
            overlap: *self.random.pick(Overlap::ALL),
            catch_up: *self.random.pick(CatchUp::ALL),
            paused: false,
            next_at: None,
            last_at: None,
            started: 0,
            active: vec![],
            waiting: None,
            after_ms: None,
            trigger: None,
            from: None,
            until: None,
        };
        (Command::PutSchedule { schedule }, Promise::Marked(mark))
    }

    fn unschedule(&mut self) -> (Command, Promise) {
        let name: Str = (*self.random.pick(&SCHEDULES)).into();
        match self.random.below(3) {
            0 => (Command::DeleteSchedule { name }, Promise::Nothing),
            1 => (
                Command::PauseSchedule { name, paused: true },
                Promise::Nothing,
            ),
            _ => (
                Command::PauseSchedule {
                    name,
                    paused: false,
                },
                Promise::Nothing,
            ),
        }
    }

    fn deploy(&mut self) -> (Command, Promise) {
        let name = *self.random.pick(&NAMES);
        self.patches += 1;
        let authored = workflows::author(&mut self.random, name, self.patches);
        deployment(authored)
    }

    /// A question whose answer is compared with the facts.
    fn ask(&mut self) {
        let run = self.some_run();
        let input = match self.random.below(4) {
            0 => {
                let ended = self.post.answer(move |view| Letter::Ended(run, view));
                Input::Wait { run, ended }
            }
            1 => {
                let watch = Some(self.post.watch(run));
                let answer = self.post.answer(move |tail| Letter::History(run, tail));
                Input::Question(Box::new(Question::History { run, watch, answer }))
            }
            2 => {
                let answer = self.post.answer(move |tail| Letter::History(run, tail));
                Input::Question(Box::new(Question::History {
                    run,
                    watch: None,
                    answer,
                }))
            }
            _ => {
                let answer = self.post.answer(move |found| Letter::Run(run, found));
                Input::Question(Box::new(Question::Run { run, answer }))
            }
        };
        shoot!(self.film, "client looks at {run}");
        self.tell(input);
    }
}

/// The command that deploys a workflow.
pub(crate) fn deployment(authored: Authored) -> (Command, Promise) {
    let promise = Promise::Deployed(authored.workflow.into(), authored.version);
    (
        Command::DeployWorkflow {
            graph: authored.graph,
            source: authored.source,
        },
        promise,
    )
}
