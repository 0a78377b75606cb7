//! Scripts of milestones: a token that passes only while something goes on elsewhere.
//!
//! The invariant behind them: it waits for nothing that goes on already, and looking costs only where it can matter.

use graph::ir::Need;
use insta::assert_snapshot;
use kernel::Command;

use crate::graphs::{N, block, graph, join, map, merge, milestone, set, split, task, wait};
use crate::world::{World, run};

/// Two tasks one after the other, and beside them a task after which a token needs the second one to go on.
fn while_second(gate: N) -> Vec<N> {
    vec![
        split("s", &[("", "a"), ("", "t")]),
        task("a"),
        task("b").to("exit"),
        task("t"),
        gate,
        set("yes", "\"yes\"").to("exit"),
        set("no", "\"no\"").to("exit"),
    ]
}

#[test]
fn a_token_waits_until_the_milestone_is_reached() {
    let mut world = run(while_second(milestone("m", "b"))
        .into_iter()
        .take(6)
        .collect());
    world.done("t", "1");
    assert_eq!(
        world.state.runs[&world.first()].condition(),
        "running",
        "a goes on"
    );
    world.hush();
    world.done("a", "2");
    assert_snapshot!(world.log(), @r#"
    claim 1 #1
    =1 2
    +4 b task 2
    =3 1
    . yes "yes"
    exit 0 "yes"
    "#);
}

#[test]
fn a_token_passes_at_once_or_goes_another_way() {
    let gate = || milestone("m", "b").otherwise("no");
    let mut world = run(while_second(gate()));
    world.done("a", "2");
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r#"
    claim 2 #1
    =2 1
    . m 1
    . yes "yes"
    exit 0 "yes"
    "#);
    let mut world = run(while_second(gate()));
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r#"
    claim 2 #1
    =2 1
    . m 1
    . no "no"
    exit 0 "no"
    "#);
}

#[test]
fn a_milestone_that_is_over_is_not_reached() {
    let mut world = run(while_second(milestone("m", "b").timeout(100))
        .into_iter()
        .take(6)
        .collect());
    world.done("a", "2");
    world.done("b", "3");
    world.hush();
    world.done("t", "1");
    assert_eq!(world.state.runs[&world.first()].condition(), "waiting");
    world.tick(100);
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 1
    +4 m milestone
    !4 timeout: the step took longer than its timeout at /m
    ending 0 failed
    failed timeout: the step took longer than its timeout at /m
    ");
}

#[test]
fn a_milestone_of_a_body_around_is_seen_and_that_of_another_element_is_not() {
    let body = vec![
        split("s", &[("", "g"), ("", "m")]),
        task("g"),
        task("w").to("exit"),
        milestone("m", "w"),
        milestone("m2", "far"),
        task("x"),
    ];
    let nodes = vec![
        split("split", &[("", "each"), ("", "t")]),
        map("each", "[1,2]", 2, body).to("exit"),
        task("t"),
        block("far", vec![task("inner")]).to("exit"),
    ];
    let mut world = run(nodes);
    world.done("g", "1");
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r"
    claim 4 #1
    =4 1
    +11 far region
    [12 11#0
    +13 inner task 1
    =10 null
    +14 x task null
    ");
}

#[test]
fn tokens_that_wait_at_a_join_are_a_milestone_too() {
    let nodes = vec![
        split("s", &[("", "x"), ("", "y"), ("", "m")]),
        task("x").to("j"),
        task("y").to("j"),
        join("j", Need::All).to("exit"),
        milestone("m", "j"),
        set("yes", "\"yes\""),
    ];
    let mut world = run(nodes);
    world.hush();
    world.done("x", "1");
    assert_snapshot!(world.log(), @r#"
    claim 1 #1
    =1 1
    join j 1
    =3 null
    . yes "yes"
    exit 0 "yes"
    "#);
}

#[test]
fn a_milestone_is_seen_after_a_suspension() {
    let nodes = while_second(milestone("m", "b"))
        .into_iter()
        .take(6)
        .collect();
    let mut world = run(nodes);
    let run = world.first();
    world.done("t", "1");
    let token = world.claim("a");
    world.tell(Command::SuspendRun { run });
    world.tell(Command::CompleteTask {
        token,
        output: crate::graphs::json("2"),
    });
    world.hush();
    world.tell(Command::ResumeRun { run });
    assert_snapshot!(world.log(), @r#"
    resumed
    =1 2
    +4 b task 2
    =3 1
    . yes "yes"
    exit 0 "yes"
    "#);
}

#[test]
fn merges_of_many_bodies_each_go_on_in_their_own_time() {
    let body = vec![
        split("s", &[("", "x"), ("", "y")]),
        task("x").to("j"),
        wait("y", 60_000).to("j"),
        merge("j"),
    ];
    let mut world = World::default();
    world.quiet = true;
    world.deploy(graph("w", vec![map("m", "[range(300)]", 300, body)]));
    world.start("w", "0");
    world.tick(10);
    for (_, task) in world.offers.clone() {
        let session = kernel::SessionId(7);
        world.ask(Command::ClaimTask { task, session }).unwrap();
        let token = world.work[&task].token;
        world
            .ask(Command::CompleteTask {
                token,
                output: crate::graphs::json("1"),
            })
            .unwrap();
    }
    world.tick(60_000);
    world.verify();
    let run = world.state.runs.values().next().unwrap();
    assert_eq!(run.condition(), "completed");
}
