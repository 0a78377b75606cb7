//! Scripts of steps that other steps of their run withdraw or cut short.
//!
//! The invariant behind them: what is withdrawn cleans up first, and what waited only for it does not wait for ever.

use graph::ir::Need;
use insta::assert_snapshot;

use crate::graphs::{
    N, attempt, block, child, cut_short, fork, hear, join, map, merge, saga, set, split, task,
    wait, withdraw,
};
use crate::world::{World, run};

/// Work, and beside it a task after which something happens to the work.
fn beside(work: Vec<N>, then: N) -> Vec<N> {
    let first = "a";
    let mut nodes = vec![split("s", &[("", first), ("", "t")])];
    nodes.extend(work);
    nodes.extend([task("t"), then.to("exit")]);
    nodes
}

#[test]
fn one_step_is_withdrawn_and_the_rest_goes_on() {
    let mut world = run(beside(
        vec![task("a"), task("never").to("exit")],
        withdraw("w", &["a"]),
    ));
    let claimed = world.claim("a");
    world.hush();
    world.done("t", "1");
    assert!(
        !world.claims.contains_key(&claimed),
        "the worker is told to stop"
    );
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 1
    . w 1
    x1
    completed 1
    ");
}

#[test]
fn a_region_of_steps_is_withdrawn_and_cleans_up_first() {
    let work = vec![
        attempt(
            "a",
            vec![saga(
                "saga",
                vec![set("x", "1").undo(vec![task("undo")]), task("y")],
            )],
        )
        .finally(vec![task("clean")])
        .to("exit"),
    ];
    let mut world = run(beside(work, withdraw("w", &["a"])));
    world.hush();
    world.done("t", "1");
    world.done("undo", "null");
    world.done("clean", "null");
    assert_snapshot!(world.log(), @r"
    claim 3 #1
    =3 1
    . w 1
    withdraw 1
    ending 2 withdrawn
    withdraw 4
    ending 5 withdrawn
    x6
    exit 0 1
    ]5 -
    turn 4 undo #1
    [7 4#0 undo
    +8 undo task 1
    claim 8 #1
    =8 null
    ]7 null
    x4
    ]2 -
    turn 1 finally #1
    [9 1#0 finally
    +10 clean task null
    claim 10 #1
    =10 null
    ]9 null
    x1
    completed 1
    ");
}

#[test]
fn withdrawing_reaches_out_of_a_body_but_not_into_another_round() {
    let body = vec![
        split("s", &[("", "b"), ("", "t")]),
        task("b").to("exit"),
        task("t"),
        withdraw("w", &["b", "far"]),
    ];
    let nodes = vec![
        split("split", &[("", "m"), ("", "far")]),
        map("m", "[1,2]", 2, body).to("exit"),
        task("far").to("exit"),
    ];
    let mut world = run(nodes);
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r"
    claim 6 #1
    =6 1
    . w 1
    x5
    x4
    ]2 1
    ");
    assert!(world.has_offer("b"), "that of the other element");
}

#[test]
fn a_body_ends_when_its_last_token_is_withdrawn() {
    let nodes = vec![
        block(
            "outer",
            vec![
                block("a", vec![task("t"), withdraw("w", &["a"])]),
                task("never"),
            ],
        ),
        task("after"),
    ];
    let mut world = run(nodes);
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r"
    claim 5 #1
    =5 1
    . w 1
    withdraw 3
    ending 4 withdrawn
    ]4 -
    x3
    ]2 null
    =1 null
    +6 after task null
    ");
}

#[test]
fn tokens_that_wait_at_a_join_are_withdrawn_or_sent_on() {
    let nodes = |end: N| {
        vec![
            split("s", &[("", "x"), ("", "y"), ("", "t")]),
            set("x", "1").to("j"),
            task("y").to("j"),
            join("j", Need::All).to("exit"),
            task("t"),
            end,
        ]
    };
    let mut world = run(nodes(withdraw("w", &["y", "j"])));
    world.hush();
    world.done("t", "2");
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 2
    . w 2
    reset j
    x1
    completed 2
    ");
    let mut world = run(nodes(cut_short("w", &["j"])));
    world.hush();
    world.done("t", "2");
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 2
    . w 2
    reset j
    . j [1]
    exit 0 2
    exit 0 [1]
    ");
}

#[test]
fn a_merge_goes_on_when_what_it_waited_for_is_withdrawn() {
    let nodes = vec![
        split("s", &[("", "x"), ("", "y"), ("", "t")]),
        set("x", "1").to("j"),
        task("y").to("j"),
        task("t"),
        withdraw("w", &["y"]).to("exit"),
        merge("j").to("exit"),
    ];
    let mut world = run(nodes);
    world.hush();
    world.done("t", "2");
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 2
    . w 2
    x1
    exit 0 2
    reset j
    . j [1]
    completed [1]
    ");
}

#[test]
fn a_for_each_that_is_cut_short_goes_on_with_the_outputs_it_has() {
    let each = map("a", "[1,2,3]", 2, vec![task("item").input("$item")]);
    let mut world = run(beside(
        vec![each, set("b", ".").to("exit")],
        cut_short("w", &["a"]),
    ));
    world.done("item", "\"x\"");
    world.hush();
    world.done("t", "1");
    assert_snapshot!(world.log(), @r#"
    claim 4 #1
    =4 1
    . w 1
    turn 1 leftover #1
    ending 3 withdrawn
    x6
    ending 7 withdrawn
    x8
    exit 0 1
    ]3 -
    ]7 -
    =1 ["x",null,null]
    . b ["x",null,null]
    completed ["x",null,null]
    "#);
}

#[test]
fn any_step_can_be_cut_short_and_goes_on_with_what_came_in() {
    let works = [
        task("a"),
        wait("a", 1_000),
        hear("a", "never"),
        child("a", "c"),
        block("a", vec![task("inner")]),
        attempt("a", vec![task("inner")]).catch(vec![task("caught")]),
        saga("a", vec![task("inner")]),
        fork("a", Need::All, vec![vec![task("inner")]]).output("0"),
    ];
    for work in works {
        let mut world = World::default();
        world.deploy(crate::graphs::graph("c", vec![task("of_child")]));
        let nodes = beside(
            vec![work, set("b", ". + 1").to("exit")],
            cut_short("w", &["a"]),
        );
        world.deploy(crate::graphs::graph("w", nodes));
        let run = world.start("w", "0");
        world.done("t", "1");
        let log = world.log();
        assert!(log.contains(". b 1"), "{log}");
        let run = &world.state.runs[&run];
        assert_eq!(run.condition(), "completed", "{log}");
        assert!(world.offers.is_empty(), "{log}");
    }
}

#[test]
fn a_try_that_is_cut_short_still_cleans_up() {
    let work = attempt("a", vec![task("x")]).finally(vec![task("clean")]);
    let mut world = run(beside(
        vec![work, task("b").to("exit")],
        cut_short("w", &["a"]),
    ));
    world.hush();
    world.done("t", "1");
    world.done("clean", "null");
    world.done("b", "2");
    assert_snapshot!(world.log(), @r"
    claim 3 #1
    =3 1
    . w 1
    turn 1 leftover #1
    ending 2 withdrawn
    x4
    exit 0 1
    ]2 -
    turn 1 finally #1
    [5 1#0 finally
    +6 clean task null
    claim 6 #1
    =6 null
    ]5 null
    =1 null
    +7 b task null
    claim 7 #1
    =7 2
    completed 2
    ");
}
