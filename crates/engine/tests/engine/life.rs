//! The engine as its callers see it: commands in, workers served, runs found again, data recovered.

use std::sync::Arc;
use std::time::Duration;

use graph::Value;
use journal::{LocalDisk, LocalJournal};
use kernel::{Command, Delivery, Reply, RunId, SessionId, StartRun, Time};
use quadrille_engine::driver::view::{TABLES, View};
use quadrille_engine::query::{Counts, Filter};
use quadrille_engine::{Data, Engine, FromWorker, WorkerHello, WorkerLink};
use store::Store;

use crate::stage::{PATIENCE, connect, copy, done, open, serve, start_run, workflow};

/// Journal after which a checkpoint is taken.
const CHECKPOINT_BYTES: u64 = 8 << 20;

#[tokio::test]
async fn a_run_starts_is_worked_on_ends_and_is_found() {
    let (engine, running) = open(Data::Memory);
    assert_eq!(
        engine
            .ask(workflow("three", 3, false))
            .await
            .expect("deploys"),
        Reply::Deployed { created: true }
    );
    let worker = tokio::spawn(serve(connect(&engine).await));
    let (view, created) = engine
        .start_and_wait(start_run("three", "a"), PATIENCE)
        .await
        .expect("runs");
    assert!(created);
    assert_eq!(
        (view.summary.state, view.summary.output),
        ("completed", Some(Value::from([("key", Value::from("a"))])))
    );
    let (again, created) = engine
        .start_and_wait(start_run("three", "a"), PATIENCE)
        .await
        .expect("is found");
    assert!(!created);
    assert_eq!(
        (again.summary.id, again.summary.state),
        (view.summary.id, "completed")
    );

    let history = engine
        .history(view.summary.id, 0, 1_000)
        .await
        .expect("has a history");
    let kinds: Vec<&str> = history
        .events
        .iter()
        .map(|event| event.event.name())
        .collect();
    assert_eq!(kinds[0], "Started");
    assert_eq!(kinds[kinds.len() - 1], "Ended");
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "StepCompleted")
            .count(),
        3
    );
    assert_eq!(
        history.events[1].node.as_ref().map(|node| &*node.name),
        Some("t0")
    );

    running.stop().await;
    worker.await.expect("the worker ends with the engine");
}

#[tokio::test]
async fn runs_are_listed_newest_first_page_by_page_and_counted() {
    let (engine, running) = open(Data::Memory);
    engine
        .ask(workflow("three", 3, false))
        .await
        .expect("deploys");
    let worker = tokio::spawn(serve(connect(&engine).await));
    for key in ["a", "b", "c"] {
        engine
            .start_and_wait(start_run("three", key), PATIENCE)
            .await
            .expect("runs");
    }
    let first = engine
        .list(Filter::default(), None, 2)
        .await
        .expect("lists");
    let second = engine
        .list(Filter::default(), first.next, 2)
        .await
        .expect("lists");
    let mut keys: Vec<_> = first
        .runs
        .iter()
        .chain(&second.runs)
        .filter_map(|run| run.key.clone())
        .collect();
    keys.sort();
    assert_eq!(keys, ["a".into(), "b".into(), "c".into()] as [Arc<str>; 3]);
    let labelled = Filter {
        labels: [("kind".into(), "b".into())].into(),
        ..Filter::default()
    };
    assert_eq!(engine.count(labelled).await.expect("counts").total(), 1);
    assert_eq!(
        engine
            .count(Filter::default())
            .await
            .expect("counts")
            .states,
        [("completed", 3)].into()
    );
    running.stop().await;
    worker.abort();
}

