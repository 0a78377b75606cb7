//! Starting and stopping: drain on SIGTERM, one server for its data, loopback unless told otherwise.
//!
//! Invariant: whoever is refused is told why and what to do.

use std::time::Duration;

use quadrille_tests::{Ended, PATIENCE, Quadrille, Server, until};
use sdk::{RunState, TaskContext, TaskError, Worker};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::workflow;

#[tokio::test]
async fn a_drain_loses_nothing() {
    let mut server = Server::start().await;
    let tasks = "
- work: {call: task, with: {queue: slow, name: work}}
- rest: {wait: {milliseconds: 50}}
- done: {set: {done: true}}
";
    server.deploy(&[&workflow("slow", tasks)]).await;
    let slow = |_: TaskContext, _: Value| async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok::<_, TaskError>(json!({}))
    };
    let worker = Worker::builder(server.url())
        .queue("slow")
        .task("work", slow)
        .concurrency(4)
        .build()
        .unwrap();
    let stop = CancellationToken::new();
    let working = AbortOnDropHandle::new(tokio::spawn(worker.run(stop.clone().cancelled_owned())));
    let client = server.client().await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(
            client
                .start("slow")
                .key(format!("slow-{number}"))
                .send()
                .await
                .unwrap()
                .id,
        );
    }
    let status = server.terminate().await;
    assert_eq!(status.code(), Some(0), "{status}");
    server.restart().await;
    let client = server.client().await;
    for id in ids {
        let run = client.wait(&id, PATIENCE).await.unwrap();
        assert_eq!(run.state, RunState::Completed, "{run:?}");
    }
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_waiting_caller_does_not_hold_up_the_drain() {
    let mut server = Server::start().await;
    server
        .deploy(&[&workflow(
            "patient",
            "- hear: {listen: {to: {one: {with: {type: never}}}}}",
        )])
        .await;
    let client = server.client().await;
    let id = client.start("patient").send().await.unwrap().id;
    let waiting = tokio::spawn(async move { client.wait(&id, PATIENCE).await });
    let began = std::time::Instant::now();
    // Told twice at once, as by a service manager and its process group: that is one request.
    server.interrupt();
    let status = server.terminate().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(
        began.elapsed() < PATIENCE / 4,
        "the drain took {:?}",
        began.elapsed()
    );
    // It may have been told in good order or cut off, but it was not left waiting.
    let _ = waiting.await.unwrap();
}

#[tokio::test]
async fn data_has_one_server() {
    let server = Server::start().await;
    let data = server.data().to_str().unwrap();
    let second = Quadrille::new(["server", "--data", data, "--port", "0"])
        .run()
        .await;
    assert_eq!(second.code, 1, "{second:?}");
    assert!(
        second.stderr.contains("another") || second.stderr.contains("in use"),
        "{second:?}"
    );
    assert!(!second.stdout.contains("listening"), "{second:?}");
    server.demand_service().await;
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let server = Server::start().await;
    let (_, port) = server.address().rsplit_once(':').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let second = Quadrille::new([
        "server",
        "--data",
        folder.path().to_str().unwrap(),
        "--port",
        port,
    ])
    .run()
    .await;
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr.contains(port), "{second:?}");
}

#[tokio::test]
async fn only_loopback_unless_told_otherwise_in_as_many_words() {
    let folder = tempfile::tempdir().unwrap();
    let line = [
        "server",
        "--data",
        folder.path().to_str().unwrap(),
        "--port",
        "0",
        "--host",
        "0.0.0.0",
    ];
    let refused = Quadrille::new(line).run().await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("allow-unauthenticated-remote"),
        "{refused:?}"
    );

    let mut allowed =
        Quadrille::new(line.into_iter().chain(["--allow-unauthenticated-remote"])).serve();
    let stdout = allowed.stdout.take().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stdout));
    let first = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .unwrap()
        .unwrap();
    assert!(first.is_some_and(|line| line.starts_with("listening on ")));
    allowed.kill().await.unwrap();
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quadrille.yaml");
    std::fs::write(&file, "server: {prot: 1}\n").unwrap();
    let ended = Quadrille::new(["server", "--config", file.to_str().unwrap()])
        .run()
        .await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("server.prot") && ended.stderr.contains("port"),
        "{ended:?}"
    );
    let data = folder.path().join("data");
    let ended = Quadrille::new(["server", "--data", data.to_str().unwrap()])
        .env("QUADRILLE_SERVER_PORT", "http")
        .run()
        .await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("QUADRILLE_SERVER_PORT"), "{ended:?}");
}

