//! Scripts of the life of a run: start, cancel, terminate, suspend, resume, time out; and of deployment.
//!
//! The invariant behind them: one key is one run, a finished run stays as it is, and nothing new
//! starts while a run is suspended.

use std::sync::Arc;

use graph::ir::{Attribute, AttributeKind, Need};
use graph::{Delay, Graph, Value};
use insta::assert_snapshot;
use kernel::codec::encode;
use kernel::event::RunFact;
use kernel::limits::{TURN_BYTES_MAX, TURN_TRANSITIONS_MAX};
use kernel::{Command, Event, Rejection, Reply, RunEvent, RunId, State};

use crate::graphs::{
    N, attempt, block, expr, fork, graph, json, map, raise, saga, set, split, task, wait,
};
use crate::world::{World, flop, run, run_on};

#[test]
fn a_start_with_the_same_key_finds_the_run() {
    let mut world = World::of(vec![task("a")]);
    let mut start = world.starting("w", "1");
    start.key = Some("k".into());
    start.run = RunId::of_key("w", "k");
    let run = start.run;
    assert_eq!(
        world.ask(Command::StartRun(start.clone())),
        Ok(Reply::Started { run, created: true })
    );
    assert_eq!(
        world.ask(Command::StartRun(start.clone())),
        Ok(Reply::Started {
            run,
            created: false
        })
    );
    world.done("a", "2");
    assert_eq!(
        world.ask(Command::StartRun(start)),
        Ok(Reply::Started {
            run,
            created: false
        })
    );
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 a task 1
    claim 1 #1
    =1 2
    completed 2
    ");
}

