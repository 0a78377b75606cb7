//! Scripts of a for-each that has enough before its last element, and of one that takes more while it goes on.
//!
//! The invariant behind them: it goes on once, with the outputs that it has; nothing is opened after that.

use graph::ir::{Losers, Need};
use insta::assert_snapshot;
use kernel::Command;
use kernel::limits::DATA_BYTES_MAX;

use crate::graphs::{N, map, saga, set, task};
use crate::world::{World, run, run_on};

/// A for-each over three elements, side by side.
fn some_of_three(need: Need, losers: Losers) -> N {
    map("m", "[1,2,3]", 3, vec![task("a").input("$item")]).with_each(|each| {
        each.need = need;
        each.losers = losers;
    })
}

#[test]
fn two_of_three_elements_and_the_third_withdrawn() {
    let mut world = run(vec![
        some_of_three(Need::Count(2), Losers::Cancel),
        set("b", "."),
    ]);
    world.hush();
    world.done("a", "\"x\"");
    world.done("a", "\"y\"");
    assert_snapshot!(world.log(), @r#"
    claim 5 #1
    =5 "x"
    ]2 "x"
    claim 6 #1
    =6 "y"
    ]3 "y"
    turn 1 leftover #1
    ending 4 withdrawn
    x7
    ]4 -
    =1 ["x","y",null]
    . b ["x","y",null]
    completed ["x","y",null]
    "#);
}

#[test]
fn the_first_element_wins_and_the_others_run_on_unseen() {
    let mut world = run(vec![
        some_of_three(Need::Count(1), Losers::Leave),
        task("b"),
    ]);
    world.hush();
    world.done("a", "\"x\"");
    world.done("b", "\"after\"");
    world.done("a", "\"late\"");
    world.fail("a", "unseen");
    assert_snapshot!(world.log(), @r#"
    claim 5 #1
    =5 "x"
    ]2 "x"
    release 1 ["x",null,null]
    +8 b task ["x",null,null]
    claim 8 #1
    =8 "after"
    exit 0 "after"
    claim 6 #1
    =6 "late"
    ]3 "late"
    claim 7 #1
    !7 unseen: flop at /a
    ending 4 failed
    ]4 -
    x1
    completed "after"
    "#);
}

#[test]
fn a_condition_over_the_outputs_says_when_it_is_enough() {
    let all = map("m", "[1,2,3,4]", 2, vec![task("a").input("$item")])
        .with_each(|each| each.until = Some("add >= 10".into()));
    let mut world = run(vec![all]);
    world.done("a", "3");
    world.done("a", "4");
    assert!(world.has_offer("a"), "7 is not enough");
    world.hush();
    world.done("a", "5");
    assert_snapshot!(world.log(), @r"
    claim 7 #1
    =7 5
    ]6 5
    turn 1 leftover #1
    ending 8 withdrawn
    x9
    ]8 -
    =1 [3,4,5,null]
    completed [3,4,5,null]
    ");
    let all =
        map("m", "[1,2]", 2, vec![task("a")]).with_each(|each| each.until = Some(".x".into()));
    let mut world = run(vec![all]);
    world.hush();
    world.done("a", "3");
    assert_snapshot!(world.log(), @r#"
    claim 4 #1
    =4 3
    ]2 3
    withdraw 1
    ending 3 withdrawn
    x5
    ]3 -
    !1 expression: .x: cannot index array with string "x" at /m
    ending 0 failed
    failed expression: .x: cannot index array with string "x" at /m
    "#);
}

#[test]
fn elements_may_fail_while_enough_are_left() {
    let mut world = run(vec![some_of_three(Need::Count(2), Losers::Cancel)]);
    world.hush();
    world.fail("a", "one");
    assert!(world.has_offer("a"), "two are left");
    world.fail("a", "two");
    assert_snapshot!(world.log(), @r"
    claim 5 #1
    !5 one: flop at /a
    ending 2 failed
    ]2 -
    claim 6 #1
    !6 two: flop at /a
    ending 3 failed
    ]3 -
    withdraw 1
    ending 4 withdrawn
    x7
    ]4 -
    !1 two: flop at /a
    ending 0 failed
    failed two: flop at /a
    ");
}

