//! Scripts of joins that count edges or threads, and of the thread split.
//!
//! The invariant behind them: a token counts once, in the cycle that it belongs to, and waits for that.

use graph::ir::{JoinBy, Need};
use insta::assert_snapshot;
use kernel::limits::JOIN_TOKENS_MAX;

use crate::graphs::{N, join_by, set, split, switch, task, threads};
use crate::world::{World, run, run_on};

/// Two branches that go round by themselves as often as their output says, and what joins them.
fn two_that_come_again(join: N) -> Vec<N> {
    vec![
        split("s", &[("", "a"), ("", "b")]),
        task("a"),
        split("a2", &[(".again", "a"), ("", "j")]),
        task("b"),
        split("b2", &[(".again", "b"), ("", "j")]),
        join.output("map(.n)"),
        task("c").to("exit"),
    ]
}

fn again(n: u32) -> String {
    format!(r#"{{"n":{n},"again":true}}"#)
}

fn last(n: u32) -> String {
    format!(r#"{{"n":{n}}}"#)
}

#[test]
fn a_branch_that_comes_twice_counts_for_two_cycles() {
    let mut world = run(two_that_come_again(join_by("j", JoinBy::Edges, Need::All)));
    world.done("a", &again(1));
    world.done("a", &last(2));
    assert!(!world.has_offer("c"), "b has not come");
    world.done("b", &again(3));
    world.hush();
    world.done("b", &last(4));
    world.done("c", "5");
    world.done("c", "6");
    assert_snapshot!(world.log(), @r#"
    claim 4 #1
    =4 {"n":4}
    . b2 {"n":4}
    join j {"n":4}
    reset j
    . j [2,4]
    +6 c task [2,4]
    claim 5 #1
    =5 5
    exit 0 5
    claim 6 #1
    =6 6
    completed 6
    "#);
}

#[test]
fn a_discriminator_that_blocks_keeps_the_next_cycle_until_all_have_come() {
    let mut world = run(two_that_come_again(join_by(
        "j",
        JoinBy::Edges,
        Need::Count(1),
    )));
    world.hush();
    world.done("a", &again(1));
    world.done("a", &last(2));
    assert_snapshot!(world.log(), @r#"
    claim 1 #1
    =1 {"again":true,"n":1}
    . a2 {"again":true,"n":1}
    +3 a task {"again":true,"n":1}
    join j {"again":true,"n":1}
    . j [1]
    +4 c task [1]
    claim 3 #1
    =3 {"n":2}
    . a2 {"n":2}
    join j {"n":2}
    "#);
    world.done("b", &again(3));
    assert_snapshot!(world.log(), @r#"
    claim 2 #1
    =2 {"again":true,"n":3}
    . b2 {"again":true,"n":3}
    +5 b task {"again":true,"n":3}
    join j {"again":true,"n":3}
    reset j
    . j [2]
    +6 c task [2]
    "#);
    world.done("b", &last(4));
    assert_snapshot!(world.log(), @r#"
    claim 5 #1
    =5 {"n":4}
    . b2 {"n":4}
    join j {"n":4}
    reset j
    "#);
}

#[test]
fn several_cycles_that_wait_go_one_after_the_other() {
    let nodes = vec![
        split("s", &[("", "t"), ("", "b")]),
        threads("t", "3").to("j"),
        threads("b", "2"),
        task("c").to("j"),
        join_by("j", JoinBy::Edges, Need::All),
        set("d", "length").to("exit"),
    ];
    let mut world = run_on("7", nodes);
    world.done("c", "8");
    world.hush();
    world.done("c", "9");
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 9
    join j 9
    reset j
    . j [7,9]
    . d 2
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
}

#[test]
fn ways_of_one_split_to_one_join_are_edges_of_their_own() {
    let twice = |condition: &str| {
        vec![
            split("s", &[("", "j"), (condition, "j")]).to("j"),
            join_by("j", JoinBy::Edges, Need::All),
        ]
    };
    assert_snapshot!(run(twice("")).log(), @r"
    start w null
    . s null
    join j null
    join j null
    reset j
    . j [null,null]
    completed [null,null]
    ");
    assert_snapshot!(run(twice("false")).log(), @r"
    start w null
    . s null
    join j null
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
    let mut skipped = twice("");
    skipped[0] = split("s", &[(".", "j"), (".", "j")]).to("j").when("false");
    let world = &mut run(skipped);
    assert_snapshot!(world.log(), @r"
    start w null
    . s null skipped
    join j null
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
}

#[test]
fn tokens_on_one_edge_become_one() {
    let nodes = |count: &str| {
        vec![
            threads("t", count),
            task("a"),
            join_by("j", JoinBy::Threads, Need::Count(3)),
            set("b", "length"),
        ]
    };
    let mut world = run_on("0", nodes("6"));
    for output in 0..6 {
        world.done("a", &output.to_string());
    }
    assert_snapshot!(world.log(), @r"
    start w 0
    . t 0
    +1 a task 0
    +2 a task 0
    +3 a task 0
    +4 a task 0
    +5 a task 0
    +6 a task 0
    claim 1 #1
    =1 0
    join j 0
    claim 2 #1
    =2 1
    join j 1
    claim 3 #1
    =3 2
    join j 2
    reset j
    . j [0,1,2]
    . b 3
    exit 0 3
    claim 4 #1
    =4 3
    join j 3
    claim 5 #1
    =5 4
    join j 4
    claim 6 #1
    =6 5
    join j 5
    reset j
    . j [3,4,5]
    . b 3
    completed 3
    ");
    let mut world = run_on("0", nodes("4"));
    for output in 0..3 {
        world.done("a", &output.to_string());
    }
    world.hush();
    world.done("a", "3");
    assert_snapshot!(world.log(), @r"
    claim 4 #1
    =4 3
    join j 3
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
}

#[test]
fn the_count_of_tokens_is_a_number_within_bounds() {
    for count in ["0", "1001", "-1", "\"three\"", "1.5"] {
        let mut world = run(vec![threads("t", count), task("a")]);
        assert!(world.log().contains("from 1 to 1000"), "{count}");
    }
}

#[test]
fn many_tokens_go_on_in_the_next_turn_and_keep_their_edges() {
    let nodes = vec![
        split("s", &[("", "x"), ("", "y")]),
        threads("x", "1000").to("j"),
        threads("y", "1000").to("j"),
        join_by("j", JoinBy::Edges, Need::All),
        set("d", "1").to("exit"),
    ];
    let mut world = World::of(nodes);
    world.quiet = true;
    let run = world.start("w", "0");
    assert!(world.state.runs[&run].is_live(), "one turn is not enough");
    world.tick(1);
    world.verify();
    let run = &world.state.runs[&run];
    assert_eq!(run.condition(), "completed", "no token starves");
}

#[test]
fn a_join_holds_so_many_tokens_and_no_more() {
    let nodes = vec![
        split("s", &[("", "a"), ("", "t")]),
        task("a").to("j"),
        threads("t", "1000"),
        split("two", &[("", "j"), (".n < 15", "more")]).to("exit"),
        set("more", "{n: (.n + 1)}").to("t2"),
        switch("t2", &[(".n > 14", "exit")]).to("two"),
        join_by("j", JoinBy::Edges, Need::All),
    ];
    let mut world = World::of(nodes);
    world.quiet = true;
    let run = world.start("w", r#"{"n":0}"#);
    for _ in 0..200 {
        world.tick(1);
    }
    let run = &world.state.runs[&run];
    let told = run
        .failure
        .as_ref()
        .and_then(|failure| failure.detail.clone());
    let bound = format!("more than {JOIN_TOKENS_MAX} tokens wait here");
    assert_eq!(told.as_deref(), Some(&*bound));
}