#[test]
fn a_run_that_cannot_start_is_refused() {
    let mut world = World::of(vec![]);
    let mut tell = |change: &dyn Fn(&mut kernel::StartRun)| {
        let mut start = world.starting("w", "1");
        change(&mut start);
        world.tell(Command::StartRun(start));
    };
    tell(&|start| start.workflow = "nobody".into());
    tell(&|start| start.version = Some("9".into()));
    tell(&|start| start.key = Some("".into()));
    tell(&|start| start.labels = [("a\nb".into(), "c".into())].into());
    tell(&|start| start.attributes = [("a".into(), json("[]"))].into());
    assert!(world.state.runs.is_empty());
    assert_snapshot!(world.log(), @r"
    refused workflow-missing: no workflow nobody; apply it first (`quadrille apply -f FILE`), or list what there is
    refused workflow-missing: no workflow w 9; apply it first (`quadrille apply -f FILE`), or list what there is
    refused invalid: business key must have 1 to 256 bytes and no control characters
    refused invalid: label must have 1 to 256 bytes and no control characters
    refused invalid: search attribute a cannot be array
    ");
}

#[test]
fn attributes_and_timeout_are_computed_from_the_input() {
    let mut world = World::default();
    let attribute = |name: &str, kind, from: &str| Attribute {
        name: name.into(),
        kind,
        from: from.into(),
    };
    let mut made = graph("w", vec![wait("a", 1_000)]);
    made.attributes = vec![
        attribute("total", AttributeKind::Number, ".total"),
        attribute("key", AttributeKind::Text, "$workflow.key"),
    ];
    made.timeout = Some(Delay::Computed(expr("{seconds: .limit}")));
    world.deploy(made);
    let mut start = world.starting("w", r#"{"total":5,"limit":1}"#);
    start.key = Some("k".into());
    let id = start.run;
    world.tell(Command::StartRun(start));
    let run = &world.state.runs[&id];
    assert_eq!(run.attributes["total"], json("5"));
    assert_eq!(run.attributes["key"], json("\"k\""));
    assert_eq!(run.deadline, Some(run.started_at.plus(1_000)));
    world.hush();
    for input in [r#"{"total":"x","limit":1}"#, r#"{"limit":-1}"#, "5"] {
        let start = world.starting("w", input);
        world.tell(Command::StartRun(start));
    }
    assert_snapshot!(world.log(), @r#"
    refused invalid: search attribute total cannot be string
    refused invalid: seconds must be a whole number that is not negative, not -1
    refused invalid: {seconds: .limit}: cannot index number with string "limit"
    "#);
}

#[test]
fn deployment_happens_once_and_versions_never_change() {
    let mut world = World::of(vec![task("a")]);
    let deploy = |graph: Graph| Command::DeployWorkflow {
        graph: Arc::new(graph),
        source: "".into(),
    };
    assert_eq!(
        world.ask(deploy(graph("w", vec![task("a")]))),
        Ok(Reply::Deployed { created: false })
    );
    world.tell(deploy(graph("w", vec![task("b")])));
    let mut unsound = graph("u", vec![task("b")]);
    unsound.bodies.clear();
    world.tell(deploy(unsound));
    world.start("w", "1");
    world.tell(deploy(Graph {
        version: "2.0.0".into(),
        ..graph("w", vec![task("b")])
    }));
    world.start("w", "2");
    assert!(world.has_offer("a") && world.has_offer("b"));
    assert_snapshot!(world.log(), @r"
    refused version-exists: w 1.0.0 exists with other content; versions never change, so raise document.version
    refused workflow-unsound: the workflow is not sound: : a graph has 1 to 20000 bodies and up to 10000 nodes, not 0 and 1
    start w 1
    +1 a task 1
    r2 start w 2
    r2 +1 b task 2
    ");
}

#[test]
fn cancelling_withdraws_everything() {
    let mut world = run(vec![fork(
        "f",
        Need::All,
        vec![
            vec![task("a")],
            vec![wait("b", 10)],
            vec![block("d", vec![map("m", "[1,2]", 1, vec![task("e")])])],
        ],
    )]);
    world.claim("a");
    world.hush();
    world.cancel();
    assert!(world.offers.is_empty() && world.timers.is_empty() && world.claims.is_empty());
    world.cancel();
    assert_snapshot!(world.log(), @r"
    cancel requested
    ending 0 withdrawn
    withdraw 1
    ending 2 withdrawn
    x5
    ending 3 withdrawn
    x6
    ending 4 withdrawn
    withdraw 7
    ending 8 withdrawn
    withdraw 9
    ending 10 withdrawn
    x11
    ]2 -
    ]3 -
    ]10 -
    x9
    ]8 -
    x7
    ]4 -
    x1
    cancelled cancelled: cancelled on request
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    ");
}

#[test]
fn terminating_ends_at_once_without_clean_up() {
    let mut world = run(vec![attempt("t", vec![task("a")]).finally(vec![task("f")])]);
    let run = world.first();
    world.hush();
    world.tell(Command::TerminateRun {
        run,
        reason: Some("enough".into()),
    });
    world.tell(Command::TerminateRun { run, reason: None });
    for command in [
        Command::CancelRun { run, reason: None },
        Command::SuspendRun { run },
        Command::ResumeRun { run },
        Command::RetryRun { run, step: None },
        Command::SignalRun {
            run,
            name: "s".into(),
            data: json("1"),
            ttl_ms: 1,
        },
    ] {
        world.tell(command);
    }
    assert_snapshot!(world.log(), @r"
    terminated terminated: enough
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    ");
}

#[test]
fn nothing_new_starts_in_a_suspended_run_but_results_count() {
    let mut world = run(vec![fork(
        "f",
        Need::All,
        vec![
            vec![task("a"), task("a2")],
            vec![wait("b", 10), set("b2", "2")],
            vec![task("c")],
        ],
    )]);
    let run = world.first();
    let token = world.claim("a");
    world.hush();
    world.tell(Command::SuspendRun { run });
    world.tell(Command::SuspendRun { run });
    assert_eq!(world.state.runs[&run].condition(), "suspended");
    assert!(world.offers.is_empty());
    world.tell(Command::CompleteTask {
        token,
        output: json("1"),
    });
    world.tick(10);
    world.tell(Command::ClaimTask {
        task: world.step_named("c"),
        session: kernel::SessionId(1),
    });
    assert!(world.timers.is_empty());
    world.tell(Command::ResumeRun { run });
    world.tell(Command::ResumeRun { run });
    world.done("c", "3");
    world.done("a2", "4");
    assert_snapshot!(world.log(), @r"
    suspended
    keep 5 1
    keep 6
    refused task-unavailable: the task is not waiting for a worker
    resumed
    =5 1
    =6 null
    +8 a2 task 1
    . b2 2
    ]3 2
    claim 7 #1
    =7 3
    ]4 3
    claim 8 #1
    =8 4
    ]2 4
    =1 [4,2,3]
    completed [4,2,3]
    ");
}

