//! The gRPC interface against a real engine, without a socket.
//!
//! Invariant: nothing here waits for time; what must come is waited for with one long patience.

use std::time::Duration;

use api::v1::runs_client::RunsClient;
use api::v1::task_result::Outcome;
use api::v1::workers_client::WorkersClient;
use api::v1::workflows_client::WorkflowsClient;
use api::v1::{self, WorkerFrame};
use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tonic::{Code, Status, Streaming};

use crate::tests::fixture::{HELLO, MANY, Server};

/// Longer than anything here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn code(status: &Status) -> (Code, &str) {
    (
        status.code(),
        status
            .metadata()
            .get("quadrille-code")
            .map_or("", |code| code.to_str().unwrap()),
    )
}

struct Worker {
    say: UnboundedSender<WorkerFrame>,
    hear: Streaming<v1::ServerFrame>,
}

impl Worker {
    async fn connect(server: &Server, first: WorkerFrame) -> Result<Worker, Status> {
        let (say, mut said) = unbounded_channel();
        say.send(first).unwrap();
        let frames = futures::stream::poll_fn(move |context| said.poll_recv(context));
        let hear = WorkersClient::new(server.router.clone())
            .work(frames)
            .await?
            .into_inner();
        Ok(Worker { say, hear })
    }

    async fn frame(&mut self) -> v1::ServerFrame {
        tokio::time::timeout(PATIENCE, self.hear.message())
            .await
            .expect("a frame")
            .unwrap()
            .expect("a frame")
    }

    async fn task(&mut self) -> v1::Task {
        loop {
            if let Some(task) = self.frame().await.tasks.pop() {
                return task;
            }
        }
    }

    async fn receipt(&mut self) -> v1::Receipt {
        loop {
            if let Some(receipt) = self.frame().await.receipts.pop() {
                return receipt;
            }
        }
    }
}

fn hello(session: u64, holding: Vec<Bytes>) -> Option<v1::Hello> {
    Some(v1::Hello {
        worker: "w".into(),
        queues: vec!["parcels".into()],
        session,
        holding,
        in_process: false,
    })
}

fn frame(hello: Option<v1::Hello>, credits: u32) -> WorkerFrame {
    WorkerFrame {
        hello,
        credits,
        ..WorkerFrame::default()
    }
}

fn done(task: &v1::Task, json: &'static str) -> v1::TaskResult {
    v1::TaskResult {
        token: task.token.clone(),
        outcome: Some(Outcome::Output(json.into())),
    }
}