#[tokio::test]
async fn a_watch_shows_the_past_and_then_the_present_until_the_end() {
    let (engine, running) = open(Data::Memory);
    engine
        .ask(workflow("gated", 2, true))
        .await
        .expect("deploys");
    let start = start_run("gated", "w");
    let run = start.run;
    engine.ask(Command::StartRun(start)).await.expect("starts");
    let mut watch = engine.watch(run, 0).await.expect("is watched");
    let worker = tokio::spawn(serve(connect(&engine).await));
    let signal = Command::SignalRun {
        run,
        name: "go".into(),
        data: Value::Null,
        ttl_ms: 1_000,
    };
    engine.ask(signal).await.expect("is signalled");
    let mut numbers = Vec::new();
    let mut kinds = Vec::new();
    while let Some(event) = watch.next().await {
        numbers.push(event.number);
        kinds.push(event.event.name());
    }
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(kinds.last(), Some(&"Ended"));
    running.stop().await;
    worker.abort();
}

/// A folder as a crash leaves it: one run is finished, one waits for a signal, one is in a worker's hands.
struct Wreck {
    _folder: tempfile::TempDir,
    data: std::path::PathBuf,
    session: SessionId,
    held: Delivery,
}

async fn wreck(in_process: bool) -> Wreck {
    let folder = tempfile::tempdir().expect("a folder");
    let (before, data) = (folder.path().join("before"), folder.path().join("after"));
    let (engine, running) = open(Data::Folder(before.clone()));
    engine
        .ask(workflow("gated", 3, true))
        .await
        .expect("deploys");
    engine
        .ask(workflow("one", 1, false))
        .await
        .expect("deploys");
    let hello = WorkerHello {
        queues: vec!["q".into()],
        in_process,
        ..WorkerHello::default()
    };
    let mut link = engine.connect(hello).await.expect("the worker connects");
    link.voice()
        .send(FromWorker {
            credits: 100,
            ..FromWorker::default()
        })
        .expect("the engine listens");
    let finished = tokio::spawn({
        let engine = engine.clone();
        async move {
            engine
                .start_and_wait(start_run("one", "finished"), PATIENCE)
                .await
        }
    });
    let task = next_task(&mut link).await;
    link.voice()
        .send(FromWorker {
            results: vec![done(&task)],
            ..FromWorker::default()
        })
        .expect("reports");
    finished.await.expect("no panic").expect("finishes");
    engine
        .ask(Command::StartRun(start_run("gated", "waiting")))
        .await
        .expect("starts");
    engine
        .ask(Command::StartRun(start_run("one", "claimed")))
        .await
        .expect("starts");
    let held = next_task(&mut link).await;
    copy(&before, &data);
    let session = link.session;
    running.stop().await;
    Wreck {
        _folder: folder,
        data,
        session,
        held,
    }
}

async fn next_task(link: &mut WorkerLink) -> Delivery {
    loop {
        let frame = link.next().await.expect("a frame");
        if let Some(task) = frame.tasks.first() {
            return task.clone();
        }
    }
}