#[test]
fn a_suspended_run_neither_ends_nor_fails() {
    for (kind, status) in [(None, "completed"), (Some("flop"), "failed")] {
        let mut world = run(vec![task("a")]);
        let run = world.first();
        let token = world.claim("a");
        world.tell(Command::SuspendRun { run });
        let report = match kind {
            None => Command::CompleteTask {
                token,
                output: json("1"),
            },
            Some(kind) => Command::FailTask {
                token,
                failure: flop(kind),
                retryable: false,
            },
        };
        assert_eq!(world.ask(report.clone()), Ok(Reply::Done));
        assert!(world.claims.is_empty(), "the report counts");
        assert_eq!(world.ask(report), Err(Rejection::ClaimStale));
        assert_eq!(world.state.runs[&run].condition(), "suspended");
        world.verify();
        world.tell(Command::ResumeRun { run });
        assert_eq!(world.state.runs[&run].condition(), status);
        world.verify();
    }
}

#[test]
fn outcomes_in_a_suspended_run_count_in_their_order() {
    let branches = vec![vec![task("a")], vec![task("b")], vec![task("c")]];
    let mut world = run_on(
        "null",
        vec![fork("f", Need::Count(1), branches).with_fork(|fork| {
            fork.first = true;
        })],
    );
    let run = world.first();
    let [a, b] = ["a", "b"].map(|name| world.claim(name));
    world.tell(Command::SuspendRun { run });
    for (token, output) in [(b, "2"), (a, "1")] {
        world.tell(Command::CompleteTask {
            token,
            output: json(output),
        });
    }
    world.hush();
    world.tell(Command::ResumeRun { run });
    assert!(world.log().ends_with("completed 2\n"));
}

#[test]
fn timeouts_of_what_is_under_way_count_and_those_around_it_wait() {
    let mut made = graph(
        "w",
        vec![block("b", vec![wait("n", 10), task("a").timeout(20)]).timeout(30)],
    );
    made.timeout = Some(Delay::Ms(40));
    let mut world = World::default();
    world.deploy(made);
    let run = world.start("w", "1");
    world.tick(10);
    world.tell(Command::SuspendRun { run });
    world.hush();
    world.tick(100);
    assert_snapshot!(world.log(), @"keep 4 timeout: the step took longer than its timeout");
    world.tell(Command::ResumeRun { run });
    assert_snapshot!(world.log(), @r"
    resumed
    !4 timeout: the step took longer than its timeout at /a
    ending 2 failed
    ]2 -
    withdraw 1
    !1 timeout: the step took longer than its timeout at /a
    ending 0 failed
    failed timeout: the step took longer than its timeout at /a
    ");

    // Nothing under way that has a timeout: the ones around it have their say when the run is resumed.
    let mut made = graph("w", vec![block("b", vec![task("a")]).timeout(30)]);
    made.timeout = Some(Delay::Ms(40));
    let mut world = World::default();
    world.deploy(made);
    let run = world.start("w", "1");
    world.tell(Command::SuspendRun { run });
    world.hush();
    world.tick(100);
    assert_snapshot!(world.log(), @"");
    world.tell(Command::ResumeRun { run });
    world.tick(0);
    assert_snapshot!(world.log(), @r"
    resumed
    withdraw 1
    ending 2 withdrawn
    x3
    ]2 -
    !1 timeout: the step took longer than its timeout at /b
    ending 0 failed
    failed timeout: the step took longer than its timeout at /b
    ");
}

