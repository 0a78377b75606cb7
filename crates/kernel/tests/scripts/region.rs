//! Scripts of loop, for-each, fork and saga: what is open, what is gathered, what becomes of the rest.
//!
//! The invariant behind them: a container goes on once, after all that it opened has ended.

use graph::ir::{Losers, Need};
use insta::assert_snapshot;
use kernel::Command;

use crate::graphs::{
    attempt, block, fold, fork, json, map, raise, repeat, saga, set, switch, task, wait,
};
use crate::world::{World, run, run_on};

#[test]
fn a_loop_goes_round_while_its_condition_holds() {
    let mut world = run_on(
        "0",
        vec![repeat("l", ". < 2", "", 10, vec![set("a", ". + 1")])],
    );
    assert_snapshot!(world.log(), @r"
    start w 0
    +1 l region
    [2 1#0
    . a 1
    ]2 1
    [3 1#1
    . a 2
    ]3 2
    =1 2
    completed 2
    ");
}

#[test]
fn a_loop_ends_once_its_condition_is_met() {
    let mut world = run_on("0", vec![repeat("l", "", ". >= 2", 10, vec![task("a")])]);
    world.done("a", "1");
    world.done("a", "2");
    assert_snapshot!(world.log(), @r"
    start w 0
    +1 l region
    [2 1#0
    +3 a task 0
    claim 3 #1
    =3 1
    ]2 1
    [4 1#1
    +5 a task 1
    claim 5 #1
    =5 2
    ]4 2
    =1 2
    completed 2
    ");
}

#[test]
fn a_loop_that_does_not_end_in_time_fails() {
    let mut world = run_on("0", vec![repeat("l", "", "", 2, vec![set("a", ". + 1")])]);
    assert_snapshot!(world.log(), @r"
    start w 0
    +1 l region
    [2 1#0
    . a 1
    ]2 1
    [3 1#1
    . a 2
    ]3 2
    withdraw 1
    !1 runtime: the loop did not end within 2 rounds at /l
    ending 0 failed
    failed runtime: the loop did not end within 2 rounds at /l
    ");
}

#[test]
fn a_long_loop_rests_between_turns_and_keeps_its_data() {
    for body in [vec![set("a", ". + 1")], vec![]] {
        let mut world = World::of(vec![
            repeat("l", "", "", 2_000, body).timeout(60_000),
            set("never", "."),
        ]);
        world.quiet = true;
        world.start("w", "0");
        world.tick(0);
        assert!(world.journal.len() > 3, "{}", world.journal.len());
        assert!(
            world.journal.iter().all(|entry| entry.events.len() < 1_600),
            "a turn is bounded"
        );
        world.verify();
    }
    let mut world = World::of(vec![repeat(
        "l",
        ". < 2000",
        "",
        3_000,
        vec![set("a", ". + 1")],
    )]);
    world.quiet = true;
    world.start("w", "0");
    world.tick(0);
    assert_eq!(
        world.state.runs.values().next().unwrap().output,
        Some(json("2000"))
    );
}

#[test]
fn elements_one_after_the_other() {
    let mut world = run_on(
        "[1,2]",
        vec![fold("f", ".", vec![task("a").input("[., $item, $index]")])],
    );
    world.done("a", "\"x\"");
    world.done("a", "\"y\"");
    assert_snapshot!(world.log(), @r#"
    start w [1,2]
    +1 f region
    [2 1#0
    +3 a task [[1,2],1,0]
    claim 3 #1
    =3 "x"
    ]2 "x"
    [4 1#1
    +5 a task ["x",2,1]
    claim 5 #1
    =5 "y"
    ]4 "y"
    =1 "y"
    completed "y"
    "#);
}

#[test]
fn a_long_fold_keeps_its_data_between_turns() {
    let mut world = World::of(vec![fold("f", "[range(1200)]", vec![set("a", ". + 1")])]);
    world.quiet = true;
    world.start("w", "0");
    world.tick(0);
    world.verify();
    assert_eq!(
        world.state.runs.values().next().unwrap().output,
        Some(json("1200"))
    );
}

#[test]
fn elements_side_by_side_up_to_the_cap_and_gathered_in_order() {
    let mut world = run_on(
        "[1,2,3]",
        vec![map("m", ".", 2, vec![task("a").input("$item")])],
    );
    assert_eq!(world.offers.len(), 2);
    let (first, second) = (world.claim("a"), world.claim("a"));
    world.tell(Command::CompleteTask {
        token: second,
        output: json("\"b\""),
    });
    world.tell(Command::CompleteTask {
        token: first,
        output: json("\"a\""),
    });
    world.done("a", "\"c\"");
    assert_snapshot!(world.log(), @r#"
    start w [1,2,3]
    +1 m region
    [2 1#0
    [3 1#1
    +4 a task 1
    +5 a task 2
    claim 4 #1
    claim 5 #1
    =5 "b"
    ]3 "b"
    [6 1#2
    +7 a task 3
    =4 "a"
    ]2 "a"
    claim 7 #1
    =7 "c"
    ]6 "c"
    =1 ["a","b","c"]
    completed ["a","b","c"]
    "#);
}

#[test]
fn a_for_each_stops_before_the_first_element_not_wanted() {
    let mut world = run_on(
        "[1,2,3]",
        vec![map("m", ".", 3, vec![set("a", "$item * 2")]).while_("$item < 3 and $index < 2")],
    );
    assert_snapshot!(world.log(), @r"
    start w [1,2,3]
    +1 m region
    [2 1#0
    [3 1#1
    turn 1 body #1
    . a 2
    . a 4
    ]2 2
    ]3 4
    =1 [2,4]
    completed [2,4]
    ");
    let mut world = run_on(
        "[5]",
        vec![fold("m", ".", vec![set("a", "$item * 2")]).while_("$item < 3")],
    );
    assert_snapshot!(world.log(), @r"
    start w [5]
    +1 m region
    turn 1 body #1
    =1 [5]
    completed [5]
    ");
}

#[test]
fn a_for_each_over_nothing_or_over_no_list() {
    assert_snapshot!(run_on("[]", vec![map("m", ".", 3, vec![task("a")])]).log(), @r"
    start w []
    +1 m region
    =1 []
    completed []
    ");
    assert_snapshot!(run_on("[]", vec![fold("m", ".", vec![task("a")])]).log(), @r"
    start w []
    +1 m region
    =1 []
    completed []
    ");
    assert_snapshot!(run_on("{}", vec![map("m", ".", 3, vec![task("a")])]).log(), @r"
    start w {}
    !m expression: for-each needs an array, not object at /m
    ending 0 failed
    failed expression: for-each needs an array, not object at /m
    ");
    assert_snapshot!(run(vec![map("m", "[range(100001)]", 3, vec![task("a")])]).log(), @r"
    start w null
    !m runtime: a for-each takes at most 100000 elements at /m
    ending 0 failed
    failed runtime: a for-each takes at most 100000 elements at /m
    ");
}

#[test]
fn an_element_that_fails_withdraws_the_others() {
    let mut world = run_on("[1,2,3]", vec![map("m", ".", 2, vec![task("a")])]);
    world.claim("a");
    world.hush();
    world.fail("a", "broken");
    assert!(world.claims.is_empty() && world.offers.is_empty());
    assert_snapshot!(world.log(), @r"
    claim 5 #1
    !5 broken: flop at /a
    ending 3 failed
    ]3 -
    withdraw 1
    ending 2 withdrawn
    x4
    ]2 -
    !1 broken: flop at /a
    ending 0 failed
    failed broken: flop at /a
    ");
}

fn three(need: Need) -> crate::graphs::N {
    fork(
        "f",
        need,
        vec![vec![task("a")], vec![task("b")], vec![task("c")]],
    )
}

#[test]
fn a_fork_waits_for_all_branches() {
    let mut world = run(vec![three(Need::All)]);
    world.done("c", "3");
    world.done("a", "1");
    world.done("b", "2");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 f region
    [2 1#0
    [3 1#1
    [4 1#2
    +5 a task null
    +6 b task null
    +7 c task null
    claim 7 #1
    =7 3
    ]4 3
    claim 5 #1
    =5 1
    ]2 1
    claim 6 #1
    =6 2
    ]3 2
    =1 [1,2,3]
    completed [1,2,3]
    ");
}

#[test]
fn the_first_branch_wins_and_the_others_are_withdrawn() {
    let mut world = run(vec![
        three(Need::Count(1)).with_fork(|fork| fork.first = true),
        task("next"),
    ]);
    world.claim("a");
    world.done("b", "2");
    assert!(world.claims.is_empty());
    assert!(world.has_offer("next"));
    assert_snapshot!(world.log(), @r"
    start w null
    +1 f region
    [2 1#0
    [3 1#1
    [4 1#2
    +5 a task null
    +6 b task null
    +7 c task null
    claim 5 #1
    claim 6 #1
    =6 2
    ]3 2
    turn 1 leftover #1
    ending 2 withdrawn
    x5
    ending 4 withdrawn
    x7
    ]2 -
    ]4 -
    =1 2
    +8 next task 2
    ");
}

#[test]
fn two_of_three_and_the_third_left_to_itself() {
    let mut world = run(vec![
        three(Need::Count(2))
            .timeout(100)
            .with_fork(|fork| fork.losers = Losers::Leave),
        task("next"),
    ]);
    world.done("c", "3");
    world.done("a", "1");
    world.done("next", "\"out\"");
    world.tick(200);
    world.done("b", "2");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 f region
    [2 1#0
    [3 1#1
    [4 1#2
    +5 a task null
    +6 b task null
    +7 c task null
    claim 7 #1
    =7 3
    ]4 3
    claim 5 #1
    =5 1
    ]2 1
    release 1 [1,null,3]
    +8 next task [1,null,3]
    claim 8 #1
    =8 "out"
    exit 0 "out"
    claim 6 #1
    =6 2
    ]3 2
    x1
    completed "out"
    "#);
}

#[test]
fn a_branch_that_is_left_may_end_first_or_fail() {
    let mut world = run(vec![
        three(Need::Count(1)).with_fork(|fork| fork.losers = Losers::Leave),
        task("next"),
    ]);
    world.done("a", "1");
    world.hush();
    world.fail("b", "broken");
    world.done("c", "3");
    world.done("next", "\"out\"");
    assert_snapshot!(world.log(), @r#"
    claim 6 #1
    !6 broken: flop at /b
    ending 3 failed
    ]3 -
    claim 7 #1
    =7 3
    ]4 3
    x1
    claim 8 #1
    =8 "out"
    completed "out"
    "#);
}

#[test]
fn a_fork_fails_once_too_few_branches_are_left() {
    let mut world = run(vec![three(Need::Count(2))]);
    world.fail("a", "broken");
    world.hush();
    world.fail("b", "broken too");
    assert_snapshot!(world.log(), @r"
    claim 6 #1
    !6 broken too: flop at /b
    ending 3 failed
    ]3 -
    withdraw 1
    ending 4 withdrawn
    x7
    ]4 -
    !1 broken too: flop at /b
    ending 0 failed
    failed broken too: flop at /b
    ");
}

#[test]
fn a_fork_of_many_branches_opens_them_over_several_turns() {
    let branches = (0..600).map(|_| vec![task("a")]).collect();
    let mut world = World::of(vec![fork("f", Need::All, branches)]);
    world.quiet = true;
    world.start("w", "null");
    world.tick(0);
    assert_eq!(world.offers.len(), 600);
    (0..600).for_each(|_| world.done("a", "1"));
    world.verify();
    assert!(world.offers.is_empty());
}

#[test]
fn a_fork_won_before_all_branches_were_open_opens_no_more() {
    for losers in [Losers::Cancel, Losers::Leave] {
        let mut branches: Vec<Vec<_>> = vec![vec![set("quick", "1")]];
        branches.extend((0..600).map(|_| vec![task("a")]));
        let fork = fork("f", Need::Count(1), branches).with_fork(|fork| fork.losers = losers);
        let mut world = World::of(vec![fork, task("next")]);
        world.quiet = true;
        world.start("w", "null");
        world.tick(0);
        assert!(world.has_offer("next"));
        assert!(world.offers.len() < 300, "{}", world.offers.len());
        world.verify();
    }
}

fn booking() -> Vec<crate::graphs::N> {
    vec![
        saga(
            "s",
            vec![
                task("flight").undo(vec![task("unflight")]),
                block("b", vec![set("hotel", "\"h\"").undo(vec![task("unhotel")])]),
                task("car").undo(vec![task("uncar")]),
            ],
        ),
        task("after"),
    ]
}

#[test]
fn a_saga_that_fails_undoes_in_reverse() {
    let mut world = run(booking());
    world.done("flight", "\"f\"");
    world.hush();
    world.fail("car", "broken");
    world.done("unhotel", "null");
    world.done("unflight", "null");
    assert_snapshot!(world.log(), @r#"
    claim 6 #1
    !6 broken: flop at /car
    ending 2 failed
    ]2 -
    withdraw 1
    turn 1 undo #1
    [7 1#0 undo
    +8 unhotel task "h"
    claim 8 #1
    =8 null
    ]7 null
    [9 1#0 undo
    +10 unflight task "f"
    claim 10 #1
    =10 null
    ]9 null
    !1 broken: flop at /car
    ending 0 failed
    failed broken: flop at /car
    "#);
}

#[test]
fn a_saga_that_ends_well_forgets_what_it_would_undo() {
    let mut world = run(booking());
    world.done("flight", "\"f\"");
    world.done("car", "\"c\"");
    world.hush();
    world.fail("after", "broken");
    assert_snapshot!(world.log(), @r"
    claim 7 #1
    !7 broken: flop at /after
    ending 0 failed
    failed broken: flop at /after
    ");
}

#[test]
fn what_was_skipped_is_not_undone() {
    let mut world = run_on(
        "0",
        vec![saga(
            "s",
            vec![
                set("a", "1").undo(vec![set("unset", "2")]),
                task("b").when("false").undo(vec![task("unwork")]),
                raise("c", "oops"),
            ],
        )],
    );
    assert_snapshot!(world.log(), @r"
    start w 0
    +1 s region
    [2 1#0
    . a 1
    . b 1 skipped
    !c oops: raised at /c
    ending 2 failed
    ]2 -
    withdraw 1
    turn 1 undo #1
    [3 1#0 undo
    . unset 2
    ]3 2
    !1 oops: raised at /c
    ending 0 failed
    failed oops: raised at /c
    ");
}

#[test]
fn an_undo_that_fails_does_not_keep_the_others_from_running() {
    let mut world = run(booking());
    world.done("flight", "\"f\"");
    world.fail("car", "broken");
    world.hush();
    world.fail("unhotel", "stuck");
    world.done("unflight", "null");
    assert_snapshot!(world.log(), @r#"
    claim 8 #1
    !8 stuck: flop at /unhotel
    ending 7 failed
    ]7 -
    [9 1#0 undo
    +10 unflight task "f"
    claim 10 #1
    =10 null
    ]9 null
    !1 broken: flop at /car
    ending 0 failed
    failed broken: flop at /car
    "#);
}

#[test]
fn cancelling_a_run_undoes_its_saga() {
    let mut world = run(booking());
    world.done("flight", "\"f\"");
    world.hush();
    world.cancel();
    world.done("unhotel", "null");
    world.done("unflight", "null");
    assert_snapshot!(world.log(), @r#"
    cancel requested
    ending 0 withdrawn
    withdraw 1
    ending 2 withdrawn
    x6
    ]2 -
    turn 1 undo #1
    [7 1#0 undo
    +8 unhotel task "h"
    claim 8 #1
    =8 null
    ]7 null
    [9 1#0 undo
    +10 unflight task "f"
    claim 10 #1
    =10 null
    ]9 null
    x1
    cancelled cancelled: cancelled on request
    "#);
}

#[test]
fn a_saga_within_a_saga_hands_on_what_it_did() {
    let mut world = run(vec![saga(
        "outer",
        vec![
            task("a").undo(vec![task("una")]),
            saga("inner", vec![task("b").undo(vec![task("unb")])]).undo(vec![task("uninner")]),
            raise("r", "broken"),
        ],
    )]);
    world.done("a", "1");
    world.done("b", "2");
    world.hush();
    world.done("uninner", "null");
    world.done("unb", "null");
    world.done("una", "null");
    assert_snapshot!(world.log(), @r"
    claim 8 #1
    =8 null
    ]7 null
    [9 1#0 undo
    +10 unb task 2
    claim 10 #1
    =10 null
    ]9 null
    [11 1#0 undo
    +12 una task 1
    claim 12 #1
    =12 null
    ]11 null
    !1 broken: raised at /r
    ending 0 failed
    failed broken: raised at /r
    ");
}

#[test]
fn each_element_is_undone() {
    let mut world = run(vec![saga(
        "s",
        vec![
            map(
                "m",
                "[1,2]",
                2,
                vec![set("a", "$item").undo(vec![task("una")])],
            ),
            raise("r", "broken"),
        ],
    )]);
    world.hush();
    world.done("una", "null");
    world.done("una", "null");
    assert_snapshot!(world.log(), @r"
    claim 7 #1
    =7 null
    ]6 null
    [8 1#0 undo
    +9 una task 1
    claim 9 #1
    =9 null
    ]8 null
    !1 broken: raised at /r
    ending 0 failed
    failed broken: raised at /r
    ");
}

#[test]
fn a_saga_whose_run_ends_on_purpose_is_not_undone() {
    let mut world = run(vec![saga(
        "s",
        vec![
            set("a", "1").undo(vec![task("una")]),
            switch("t", &[("", "end")]),
        ],
    )]);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 s region
    [2 1#0
    . a 1
    . t 1
    ending 0 completed 1
    withdraw 1
    ending 2 withdrawn
    ]2 -
    x1
    completed 1
    ");
}

#[test]
fn end_within_a_compensation_or_clean_up_just_ends_that() {
    let mut world = run(vec![
        attempt(
            "outer",
            vec![saga(
                "s",
                vec![
                    set("a", "1").undo(vec![set("una", "2").to("end")]),
                    wait("w", 10).timeout(5),
                ],
            )],
        )
        .finally(vec![set("f", "3").to("end")]),
    ]);
    world.hush();
    world.tick(5);
    assert_snapshot!(world.log(), @r"
    !5 timeout: the step took longer than its timeout at /w
    ending 4 failed
    ]4 -
    withdraw 3
    turn 3 undo #1
    [6 3#0 undo
    . una 2
    ending 0 completed 2
    withdraw 1
    ending 2 withdrawn
    ]6 2
    !3 timeout: the step took longer than its timeout at /w
    ]2 -
    turn 1 finally #1
    [7 1#0 finally
    . f 3
    ]7 3
    x1
    completed 2
    ");
}
