//! What the tests of the engine are played on: an engine, workflows of tasks, a worker that does them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use graph::{Graph, Value};
use kernel::{Command, Delivery, RunId, StartRun, TaskToken};
use quadrille_engine::{
    Data, Engine, FromWorker, Options, Running, TaskOutcome, WorkerHello, WorkerLink, start,
};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn open(data: Data) -> (Engine, Running) {
    start(Options {
        data,
        ..Options::default()
    })
    .expect("the engine starts")
}

/// A workflow of so many tasks in a row, and a wait for the signal `go` before the last one if asked.
pub(crate) fn workflow(name: &str, tasks: u32, gate: bool) -> Command {
    let task = |index: u32, next: String| {
        format!(
            r#"{{"name":"t{index}","path":"/do/{index}/t{index}","body":0,"next":{next},"kind":{{"task":{{
                "queue":{{"literal":"q"}},"name":{{"literal":"work"}},"input":{{"expr":"."}}}}}}}}"#
        )
    };
    let next = |index: u32| {
        if index + 1 == tasks {
            r#""exit""#.to_string()
        } else {
            format!(r#"{{"node":{}}}"#, index + 1)
        }
    };
    let mut nodes: Vec<String> = (0..tasks).map(|index| task(index, next(index))).collect();
    if gate {
        nodes[0] = format!(
            r#"{{"name":"gate","path":"/do/0/gate","body":0,"next":{},"kind":{{"listen":{{
                "filters":[{{"event_type":"go"}}],"need":"all"}}}}}}"#,
            next(0)
        );
    }
    let json = format!(
        r#"{{"workflow":"{name}","version":"1.0.0","bodies":[{{"path":"","first":0}}],"nodes":[{}]}}"#,
        nodes.join(",")
    );
    let graph: Graph = serde_json::from_str(&json).expect("a graph");
    Command::DeployWorkflow {
        graph: Arc::new(graph),
        source: "test".into(),
    }
}

pub(crate) fn start_run(workflow: &str, key: &str) -> StartRun {
    StartRun {
        run: RunId::of_key(workflow, key),
        workflow: workflow.into(),
        version: None,
        key: Some(key.into()),
        input: Value::from([("key", Value::from(key))]),
        labels: [("kind".into(), key.into())].into(),
        attributes: Default::default(),
        parent: None,
        depth: 0,
    }
}

pub(crate) async fn connect(engine: &Engine) -> WorkerLink {
    let hello = WorkerHello {
        name: "test".into(),
        queues: vec!["q".into()],
        ..WorkerHello::default()
    };
    let link = engine.connect(hello).await.expect("the worker connects");
    link.voice()
        .send(FromWorker {
            credits: 100,
            ..FromWorker::default()
        })
        .expect("the engine listens");
    link
}

pub(crate) fn done(task: &Delivery) -> (TaskToken, TaskOutcome) {
    (task.token, TaskOutcome::Done(task.input.clone()))
}

/// Serves tasks until the engine is gone.
pub(crate) async fn serve(mut link: WorkerLink) {
    while let Some(frame) = link.next().await {
        let results: Vec<_> = frame.tasks.iter().map(done).collect();
        let credits = u32::try_from(results.len()).expect("few");
        if link
            .voice()
            .send(FromWorker {
                credits,
                results,
                ..FromWorker::default()
            })
            .is_err()
        {
            return;
        }
    }
}

/// The files as a killed process leaves them: as they are at one moment, which is when the store's list of its
/// files stays the same.
pub(crate) fn copy(from: &Path, to: &Path) {
    let list = || ["current", "store/current"].map(|name| fs::read(from.join(name)).ok());
    loop {
        let before = list();
        copy_files(from, to);
        if list() == before {
            return;
        }
        fs::remove_dir_all(to).expect("is removed");
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => copy_files(&entry.path(), &target),
            // A file that is no longer needed may go at any time.
            _ => drop(fs::copy(entry.path(), target)),
        }
    }
}
