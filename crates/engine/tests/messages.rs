//! Messages between runs are not lost, wherever a crash comes and however many of them there are.
//!
//! Driven without a journal: what a batch holds counts as durable once it is taken, and a crash leaves
//! a new partition nothing but those records.

use std::collections::BTreeMap;
use std::sync::Arc;

use graph::{Graph, Value};
use kernel::codec::decode;
use kernel::{Command, Entry, Run, RunId, StartRun, Time};
use quadrille_engine::ZonedCalendar;
use quadrille_engine::partition::{Answer, Archive, ArchiveFault, Input, Partition};

/// Batches within which everything must have come to its end.
const BATCHES_MAX: usize = 2_000;

/// What the journal takes as one record, and as one group.
const RECORD_BYTES_MAX: usize = 16 << 20;
const GROUP_BYTES_MAX: usize = 31 << 20;

const NOW: Time = Time(1_000_000);

struct Nothing;

impl Archive for Nothing {
    fn finished(&self, _: RunId) -> Result<Option<Box<Run>>, ArchiveFault> {
        Ok(None)
    }
}

/// A partition, and what of it is durable.
struct Process {
    partition: Partition,
    records: Vec<Vec<u8>>,
    messages_max: usize,
}

impl Process {
    fn new(messages_max: usize) -> Process {
        let mut process = Process {
            partition: partition(messages_max),
            records: Vec::new(),
            messages_max,
        };
        process.partition.resume(NOW);
        process
    }

    fn ask(&mut self, command: Command) {
        let input = Input::Ask {
            command: Box::new(command),
            answer: Answer::new(|reply: Result<_, kernel::Rejection>| {
                reply.expect("the command is accepted");
            }),
        };
        self.partition.take(input, NOW);
    }

    fn start(&mut self, workflow: &str, key: usize, input: Value) {
        let key = key.to_string();
        self.ask(Command::StartRun(StartRun {
            run: RunId::of_key(workflow, &key),
            workflow: workflow.into(),
            version: None,
            key: Some(key.into()),
            input,
            labels: BTreeMap::new(),
            attributes: BTreeMap::new(),
            parent: None,
            depth: 0,
        }));
    }

    /// Ends a batch; says whether more is left to do.
    fn commit(&mut self) -> bool {
        let more = self.partition.turn(NOW);
        let mut batch = self.partition.take_batch();
        let bytes: usize = batch.records.iter().map(Vec::len).sum();
        assert!(bytes <= GROUP_BYTES_MAX, "a batch of {bytes} bytes");
        let longest = batch.records.iter().map(Vec::len).max().unwrap_or(0);
        assert!(longest <= RECORD_BYTES_MAX, "a record of {longest} bytes");
        self.records.append(&mut batch.records);
        self.partition.release(batch);
        more
    }

    fn settle(&mut self) {
        for _ in 0..BATCHES_MAX {
            if !self.commit() {
                return;
            }
        }
        panic!("{BATCHES_MAX} batches were not enough");
    }

    fn crash(&mut self) {
        self.partition = partition(self.messages_max);
        for record in &self.records {
            let entry: Entry = decode(record).expect("a record is an entry");
            let events = entry.events.iter();
            events.for_each(|event| self.partition.replay(event, entry.at));
        }
        self.partition.take_batch();
        self.partition.resume(NOW);
    }

    fn live(&self) -> Vec<String> {
        let runs = self.partition.state().runs.values();
        runs.map(|run| format!("{} {:?}", run.workflow, run.key))
            .collect()
    }
}

fn partition(messages_max: usize) -> Partition {
    let mut partition = Partition::new(Box::new(ZonedCalendar), Box::new(Nothing), 0);
    partition.carry_at_most(messages_max);
    partition
}