#[test]
fn fewer_elements_than_needed_are_all_needed() {
    let few =
        map("m", "[1]", 1, vec![set("a", "$item")]).with_each(|each| each.need = Need::Count(5));
    assert_snapshot!(run(vec![few]).log(), @r"
    start w null
    +1 m region
    [2 1#0
    . a 1
    ]2 1
    =1 [1]
    completed [1]
    ");
}

#[test]
fn a_for_each_takes_more_elements_while_others_run() {
    let mut world = run(vec![
        map("m", "[1]", 1, vec![task("a").input("$item")]).more("item", 2),
    ]);
    world.signal("item", "\"second\"");
    world.publish(r#"{"type":"item","data":"third"}"#);
    world.signal("item", "\"left to others\"");
    for output in ["0", "1", "2"] {
        world.done("a", output);
    }
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 m region
    [2 1#0
    +3 a task 1
    item 1 "second"
    item 1 "third"
    signal 1 kept {"data":"left to others","type":"item"}
    claim 3 #1
    =3 0
    ]2 0
    [4 1#1
    +5 a task "second"
    claim 5 #1
    =5 1
    ]4 1
    [6 1#2
    +7 a task "third"
    claim 7 #1
    =7 2
    ]6 2
    =1 [0,1,2]
    completed [0,1,2]
    "#);
}

#[test]
fn elements_that_came_early_are_taken_in_unless_only_the_present_counts() {
    let early = |transient: bool| {
        let mut world = World::of(vec![
            task("wait"),
            map("m", "[1]", 3, vec![task("a").input("$item")])
                .more("item", 5)
                .with_each(|each| {
                    each.more.as_mut().unwrap().filter.transient = transient;
                }),
        ]);
        world.start("w", "null");
        world.signal("item", "2");
        world.publish(r#"{"type":"item","data":3}"#);
        world.done("wait", "null");
        world.verify();
        world.offers.len()
    };
    assert_eq!((early(false), early(true)), (3, 1));
}

#[test]
fn a_for_each_that_knows_what_is_enough_waits_for_it() {
    let mut world = run(vec![
        map("m", "[]", 3, vec![set("a", "$item")])
            .more("item", 5)
            .with_each(|each| each.need = Need::Count(2)),
    ]);
    world.signal("item", "1");
    world.signal("item", "2");
    world.signal("item", "3");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 m region
    item 1 1
    [2 1#0
    . a 1
    ]2 1
    item 1 2
    [3 1#1
    . a 2
    ]3 2
    =1 [1,2]
    completed [1,2]
    refused run-ended: run 01010101-0101-0101-0101-010101010101 has ended
    ");
}

#[test]
fn elements_that_come_to_a_suspended_run_are_begun_once_it_goes_on() {
    let mut world = run(vec![
        map("m", "[1]", 3, vec![task("a").input("$item")]).more("item", 2),
    ]);
    let run = world.first();
    world.tell(Command::SuspendRun { run });
    world.hush();
    world.signal("item", "2");
    world.tick(10);
    assert_snapshot!(world.log(), @r"
    item 1 2
    turn 1 body #1, due 0
    ");
    world.tell(Command::ResumeRun { run });
    world.tick(10);
    assert_snapshot!(world.log(), @r"
    resumed
    turn 1 body #1
    [4 1#1
    +5 a task 2
    ");
}

#[test]
fn elements_that_come_are_bounded_in_number_and_weight() {
    let heavy = format!("\"{}\"", "x".repeat(DATA_BYTES_MAX - 100));
    let mut world = run(vec![
        map("m", "[1]", 10, vec![task("a").input("$item")]).more("item", 9),
    ]);
    world.quiet = true;
    for _ in 0..4 {
        world.signal("item", &heavy);
    }
    assert_eq!(
        world.offers.len(),
        3,
        "one at first, then two of about the bound each"
    );
    let run = &world.state.runs[&world.first()];
    assert_eq!(run.signals.len(), 2, "the others are kept for someone else");
}

#[test]
fn a_won_for_each_in_a_saga_is_undone_as_far_as_it_was_done() {
    let body = vec![task("a").input("$item").undo(vec![set("u", ".")])];
    let each = map("m", "[1,2]", 2, body).with_each(|each| each.need = Need::Count(1));
    let mut world = run_on("0", vec![saga("s", vec![each, task("b")])]);
    world.done("a", "\"done\"");
    world.hush();
    world.fail("b", "broken");
    assert_snapshot!(world.log(), @r#"
    claim 8 #1
    !8 broken: flop at /b
    ending 2 failed
    ]2 -
    withdraw 1
    turn 1 undo #1
    [9 1#0 undo
    . u "done"
    ]9 "done"
    !1 broken: flop at /b
    ending 0 failed
    failed broken: flop at /b
    "#);
}