#[test]
fn an_incident_in_a_suspended_run_shows_when_it_is_resumed() {
    let mut world = run(vec![task("a").park()]);
    let run = world.first();
    let token = world.claim("a");
    world.tell(Command::SuspendRun { run });
    world.tell(Command::FailTask {
        token,
        failure: flop("flop"),
        retryable: false,
    });
    assert_eq!(world.state.runs[&run].condition(), "suspended");
    world.tell(Command::ResumeRun { run });
    assert_eq!(world.state.runs[&run].condition(), "incident");
}

#[test]
fn a_saga_cancelled_while_suspended_undoes_what_was_done() {
    let mut world = run(vec![saga(
        "s",
        vec![task("a").undo(vec![task("u")]), task("b")],
    )]);
    let run = world.first();
    let token = world.claim("a");
    world.tell(Command::SuspendRun { run });
    world.tell(Command::CompleteTask {
        token,
        output: json("1"),
    });
    world.hush();
    world.cancel();
    assert!(world.has_offer("u"), "{}", world.log());
    world.done("u", "null");
    assert_eq!(world.state.runs[&run].condition(), "cancelled");
    world.verify();
}

/// Tasks `t0` to `t19` at once, each of which can be undone.
fn many() -> Vec<N> {
    let names: Vec<String> = (0..20).map(|place| format!("t{place}")).collect();
    let cases: Vec<(&str, &str)> = names.iter().map(|name| ("", name.as_str())).collect();
    let tasks = names
        .iter()
        .map(|name| task(name).undo(vec![task("u")]).to("exit"));
    std::iter::once(split("s", &cases)).chain(tasks).collect()
}

/// Suspends the run while `t19` to `t0` are under way, and ends them in this order, with much data.
fn suspend_many(world: &mut World, run: RunId) {
    world.quiet = true;
    let names: Vec<String> = (0..20).rev().map(|place| format!("t{place}")).collect();
    let tokens: Vec<_> = names.iter().map(|name| world.claim(name)).collect();
    world.tell(Command::SuspendRun { run });
    for token in tokens {
        let output = Value::text("x".repeat(900_000));
        world.tell(Command::CompleteTask { token, output });
    }
}

/// Nothing that one command decided is too heavy for one record, and what is live is what recovers.
fn is_in_turns(world: &World) {
    let heaviest = world.journal.iter().map(|entry| encode(entry).len()).max();
    assert!(heaviest.unwrap() < 3 * TURN_BYTES_MAX, "{heaviest:?}");
    world.verify();
}

#[test]
fn many_outcomes_count_in_their_order_and_in_several_turns() {
    let mut world = run(many());
    let run = world.first();
    suspend_many(&mut world, run);
    assert!(world.timers.is_empty());
    world.tell(Command::ResumeRun { run });
    is_in_turns(&world);
    let left = world.timers.len();
    assert!(0 < left && left < 20, "{left} outcomes are left");
    // What is left waits again.
    world.tell(Command::SuspendRun { run });
    assert!(world.timers.is_empty());
    world.tell(Command::ResumeRun { run });
    world.tick(0);
    is_in_turns(&world);
    assert_eq!(world.state.runs[&run].condition(), "completed");
    let facts = world.journal.iter().flat_map(|entry| &entry.events);
    let completed = facts.filter_map(|event| match event {
        Event::Run(RunFact {
            fact: RunEvent::StepCompleted(done),
            ..
        }) => Some(done.step.0),
        _ => None,
    });
    let completed: Vec<u32> = completed.collect();
    assert_eq!(completed.len(), 20);
    assert!(completed.is_sorted_by(|a, b| a > b), "{completed:?}");
}

