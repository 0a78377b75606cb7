//! Scripts of the flow of tokens: shaping, switch, raise, split, join, cycles, end, yielding.
//!
//! The invariant behind them: a token is never lost or doubled, and no turn goes on without bound.

use graph::ir::{Losers, Need};
use insta::assert_snapshot;
use kernel::limits::{RUN_STEPS_MAX, TURN_TRANSITIONS_MAX};
use kernel::{Command, Event, RunEvent};

use crate::graphs::{
    N, block, emit, fork, graph, join, json, map, merge, raise, set, split, switch, task, wait,
};
use crate::world::{World, run, run_on};

#[test]
fn data_is_shaped_on_its_way() {
    let mut world = run_on(
        r#"{"x":1}"#,
        vec![
            set("a", "{y: (.x + 1)}")
                .input("{x: (.x * 10)}")
                .output("{z: .y, was: $input.x}")
                .export("{seen: .z}"),
            set("skipped", "1").when(".z > 100"),
            task("b")
                .input("{z, seen: $context.seen}")
                .output("[., $input.seen, $task.name]"),
        ],
    );
    world.done("b", "true");
    assert_snapshot!(world.log(), @r#"
    start w {"x":1}
    . a {"was":10,"z":11}
    . skipped {"was":10,"z":11} skipped
    +1 b task {"seen":11,"z":11}
    claim 1 #1
    =1 [true,11,"b"]
    completed [true,11,"b"]
    "#);
}

#[test]
fn a_graph_shapes_the_data_of_the_run() {
    let mut world = World::default();
    let mut shaped = graph("w", vec![set("a", "{y: .x}")]);
    shaped.input = Some(crate::graphs::expr("{x: .[0]}"));
    shaped.output = Some(crate::graphs::expr("[.y, $workflow.name]"));
    world.deploy(shaped);
    world.start("w", "[5]");
    assert_snapshot!(world.log(), @r#"
    start w [5]
    . a {"y":5}
    completed [5,"w"]
    "#);
}

#[test]
fn a_failing_expression_is_the_failure_of_the_step() {
    let mut world = run_on("\"text\"", vec![set("a", ".x")]);
    assert_snapshot!(world.log(), @r#"
    start w "text"
    !a expression: .x: cannot index string with string "x" at /a
    ending 0 failed
    failed expression: .x: cannot index string with string "x" at /a
    "#);
}

#[test]
fn an_empty_workflow_ends_at_once() {
    let mut world = run_on("7", vec![]);
    assert_snapshot!(world.log(), @r"
    start w 7
    completed 7
    ");
}

#[test]
fn a_switch_takes_the_first_case_that_holds() {
    let nodes = || {
        vec![
            switch("s", &[(".x == 1", "one"), (".x == 2", "exit")]),
            set("other", "\"other\"").to("exit"),
            set("one", "\"one\""),
        ]
    };
    let mut logs = String::new();
    for x in 1..=3 {
        logs += &run_on(&format!(r#"{{"x":{x}}}"#), nodes()).log();
    }
    assert_snapshot!(logs, @r#"
    start w {"x":1}
    . s {"x":1}
    . one "one"
    completed "one"
    start w {"x":2}
    . s {"x":2}
    completed {"x":2}
    start w {"x":3}
    . s {"x":3}
    . other "other"
    completed "other"
    "#);
}

#[test]
fn raise_and_emit() {
    let mut world = run(vec![
        emit("e", "{type: \"made\", data: 1}").output(".type"),
        raise("r", "custom"),
    ]);
    assert_snapshot!(world.log(), @r#"
    start w null
    . e "made"
    !r custom: raised at /r
    ending 0 failed
    failed custom: raised at /r
    event 1 kept {"data":1,"id":"01010101-0101-0101-0101-010101010101-0-62269d42","source":"/workflows/w","specversion":"1.0","time":"1970-01-01T00:16:40Z","type":"made"}
    "#);
}

#[test]
fn an_event_must_have_a_type() {
    let mut world = run(vec![emit("e", "{kind: 1}")]);
    assert_snapshot!(world.log(), @r#"
    start w null
    !e runtime: the event was refused: an event is an object with a text member "type" at /e
    ending 0 failed
    failed runtime: the event was refused: an event is an object with a text member "type" at /e
    "#);
}

#[test]
fn tokens_that_are_not_joined_each_go_on() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b")]),
        task("a").to("c"),
        task("b").to("c"),
        task("c"),
    ]);
    world.done("a", "1");
    world.done("b", "2");
    world.done("c", "3");
    world.done("c", "4");
    assert_snapshot!(world.log(), @r"
    start w null
    . s null
    +1 a task null
    +2 b task null
    claim 1 #1
    =1 1
    +3 c task 1
    claim 2 #1
    =2 2
    +4 c task 2
    claim 3 #1
    =3 3
    exit 0 3
    claim 4 #1
    =4 4
    completed 4
    ");
}

#[test]
fn a_join_waits_for_every_edge() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b")]),
        task("a").to("j"),
        task("b").to("j"),
        join("j", Need::All).output("{sum: add}"),
    ]);
    world.done("b", "2");
    world.done("a", "1");
    assert_snapshot!(world.log(), @r#"
    start w null
    . s null
    +1 a task null
    +2 b task null
    claim 2 #1
    =2 2
    join j 2
    claim 1 #1
    =1 1
    join j 1
    reset j
    . j {"sum":3}
    completed {"sum":3}
    "#);
}

#[test]
fn a_discriminator_lets_the_first_go_on_and_starts_anew_after_the_last() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b"), ("", "c")]),
        task("a").to("j"),
        task("b").to("j"),
        task("c").to("j"),
        join("j", Need::Count(1)),
        task("d"),
        switch("again", &[(". == \"again\"", "s")]),
    ]);
    world.done("b", "1");
    world.done("a", "2");
    world.done("c", "3");
    world.done("d", "\"again\"");
    world.done("c", "4");
    world.done("d", "null");
    world.done("a", "5");
    world.done("b", "6");
    assert_snapshot!(world.log(), @r#"
    start w null
    . s null
    +1 a task null
    +2 b task null
    +3 c task null
    claim 2 #1
    =2 1
    join j 1
    . j [1]
    +4 d task [1]
    claim 1 #1
    =1 2
    join j 2
    claim 3 #1
    =3 3
    join j 3
    reset j
    claim 4 #1
    =4 "again"
    . again "again"
    . s "again"
    +5 a task "again"
    +6 b task "again"
    +7 c task "again"
    claim 7 #1
    =7 4
    join j 4
    . j [4]
    +8 d task [4]
    claim 8 #1
    =8 null
    . again null
    exit 0 null
    claim 5 #1
    =5 5
    join j 5
    claim 6 #1
    =6 6
    join j 6
    reset j
    completed null
    "#);
}

#[test]
fn a_join_whose_tokens_cannot_come_any_more_fails() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b")]),
        task("a").to("j"),
        task("b"),
        switch("c", &[(". == 0", "j")]).to("exit"),
        join("j", Need::All),
    ]);
    world.done("a", "1");
    world.done("b", "2");
    assert_snapshot!(world.log(), @r"
    start w null
    . s null
    +1 a task null
    +2 b task null
    claim 1 #1
    =1 1
    join j 1
    claim 2 #1
    =2 2
    . c 2
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
}

#[test]
fn the_second_of_two_joins_may_starve_too() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b"), ("", "c"), ("false", "d")]),
        switch("a", &[("false", "j")]).to("exit"),
        set("b", ".").to("j"),
        switch("c", &[("true", "k"), ("", "j")]),
        join("j", Need::Count(1)).to("exit"),
        switch("d", &[("", "k")]).when("false"),
        join("k", Need::All),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    . s null
    . a null
    . b null
    . c null
    exit 0 null
    join j null
    . j [null]
    join k null
    !k runtime: the join waits for tokens that can no longer come at /k
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /k
    ");
}

