//! Who holds on to claims over a recovery: workers that may still be at it.
//!
//! Driven without a journal, as a batch's records are all that a recovery sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use graph::{Graph, Value};
use kernel::codec::decode;
use kernel::{Command, Entry, Run, RunId, SessionId, StartRun, Time};
use quadrille_engine::partition::{
    Answer, Archive, ArchiveFault, Input, Outlet, Partition, Question, SESSION_GRACE_MS,
};
use quadrille_engine::{FromWorker, WorkerHello, ZonedCalendar};

const NOW: Time = Time(1_000_000);

struct Nothing;

impl Archive for Nothing {
    fn finished(&self, _: RunId) -> Result<Option<Box<Run>>, ArchiveFault> {
        Ok(None)
    }
}

fn partition(first_session: u64) -> Partition {
    Partition::new(Box::new(ZonedCalendar), Box::new(Nothing), first_session)
}

fn ask(partition: &mut Partition, command: Command) {
    let input = Input::Ask {
        command: Box::new(command),
        answer: Answer::new(|reply: Result<_, kernel::Rejection>| {
            reply.expect("the command is accepted");
        }),
    };
    partition.take(input, NOW);
}

/// One task, claimed by a worker that lives in the server's process; and the records of it.
fn claimed(partition: &mut Partition) -> Vec<Vec<u8>> {
    let json = r#"{"workflow":"w","version":"1.0.0","bodies":[{"path":"","first":0}],"nodes":[
        {"name":"t","path":"/t","body":0,"next":"exit","kind":{"task":{
            "queue":{"literal":"q"},"name":{"literal":"work"},"input":{"expr":"."}}}}]}"#;
    let graph: Graph = serde_json::from_str(json).expect("a graph");
    partition.resume(NOW);
    ask(
        partition,
        Command::DeployWorkflow {
            graph: Arc::new(graph),
            source: "test".into(),
        },
    );
    ask(
        partition,
        Command::StartRun(StartRun {
            run: RunId([1; 16]),
            workflow: "w".into(),
            version: None,
            key: None,
            input: Value::Null,
            labels: BTreeMap::new(),
            attributes: BTreeMap::new(),
            parent: None,
            depth: 0,
        }),
    );
    let (told, session) = std::sync::mpsc::channel();
    let hello = WorkerHello {
        queues: vec!["q".into()],
        in_process: true,
        ..WorkerHello::default()
    };
    let connect = Question::Connect {
        hello,
        frames: Outlet::new(|_| true),
        answer: Answer::new(move |welcome: quadrille_engine::partition::Welcome| {
            told.send(welcome.session).expect("the test listens");
        }),
    };
    partition.take(Input::Question(Box::new(connect)), NOW);
    let batch = partition.take_batch();
    let mut records = batch.records.clone();
    partition.release(batch);
    let session: SessionId = session.recv().expect("a session");
    let said = FromWorker {
        credits: 1,
        ..FromWorker::default()
    };
    partition.take(Input::Worker { session, said }, NOW);
    partition.turn(NOW);
    records.extend(partition.take_batch().records);
    records
}

/// How many tasks wait for a worker, so long after a recovery.
fn waiting(records: &[Vec<u8>], process_since: Option<u64>, after_ms: u64) -> usize {
    let mut recovered = partition(2 << 32);
    if let Some(since) = process_since {
        recovered.continue_process(since);
    }
    for record in records {
        let entry: Entry = decode(record).expect("a record is an entry");
        let events = entry.events.iter();
        events.for_each(|event| recovered.replay(event, entry.at));
    }
    recovered.resume(NOW);
    recovered.turn(NOW.plus(after_ms));
    let [_, _, waiting, ..] = recovered.gauges();
    waiting
}

#[test]
fn a_worker_in_the_process_keeps_its_task_while_the_process_lives() {
    let mut first = partition(1 << 32);
    let records = claimed(&mut first);
    let since = first.process_since();
    // The process died: nobody can be at it any more.
    assert_eq!(waiting(&records, None, 0), 1);
    // Only the journal failed: its worker has the time that any other has.
    assert_eq!(waiting(&records, Some(since), 0), 0);
    assert_eq!(waiting(&records, Some(since), SESSION_GRACE_MS - 1), 0);
    assert_eq!(waiting(&records, Some(since), SESSION_GRACE_MS), 1);
}