#[tokio::test]
async fn runs_stay_on_the_version_that_they_started_with() {
    let mut server = Server::start().await;
    let version = |number: u32| {
        workflow("changing", &format!("- hear: {{listen: {{to: {{one: {{with: {{type: go}}}}}}}}}}\n- say: {{set: {{version: {number}}}}}"))
            .replace("1.0.0", &format!("{number}.0.0"))
    };
    server.deploy(&[&version(1)]).await;
    let client = server.client().await;
    let old = client.start("changing").send().await.unwrap().id;
    server.deploy(&[&version(2)]).await;
    server.kill().await;
    server.restart().await;
    let client = server.client().await;
    let new = client.start("changing").send().await.unwrap().id;
    for (id, version) in [(&old, 1), (&new, 2)] {
        client.signal(id, "go", &json!({}), None).await.unwrap();
        let run = client.wait(id, PATIENCE).await.unwrap();
        assert_eq!(
            run.output.decode::<Value>().unwrap(),
            json!({"version": version}),
            "{run:?}"
        );
    }
}

#[tokio::test]
async fn an_incident_is_resumed_by_one_command() {
    let server = Server::start().await;
    let tasks = "- work: {call: task, with: {queue: fickle, name: work, exhausted: park}}";
    server.deploy(&[&workflow("fickle", tasks)]).await;
    let mended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_mended = mended.clone();
    let work = move |_: TaskContext, _: Value| {
        let is_mended = is_mended.load(std::sync::atomic::Ordering::SeqCst);
        async move {
            if is_mended {
                Ok(json!({"done": true}))
            } else {
                Err(TaskError::fatal("broken", "not mended yet"))
            }
        }
    };
    let worker = Worker::builder(server.url())
        .queue("fickle")
        .task("work", work)
        .build()
        .unwrap();
    let stop = CancellationToken::new();
    let working = AbortOnDropHandle::new(tokio::spawn(worker.run(stop.clone().cancelled_owned())));
    let client = server.client().await;
    let id = client.start("fickle").send().await.unwrap().id;
    let parked = until("an incident", async || {
        let run = client.get(&id).await.unwrap();
        (run.state == RunState::Incident).then_some(run)
    })
    .await;
    assert_eq!(
        parked.steps[0].error.decode::<Value>().unwrap()["type"],
        "broken",
        "{parked:?}"
    );
    mended.store(true, std::sync::atomic::Ordering::SeqCst);
    let retried: Ended = server.run(&["retry", &id]).await;
    assert_eq!(retried.code, 0, "{retried:?}");
    let run = client.wait(&id, PATIENCE).await.unwrap();
    assert_eq!(
        run.output.decode::<Value>().unwrap(),
        json!({"done": true}),
        "{run:?}"
    );
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test]
async fn watchers_of_the_server_find_what_they_look_for() {
    let server = Server::start().await;
    server.demand_service().await;
    let pages = [
        ("/healthz", ""),
        ("/readyz", ""),
        ("/metrics", "quadrille_"),
        ("/api/openapi.json", "\"openapi\""),
        ("/api/schemas/workflow.json", "\"$defs\""),
    ];
    for (path, holds) in pages {
        let answer = reqwest::get(format!("{}{path}", server.url()))
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(holds), "{path}: {text:.200}");
    }
}
