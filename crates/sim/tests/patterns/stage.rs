//! Owns the stage that a pattern is played on: a real partition, its journal, one worker, a clock that scripts move.
//!
//! One input is one batch, so every position of the journal is a place to crash: right before a batch is
//! durable (whoever asked asks again), or right after it, before anyone is told. What is recovered is what
//! the records say, nothing else.

use std::sync::Arc;

use engine::partition::{
    Answer, Archive, ArchiveFault, Input, Outlet, Partition, Question, Welcome,
};
use engine::{FromWorker, TaskOutcome, WorkerHello, ZonedCalendar};
use graph::{Graph, Value};
use kernel::codec::decode;
use kernel::state::{Activity, TaskStage};
use kernel::{Command, Entry, Rejection, Reply, Run, RunId, SessionId, StartRun, TaskToken, Time};

use crate::trace::Trace;

/// Batches within which everything must come to rest.
const BATCHES_MAX: usize = 200;

/// When scripts begin.
const START: Time = Time(1_000_000);

/// What happens next, outside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Another run starts on this JSON.
    Start(&'static str),
    /// The worker does the oldest task of this name, which gives back its input.
    Done(&'static str),
    /// The same, with this JSON as its output.
    Gives(&'static str, &'static str),
    /// The first run gets a signal of this name, with this JSON.
    Signal(&'static str, &'static str),
    /// So many milliseconds go by.
    Wait(u64),
    /// The first run is cancelled.
    Cancel,
    /// No task of this name may be at work.
    Idle(&'static str),
}

/// Where the process dies, once: at which batch, and whether that one is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub(crate) batch: usize,
    pub(crate) is_durable: bool,
}

pub(crate) struct Stage {
    partition: Partition,
    graph: Arc<Graph>,
    source: String,
    records: Vec<Vec<u8>>,
    batches: usize,
    crash: Option<Crash>,
    session: SessionId,
    processes: u64,
    runs: u8,
    now: Time,
}

struct Nothing;

impl Archive for Nothing {
    fn finished(&self, _: RunId) -> Result<Option<Box<Run>>, ArchiveFault> {
        Ok(None)
    }
}

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("scripts hold JSON")
}

fn ask(command: Command) -> Input {
    Input::Ask {
        command: Box::new(command),
        answer: Answer::new(|reply: Result<Reply, Rejection>| {
            reply.expect("what a script asks is accepted");
        }),
    }
}

impl Stage {
    pub(crate) fn new(source: String, crash: Option<Crash>) -> Stage {
        let compiled = authoring::compile(&source).unwrap_or_else(|findings| {
            panic!(
                "{source}\n{}",
                findings
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n")
            )
        });
        let mut stage = Stage {
            partition: Partition::new(Box::new(ZonedCalendar), Box::new(Nothing), 0),
            graph: Arc::new(compiled.graph),
            source,
            records: Vec::new(),
            batches: 0,
            crash,
            session: SessionId(0),
            processes: 0,
            runs: 0,
            now: START,
        };
        stage.recover();
        let (graph, source) = (stage.graph.clone(), stage.source.clone());
        stage.ask(move |_| {
            ask(Command::DeployWorkflow {
                graph: graph.clone(),
                source: source.as_str().into(),
            })
        });
        stage
    }

    /// How many batches there were.
    pub(crate) fn batches(&self) -> usize {
        self.batches
    }

    /// Whether the crash has come.
    pub(crate) fn has_crashed(&self) -> bool {
        self.crash.is_none()
    }

    /// All that has happened.
    pub(crate) fn trace(&self) -> Trace {
        let entries = self
            .records
            .iter()
            .map(|record| decode(record).expect("a record is an entry"));
        Trace::of(&self.graph, entries)
    }

