//! Scripts of waits for time, signals and events: matching, keeping, expiring.
//!
//! The invariant behind them: no wait is early, and what is kept is consumed once.

use graph::ir::{Filter, Need};
use insta::assert_snapshot;
use kernel::{Command, Rejection};

use crate::graphs::{
    attempt, block, emit, expr, filter, fork, graph, hear, json, listen, repeat, set, split, task,
    wait, wait_until,
};
use crate::world::{World, run, run_on};

#[test]
fn a_wait_is_never_early() {
    let mut world = run_on("1", vec![wait("w", 100)]);
    let step = world.step_named("w");
    world.tick(99);
    assert_eq!(
        world.ask(Command::FireTimer { step }),
        Err(Rejection::NotDue)
    );
    world.tick(1);
    assert_eq!(
        world.ask(Command::FireTimer { step }),
        Err(Rejection::NotDue)
    );
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 w timer 100
    =1 1
    completed 1
    ");
}

#[test]
fn a_wait_until_an_instant() {
    let mut world = run(vec![
        wait_until("w", "\"1970-01-01T00:16:40.050Z\""),
        wait_until("v", "5"),
        wait_until("u", "\"soon\""),
    ]);
    world.tick(50);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 w timer 50
    =1 null
    +2 v timer 0
    =2 null
    !u expression: "soon" is no instant; give RFC 3339 text such as 2030-01-31T08:00:00Z at /u
    ending 0 failed
    failed expression: "soon" is no instant; give RFC 3339 text such as 2030-01-31T08:00:00Z at /u
    "#);
}

#[test]
fn a_signal_ends_the_wait_for_it() {
    let mut world = run(vec![hear("l", "go").output(".[0]")]);
    world.signal("stop", "1");
    world.signal("go", "2");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 l listen
    signal 1 kept {"data":1,"type":"stop"}
    receive 1.0 2
    =1 2
    completed 2
    "#);
}

#[test]
fn an_early_signal_is_kept_and_consumed_once() {
    let mut world = run(vec![task("a"), hear("l", "go"), hear("m", "go")]);
    world.signal("go", "1");
    world.done("a", "null");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 a task null
    signal 1 kept {"data":1,"type":"go"}
    claim 1 #1
    =1 null
    +2 l listen
    signal 1 dropped
    receive 2.0 1
    =2 [1]
    +3 m listen
    "#);
}

