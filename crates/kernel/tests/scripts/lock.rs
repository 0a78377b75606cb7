//! Scripts of locks: within a run, between runs, and of runs as a whole by their concurrency key.
//!
//! The invariant behind them: never more holders than the limit; a hold ends on every way out; whoever waits is next.

use graph::ir::{Concurrency, ConcurrencyPolicy, LockScope, Need};
use insta::assert_snapshot;
use kernel::{Command, Reply, RunId, State};

use crate::graphs::{N, attempt, block, fork, graph, lock, raise, saga, set, task};
use crate::world::{World, run};

/// A critical section around one task.
fn section(name: &str, scope: LockScope, of: &str) -> N {
    lock(&format!("l{name}"), of, scope, vec![task(name)])
}

/// A world with two runs of one workflow that both want the same lock.
fn two_runs(nodes: Vec<N>) -> (World, RunId, RunId) {
    let mut world = World::of(nodes);
    let first = world.start("w", "1");
    let second = world.start("w", "2");
    (world, first, second)
}

#[test]
fn two_sections_of_a_run_never_overlap() {
    let branches = ["a", "b", "c"].map(|name| vec![section(name, LockScope::Run, "x")]);
    let mut world = run(vec![fork("f", Need::All, branches.to_vec())]);
    assert!(!world.has_offer("b") && !world.has_offer("c"));
    world.done("a", "1");
    assert!(world.has_offer("b") && !world.has_offer("c"));
    world.done("b", "2");
    world.done("c", "3");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 f region
    [2 1#0
    [3 1#1
    [4 1#2
    +5 la region
    +6 lb region
    +7 lc region
    lock 5
    [8 5#0
    +9 a task null
    claim 9 #1
    =9 1
    ]8 1
    =5 1
    ]2 1
    lock 6
    [10 6#0
    +11 b task null
    claim 11 #1
    =11 2
    ]10 2
    =6 2
    ]3 2
    lock 7
    [12 7#0
    +13 c task null
    claim 13 #1
    =13 3
    ]12 3
    =7 3
    ]4 3
    =1 [1,2,3]
    completed [1,2,3]
    ");
}

#[test]
fn a_lock_with_a_limit_lets_so_many_in() {
    let branches = ["a", "b", "c"]
        .map(|name| vec![section(name, LockScope::Run, "x").with_lock(|lock| lock.limit = 2)]);
    let mut world = run(vec![fork("f", Need::All, branches.to_vec())]);
    assert_eq!(world.offers.len(), 2);
    world.done("b", "2");
    assert!(world.has_offer("a") && world.has_offer("c"));
}

#[test]
fn sections_of_different_runs_never_overlap_where_their_name_is_the_same() {
    let names = |scope| {
        let (world, ..) = two_runs(vec![section("a", scope, "x")]);
        world.verify();
        world.offers.len()
    };
    assert_eq!(names(LockScope::Run), 2);
    assert_eq!(
        (names(LockScope::Workflow), names(LockScope::Server)),
        (1, 1)
    );
    let mut world = World::of(vec![section("a", LockScope::Server, "x")]);
    world.deploy(graph(
        "v",
        vec![
            section("b", LockScope::Server, "x"),
            section("c", LockScope::Workflow, "x"),
        ],
    ));
    world.start("w", "1");
    world.start("v", "2");
    assert!(!world.has_offer("b"), "another workflow has it");
    world.done("a", "1");
    world.done("b", "1");
    world.done("c", "1");
}

#[test]
fn the_lock_goes_on_whatever_ends_its_holder() {
    type End = fn(&mut World, RunId);
    let ends: [(&str, End); 6] = [
        ("well", |world, _| world.done("a", "1")),
        ("failed", |world, _| world.fail("a", "broken")),
        ("cancelled", |world, run| {
            world.tell(Command::CancelRun { run, reason: None });
        }),
        ("terminated", |world, run| {
            world.tell(Command::TerminateRun { run, reason: None });
        }),
        ("timed out", |world, _| world.tick(599)),
        ("suspended and cancelled", |world, run| {
            world.tell(Command::SuspendRun { run });
            world.tell(Command::CancelRun { run, reason: None });
        }),
    ];
    for (how, end) in ends {
        let slow = section("a", LockScope::Workflow, "x").timeout(600);
        let (mut world, first, _) = two_runs(vec![slow]);
        world.hush();
        if how == "timed out" {
            world.tick(1);
            world.start("w", "3");
        }
        end(&mut world, first);
        world.verify();
        let held: Vec<_> = world
            .state
            .locks
            .iter()
            .flat_map(|(_, holders, _)| holders)
            .collect();
        assert_eq!(held.len(), 1, "{how}: the next one has it");
        assert_ne!(held[0].run, first, "{how}");
        assert!(world.has_offer("a"), "{how}");
    }
}