async fn start(
    server: &Server,
    workflow: &str,
    input: &'static str,
    wait_ms: u64,
) -> v1::StartRunResponse {
    let request = v1::StartRunRequest {
        workflow: workflow.into(),
        input: input.into(),
        wait_ms,
        ..v1::StartRunRequest::default()
    };
    RunsClient::new(server.router.clone())
        .start(request)
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn a_worker_does_a_task_and_hears_that_it_counts() {
    let server = Server::start().await;
    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 10))
        .await
        .unwrap();
    let welcome = worker.frame().await.welcome.expect("a welcome first");
    assert!(welcome.session > 0);
    let started = start(&server, "shop/work", r#"{"order": 7}"#, 0).await;
    let task = worker.task().await;
    assert_eq!(
        (task.name.as_str(), task.queue.as_str(), task.attempt),
        ("ship", "parcels", 1)
    );
    assert_eq!(
        (&task.input[..], &task.run),
        (&br#"{"order":7}"#[..], &started.id)
    );
    assert!(
        task.idempotency_key
            .starts_with(&format!("{}/", started.id)),
        "{}",
        task.idempotency_key
    );
    worker
        .say
        .send(WorkerFrame {
            results: vec![done(&task, r#"{"sent":true}"#)],
            ..frame(None, 1)
        })
        .unwrap();
    let receipt = worker.receipt().await;
    assert_eq!((receipt.token, receipt.accepted), (task.token, true));
    let request = v1::GetRunRequest {
        id: started.id,
        wait_ms: 10_000,
    };
    let run = RunsClient::new(server.router.clone())
        .get(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (run.state.as_str(), &run.output[..]),
        ("completed", &br#"{"sent":true}"#[..])
    );
    server.stop().await;
}

#[tokio::test]
async fn a_worker_that_comes_back_brings_its_result() {
    let server = Server::start().await;
    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 1))
        .await
        .unwrap();
    let session = worker.frame().await.welcome.unwrap().session;
    let started = start(&server, "shop/work", "{}", 0).await;
    let task = worker.task().await;
    drop(worker);
    let first = WorkerFrame {
        results: vec![done(&task, "1")],
        ..frame(hello(session, Vec::new()), 1)
    };
    let mut worker = Worker::connect(&server, first).await.unwrap();
    assert!(worker.receipt().await.accepted);
    let request = v1::GetRunRequest {
        id: started.id,
        wait_ms: 10_000,
    };
    let run = RunsClient::new(server.router.clone())
        .get(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(run.state, "completed");
    server.stop().await;
}

#[tokio::test]
async fn output_that_is_not_json_fails_its_task_and_not_the_worker() {
    let server = Server::start().await;
    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 10))
        .await
        .unwrap();
    let started = start(&server, "shop/work", "{}", 0).await;
    let task = worker.task().await;
    worker
        .say
        .send(WorkerFrame {
            results: vec![done(&task, "{")],
            ..WorkerFrame::default()
        })
        .unwrap();
    assert!(worker.receipt().await.accepted);
    let request = v1::GetRunRequest {
        id: started.id,
        wait_ms: 10_000,
    };
    let run = RunsClient::new(server.router.clone())
        .get(request)
        .await
        .unwrap()
        .into_inner();
    let error = String::from_utf8(run.error.into()).unwrap();
    assert!(
        run.state == "failed" && error.contains("output is not JSON"),
        "{} {error}",
        run.state
    );
    server.stop().await;
}

#[tokio::test]
async fn workers_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let nameless = v1::Hello {
        worker: "w".into(),
        ..v1::Hello::default()
    };
    for (first, said) in [
        (frame(None, 1), "hello"),
        (frame(Some(nameless), 1), "queues"),
        (frame(hello(0, vec!["x".into()]), 1), "holding"),
        (
            WorkerFrame {
                heartbeats: vec!["x".into()],
                ..frame(hello(0, Vec::new()), 1)
            },
            "heartbeats",
        ),
        (
            WorkerFrame {
                results: vec![v1::TaskResult::default()],
                ..frame(hello(0, Vec::new()), 1)
            },
            "token",
        ),
    ] {
        let refused = Worker::connect(&server, first)
            .await
            .err()
            .expect("a refusal");
        assert_eq!(code(&refused), (Code::InvalidArgument, "invalid-argument"));
        assert!(
            refused.message().contains(said),
            "{said}: {}",
            refused.message()
        );
    }
    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 1))
        .await
        .unwrap();
    worker.frame().await;
    worker.say.send(frame(hello(0, Vec::new()), 1)).unwrap();
    let refused = tokio::time::timeout(PATIENCE, worker.hear.message())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(code(&refused), (Code::InvalidArgument, "invalid-argument"));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_worker_has_no_more_to_say_and_when_the_engine_stops() {
    let server = Server::start().await;
    let Worker { say, mut hear } = Worker::connect(&server, frame(hello(0, Vec::new()), 1))
        .await
        .unwrap();
    drop(say);
    assert!(
        hear.message()
            .await
            .unwrap()
            .expect("welcome")
            .welcome
            .is_some()
    );
    assert!(
        tokio::time::timeout(PATIENCE, hear.message())
            .await
            .unwrap()
            .unwrap()
            .is_none()
    );

    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 1))
        .await
        .unwrap();
    worker.frame().await;
    server.stop().await;
    let stopped = tokio::time::timeout(PATIENCE, worker.hear.message())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(code(&stopped), (Code::Unavailable, "stopped"));
}