/// Kept counts, which are the same as those of looking at every run.
async fn counts(engine: &Engine) -> Counts {
    let kept = engine.count(Filter::default()).await.expect("counts");
    let all = Filter {
        started_after: Some(Time(0)),
        ..Filter::default()
    };
    assert_eq!(engine.count(all).await.expect("counts"), kept);
    kept
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_and_goes_on() {
    let wreck = wreck(false).await;
    let (engine, running) = open(Data::Folder(wreck.data.clone()));
    assert_eq!(
        counts(&engine).await.states,
        [("completed", 1), ("running", 1), ("waiting", 1)].into()
    );
    // The worker comes back with the task it holds; its result counts.
    let hello = WorkerHello {
        queues: vec!["q".into()],
        session: Some(wreck.session),
        holding: vec![wreck.held.token],
        ..WorkerHello::default()
    };
    let mut again = engine.connect(hello).await.expect("the worker comes back");
    assert_eq!(again.session, wreck.session);
    let report = FromWorker {
        credits: 10,
        results: vec![done(&wreck.held)],
        ..FromWorker::default()
    };
    again.voice().send(report).expect("reports");
    let receipt = again.next().await.expect("a receipt");
    assert_eq!(receipt.receipts, [(wreck.held.token, true)]);
    let view = engine
        .wait(RunId::of_key("one", "claimed"), PATIENCE)
        .await
        .expect("ends");
    assert_eq!(view.summary.state, "completed");
    // The waiting run goes on where it was.
    let waiting = RunId::of_key("gated", "waiting");
    let signal = Command::SignalRun {
        run: waiting,
        name: "go".into(),
        data: Value::Int(1),
        ttl_ms: 0,
    };
    engine.ask(signal).await.expect("is signalled");
    let worker = tokio::spawn(serve(again));
    assert_eq!(
        engine
            .wait(waiting, PATIENCE)
            .await
            .expect("ends")
            .summary
            .state,
        "completed"
    );
    // The waiting run was counted as waiting, and is no more.
    assert_eq!(counts(&engine).await.states, [("completed", 3)].into());
    running.stop().await;
    worker.abort();
    drop(engine);

    // After a clean stop there is nothing to replay and everything is still there.
    let (engine, running) = open(Data::Folder(wreck.data.clone()));
    assert_eq!(counts(&engine).await.states, [("completed", 3)].into());
    let history = engine
        .history(waiting, 0, 1_000)
        .await
        .expect("has a history");
    let numbers: Vec<u64> = history.events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn tasks_of_a_worker_that_died_with_the_server_do_not_wait_for_it() {
    let wreck = wreck(true).await;
    let (engine, running) = open(Data::Folder(wreck.data.clone()));
    let mut other = connect(&engine).await;
    // Well within the grace that a worker of another process would have.
    let patience = Duration::from_millis(quadrille_engine::partition::SESSION_GRACE_MS / 2);
    let task = tokio::time::timeout(patience, next_task(&mut other))
        .await
        .expect("comes at once");
    assert_eq!(
        (task.token.step_ref(), task.token.claim),
        (wreck.held.token.step_ref(), wreck.held.token.claim + 1)
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_are_taken_though_the_server_is_never_idle_and_bound_what_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, after) = (folder.path().join("data"), folder.path().join("after"));
    let (engine, running) = open(Data::Folder(data.clone()));
    engine
        .ask(workflow("one", 1, false))
        .await
        .expect("deploys");
    let ballast = Value::text("x".repeat(10_000));
    let flood = |place: usize| {
        let (engine, ballast) = (engine.clone(), ballast.clone());
        async move {
            // Well more than several checkpoints' worth, if none were taken.
            for number in 0..1_000 {
                if engine.metrics().checkpoints.get() > 3 {
                    return;
                }
                let key = format!("{place}-{number}");
                let start = StartRun {
                    input: ballast.clone(),
                    ..start_run("one", &key)
                };
                engine.ask(Command::StartRun(start)).await.expect("starts");
            }
        }
    };
    let floods: Vec<_> = (0..16).map(|place| tokio::spawn(flood(place))).collect();
    for flood in floods {
        flood.await.expect("no panic");
    }
    assert!(
        engine.metrics().checkpoints.get() > 3,
        "{}",
        engine.metrics().checkpoints.get()
    );
    // The journal first: whatever of the store is newer than it was written before.
    copy(&data.join("journal"), &after.join("journal"));
    copy(&data.join("store"), &after.join("store"));
    let store = Store::open(after.join("store"), &TABLES, store::Options::default());
    let view = View::open(store.expect("a store")).expect("a view");
    let disk = LocalDisk::open(after.join("journal")).expect("a folder");
    let (journal, _) = LocalJournal::open(disk, journal::Options::default()).expect("a journal");
    let opened = view.recover(Box::new(journal)).expect("recovers");
    let (written, replayed) = (engine.metrics().journal_bytes.get(), opened.replayed_bytes);
    assert!(written > 4 * CHECKPOINT_BYTES, "{written}");
    assert!(replayed < 3 * CHECKPOINT_BYTES, "{replayed} of {written}");
    running.stop().await;
}