#[test]
fn a_split_takes_the_cases_that_hold_or_else_goes_on() {
    let nodes = || {
        vec![
            split("s", &[(".x > 1", "a"), (".x > 2", "b")]).to("c"),
            set("a", "1").to("exit"),
            set("b", "2").to("exit"),
            set("c", "3"),
        ]
    };
    let mut logs = String::new();
    for x in 1..=3 {
        logs += &run_on(&format!(r#"{{"x":{x}}}"#), nodes()).log();
    }
    assert_snapshot!(logs, @r#"
    start w {"x":1}
    . s {"x":1}
    . c 3
    completed 3
    start w {"x":2}
    . s {"x":2}
    . a 1
    completed 1
    start w {"x":3}
    . s {"x":3}
    . a 1
    . b 2
    exit 0 1
    completed 2
    "#);
}

#[test]
fn a_cycle_with_two_entries() {
    let mut world = run_on(
        "0",
        vec![
            switch("s", &[(". == 1", "b")]),
            set("a", ". + 1"),
            set("b", ". * 3"),
            switch("t", &[(". < 20", "a")]),
        ],
    );
    assert_snapshot!(world.log(), @r"
    start w 0
    . s 0
    . a 1
    . b 3
    . t 3
    . a 4
    . b 12
    . t 12
    . a 13
    . b 39
    . t 39
    completed 39
    ");
}

#[test]
fn an_endless_cycle_yields_after_each_turn() {
    let mut world = run_on("0", vec![set("a", ". + 1").to("a")]);
    world.quiet = true;
    for _ in 0..3 {
        let turn = &world.journal.last().unwrap().events;
        assert!((500..520).contains(&turn.len()), "{}", turn.len());
        let (_, step) = *world.timers.first().unwrap();
        world.tell(Command::FireTimer { step });
    }
    // A run that has gone round for long enough is stopped.
    let first = world.first();
    world.state.runs.get_mut(&first).unwrap().entered = RUN_STEPS_MAX - 1_000;
    world.journal.clear();
    for _ in 0..3 {
        let Some((_, step)) = world.timers.first().copied() else {
            break;
        };
        world.tell(Command::FireTimer { step });
    }
    let run = &world.state.runs[&first];
    assert_eq!(
        run.failure.as_ref().unwrap().detail.as_deref(),
        Some("the run reached the limit of 1000000 steps and bodies")
    );
}

#[test]
fn end_from_a_nested_place_ends_everything_well() {
    let mut world = run(vec![
        fork(
            "f",
            Need::All,
            vec![
                vec![block("d", vec![task("a").to("end")])],
                vec![map("m", "[1,2]", 2, vec![task("b")])],
                vec![wait("w", 50)],
            ],
        ),
        task("never"),
    ]);
    world.hush();
    world.done("a", "\"out\"");
    assert!(world.offers.is_empty());
    assert_snapshot!(world.log(), @r#"
    claim 11 #1
    =11 "out"
    ending 0 completed "out"
    withdraw 1
    ending 2 withdrawn
    withdraw 5
    ending 6 withdrawn
    ending 3 withdrawn
    withdraw 7
    ending 8 withdrawn
    x12
    ending 9 withdrawn
    x13
    ending 4 withdrawn
    x10
    ]6 -
    x5
    ]8 -
    ]9 -
    x7
    ]4 -
    ]2 -
    ]3 -
    x1
    completed "out"
    "#);
}