fn deploy(workflow: &str, bodies: usize, nodes: &str) -> Command {
    let bodies: Vec<String> = (0..bodies)
        .map(|body| format!(r#"{{"path":"/{body}","first":{body}}}"#))
        .collect();
    let json = format!(
        r#"{{"workflow":"{workflow}","version":"1.0.0","locals":["item","index"],"bodies":[{}],"nodes":[{nodes}]}}"#,
        bodies.join(",")
    );
    let graph: Graph = serde_json::from_str(&json).expect("a graph");
    Command::DeployWorkflow {
        graph: Arc::new(graph),
        source: "test".into(),
    }
}

fn node(name: &str, body: usize, next: &str, kind: &str) -> String {
    format!(
        r#"{{"name":"{name}","path":"/{name}","body":{body},"next":{next},"kind":{kind},"output":{{"expr":"$workflow.input"}}}}"#
    )
}

fn listen(kind: &str) -> String {
    let filter = format!(r#"{{"listen":{{"filters":[{{"event_type":"{kind}"}}],"need":"all"}}}}"#);
    node("hear", 0, r#""exit""#, &filter)
}

/// A run that waits for six others; three that wait for events that another one will emit.
fn busy(messages_max: usize) -> Process {
    let mut process = Process::new(messages_max);
    let children = [
        node(
            "each",
            0,
            r#""exit""#,
            r#"{"for_each":{"items":"[1,2,3,4,5,6]","each":"item","at":"index","body":1,"concurrency":6,"collect":true}}"#,
        ),
        node(
            "wait",
            1,
            r#""exit""#,
            r#"{"child":{"workflow":{"literal":"ear"},"input":{"literal":null}}}"#,
        ),
    ];
    let cries =
        ["a", "b", "c"].map(|kind| format!(r#"{{"emit":{{"literal":{{"type":"{kind}"}}}}}}"#));
    let crier = [
        node("one", 0, r#"{"node":1}"#, &cries[0]),
        node("two", 0, r#"{"node":2}"#, &cries[1]),
        node("three", 0, r#""exit""#, &cries[2]),
    ];
    process.ask(deploy("ear", 1, &listen("never")));
    process.ask(deploy("parent", 2, &children.join(",")));
    process.ask(deploy("crier", 1, &crier.join(",")));
    for kind in ["a", "b", "c"] {
        process.ask(deploy(kind, 1, &listen(kind)));
        process.start(kind, 0, Value::Null);
    }
    process.start("parent", 0, Value::Null);
    process.settle();
    assert_eq!(process.live().len(), 10, "{:?}", process.live());
    process
}

#[test]
fn a_crash_between_any_two_batches_loses_no_message() {
    for messages_max in [1, 2, 100] {
        for crash_after in 0..12 {
            let mut process = busy(messages_max);
            process.start("crier", 0, Value::Null);
            process.ask(Command::CancelRun {
                run: RunId::of_key("parent", "0"),
                reason: None,
            });
            for _ in 0..=crash_after {
                process.commit();
            }
            process.crash();
            process.settle();
            let live = process.live();
            assert!(
                live.is_empty(),
                "{messages_max} messages in a batch, a crash after {crash_after}: {live:?} wait"
            );
        }
    }
}

#[test]
fn what_fits_into_its_batch_is_not_recorded_again() {
    let mut process = busy(1_000);
    process.start("crier", 0, Value::Null);
    process.settle();
    let deferred = process.records.iter().filter(|record| {
        let entry: Entry = decode(record).expect("a record is an entry");
        let mut names = entry.events.iter().map(kernel::Event::name);
        names.any(|name| name.starts_with("Message"))
    });
    assert_eq!(deferred.count(), 0);
}

#[test]
fn one_event_that_moves_much_data_is_spread_over_several_batches() {
    let mut process = Process::new(usize::MAX);
    process.ask(deploy("heavy", 1, &listen("go")));
    let input = Value::text("x".repeat(900_000));
    let runs = 60;
    for key in 0..runs {
        process.start("heavy", key, input.clone());
        process.commit();
    }
    process.ask(Command::PublishEvent {
        event: Value::from([("type", Value::from("go"))]),
        ttl_ms: 0,
    });
    process.commit();
    let left = process.live().len();
    assert!(0 < left && left < runs, "{left} runs wait");
    process.crash();
    process.settle();
    assert!(process.live().is_empty(), "{:?}", process.live());
}

#[test]
fn what_was_kept_while_a_run_was_suspended_is_spread_over_several_batches() {
    let run = RunId::of_key("big", "0");
    let reason = None;
    for goes_on in [
        Command::ResumeRun { run },
        Command::CancelRun { run, reason },
    ] {
        let listens = 40;
        let cases = (1..=listens).map(|at| format!(r#"{{"when":null,"next":{{"node":{at}}}}}"#));
        let cases: Vec<String> = cases.collect();
        let split = format!(r#"{{"split":[{}]}}"#, cases.join(","));
        let mut nodes = vec![node("split", 0, r#""exit""#, &split)];
        let heard = (1..=listens).map(|at| listen(&format!("s{at}")));
        nodes.extend(heard.map(|node| node.replace("$workflow.input", ".")));
        let mut process = Process::new(usize::MAX);
        process.ask(deploy("big", 1, &nodes.join(",")));
        process.start("big", 0, Value::Null);
        process.ask(Command::SuspendRun { run });
        for at in 1..=listens {
            process.ask(Command::SignalRun {
                run,
                name: format!("s{at}").into(),
                data: Value::text("x".repeat(1_000_000)),
                ttl_ms: 0,
            });
            process.commit();
        }
        process.ask(goes_on);
        assert!(process.commit(), "more is left to do");
        assert_eq!(process.live().len(), 1);
        process.crash();
        process.settle();
        assert!(process.live().is_empty(), "{:?}", process.live());
    }
}
