//! A worker against a scripted server on a real socket.
#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, also in a function beside it"
)]

mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::v1::{ServerFrame, WorkerFrame, task_result::Outcome};
use quadrille_sdk::{Error, TaskContext, Worker};
use stage::{Line, Stage, cancel, receipts, tasks};
use tokio_util::sync::CancellationToken;

fn doubling(stage: &Stage, concurrency: usize) -> Worker {
    Worker::builder(stage.url())
        .queue("q")
        .concurrency(concurrency)
        .task("double", |_: TaskContext, number: u64| async move {
            Ok(number * 2)
        })
        .build()
        .unwrap()
}

/// Starts a worker; the token stops it.
fn employ(
    worker: Worker,
) -> (
    CancellationToken,
    tokio::task::JoinHandle<Result<(), Error>>,
) {
    let stop = CancellationToken::new();
    let shutdown = stop.clone().cancelled_owned();
    (stop, tokio::spawn(worker.run(shutdown)))
}

/// Reads frames until there are so many results.
async fn results(line: &mut Line, count: usize) -> Vec<WorkerFrame> {
    let mut frames = Vec::new();
    while frames
        .iter()
        .map(|frame: &WorkerFrame| frame.results.len())
        .sum::<usize>()
        < count
    {
        frames.push(line.next().await.expect("the worker goes on"));
    }
    frames
}

fn output(frame: &WorkerFrame) -> &str {
    match frame.results[0].outcome.as_ref().unwrap() {
        Outcome::Output(output) => std::str::from_utf8(output).unwrap(),
        Outcome::Failure(failure) => &failure.detail,
    }
}