    pub(crate) fn play(&mut self, act: Do) {
        match act {
            Do::Start(input) => {
                self.runs += 1;
                let run = RunId([self.runs; 16]);
                let workflow = self.graph.workflow.clone();
                self.ask(move |_| {
                    ask(Command::StartRun(StartRun {
                        run,
                        workflow: workflow.clone(),
                        version: None,
                        key: None,
                        input: json(input),
                        labels: Default::default(),
                        attributes: Default::default(),
                        parent: None,
                        depth: 0,
                    }))
                });
            }
            Do::Done(task) => self.report(task, None),
            Do::Gives(task, output) => self.report(task, Some(output)),
            Do::Signal(name, data) => self.ask(move |_| {
                ask(Command::SignalRun {
                    run: RunId([1; 16]),
                    name: name.into(),
                    data: json(data),
                    ttl_ms: 86_400_000,
                })
            }),
            Do::Wait(ms) => {
                let end = self.now.plus(ms);
                while let Some(at) = self.partition.next_at().filter(|at| *at <= end) {
                    self.now = self.now.max(at);
                    self.settle();
                }
                self.now = end;
                self.settle();
            }
            Do::Cancel => self.ask(|_| {
                ask(Command::CancelRun {
                    run: RunId([1; 16]),
                    reason: None,
                })
            }),
            Do::Idle(task) => assert!(self.claimed(task).is_none(), "{task} is at work"),
        }
    }

    fn report(&mut self, task: &'static str, output: Option<&'static str>) {
        self.ask(move |stage| {
            let Some((token, input)) = stage.claimed(task) else {
                panic!("no task {task} is at work:\n{}", stage.trace());
            };
            let outcome = TaskOutcome::Done(output.map_or(input, json));
            let said = FromWorker {
                credits: 1,
                results: vec![(token, outcome)],
                ..FromWorker::default()
            };
            Input::Worker {
                session: stage.session,
                said,
            }
        });
    }

    /// The oldest task of this name that the worker has.
    fn claimed(&self, name: &str) -> Option<(TaskToken, Value)> {
        let runs = self.partition.state().runs.values();
        let mut steps =
            runs.flat_map(|run| run.steps.iter().map(move |(id, step)| (run.id, *id, step)));
        steps.find_map(|(run, step, at)| match &at.activity {
            Activity::Task(work) if *work.name == *name => {
                let token = TaskToken {
                    run,
                    step,
                    claim: work.claims,
                };
                let claimed = matches!(work.stage, TaskStage::Claimed(_));
                claimed.then(|| (token, work.input.clone()))
            }
            _ => None,
        })
    }

    /// Puts in what someone says, again if it was lost, and lets everything come to rest.
    fn ask(&mut self, input: impl Fn(&Stage) -> Input) {
        loop {
            let said = input(self);
            self.partition.take(said, self.now);
            if self.commit() {
                break;
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        for _ in 0..BATCHES_MAX {
            let more = self.partition.turn(self.now);
            let before = self.batches;
            self.commit();
            if !more && self.batches == before {
                return;
            }
        }
        panic!("it does not come to rest:\n{}", self.trace());
    }

    /// Ends a batch; false if it was lost.
    fn commit(&mut self) -> bool {
        let mut batch = self.partition.take_batch();
        if batch.records.is_empty() {
            self.partition.release(batch);
            return true;
        }
        self.batches += 1;
        let due = self.crash.filter(|crash| crash.batch + 1 == self.batches);
        if due.is_none_or(|crash| crash.is_durable) {
            self.records.append(&mut batch.records);
        }
        match due {
            None => drop(self.partition.release(batch)),
            Some(_) => {
                self.crash = None;
                self.recover();
            }
        }
        due.is_none_or(|crash| crash.is_durable)
    }

    /// A new process on what is durable, and its worker.
    fn recover(&mut self) {
        self.processes += 1;
        let first_session = self.processes << 32;
        let mut partition =
            Partition::new(Box::new(ZonedCalendar), Box::new(Nothing), first_session);
        for record in &self.records {
            let entry: Entry = decode(record).expect("a record is an entry");
            let events = entry.events.iter();
            events.for_each(|event| partition.replay(event, entry.at));
        }
        partition.take_batch();
        partition.resume(self.now);
        let (told, session) = std::sync::mpsc::channel();
        let connect = Question::Connect {
            hello: WorkerHello {
                queues: vec!["default".into()],
                ..WorkerHello::default()
            },
            frames: Outlet::new(|_| true),
            answer: Answer::new(move |welcome: Welcome| {
                told.send(welcome.session).expect("the stage listens");
            }),
        };
        partition.take(Input::Question(Box::new(connect)), self.now);
        let batch = partition.take_batch();
        assert!(batch.records.is_empty(), "to connect changes nothing");
        partition.release(batch);
        self.session = session.recv().expect("a session");
        let said = FromWorker {
            credits: 1_000,
            ..FromWorker::default()
        };
        partition.take(
            Input::Worker {
                session: self.session,
                said,
            },
            self.now,
        );
        self.partition = partition;
    }
}