#[tokio::test]
async fn runs_are_started_watched_and_refused() {
    let server = Server::start().await;
    let mut runs = RunsClient::new(server.router.clone());
    let started = start(&server, "hello", r#"{"name": "Ada"}"#, 10_000).await;
    let run = started.run.expect("the run, as there was a wait");
    assert_eq!(
        (run.state.as_str(), &run.output[..]),
        ("completed", &br#"{"greeting":"Hello, Ada!"}"#[..])
    );
    assert!(started.created && run.id == started.id);

    let watch = v1::WatchRequest {
        id: started.id.clone(),
        from: 1,
    };
    let mut events = runs.watch(watch).await.unwrap().into_inner();
    let mut kinds = Vec::new();
    while let Some(event) = tokio::time::timeout(PATIENCE, events.message())
        .await
        .unwrap()
        .unwrap()
    {
        assert_eq!(event.number, kinds.len() as u64 + 1);
        kinds.push(event.kind);
    }
    assert_eq!(kinds.last().map(String::as_str), Some("Ended"));

    let bad = v1::StartRunRequest {
        workflow: "hello".into(),
        input: "{".into(),
        ..v1::StartRunRequest::default()
    };
    assert_eq!(
        code(&runs.start(bad).await.unwrap_err()),
        (Code::InvalidArgument, "invalid-json")
    );
    let missing = v1::StartRunRequest {
        workflow: "none".into(),
        ..v1::StartRunRequest::default()
    };
    assert_eq!(
        code(&runs.start(missing).await.unwrap_err()),
        (Code::NotFound, "workflow-missing")
    );
    let ended = v1::EndRunRequest {
        id: started.id,
        reason: String::new(),
    };
    assert_eq!(
        code(&runs.cancel(ended).await.unwrap_err()),
        (Code::FailedPrecondition, "run-ended")
    );
    let malformed = v1::RunRequest { id: "7".into() };
    assert_eq!(
        code(&runs.suspend(malformed).await.unwrap_err()),
        (Code::InvalidArgument, "invalid-argument")
    );
    let large = v1::StartRunRequest {
        workflow: "hello".into(),
        input: vec![b' '; crate::intake::REQUEST_BYTES_MAX].into(),
        ..v1::StartRunRequest::default()
    };
    assert_eq!(
        runs.start(large).await.unwrap_err().code(),
        Code::OutOfRange
    );
    server.stop().await;
}

#[tokio::test]
async fn a_text_with_errors_comes_back_with_its_findings() {
    let server = Server::start().await;
    let mut workflows = WorkflowsClient::new(server.router.clone());
    let source = HELLO.replace("set:", "sett:");
    let refused = workflows
        .deploy(v1::DeployRequest {
            source: source.clone(),
        })
        .await
        .unwrap_err();
    assert_eq!(code(&refused), (Code::InvalidArgument, "invalid-workflow"));
    let findings = refused
        .metadata()
        .get_bin("quadrille-findings-bin")
        .unwrap()
        .to_bytes()
        .unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&findings).unwrap();
    let checked = workflows
        .check(v1::CheckRequest { source })
        .await
        .unwrap()
        .into_inner()
        .findings;
    assert_eq!(findings[0]["message"], checked[0].message);
    assert_eq!(
        (findings[0]["line"].as_u64(), checked[0].severity.as_str()),
        (Some(4), "error")
    );
    let shown = workflows
        .get(v1::GetWorkflowRequest {
            workflow: "hello".into(),
            version: String::new(),
        })
        .await;
    let shown = shown.unwrap().into_inner();
    assert!(shown.latest && shown.source == HELLO && shown.graph.starts_with(b"{"));
    server.stop().await;
}

#[tokio::test]
async fn many_large_tasks_come_in_frames_that_any_client_takes() {
    let server = Server::start().await;
    let input: &'static str =
        Box::leak(format!(r#"{{"order": "{}"}}"#, "x".repeat(900_000)).into());
    for _ in 0..8 {
        start(&server, "shop/work", input, 0).await;
    }
    let mut worker = Worker::connect(&server, frame(hello(0, Vec::new()), 8))
        .await
        .unwrap();
    let mut count = 0;
    while count < 8 {
        count += worker.frame().await.tasks.len();
    }
    server.stop().await;
}

#[tokio::test]
async fn who_listens_slowly_hears_everything() {
    let server = Server::start().await;
    server.call("POST", "/api/v1/workflows", MANY).await;
    let mut runs = RunsClient::new(server.router.clone());
    let id = server.run("many").await;
    let mut events = runs
        .watch(v1::WatchRequest {
            id: id.clone(),
            from: 0,
        })
        .await
        .unwrap()
        .into_inner();
    server
        .call("POST", "/api/v1/events", r#"{"type": "paid"}"#)
        .await;
    let (_, run) = server
        .call("GET", &format!("/api/v1/runs/{id}?wait=20s"), "")
        .await;
    assert_eq!(run["state"], "completed", "{run}");
    let mut number = 0;
    while let Some(event) = tokio::time::timeout(PATIENCE, events.message())
        .await
        .unwrap()
        .unwrap()
    {
        assert_eq!(event.number, number);
        number += 1;
    }
    assert!(number > 6_000, "{number}");
    server.stop().await;
}
