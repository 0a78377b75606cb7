//! Scripts of tasks: claims, reports, retries, timeouts, incidents.
//!
//! The invariant behind them: one live claim for each task, and no attempt just disappears.

use graph::Delay;
use graph::ir::{Backoff, Need, Retry};
use insta::assert_snapshot;
use kernel::{Command, SessionId};

use crate::graphs::{N, attempt, fork, graph, json, retry, task};
use crate::world::{START, World, flop, run, run_on};

fn release(world: &mut World, token: kernel::TaskToken) {
    world.tell(Command::ReleaseTask {
        token,
        reason: "session lost".into(),
    });
}

#[test]
fn a_task_is_offered_claimed_and_completed() {
    let mut world = run_on(r#"{"x":1}"#, vec![task("a"), task("b")]);
    world.done("a", r#"{"y":2}"#);
    world.done("b", "3");
    assert_snapshot!(world.log(), @r#"
    start w {"x":1}
    +1 a task {"x":1}
    claim 1 #1
    =1 {"y":2}
    +2 b task {"y":2}
    claim 2 #1
    =2 3
    completed 3
    "#);
}

#[test]
fn only_the_current_claim_may_report() {
    let mut world = run(vec![task("a")]);
    let first = world.claim("a");
    let at = first.step_ref();
    world.tell(Command::ClaimTask {
        task: at,
        session: SessionId(8),
    });
    release(&mut world, first);
    release(&mut world, first);
    let second = world.claim("a");
    world.tell(Command::HeartbeatTask { token: first });
    world.tell(Command::CompleteTask {
        token: first,
        output: json("1"),
    });
    world.tell(Command::FailTask {
        token: first,
        failure: flop("late"),
        retryable: true,
    });
    world.tell(Command::CompleteTask {
        token: second,
        output: json("2"),
    });
    world.tell(Command::CompleteTask {
        token: second,
        output: json("2"),
    });
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    refused task-unavailable: the task is not waiting for a worker
    queue 1 #1: session lost
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    claim 1 #2
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    =1 2
    completed 2
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    ");
}

#[test]
fn a_failed_task_without_retry_fails_the_run() {
    let mut world = run(vec![task("a"), task("b")]);
    world.fail("a", "broken");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    !1 broken: flop at /a
    ending 0 failed
    failed broken: flop at /a
    ");
}

#[test]
fn a_failure_may_ask_for_a_longer_pause_within_a_bound() {
    const HOUR_MS: u64 = 3_600_000;
    let pause = |asked_ms: Option<u64>| {
        let mut world = run(vec![task("a").retry(retry(100))]);
        let token = world.claim("a");
        world.tell(Command::FailTask {
            token,
            failure: graph::Failure {
                retry_after_ms: asked_ms,
                ..flop("busy")
            },
            retryable: true,
        });
        world.verify();
        world.timers.first().unwrap().0.since(world.now.0)
    };
    assert_eq!(pause(None), 100);
    assert_eq!(pause(Some(50)), 100);
    assert_eq!(pause(Some(5_000)), 5_000);
    assert_eq!(pause(Some(100 * HOUR_MS)), HOUR_MS);
}

#[test]
fn a_tried_body_pauses_as_long_as_its_failure_asks() {
    let mut world = run(vec![attempt("t", vec![task("a")]).catch_with(
        None,
        |catch| {
            catch.retry = Some(retry(100));
        },
    )]);
    let token = world.claim("a");
    world.tell(Command::FailTask {
        token,
        failure: graph::Failure {
            retry_after_ms: Some(5_000),
            ..flop("busy")
        },
        retryable: true,
    });
    world.verify();
    assert_eq!(world.timers.first().unwrap().0.since(world.now.0), 5_000);
}

/// Fails the task until it is given up; the pauses in between.
fn pauses(policy: Retry) -> (Vec<u64>, String) {
    let mut world = run(vec![task("a").retry(policy)]);
    let mut pauses = Vec::new();
    while pauses.len() < 6 && world.state.runs[&world.first()].is_live() {
        let before = world.now.0;
        world.fail("a", "broken");
        if let Some((at, _)) = world.timers.first().copied() {
            pauses.push(at.since(before));
            world.tick(at.since(before));
        }
    }
    world.verify();
    (pauses, world.state.runs[&world.first()].condition().into())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn pauses_grow_as_the_policy_says() {
    let most = |attempts| Some(attempts);
    let told = |policy: Retry| {
        let (pauses, end) = pauses(policy);
        format!("{pauses:?} {end}")
    };
    let constant = Retry {
        attempts_max: most(4),
        ..retry(100)
    };
    let exponential = Backoff::Exponential(2.0);
    let lines = [
        ("constant", told(constant.clone())),
        (
            "linear",
            told(Retry {
                backoff: Backoff::Linear,
                ..constant.clone()
            }),
        ),
        (
            "exponential",
            told(Retry {
                backoff: exponential,
                delay_max_ms: Some(300),
                ..constant
            }),
        ),
        (
            "for a time",
            told(Retry {
                duration_max_ms: Some(350),
                ..retry(100)
            }),
        ),
        (
            "one attempt",
            told(Retry {
                attempts_max: most(1),
                ..retry(100)
            }),
        ),
        (
            "fatal",
            told(Retry {
                fatal_types: vec!["broken".into()],
                ..retry(100)
            }),
        ),
        (
            "when",
            told(Retry {
                when: Some("$error.type == \"other\"".into()),
                ..retry(100)
            }),
        ),
        (
            "except",
            told(Retry {
                except_when: Some("$error.type == \"broken\"".into()),
                ..retry(100)
            }),
        ),
        (
            "when it holds",
            told(Retry {
                when: Some("$error.status == 500".into()),
                attempts_max: most(2),
                ..retry(100)
            }),
        ),
        (
            "computed",
            told(Retry {
                delay: Delay::Computed(crate::graphs::expr("\"PT2S\"")),
                attempts_max: most(2),
                ..retry(1)
            }),
        ),
    ];
    assert_snapshot!(lines.map(|(what, told)| format!("{what}: {told}")).join("\n"), @r"
    constant: [100, 100, 100] failed
    linear: [100, 200, 300] failed
    exponential: [100, 200, 300] failed
    for a time: [100, 100, 100] failed
    one attempt: [] failed
    fatal: [] failed
    when: [] failed
    except: [] failed
    when it holds: [100] failed
    computed: [2000] failed
    ");
}

#[test]
fn jitter_lies_within_its_bounds_and_is_the_same_each_time() {
    let policy = Retry {
        jitter_ms: Some((10, 50)),
        attempts_max: Some(6),
        ..retry(100)
    };
    let (first, _) = pauses(policy.clone());
    assert_eq!(first, pauses(policy).0);
    assert!(
        first.iter().all(|pause| (110..=150).contains(pause)),
        "{first:?}"
    );
    assert!(first.iter().any(|pause| pause != &first[0]), "{first:?}");
}

#[test]
fn a_worker_may_say_that_trying_again_is_useless() {
    let mut world = run(vec![task("a").retry(retry(100))]);
    let token = world.claim("a");
    world.tell(Command::FailTask {
        token,
        failure: flop("broken"),
        retryable: false,
    });
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    !1 broken: flop at /a
    ending 0 failed
    failed broken: flop at /a
    ");
}

fn bounded(queue_ms: u64, run_ms: u64, silence_ms: u64) -> N {
    let bound = |ms: u64| (ms > 0).then_some(Delay::Ms(ms));
    task("a").with_task(|task| {
        task.queue_timeout = bound(queue_ms);
        task.run_timeout = bound(run_ms);
        task.heartbeat_timeout = bound(silence_ms);
    })
}

#[test]
fn a_task_may_not_wait_for_a_worker_for_ever() {
    let mut world = run(vec![bounded(100, 0, 0)]);
    world.tick(99);
    world.hush();
    world.tick(1);
    assert_snapshot!(world.log(), @r#"
    !1 timeout: no worker took the task from queue "q" in time at /a
    ending 0 failed
    failed timeout: no worker took the task from queue "q" in time at /a
    "#);
}

#[test]
fn an_attempt_may_not_take_for_ever() {
    let mut world = run(vec![bounded(0, 100, 0).retry(Retry {
        attempts_max: Some(2),
        ..retry(10)
    })]);
    let token = world.claim("a");
    world.tick(110);
    world.tell(Command::CompleteTask {
        token,
        output: json("1"),
    });
    world.claim("a");
    world.tick(100);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    back off 1 until 110: timeout: the attempt took too long at /a
    queue 1 #2: the pause between attempts is over
    refused claim-stale: the task was given to another worker, timed out or was withdrawn; drop this result
    claim 1 #2
    !1 timeout: the attempt took too long at /a
    ending 0 failed
    failed timeout: the attempt took too long at /a
    ");
}

#[test]
fn a_silent_worker_loses_its_task() {
    let mut world = run(vec![bounded(0, 0, 50).retry(retry(10))]);
    let token = world.claim("a");
    world.tick(40);
    world.tell(Command::HeartbeatTask { token });
    world.tick(49);
    assert!(world.claims.contains_key(&token));
    world.tick(1);
    assert!(!world.claims.contains_key(&token));
    world.tick(10);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    heard 1
    back off 1 until 100: timeout: the worker fell silent at /a
    queue 1 #2: the pause between attempts is over
    ");
}

#[test]
fn heartbeats_without_a_bound_are_not_written() {
    let mut world = run(vec![task("a")]);
    let token = world.claim("a");
    world.hush();
    world.tell(Command::HeartbeatTask { token });
    assert_eq!(world.log(), "");
}

#[test]
fn an_exhausted_task_parks_until_someone_retries_the_run() {
    let mut world = run(vec![
        task("a")
            .retry(Retry {
                attempts_max: Some(2),
                ..retry(10)
            })
            .park(),
    ]);
    world.fail("a", "broken");
    world.tick(10);
    world.fail("a", "broken");
    let run = world.first();
    assert_eq!(world.state.runs[&run].condition(), "incident");
    world.tell(Command::RetryRun {
        run,
        step: Some(kernel::StepId(99)),
    });
    world.tell(Command::RetryRun { run, step: None });
    world.tell(Command::RetryRun { run, step: None });
    world.done("a", "1");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    back off 1 until 10: broken: flop at /a
    queue 1 #2: the pause between attempts is over
    claim 1 #2
    park 1: broken: flop at /a
    refused nothing-parked: run 01010101-0101-0101-0101-010101010101 has no incident to retry
    queue 1 #1: retried on request
    refused nothing-parked: run 01010101-0101-0101-0101-010101010101 has no incident to retry
    claim 1 #3
    =1 1
    completed 1
    ");
}

#[test]
fn a_step_timeout_ends_a_claimed_task() {
    let mut world = run(vec![task("a").timeout(100).retry(retry(10))]);
    world.claim("a");
    world.tick(100);
    assert!(world.claims.is_empty());
    assert_eq!(world.now.0, START.plus(100));
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    !1 timeout: the step took longer than its timeout at /a
    ending 0 failed
    failed timeout: the step took longer than its timeout at /a
    ");
}

#[test]
fn a_failure_too_heavy_to_keep_is_shortened() {
    let mut world = run(vec![task("a")]);
    let token = world.claim("a");
    let heavy = graph::Failure::new("communication", "x".repeat(2 << 20));
    world.tell(Command::FailTask {
        token,
        failure: heavy,
        retryable: true,
    });
    assert_snapshot!(world.log(), @r"
    start w null
    +1 a task null
    claim 1 #1
    !1 communication: the worker said more than 1048576 bytes about its failure at /a
    ending 0 failed
    failed communication: the worker said more than 1048576 bytes about its failure at /a
    ");
}

#[test]
fn a_task_is_as_urgent_as_it_says_or_as_its_run() {
    let urgent = |text: &str| task("b").with_task(|task| task.priority = Some(text.into()));
    let mut made = graph(
        "w",
        vec![fork(
            "f",
            Need::All,
            vec![vec![task("a")], vec![urgent(".p")]],
        )],
    );
    made.priority = Some(".p - 1".into());
    let mut world = World::default();
    world.deploy(made);
    let run = world.start("w", r#"{"p":9}"#);
    let steps = world.state.runs[&run].steps.values();
    let urgency: Vec<u8> = steps
        .filter_map(|step| step.task())
        .map(|task| task.urgency())
        .collect();
    assert_eq!(urgency, [8, 9]);
    let start = world.starting("w", r#"{"p":11}"#);
    assert!(
        world.ask(Command::StartRun(start)).is_err(),
        "10 is too much for a run"
    );
    world.start("w", r#"{"p":10}"#);
    assert!(
        world
            .log()
            .contains("a priority is a number from 0 to 9, not 10")
    );
    let world = crate::world::run(vec![task("a")]);
    world.verify();
    let run = &world.state.runs[&world.first()];
    assert_eq!(
        run.steps.values().next().unwrap().task().unwrap().urgency(),
        5
    );
}