#[test]
fn many_failures_count_in_several_turns() {
    let elements = format!("[range({})]", 2 * TURN_TRANSITIONS_MAX);
    let tried = attempt("t", vec![task("a")]).catch(vec![]);
    let mut world = run(vec![map("m", &elements, 1_000, vec![tried])]);
    let run = world.first();
    world.quiet = true;
    world.tick(0);
    let offered = world.offers.len();
    let tokens: Vec<_> = (0..offered).map(|_| world.claim("a")).collect();
    world.tell(Command::SuspendRun { run });
    for token in tokens {
        let failure = flop("flop");
        let retryable = false;
        world.tell(Command::FailTask {
            token,
            failure,
            retryable,
        });
    }
    world.tell(Command::ResumeRun { run });
    let left = world.timers.len();
    assert!(0 < left && left < offered, "{left} of {offered} are left");
    world.tick(0);
    is_in_turns(&world);
    assert_eq!(world.state.runs[&run].condition(), "completed");
}

#[test]
fn a_saga_cancelled_while_suspended_undoes_all_that_was_done() {
    let cleaning = attempt("t", vec![set("x", "1")]).finally(vec![task("f"), task("g")]);
    let others = [
        cleaning,
        task("failed"),
        task("odd").output("error(\"no\")"),
    ];
    let branches = std::iter::once(many()).chain(others.map(|node| vec![node]));
    let mut world = run(vec![saga(
        "s0",
        vec![fork("k", Need::All, branches.collect())],
    )]);
    let run = world.first();
    let [f, failed, odd] = ["f", "failed", "odd"].map(|name| world.claim(name));
    suspend_many(&mut world, run);
    for token in [f, odd] {
        let output = json("1");
        world.tell(Command::CompleteTask { token, output });
    }
    world.tell(Command::FailTask {
        token: failed,
        failure: flop("flop"),
        retryable: false,
    });
    world.cancel();
    is_in_turns(&world);
    let left = world.timers.len();
    assert!(0 < left && left < 20, "{left} outcomes are left");
    // Neither changes what was decided.
    world.cancel();
    world.tell(Command::ResumeRun { run });
    assert_eq!(world.timers.len(), left);
    world.tick(0);
    is_in_turns(&world);
    assert!(world.timers.is_empty());
    world.done("g", "null");
    let mut undone = 0;
    while world.has_offer("u") {
        world.done("u", "null");
        undone += 1;
    }
    assert_eq!(undone, 20);
    assert_eq!(world.state.runs[&run].condition(), "cancelled");
    is_in_turns(&world);
}

#[test]
fn a_yielded_step_waits_while_its_run_is_suspended() {
    let mut world = World::of(vec![set("a", ". + 1").to("a")]);
    world.quiet = true;
    let run = world.start("w", "0");
    assert_eq!(world.timers.len(), 1);
    let (_, step) = *world.timers.first().unwrap();
    world.tell(Command::SuspendRun { run });
    assert!(world.timers.is_empty());
    assert_eq!(
        world.ask(Command::FireTimer { step }),
        Err(Rejection::NotDue)
    );
    world.tell(Command::ResumeRun { run });
    assert_eq!(world.timers.len(), 1);
    world.verify();
}

#[test]
fn cancelling_a_suspended_run_cleans_up() {
    let mut world = run(vec![attempt("t", vec![task("a")]).finally(vec![task("f")])]);
    let run = world.first();
    world.tell(Command::SuspendRun { run });
    world.hush();
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    cancel requested
    resumed
    ending 0 withdrawn
    withdraw 1
    ending 2 withdrawn
    x3
    ]2 -
    turn 1 finally #1
    [4 1#0 finally
    +5 f task null
    claim 5 #1
    =5 null
    ]4 null
    x1
    cancelled cancelled: cancelled on request
    ");
}