#[test]
fn a_holder_cleans_up_before_it_lets_go() {
    let body = vec![saga(
        "s",
        vec![set("x", ".").undo(vec![task("undo")]), task("y")],
    )];
    let nodes = vec![lock("l", "x", LockScope::Workflow, body)];
    let (mut world, first, _) = two_runs(nodes);
    world.tell(Command::CancelRun {
        run: first,
        reason: None,
    });
    assert!(
        !world.has_offer("y"),
        "the second waits until the first has undone what it did"
    );
    world.done("undo", "null");
    assert!(world.has_offer("y"));
}

#[test]
fn one_that_waits_can_be_withdrawn_and_the_next_comes_up() {
    let (mut world, _, second) = two_runs(vec![section("a", LockScope::Workflow, "x")]);
    let third = world.start("w", "3");
    world.tell(Command::CancelRun {
        run: second,
        reason: None,
    });
    assert_eq!(world.state.runs[&second].condition(), "cancelled");
    world.done("a", "1");
    assert!(world.offers.iter().all(|(_, task)| task.run == third));
    assert!(world.has_offer("a"));
}

#[test]
fn a_suspended_run_is_passed_over_and_keeps_its_place() {
    let (mut world, _, second) = two_runs(vec![section("a", LockScope::Workflow, "x")]);
    let [third, fourth] = ["3", "4"].map(|input| world.start("w", input));
    world.tell(Command::SuspendRun { run: second });
    world.done("a", "1");
    assert!(world.offers.iter().all(|(_, task)| task.run == third));
    world.tell(Command::ResumeRun { run: second });
    world.verify();
    world.done("a", "1");
    assert!(
        world.offers.iter().all(|(_, task)| task.run == second),
        "before {fourth}"
    );
}

#[test]
fn a_suspended_run_keeps_its_place_while_nobody_else_is_at_the_lock() {
    let (mut world, _, second) = two_runs(vec![section("a", LockScope::Workflow, "x")]);
    let third = world.start("w", "3");
    for run in [second, third] {
        world.tell(Command::SuspendRun { run });
    }
    world.done("a", "1");
    assert!(world.offers.is_empty(), "nobody has the lock");
    let later = ["4", "5", "6"].map(|input| world.start("w", input));
    for run in [third, second] {
        world.tell(Command::ResumeRun { run });
    }
    world.verify();
    let mut order = Vec::new();
    while let Some((_, task)) = world.offers.first().cloned() {
        order.push(task.run);
        world.done("a", "1");
    }
    let [fourth, fifth, sixth] = later;
    assert_eq!(order, [fourth, second, third, fifth, sixth]);
}

#[test]
fn a_lock_that_a_body_around_holds_is_had_again() {
    let inner = section("a", LockScope::Run, "x");
    let mut world = run(vec![lock(
        "outer",
        "x",
        LockScope::Run,
        vec![block("b", vec![inner])],
    )]);
    world.done("a", "1");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 outer region
    lock 1
    [2 1#0
    +3 b region
    [4 3#0
    +5 la region
    [6 5#0
    +7 a task null
    claim 7 #1
    =7 1
    ]6 1
    =5 1
    ]4 1
    =3 1
    ]2 1
    =1 1
    completed 1
    ");
}

#[test]
fn the_name_of_a_lock_is_text() {
    let long = "x".repeat(300);
    for (name, told) in [("", "must be text"), (&*long, "at most 256 bytes")] {
        let mut world = run(vec![section("a", LockScope::Run, name)]);
        assert!(world.log().contains(told), "{told}");
    }
}

#[test]
fn locks_outlive_a_restart_from_a_checkpoint() {
    let (mut world, ..) = two_runs(vec![section("a", LockScope::Workflow, "x")]);
    let mut restored = State::default();
    for run in world.state.runs.values() {
        restored.restore_run(&State::encode_run(run)).unwrap();
    }
    assert_eq!(restored.locks, world.state.locks);
    std::mem::swap(&mut restored.catalog, &mut world.state.catalog);
    world.state = restored;
    world.done("a", "1");
    assert!(world.has_offer("a"));
}

#[test]
fn a_failure_within_is_caught_without_the_lock() {
    let nodes = vec![
        attempt(
            "t",
            vec![lock("l", "x", LockScope::Run, vec![raise("r", "oops")])],
        )
        .catch(vec![section("a", LockScope::Run, "x")]),
    ];
    let mut world = run(nodes);
    world.done("a", "1");
    assert!(world.log().ends_with("completed 1\n"));
}

/// A world whose runs count together by their input.
fn counted(limit: u32, policy: ConcurrencyPolicy) -> World {
    let mut world = World::default();
    let mut made = graph("w", vec![task("a")]);
    made.concurrency = Some(Concurrency {
        key: ".key".into(),
        limit,
        policy,
    });
    world.deploy(made);
    world
}

const SAME: &str = r#"{"key":"k"}"#;

