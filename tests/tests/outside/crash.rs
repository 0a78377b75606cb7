//! Kill -9 at many moments under load: what was acknowledged is kept, and no step is recorded twice.
//!
//! The moments come from a seed, counted in things that happened, so that a slow machine sees the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use quadrille_tests::{PATIENCE, Server, until};
use sdk::{Client, Error, RunFilter, RunState, TaskContext, TaskError, Worker};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::workflow;

/// How often the server is killed.
const KILLS: u64 = 20;
/// Clients that start runs.
const STARTERS: usize = 4;
/// Runs that one client starts at most, should the kills take long.
const RUNS_PER_STARTER_MAX: usize = 2_000;
/// Tasks of each run.
const STEPS: usize = 3;
/// Fixes the moments.
const SEED: u64 = 0x5eed_0009_a170_0001;

const TASKS: &str = "
- first: {call: task, with: {queue: steps, name: step, input: {run: '${ .run }', step: 1}}}
- pause: {wait: {milliseconds: 5}}
- second: {call: task, with: {queue: steps, name: step, input: {run: '${ .run }', step: 2}}}
- third: {call: task, with: {queue: steps, name: step, input: {run: '${ .run }', step: 3}}}
";

/// What the world saw.
#[derive(Clone, Default)]
struct World {
    /// How often each task was done, by its idempotency key.
    effects: Arc<Mutex<BTreeMap<String, u32>>>,
    /// Runs that the server acknowledged, by their keys.
    acknowledged: Arc<Mutex<BTreeMap<String, String>>>,
    /// How much has happened.
    happened: Arc<AtomicU64>,
}

impl World {
    fn happen(&self) {
        self.happened.fetch_add(1, Ordering::SeqCst);
    }

    fn worker(&self, url: &str) -> Worker {
        let world = self.clone();
        let step = move |context: TaskContext, input: Value| {
            let world = world.clone();
            async move {
                *world
                    .effects
                    .lock()
                    .unwrap()
                    .entry(context.idempotency_key().to_owned())
                    .or_default() += 1;
                world.happen();
                Ok::<_, TaskError>(input)
            }
        };
        Worker::builder(url)
            .queue("steps")
            .task("step", step)
            .build()
            .expect("the worker is complete")
    }
}

/// Starts runs one after the other, each again and again until the server says that it has it.
async fn start_runs(client: &Client, starter: usize, world: &World, stop: &AtomicBool) {
    for number in 0..RUNS_PER_STARTER_MAX {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let key = format!("{starter}-{number}");
        let id = until("the start to be acknowledged", async || {
            match client
                .start("steps")
                .key(&key)
                .input(&json!({"run": key}))
                .send()
                .await
            {
                Ok(started) => Some(started.id),
                Err(Error::Unreachable(_)) => None,
                Err(Error::Refused { code, .. }) if code == "overloaded" || code == "stopped" => {
                    None
                }
                Err(error) => panic!("{error}"),
            }
        })
        .await;
        world.acknowledged.lock().unwrap().insert(key, id);
        world.happen();
    }
}

/// Numbers that look random and are the same every time (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_step_is_recorded_twice() {
    let mut server = Server::start().await;
    server.deploy(&[&workflow("steps", TASKS)]).await;
    let world = World::default();
    let stop_worker = CancellationToken::new();
    let worker = world
        .worker(server.url())
        .run(stop_worker.clone().cancelled_owned());
    let worker = AbortOnDropHandle::new(tokio::spawn(worker));
    let client = server.client().await;
    let stop = AtomicBool::new(false);
    let starting =
        join_all((0..STARTERS).map(|starter| start_runs(&client, starter, &world, &stop)));
    let killing = async {
        let mut random = SEED;
        for _ in 0..KILLS {
            let wanted = world.happened.load(Ordering::SeqCst) + 1 + next(&mut random) % 60;
            until("something to happen", async || {
                (world.happened.load(Ordering::SeqCst) >= wanted).then_some(())
            })
            .await;
            server.kill().await;
            server.restart().await;
        }
        stop.store(true, Ordering::SeqCst);
    };
    tokio::join!(starting, killing);

    let acknowledged = world.acknowledged.lock().unwrap().clone();
    for (key, id) in &acknowledged {
        check_run(&client, key, id).await;
    }
    let counted = client.count(RunFilter::default()).await.unwrap();
    assert_eq!(
        counted.count,
        acknowledged.len() as u64,
        "runs that nobody started"
    );
    assert_eq!(
        counted.states.get(&RunState::Completed),
        Some(&counted.count),
        "{counted:?}"
    );
    let effects = world.effects.lock().unwrap().clone();
    assert_eq!(
        effects.len(),
        acknowledged.len() * STEPS,
        "tasks without a key of their own"
    );
    let repeats = effects.values().filter(|times| **times > 1).count();
    println!(
        "{} runs, {} tasks of which {repeats} were done again, {KILLS} kills",
        acknowledged.len(),
        effects.len()
    );
    stop_worker.cancel();
    worker.await.unwrap().unwrap();
}

async fn check_run(client: &Client, key: &str, id: &str) {
    let run = client
        .wait(id, PATIENCE)
        .await
        .unwrap_or_else(|error| panic!("run {id} of key {key} is lost: {error}"));
    assert_eq!(run.state, RunState::Completed, "{run:?}");
    assert_eq!(run.key.as_deref(), Some(key));
    assert_eq!(
        run.output.decode::<Value>().unwrap(),
        json!({"run": key, "step": 3}),
        "{run:?}"
    );
    let again = client.start("steps").key(key).send().await.unwrap();
    assert_eq!((again.id.as_str(), again.created), (id, false));
    let history = client.history(id, 0, 0).await.unwrap();
    assert!(history.next.is_none());
    let numbers: Vec<u64> = history.events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let completed: Vec<&str> = history
        .events
        .iter()
        .filter(|event| event.kind == "StepCompleted")
        .filter_map(|event| event.step_name.as_deref())
        .collect();
    let once: BTreeSet<&str> = completed.iter().copied().collect();
    assert_eq!(
        completed,
        ["first", "pause", "second", "third"],
        "{history:?}"
    );
    assert_eq!(once.len(), completed.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_and_signals_outlive_a_crash() {
    let mut server = Server::start().await;
    let tasks = "
- hear: {listen: {to: {one: {with: {type: go}}}}}
- rest: {wait: {milliseconds: 300}}
- done: {set: {heard: '${ .[0] }'}}
";
    server.deploy(&[&workflow("patient", tasks)]).await;
    let client = server.client().await;
    let early = client.start("patient").send().await.unwrap().id;
    let late = client.start("patient").send().await.unwrap().id;
    client.signal(&early, "go", "early", None).await.unwrap();
    server.kill().await;
    server.restart().await;
    let client = server.client().await;
    client.signal(&late, "go", "late", None).await.unwrap();
    server.kill().await;
    server.restart().await;
    let client = server.client().await;
    for (id, heard) in [(early, "early"), (late, "late")] {
        let run = client.wait(&id, PATIENCE).await.unwrap();
        assert_eq!(
            run.output.decode::<Value>().unwrap(),
            json!({"heard": heard}),
            "{run:?}"
        );
        let took =
            Duration::from_millis(run.ended_at_ms.expect("it has ended") - run.started_at_ms);
        assert!(
            took >= Duration::from_millis(300),
            "its timer was early: {took:?}"
        );
    }
}