#[test]
fn a_run_may_not_take_longer_than_its_timeout() {
    let mut world = World::default();
    let mut made = graph(
        "w",
        vec![
            attempt("t", vec![task("a")])
                .catch(vec![set("never", "1")])
                .finally(vec![task("f")]),
        ],
    );
    made.timeout = Some(Delay::Ms(100));
    world.deploy(made);
    world.start("w", "1");
    assert_eq!(world.timers.len(), 1);
    world.hush();
    world.tick(100);
    assert!(world.timers.is_empty());
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    ending 0 failed
    withdraw 1
    ending 2 withdrawn
    x3
    ]2 -
    turn 1 finally #1
    [4 1#0 finally
    +5 f task 1
    cancel requested
    claim 5 #1
    =5 null
    ]4 null
    x1
    failed timeout: the run took longer than its timeout
    ");
}

#[test]
fn a_step_timeout_withdraws_a_region_and_can_be_caught() {
    let body = vec![
        block(
            "d",
            vec![fork(
                "f",
                Need::All,
                vec![vec![task("a")], vec![wait("b", 1_000)]],
            )],
        )
        .timeout(100),
    ];
    let mut world = run(vec![
        attempt("t", body).catch(vec![set("c", "$error.instance")]),
    ]);
    world.hush();
    world.tick(100);
    assert_snapshot!(world.log(), @r#"
    withdraw 3
    ending 4 withdrawn
    withdraw 5
    ending 6 withdrawn
    x8
    ending 7 withdrawn
    x9
    ]6 -
    ]7 -
    x5
    ]4 -
    !3 timeout: the step took longer than its timeout at /d
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [10 1#0 catch
    . c "/d"
    ]10 "/d"
    =1 "/d"
    completed "/d"
    "#);
}

#[test]
fn a_run_put_back_from_a_checkpoint_goes_on() {
    let mut world = run_on(
        "[1,2]",
        vec![
            map("m", ".", 2, vec![task("a"), crate::graphs::hear("l", "go")]),
            raise("r", "broken"),
        ],
    );
    world.done("a", "1");
    let id = world.first();
    let bytes = State::encode_run(&world.state.runs[&id]);
    assert!(world.state.take_finished(id).is_none(), "a live run stays");
    let listeners = std::mem::take(&mut world.state.listeners);
    world.state.runs.clear();
    assert_eq!(world.state.restore_run(&bytes), Ok(id));
    assert_eq!(world.state.listeners, listeners);
    world.done("a", "2");
    world.signal("go", "1");
    world.signal("go", "2");
    assert!(world.state.take_finished(id).is_some());
    world.journal.clear();
    world.hush();
    assert!(world.state.restore_run(&bytes[1..]).is_err());
}

#[test]
fn the_error_of_a_stopped_run_says_why() {
    let stopped = |cancels: bool, said: Option<&str>| {
        let mut world = run(vec![task("a")]);
        let (run, reason) = (world.first(), said.map(Into::into));
        world.tell(if cancels {
            Command::CancelRun { run, reason }
        } else {
            Command::TerminateRun { run, reason }
        });
        world.verify();
        let failure = world.state.runs[&run].failure.clone().unwrap();
        failure.to_value().to_json()
    };
    assert_snapshot!(stopped(true, Some("sold out")), @r#"{"detail":"sold out","status":499,"title":"Run Cancelled","type":"https://quadrille.dev/errors/cancelled"}"#);
    assert_snapshot!(stopped(true, None), @r#"{"detail":"cancelled on request","status":499,"title":"Run Cancelled","type":"https://quadrille.dev/errors/cancelled"}"#);
    assert_snapshot!(stopped(false, Some("sold out")), @r#"{"detail":"sold out","status":499,"title":"Run Terminated","type":"https://quadrille.dev/errors/terminated"}"#);
}
