//! Scripts of runs that other runs start: waiting, detaching, failing, being withdrawn, asking again.
//!
//! The invariant behind them: a parent is told of its child's end exactly once, whatever comes first,
//! and a child nobody waits for any more is withdrawn.

use insta::assert_snapshot;
use kernel::limits::CHILD_DEPTH_MAX;
use kernel::{Command, Effect, outstanding};

use crate::graphs::{attempt, child, expr, graph, raise, set, task, wait};
use crate::world::World;

fn family(parent: Vec<crate::graphs::N>, of: Vec<crate::graphs::N>) -> World {
    let mut world = World::of(parent);
    world.deploy(graph("c", of));
    world.start("w", "1");
    world
}

#[test]
fn a_parent_waits_for_its_child() {
    let mut world = family(vec![child("k", "c"), task("b")], vec![task("a")]);
    world.done("a", "2");
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 k child c
    r2 start c 1
    r2 +1 a task 1
    r2 claim 1 #1
    r2 =1 2
    r2 completed 2
    =1 2
    +2 b task 2
    ");
}

#[test]
fn a_child_that_ends_at_once() {
    let mut world = family(vec![child("k", "c")], vec![set("a", ". + 1")]);
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 k child c
    r2 start c 1
    r2 . a 2
    r2 completed 2
    =1 2
    completed 2
    ");
    let mut world = family(
        vec![
            child("k", "c")
                .with_child(|child| child.detach = true)
                .output("has(\"id\")"),
        ],
        vec![raise("r", "broken")],
    );
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 k child c
    r2 start c 1
    r2 !r broken: raised at /r
    r2 ending 0 failed
    r2 failed broken: raised at /r
    =1 true
    completed true
    ");
}

#[test]
fn a_detached_child_may_leave_the_data_as_it_came() {
    let parent = child("k", "c")
        .with_child(|child| (child.detach, child.echo) = (true, true))
        .input(". + 4");
    let mut world = family(vec![parent], vec![task("a")]);
    let log = world.log();
    assert!(log.ends_with("=1 5\ncompleted 5\n"), "{log}");
}

#[test]
fn a_detached_child_goes_its_own_way() {
    let mut world = family(
        vec![
            child("k", "c")
                .with_child(|child| child.detach = true)
                .output("has(\"id\")"),
        ],
        vec![task("a")],
    );
    world.done("a", "2");
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 k child c
    r2 start c 1
    r2 +1 a task 1
    =1 true
    completed true
    r2 claim 1 #1
    r2 =1 2
    r2 completed 2
    ");
}