#[test]
fn an_expired_signal_is_dropped() {
    let mut world = run(vec![task("a"), hear("l", "go")]);
    world.signal("go", "1");
    world.tick(60_000);
    world.done("a", "null");
    world.hush();
    world.signal("go", "2");
    assert_snapshot!(world.log(), @r"
    receive 2.0 2
    =2 [2]
    completed [2]
    ");
}

#[test]
fn signals_that_are_not_to_be_kept_are_lost_when_nobody_waits() {
    let mut world = run(vec![task("a")]);
    world.hush();
    let run = world.first();
    world.tell(Command::SignalRun {
        run,
        name: "go".into(),
        data: json("1"),
        ttl_ms: 0,
    });
    world.tell(Command::PublishEvent {
        event: json(r#"{"type":"go"}"#),
        ttl_ms: 0,
    });
    assert_eq!(world.log(), "");
}

#[test]
fn all_or_any_of_several() {
    let filters = || vec![filter("x"), filter("y")];
    let mut world = run(vec![
        listen("all", Need::All, filters()),
        listen("any", Need::Count(1), filters()),
    ]);
    world.signal("y", "1");
    world.signal("y", "2");
    world.signal("x", "3");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 all listen
    receive 1.1 1
    signal 1 kept {"data":2,"type":"y"}
    receive 1.0 3
    =1 [1,3]
    +2 any listen
    signal 1 dropped
    receive 2.1 2
    =2 [2]
    completed [2]
    "#);
}

#[test]
fn events_are_told_apart_by_members_condition_and_correlation() {
    let order = Filter {
        with: vec![("source".into(), expr("\"/shop\""))],
        when: Some(".data.total > 10".into()),
        correlate: vec![(".data.order".into(), expr(".order"))],
        ..filter("paid")
    };
    let mut world = run_on(r#"{"order":7}"#, vec![listen("l", Need::All, vec![order])]);
    let event = |source: &str, total: &str, order: i32| {
        format!(
            r#"{{"type":"paid","source":"{source}","data":{{"total":{total},"order":{order}}}}}"#
        )
    };
    world.publish(&event("/other", "20", 7));
    world.publish(&event("/shop", "5", 7));
    world.publish(&event("/shop", "{}", 8));
    world.publish(&event("/shop", "20", 7));
    assert_snapshot!(world.log(), @r#"
    start w {"order":7}
    +1 l listen
    event 1 kept {"data":{"order":7,"total":20},"source":"/other","type":"paid"}
    event 2 kept {"data":{"order":7,"total":5},"source":"/shop","type":"paid"}
    event 3 kept {"data":{"order":8,"total":{}},"source":"/shop","type":"paid"}
    receive 1.0 {"order":7,"total":20}
    =1 [{"order":7,"total":20}]
    completed [{"order":7,"total":20}]
    "#);
}

#[test]
fn an_event_goes_to_all_who_wait_and_a_kept_one_to_the_first() {
    let mut world = World::of(vec![hear("l", "go")]);
    world.publish(r#"{"type":"go","data":1}"#);
    world.start("w", "null");
    world.start("w", "null");
    world.start("w", "null");
    world.publish(r#"{"type":"go","data":2}"#);
    world.publish(r#"{"type":"go","data":3}"#);
    world.tick(60_000);
    assert_snapshot!(world.log(), @r#"
    event 1 kept {"data":1,"type":"go"}
    start w null
    +1 l listen
    event 1 dropped
    receive 1.0 1
    =1 [1]
    completed [1]
    r2 start w null
    r2 +1 l listen
    r3 start w null
    r3 +1 l listen
    r2 receive 1.0 2
    r2 =1 [2]
    r2 completed [2]
    r3 receive 1.0 2
    r3 =1 [2]
    r3 completed [2]
    event 2 kept {"data":3,"type":"go"}
    event 2 dropped
    "#);
}

#[test]
fn events_must_be_objects_with_a_type() {
    let mut world = World::default();
    world.publish("[]");
    world.publish(r#"{"type":""}"#);
    world.publish(r#"{"type":5}"#);
    assert_snapshot!(world.log(), @r#"
    refused invalid: an event is an object with a text member "type"
    refused invalid: event type must have 1 to 256 bytes and no control characters
    refused invalid: an event is an object with a text member "type"
    "#);
}

#[test]
fn a_run_may_hear_what_it_emits_itself() {
    let mut world = run(vec![
        split("s", &[("", "l"), ("", "e")]),
        hear("l", "go").to("exit"),
        emit("e", "{type: \"go\", data: 5}"),
    ]);
    assert_snapshot!(world.log(), @r#"
    start w null
    . s null
    +1 l listen
    . e {"data":5,"id":"01010101-0101-0101-0101-010101010101-2-1dee43a6","source":"/workflows/w","specversion":"1.0","time":"1970-01-01T00:16:40Z","type":"go"}
    exit 0 {"data":5,"id":"01010101-0101-0101-0101-010101010101-2-1dee43a6","source":"/workflows/w","specversion":"1.0","time":"1970-01-01T00:16:40Z","type":"go"}
    receive 1.0 5
    =1 [5]
    completed [5]
    "#);
}

#[test]
fn a_chain_of_runs_that_wake_each_other_is_no_recursion() {
    let mut world = World::default();
    world.quiet = true;
    world.deploy(graph(
        "w",
        vec![
            listen(
                "l",
                Need::All,
                vec![Filter {
                    correlate: vec![(".data".into(), expr("."))],
                    ..filter("go")
                }],
            ),
            emit("e", "{type: \"go\", data: (.[0] + 1)}"),
        ],
    ));
    for place in 0..200 {
        world.start("w", &place.to_string());
    }
    world.publish(r#"{"type":"go","data":0}"#);
    assert!(world.state.runs.values().all(|run| !run.is_live()));
    world.verify();
}

#[test]
fn a_wait_for_a_signal_may_time_out() {
    let mut world = run(vec![
        attempt("t", vec![hear("l", "go").timeout(10)]).catch(vec![set("c", "$error.status")]),
    ]);
    world.tick(10);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    +3 l listen
    !3 timeout: the step took longer than its timeout at /l
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [4 1#0 catch
    . c 408
    ]4 408
    =1 408
    completed 408
    ");
}

#[test]
fn the_first_of_several_waits_withdraws_the_others() {
    let mut world = run(vec![fork(
        "f",
        Need::Count(1),
        vec![
            vec![hear("l", "go")],
            vec![wait("w", 10)],
            vec![block("b", vec![hear("m", "stop")])],
        ],
    )]);
    world.hush();
    world.signal("stop", "1");
    assert!(world.state.listeners.is_empty());
    assert_snapshot!(world.log(), @r"
    receive 9.0 1
    =9 [1]
    ]8 [1]
    =7 [1]
    ]4 [1]
    turn 1 leftover #1
    ending 2 withdrawn
    x5
    ending 3 withdrawn
    x6
    ]2 -
    ]3 -
    =1 [null,null,[1]]
    completed [null,null,[1]]
    ");
}

#[test]
fn a_run_can_hear_the_same_signal_again_and_again() {
    let mut world = run_on(
        "0",
        vec![repeat(
            "l",
            "",
            ". == 3",
            9,
            vec![hear("h", "go").output(".[0]")],
        )],
    );
    world.hush();
    world.signal("go", "1");
    world.signal("go", "3");
    assert_snapshot!(world.log(), @r"
    receive 3.0 1
    =3 1
    ]2 1
    [4 1#1
    +5 h listen
    receive 5.0 3
    =5 3
    ]4 3
    =1 3
    completed 3
    ");
}