#[test]
fn a_step_after_a_long_way_begins_in_the_next_turn() {
    let mut nodes: Vec<N> = (0..TURN_TRANSITIONS_MAX)
        .map(|place| set(&format!("s{place}"), "."))
        .collect();
    nodes.push(task("a"));
    let mut world = World::of(nodes);
    world.quiet = true;
    let run = world.start("w", "0");
    assert!(!world.has_offer("a"));
    world.tick(0);
    assert!(world.has_offer("a"));
    let began = |entry: &kernel::Entry| {
        entry
            .events
            .iter()
            .any(|event| matches!(event, Event::Run(fact) if fact.fact.name() == "StepBegan"))
    };
    assert!(world.journal.iter().any(began), "{run} was not held back");
    world.verify();
}

#[test]
fn the_input_of_a_node_is_what_it_was_on_entry() {
    let seen = "{n: $context.n}";
    let branches = vec![
        vec![task("a").input(seen).output("$input")],
        vec![wait("b", 10).input(seen)],
        vec![task("c").input(seen).export("{n: ($input.n + 1)}")],
        vec![set("late", "null").export("{n: 99}")],
        vec![task("d").input(seen)],
    ];
    let mut world = run(vec![
        set("first", "null").export("{n: 1}"),
        fork("f", Need::All, branches),
        set("last", "[., $context.n]"),
    ]);
    world.done("a", "null");
    world.tick(10);
    world.done("c", "null");
    let kept: Vec<bool> = world
        .journal
        .iter()
        .flat_map(|entry| &entry.events)
        .filter_map(|event| match event {
            Event::Run(fact) => match &fact.fact {
                RunEvent::StepEntered(entered) => Some(entered.shaped.is_some()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    // The fork, a to d: kept only where something can see it.
    assert_eq!(kept, [false, true, true, true, false]);
    world.hush();
    world.done("d", "null");
    assert!(
        world
            .log()
            .ends_with("completed [[{\"n\":1},{\"n\":1},null,null,null],2]\n"),
    );
}

#[test]
fn a_task_knows_what_came_in_and_since_when() {
    let told = "[$task.input.n, ($task.startedAt.epoch.milliseconds - $workflow.startedAt.epoch.milliseconds)]";
    let of = |node: N| node.input(".n").output(told);
    let with_condition = task("b").when("$task.input.n == 7");
    let mut world = run_on(
        "{\"n\": 7}",
        vec![
            set("in", "."),
            of(wait("a", 100)).export("{a: .}").to("back"),
            set("back", "$workflow.input"),
            of(with_condition).export("$context + {b: .}"),
            set("again", "$workflow.input"),
            of(block("c", vec![wait("c1", 10)])).export("$context + {c: .}"),
            set("once more", "$workflow.input"),
            of(set("d", ".")),
            set("last", "$context + {d: .}"),
        ],
    );
    world.tick(100);
    world.tick(40);
    world.done("b", "1");
    world.tick(10);
    // What took time tells when it began, not when it was asked.
    let log = world.log();
    let told = r#"completed {"a":[7,0],"b":[7,100],"c":[7,140],"d":[7,150]}"#;
    assert!(log.trim_end().ends_with(told), "{log}");
    world.verify();
}

/// Two branches, of which the second is taken for a 1 only and may come round again.
fn reviews() -> Vec<N> {
    vec![
        split("s", &[("", "a"), (". == 1", "b")]),
        task("a").to("m"),
        task("b"),
        switch("again", &[(". == \"again\"", "b")]).to("m"),
        merge("m"),
        task("end"),
    ]
}

#[test]
fn a_merge_waits_for_what_can_still_come_and_no_longer() {
    for (input, expected) in [("0", "[2]"), ("1", "[2,3]")] {
        let mut world = run_on(input, reviews());
        world.done("a", "2");
        assert_eq!(world.has_offer("end"), input == "0");
        if input == "1" {
            world.done("b", "\"again\"");
            assert!(!world.has_offer("end"), "the other token comes round again");
            world.done("b", "3");
        }
        let task = world.claim("end");
        assert_eq!(world.work[&task.step_ref()].input, json(expected));
        world.verify();
    }
}

#[test]
fn merges_that_reach_each_other_do_not_wait_for_each_other() {
    // m1 -> c -> m2 -> d -> m1 or out: a cycle with a merge at either side.
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b")]),
        task("a").to("m1"),
        task("b").to("m2"),
        merge("m1"),
        set("c", "[\"c\", .]").to("m2"),
        merge("m2"),
        switch("d", &[(". == [2]", "m1")]),
    ]);
    world.done("a", "1");
    // The token at m1 waits for b, which can come round to it.
    assert_eq!(world.state.runs[&world.first()].steps.len(), 1);
    world.hush();
    world.done("b", "2");
    assert_snapshot!(world.log(), @r#"
    claim 2 #1
    =2 2
    join m2 2
    reset m1
    . m1 [1]
    . c ["c",[1]]
    join m2 ["c",[1]]
    reset m2
    . m2 [2,["c",[1]]]
    . d [2,["c",[1]]]
    completed [2,["c",[1]]]
    "#);
}

#[test]
fn a_merge_behind_a_join_that_starves_does_not_hide_it() {
    let mut world = run(vec![
        split("s", &[("", "a"), ("", "b"), (". == 1", "c")]),
        task("a").to("j"),
        task("b").to("m"),
        task("c").to("j"),
        join("j", Need::All),
        merge("m"),
    ]);
    world.done("a", "1");
    world.hush();
    world.done("b", "2");
    assert_snapshot!(world.log(), @r"
    claim 2 #1
    =2 2
    join m 2
    !j runtime: the join waits for tokens that can no longer come at /j
    ending 0 failed
    failed runtime: the join waits for tokens that can no longer come at /j
    ");
}

#[test]
fn a_merge_does_not_wait_for_the_branches_that_a_race_left_behind() {
    let race = fork(
        "race",
        Need::Count(1),
        vec![vec![task("a")], vec![task("b")]],
    )
    .with_fork(|fork| {
        fork.losers = Losers::Leave;
        fork.first = true;
    });
    let mut world = run(vec![
        split("s", &[("", "race"), ("", "c")]),
        race.to("m"),
        task("c").to("m"),
        merge("m"),
        task("end"),
    ]);
    world.done("c", "1");
    assert!(!world.has_offer("end"));
    world.done("a", "2");
    let task = world.claim("end");
    assert_eq!(world.work[&task.step_ref()].input, json("[1,2]"));
}
