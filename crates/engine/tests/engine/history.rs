//! Histories page by page: each page costs what it shows, and a watch is nothing but pages and then the present.

use std::ops::{Bound, ControlFlow};
use std::path::Path;

use graph::Value;
use kernel::{Command, RunEvent, RunId};
use quadrille_engine::driver::view::TABLES;
use quadrille_engine::query::HistoryEvent;
use quadrille_engine::{Data, Engine};
use store::{Batch, Direction, Store, TableId};

use crate::stage::{connect, open, serve, start_run, workflow};

/// Signals that nobody waits for: each is an event of a kilobyte, so that there are many parts.
const SIGNALS: usize = 900;

/// Two events each, so that there are more than a page holds.
const PAUSES: usize = 200;

fn signal(run: RunId, name: &str) -> Command {
    Command::SignalRun {
        run,
        name: name.into(),
        data: Value::text("x".repeat(1_000)),
        ttl_ms: 3_600_000,
    }
}

/// A run that waits for `go`, with a long history already.
async fn long_run(engine: &Engine) -> RunId {
    engine
        .ask(workflow("gated", 2, true))
        .await
        .expect("deploys");
    let start = start_run("gated", "long");
    let run = start.run;
    engine.ask(Command::StartRun(start)).await.expect("starts");
    for _ in 0..PAUSES {
        let suspend = Command::SuspendRun { run };
        engine.ask(suspend).await.expect("is suspended");
        let resume = Command::ResumeRun { run };
        engine.ask(resume).await.expect("is resumed");
    }
    for _ in 0..SIGNALS {
        engine.ask(signal(run, "early")).await.expect("is kept");
    }
    run
}

async fn all(engine: &Engine, run: RunId, limit: usize) -> Vec<HistoryEvent> {
    let (mut events, mut next) = (Vec::new(), Some(0));
    while let Some(from) = next {
        let page = engine.history(run, from, limit).await.expect("a page");
        assert!(page.events.len() <= limit);
        assert_eq!(page.events.first().map(|event| event.number), Some(from));
        events.extend(page.events);
        next = page.next;
    }
    events
}

#[tokio::test]
async fn pages_of_any_size_tell_the_same_and_so_does_a_watch() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, running) = open(Data::Folder(folder.path().join("data")));
    let run = long_run(&engine).await;
    let mut early = engine.watch(run, 0).await.expect("is watched");
    let mut late = engine.watch(run, 700).await.expect("is watched");
    let worker = tokio::spawn(serve(connect(&engine).await));
    engine.ask(signal(run, "go")).await.expect("is signalled");
    let mut watched = Vec::new();
    while let Some(event) = early.next().await {
        watched.push(event);
    }
    assert!(matches!(
        watched.last().map(|event| &event.event),
        Some(RunEvent::Ended(_))
    ));
    let numbers = watched.iter().map(|event| event.number);
    assert!(numbers.eq(0..watched.len() as u64));
    let mut rest = Vec::new();
    while let Some(event) = late.next().await {
        rest.push(event);
    }
    assert!(rest == watched[700..]);
    for limit in [1, 7, 333, 1_000] {
        assert!(all(&engine, run, limit).await == watched, "{limit}");
    }
    // Every event of a step is told with its name, however far back the step was entered.
    let named = |event: &&HistoryEvent| {
        event.node.is_some() == quadrille_engine::query::step_of(&event.event).is_some()
    };
    assert_eq!(watched.iter().filter(named).count(), watched.len());
    running.stop().await;
    worker.abort();
}

/// Makes the parts of a history unreadable that begin between two events.
fn spoil(data: &Path, run: RunId, from: u64, to: u64) -> usize {
    let store = Store::open(data.join("store"), &TABLES, store::Options::default());
    let store = store.expect("a store");
    let history = TABLES.iter().position(|name| *name == "history");
    let history = TableId(history.expect("a table of histories"));
    let key = |number: u64| [&run.0[..], &number.to_be_bytes()].concat();
    let (from, to) = (key(from), key(to));
    let mut batch = Batch::new();
    let mut each = |key: &[u8], _: &[u8]| {
        batch.put(history, key, [0xff; 9]);
        ControlFlow::Continue(())
    };
    let (from, to) = (Bound::Included(&from[..]), Bound::Included(&to[..]));
    let read = store.range(history, from, to, Direction::Forward, &mut each);
    read.expect("readable");
    let spoiled = batch.len();
    store.apply(batch, store.position()).expect("writable");
    store.sync().expect("writable");
    spoiled
}

#[tokio::test]
async fn a_page_reads_nothing_before_it_and_a_watch_nothing_before_it_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (engine, running) = open(Data::Folder(data.clone()));
    let run = long_run(&engine).await;
    let told = all(&engine, run, 1_000).await;
    running.stop().await;
    drop(engine);

    assert!(spoil(&data, run, 1_050, 1_200) > 3);
    let (engine, running) = open(Data::Folder(data));
    let page = engine.history(run, 1_250, 1_000).await.expect("a page");
    assert!(page.events == told[1_250..]);
    let page = engine.history(run, 10, 1_000).await.expect("a page");
    assert!(page.events == told[10..1_010]);
    engine.history(run, 500, 700).await.expect_err("is spoilt");

    let mut watch = engine.watch(run, 0).await.expect("is watched");
    for expected in &told[..1_000] {
        assert_eq!(watch.next().await.as_ref(), Some(expected));
    }
    assert_eq!(watch.next().await, None);
    running.stop().await;
}