#[test]
fn the_failure_of_a_child_is_that_of_the_step() {
    let mut world = family(
        vec![
            attempt("t", vec![child("k", "c")])
                .catch(vec![set("c", "[$error.type, $error.instance]")]),
        ],
        vec![raise("r", "broken")],
    );
    assert_snapshot!(world.log(), @r#"
    start w 1
    +1 t region
    [2 1#0
    +3 k child c
    r2 start c 1
    r2 !r broken: raised at /r
    r2 ending 0 failed
    r2 failed broken: raised at /r
    !3 broken: raised at /k
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [4 1#0 catch
    . c ["broken","/k"]
    ]4 ["broken","/k"]
    =1 ["broken","/k"]
    completed ["broken","/k"]
    "#);
}

#[test]
fn a_child_is_cancelled_terminated_or_given_up_with_its_step() {
    let clean = || vec![attempt("t", vec![task("a")]).finally(vec![task("f")])];
    let mut world = family(vec![child("k", "c")], clean());
    world.hush();
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    cancel requested
    ending 0 withdrawn
    x1
    cancelled cancelled: cancelled on request
    r2 cancel requested
    r2 ending 0 withdrawn
    r2 withdraw 1
    r2 ending 2 withdrawn
    r2 x3
    r2 ]2 -
    r2 turn 1 finally #1
    r2 [4 1#0 finally
    r2 +5 f task 1
    r2 claim 5 #1
    r2 =5 null
    r2 ]4 null
    r2 x1
    r2 cancelled cancelled: its parent waits for it no more
    ");
    let mut world = family(vec![child("k", "c")], clean());
    world.hush();
    let run = world.first();
    world.tell(Command::TerminateRun {
        run,
        reason: Some("enough".into()),
    });
    assert_snapshot!(world.log(), @r"
    terminated terminated: enough
    r2 terminated terminated: its parent has ended
    ");
    let mut world = family(vec![child("k", "c").timeout(10)], clean());
    world.hush();
    world.tick(10);
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    !1 timeout: the step took longer than its timeout at /k
    ending 0 failed
    failed timeout: the step took longer than its timeout at /k
    r2 cancel requested
    r2 ending 0 withdrawn
    r2 withdraw 1
    r2 ending 2 withdrawn
    r2 x3
    r2 ]2 -
    r2 turn 1 finally #1
    r2 [4 1#0 finally
    r2 +5 f task 1
    r2 claim 5 #1
    r2 =5 null
    r2 ]4 null
    r2 x1
    r2 cancelled cancelled: its parent waits for it no more
    ");
}

#[test]
fn a_business_key_that_is_taken_fails_the_step() {
    let mut world = World::of(vec![
        child("k", "c").with_child(|child| child.key = Some(expr("\"key\""))),
    ]);
    world.deploy(graph("c", vec![task("a")]));
    world.start("w", "1");
    world.hush();
    world.start("w", "1");
    assert_snapshot!(world.log(), @r"
    r3 start w 1
    r3 +1 k child c
    r3 !1 configuration: the business key belongs to run 2b3a5512-1737-87e4-a082-93de5ccb1734, which another step started at /k
    r3 ending 0 failed
    r3 failed configuration: the business key belongs to run 2b3a5512-1737-87e4-a082-93de5ccb1734, which another step started at /k
    ");
}

#[test]
fn a_child_that_cannot_start_fails_the_step() {
    let mut world = family(vec![child("k", "nobody")], vec![]);
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 k child nobody
    !1 configuration: no workflow nobody; apply it first (`quadrille apply -f FILE`), or list what there is at /k
    ending 0 failed
    failed configuration: no workflow nobody; apply it first (`quadrille apply -f FILE`), or list what there is at /k
    ");
    let named = |name: &str| child("k", "c").with_child(|child| child.workflow = expr(name));
    let mut world = family(vec![named("5")], vec![]);
    assert_snapshot!(world.log(), @r"
    start w 1
    !k expression: the workflow of a child must be text that is not empty, not 5 at /k
    ending 0 failed
    failed expression: the workflow of a child must be text that is not empty, not 5 at /k
    ");
}

#[test]
fn children_of_children_have_a_bound() {
    let mut world = World::of(vec![child("k", "w")]);
    world.quiet = true;
    world.start("w", "1");
    assert_eq!(world.state.runs.len(), CHILD_DEPTH_MAX as usize + 1);
    assert!(world.state.runs.values().all(|run| !run.is_live()));
    world.verify();
}

#[test]
fn after_a_crash_the_parent_asks_again_and_is_told() {
    let ask_again = |world: &mut World| {
        let sends = outstanding(&world.state)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Send(message) => Some(Command::from(message)),
                _ => None,
            });
        sends
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|command| world.tell(command));
    };
    let mut world = family(vec![child("k", "c")], vec![wait("v", 10)]);
    world.hush();
    ask_again(&mut world);
    assert_eq!(world.log(), "");
    world.tick(10);
    assert!(world.state.runs.values().all(|run| !run.is_live()));

    // The same when the child had ended, but nobody had heard of it.
    let mut world = family(vec![child("k", "c")], vec![wait("v", 10)]);
    let kept = world
        .state
        .runs
        .values()
        .find(|run| run.parent.is_some())
        .unwrap()
        .id;
    let (_, step) = *world.timers.first().unwrap();
    world.now.0 = world.now.0.plus(10);
    let fired = kernel::decide(
        &mut world.state,
        Command::FireTimer { step },
        world.now.0,
        &crate::world::Almanac,
    )
    .unwrap();
    assert!(!world.state.runs[&kept].is_live() && fired.1.events.len() > 1);
    world.timers.clear();
    world.journal.clear();
    ask_again(&mut world);
    assert!(world.state.runs.values().all(|run| !run.is_live()));
}

#[test]
fn a_child_may_be_held_back() {
    let mut world = family(vec![task("a"), child("k", "c")], vec![task("b")]);
    let run = world.first();
    let token = world.claim("a");
    world.tell(Command::SuspendRun { run });
    world.tell(Command::CompleteTask {
        token,
        output: crate::graphs::json("1"),
    });
    world.tell(Command::ResumeRun { run });
    world.done("b", "2");
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 a task 1
    claim 1 #1
    suspended
    keep 1 1
    resumed
    =1 1
    +2 k child c
    r2 start c 1
    r2 +1 b task 1
    r2 claim 1 #1
    r2 =1 2
    r2 completed 2
    =2 2
    completed 2
    ");
}