#[test]
fn runs_over_the_limit_wait_in_order() {
    let mut world = counted(1, ConcurrencyPolicy::Queue);
    let [first, second, third] = [SAME; 3].map(|input| world.start("w", input));
    let other = world.start("w", r#"{"key":7}"#);
    world.start("w", "{}");
    world.start("w", "{}");
    let conditions =
        |world: &World| [first, second, third, other].map(|run| world.state.runs[&run].condition());
    assert_eq!(
        conditions(&world),
        ["running", "waiting", "waiting", "running"]
    );
    assert_eq!(world.offers.len(), 4, "those without a key do not wait");
    world.tell(Command::CancelRun {
        run: second,
        reason: None,
    });
    world.done("a", "1");
    assert_eq!(
        conditions(&world),
        ["completed", "cancelled", "running", "running"]
    );
    world.tell(Command::TerminateRun {
        run: third,
        reason: None,
    });
    world.verify();
    assert_eq!(
        world.state.locks.iter().count(),
        1,
        "only the other one's is left"
    );
}

#[test]
fn a_run_that_waits_can_be_suspended_and_comes_when_it_is_resumed() {
    let mut world = counted(1, ConcurrencyPolicy::Queue);
    let [_, second] = [SAME; 2].map(|input| world.start("w", input));
    world.tell(Command::SuspendRun { run: second });
    world.done("a", "1");
    assert!(world.offers.is_empty());
    world.tell(Command::ResumeRun { run: second });
    world.done("a", "2");
    world.verify();
    assert_eq!(world.state.runs[&second].condition(), "completed");
}

#[test]
fn a_run_that_waits_suspended_counts_where_newer_ones_replace_older_ones() {
    let mut world = World::default();
    let mut made = graph(
        "w",
        vec![saga(
            "s",
            vec![set("x", ".").undo(vec![task("undo")]), task("a")],
        )],
    );
    made.concurrency = Some(Concurrency {
        key: "1".into(),
        limit: 1,
        policy: ConcurrencyPolicy::Replace,
    });
    world.deploy(made);
    let [first, second] = ["1", "2"].map(|input| world.start("w", input));
    world.tell(Command::SuspendRun { run: second });
    let third = world.start("w", "3");
    world.done("undo", "null");
    world.verify();
    let conditions = [first, second, third].map(|run| world.state.runs[&run].condition());
    assert_eq!(conditions, ["cancelled", "cancelled", "running"]);
}

#[test]
fn a_start_over_the_limit_is_dropped_where_the_workflow_says_so() {
    let mut world = counted(2, ConcurrencyPolicy::Drop);
    let _two = [SAME; 2].map(|input| world.start("w", input));
    world.hush();
    let start = world.starting("w", SAME);
    world.tell(Command::StartRun(start.clone()));
    assert_snapshot!(world.log(), @r#"refused run-dropped: the run was dropped: of those with concurrency key "k" only 2 may go on at once; start it again when they have ended"#);
    world.done("a", "1");
    assert_eq!(
        world.ask(Command::StartRun(start.clone())),
        Ok(Reply::Started {
            run: start.run,
            created: true
        })
    );
}

#[test]
fn the_oldest_run_makes_room_where_the_workflow_says_so() {
    let mut world = counted(1, ConcurrencyPolicy::Replace);
    let [first, second] = [SAME; 2].map(|input| world.start("w", input));
    assert_snapshot!(world.log(), @r#"
    start w {"key":"k"}
    lock 0
    +1 a task {"key":"k"}
    r2 start w {"key":"k"}
    cancel requested
    ending 0 withdrawn
    x1
    cancelled cancelled: a newer run with its concurrency key has begun
    r2 lock 0
    r2 +1 a task {"key":"k"}
    "#);
    assert_eq!(world.state.runs[&first].condition(), "cancelled");
    assert_eq!(world.state.runs[&second].condition(), "running");
}

#[test]
fn a_replaced_run_cleans_up_before_the_new_one_begins_and_the_newest_is_the_one() {
    let mut world = World::default();
    let mut made = graph(
        "w",
        vec![saga(
            "s",
            vec![set("x", ".").undo(vec![task("undo")]), task("a")],
        )],
    );
    made.concurrency = Some(Concurrency {
        key: "1".into(),
        limit: 1,
        policy: ConcurrencyPolicy::Replace,
    });
    world.deploy(made);
    let runs = ["1", "2", "3"].map(|input| world.start("w", input));
    let conditions = |world: &World| runs.map(|run| world.state.runs[&run].condition());
    assert_eq!(conditions(&world), ["running", "cancelled", "waiting"]);
    world.done("undo", "null");
    assert_eq!(conditions(&world), ["cancelled", "cancelled", "running"]);
}

#[test]
fn a_concurrency_key_is_a_scalar() {
    let mut world = counted(1, ConcurrencyPolicy::Queue);
    for input in [r#"{"key":[1]}"#, r#"{"key":""}"#, "1"] {
        let start = world.starting("w", input);
        assert!(world.ask(Command::StartRun(start)).is_err(), "{input}");
    }
}
