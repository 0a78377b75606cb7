//! Runs that other runs start.

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
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_child_that_ends_at_once() {
    let mut world = family(vec![child("k", "c")], vec![set("a", ". + 1")]);
    assert_snapshot!(world.log(), @"");
    let mut world = family(vec![child("k", "c").with_child(|child| child.detach = true).output("has(\"id\")")], vec![raise("r", "broken")]);
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_detached_child_goes_its_own_way() {
    let mut world = family(vec![child("k", "c").with_child(|child| child.detach = true).output("has(\"id\")")], vec![task("a")]);
    world.done("a", "2");
    assert_snapshot!(world.log(), @"");
}

#[test]
fn the_failure_of_a_child_is_that_of_the_step() {
    let mut world = family(vec![attempt("t", vec![child("k", "c")]).catch(vec![set("c", "[$error.type, $error.instance]")])], vec![raise("r", "broken")]);
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_child_is_cancelled_terminated_or_given_up_with_its_step() {
    let clean = || vec![attempt("t", vec![task("a")]).finally(vec![task("f")])];
    let mut world = family(vec![child("k", "c")], clean());
    world.hush();
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @"");
    let mut world = family(vec![child("k", "c")], clean());
    world.hush();
    let run = world.first();
    world.tell(Command::TerminateRun { run, reason: Some("enough".into()) });
    assert_snapshot!(world.log(), @"");
    let mut world = family(vec![child("k", "c").timeout(10)], clean());
    world.hush();
    world.tick(10);
    world.done("f", "null");
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_business_key_that_is_taken_fails_the_step() {
    let mut world = World::of(vec![child("k", "c").with_child(|child| child.key = Some(expr("\"key\"")))]);
    world.deploy(graph("c", vec![task("a")]));
    world.start("w", "1");
    world.hush();
    world.start("w", "1");
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_child_that_cannot_start_fails_the_step() {
    let mut world = family(vec![child("k", "nobody")], vec![]);
    assert_snapshot!(world.log(), @"");
    let named = |name: &str| child("k", "c").with_child(|child| child.workflow = expr(name));
    let mut world = family(vec![named("5")], vec![]);
    assert_snapshot!(world.log(), @"");
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
        let sends = outstanding(&world.state).into_iter().filter_map(|effect| match effect {
            Effect::Send(command) => Some(command),
            _ => None,
        });
        sends.collect::<Vec<_>>().into_iter().for_each(|command| world.tell(command));
    };
    let mut world = family(vec![child("k", "c")], vec![wait("v", 10)]);
    world.hush();
    ask_again(&mut world);
    assert_eq!(world.log(), "");
    world.tick(10);
    assert!(world.state.runs.values().all(|run| !run.is_live()));

    // The same when the child had ended, but nobody had heard of it.
    let mut world = family(vec![child("k", "c")], vec![wait("v", 10)]);
    let kept = world.state.runs.values().find(|run| run.parent.is_some()).unwrap().id;
    let (_, step) = *world.timers.first().unwrap();
    world.now.0 = world.now.0.plus(10);
    let fired = kernel::decide(&mut world.state, Command::FireTimer { step }, world.now.0, &crate::world::Almanac).unwrap();
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
    world.tell(Command::CompleteTask { token, output: crate::graphs::json("1") });
    world.tell(Command::ResumeRun { run });
    world.done("b", "2");
    assert_snapshot!(world.log(), @"");
}