#[tokio::test]
async fn results_share_frames_and_bring_credits() {
    let mut stage = Stage::open().await;
    let (stop, worker) = employ(doubling(&stage, 64));
    let mut line = stage.line().await;
    let hello = line.next().await.unwrap();
    assert_eq!(
        (hello.credits, hello.hello.unwrap().queues),
        (64, vec!["q".to_owned()])
    );
    line.welcome(7).await;
    line.say(tasks("double", "", 0..64, "21")).await;

    let frames = results(&mut line, 64).await;
    assert!(
        frames.len() <= 2,
        "64 quick tasks took {} frames",
        frames.len()
    );
    assert_eq!(frames.iter().map(|frame| frame.credits).sum::<u32>(), 64);
    assert_eq!(output(&frames[0]), "42");

    line.say(receipts(&frames)).await;
    stop.cancel();
    assert!(line.next().await.is_none(), "nothing is owed");
    line.end();
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lost_stream_is_made_again_and_loses_nothing() {
    let mut stage = Stage::open().await;
    let gate = Arc::new(tokio::sync::Notify::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let (opened, counted) = (gate.clone(), calls.clone());
    let worker = Worker::builder(stage.url())
        .queue("q")
        .concurrency(2)
        .task("double", |_: TaskContext, number: u64| async move {
            Ok(number * 2)
        })
        .task("gated", move |_: TaskContext, (): ()| {
            let (opened, counted) = (opened.clone(), counted.clone());
            async move {
                counted.fetch_add(1, Ordering::Relaxed);
                opened.notified().await;
                Ok("through")
            }
        })
        .build()
        .unwrap();
    let (stop, worker) = employ(worker);

    let mut line = stage.line().await;
    assert_eq!(line.next().await.unwrap().hello.unwrap().session, 0);
    line.welcome(7).await;
    line.say(tasks("double", "d", 0..1, "1")).await;
    line.say(tasks("gated", "g", 0..1, "null")).await;
    results(&mut line, 1).await;
    drop(line);

    let mut line = stage.line().await;
    let frame = line.next().await.unwrap();
    let hello = frame.hello.clone().unwrap();
    let mut holding = hello.holding;
    holding.sort();
    assert_eq!(
        (hello.session, holding),
        (7, vec!["d0".into(), "g0".into()])
    );
    assert_eq!(
        (frame.credits, output(&frame)),
        (1, "2"),
        "the result had no receipt"
    );

    line.welcome(7).await;
    line.say(receipts(&[frame])).await;
    gate.notify_one();
    let frames = results(&mut line, 1).await;
    assert_eq!(output(frames.last().unwrap()), "\"through\"");
    assert_eq!(
        calls.load(Ordering::Relaxed),
        1,
        "the task went on through the break"
    );

    line.say(receipts(&frames)).await;
    stop.cancel();
    assert!(line.next().await.is_none());
    line.end();
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_lets_tasks_end_and_waits_for_receipts() {
    let mut stage = Stage::open().await;
    let worker = Worker::builder(stage.url())
        .queue("q")
        .concurrency(2)
        .task("until-cancelled", |ctx: TaskContext, (): ()| async move {
            ctx.cancelled().await;
            Ok("stopped")
        })
        .build()
        .unwrap();
    let (stop, worker) = employ(worker);
    let mut line = stage.line().await;
    line.next().await.unwrap();
    line.welcome(1).await;
    let mut beating = tasks("until-cancelled", "", 0..1, "null");
    beating.tasks[0].heartbeat_timeout_ms = 3;
    line.say(beating).await;
    let beat = line.next().await.unwrap();
    assert_eq!(beat.heartbeats, ["0"], "it beats by itself");

    stop.cancel();
    // Whether this task meets a worker that stops already is open; it comes back in either case.
    line.say(tasks("until-cancelled", "late", 0..1, "null"))
        .await;
    line.say(cancel(&["0", "late0"])).await;
    let mut frames = Vec::new();
    let answered = |frames: &Vec<WorkerFrame>| {
        frames
            .iter()
            .map(|f| f.results.len() + f.returned.len())
            .sum::<usize>()
    };
    while answered(&frames) < 2 {
        frames.push(line.next().await.unwrap());
    }
    assert!(!worker.is_finished(), "there was no receipt");
    line.say(receipts(&frames)).await;
    while let Some(frame) = line.next().await {
        assert!(
            frame.results.is_empty() && frame.returned.is_empty() && frame.credits == 0,
            "{frame:?}"
        );
    }
    line.end();
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_gives_up_after_the_drain_timeout() {
    let mut stage = Stage::open().await;
    let worker = Worker::builder(stage.url())
        .queue("q")
        .drain_timeout(Duration::from_millis(1))
        .task("endless", |_: TaskContext, (): ()| async move {
            std::future::pending::<()>().await;
            Ok(())
        })
        .build()
        .unwrap();
    let (stop, worker) = employ(worker);
    let mut line = stage.line().await;
    line.next().await.unwrap();
    line.welcome(1).await;
    line.say(tasks("endless", "", 0..1, "null")).await;
    stop.cancel();
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refused_worker_says_why() {
    let mut stage = Stage::open().await;
    let (_stop, worker) = employ(doubling(&stage, 1));
    let mut line = stage.line().await;
    line.next().await.unwrap();
    line.refuse("queue-unknown", "no queue q").await;
    let error = worker.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "refused (queue-unknown): no queue q");
}

#[tokio::test]
async fn a_worker_without_a_server_stops_at_once() {
    let stage = Stage::open().await;
    let worker = doubling(&stage, 1);
    drop(stage);
    let (stop, worker) = employ(worker);
    stop.cancel();
    worker.await.unwrap().unwrap();
}

/// Measures the frames that many tasks take; prints, and bounds it generously.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_take_few_frames() {
    const TASKS: usize = 20_000;
    const WINDOW: usize = 256;
    let mut stage = Stage::open().await;
    let (stop, worker) = employ(doubling(&stage, WINDOW));
    let mut line = stage.line().await;
    let mut credits = line.next().await.unwrap().credits as usize;
    line.welcome(1).await;
    let (mut sent, mut done, mut frames) = (0, 0, 0);
    let mut owed = ServerFrame::default();
    while done < TASKS {
        let end = (sent + credits).min(TASKS);
        owed.tasks = tasks("double", "", sent..end, "21").tasks;
        sent = end;
        line.say(std::mem::take(&mut owed)).await;
        let frame = line.next().await.unwrap();
        (frames, done) = (frames + 1, done + frame.results.len());
        credits = frame.credits as usize;
        owed = receipts(&[frame]);
    }
    println!("{TASKS} tasks in {frames} frames");
    assert!(frames * 4 < TASKS, "{frames} frames for {TASKS} tasks");
    line.say(owed).await;
    stop.cancel();
    line.end();
    worker.await.unwrap().unwrap();
}
