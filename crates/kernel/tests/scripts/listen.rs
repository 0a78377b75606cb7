//! Scripts of waits that take many events: until when, each with a body, correlated among themselves.
//!
//! The invariant behind them: an event counts once, and what has come is handled in order.

use graph::ir::{Filter, Need, Until};
use graph::{Expr, Value};
use insta::assert_snapshot;
use kernel::Command;

use crate::graphs::{filter, gather, gather_each, json, listen, set, task};
use crate::world::{World, run};

fn publish(world: &mut World, event: &str) {
    world.tell(Command::PublishEvent {
        event: json(event),
        ttl_ms: 60_000,
    });
}

/// Filters of these types that must agree on `.data.order`.
fn agreeing(types: &[&str]) -> Vec<Filter> {
    let bind = vec![("order".into(), Expr(".data.order".into()))];
    let filters = types.iter().map(|of| Filter {
        bind: bind.clone(),
        ..filter(of)
    });
    filters.collect()
}

#[test]
fn until_a_condition_holds_on_what_has_come() {
    let until = Until::Holds(Expr("length == 2".into()));
    let mut world = run(vec![gather("g", vec![filter("a"), filter("b")], until)]);
    for event in [
        r#"{"type":"a","data":1}"#,
        r#"{"type":"c"}"#,
        r#"{"type":"a","data":2}"#,
    ] {
        publish(&mut world, event);
    }
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 g listen
    receive 1.0 1
    event 1 kept {"type":"c"}
    receive 1.0 2
    =1 [1,2]
    completed [1,2]
    "#);
}

#[test]
fn until_events_that_are_no_part_of_the_result() {
    let until = || Until::Events {
        filters: vec![filter("x"), filter("y")],
        need: Need::All,
    };
    let mut world = run(vec![gather("g", vec![filter("")], until())]);
    for of in ["a", "x", "b", "y"] {
        publish(&mut world, &format!(r#"{{"type":"{of}","data":"{of}"}}"#));
    }
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 g listen
    receive 1.0 "a"
    receive 1.1 null
    receive 1.0 "b"
    receive 1.2 null
    =1 ["a","b"]
    completed ["a","b"]
    "#);
    // What the end waits for must not be taken for an event of the result.
    let mut world = run(vec![gather("g", vec![filter("a")], until())]);
    for of in ["x", "a", "x", "y"] {
        world.signal(of, "1");
    }
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 g listen
    receive 1.1 null
    receive 1.0 1
    signal 1 kept {"data":1,"type":"x"}
    receive 1.2 null
    =1 [1]
    completed [1]
    "#);
}

#[test]
fn every_event_each_once() {
    let mut world = run(vec![
        gather("g", vec![filter("")], Until::Never).timeout(50),
    ]);
    for event in [
        r#"{"type":"a","source":"s","id":"1","data":1}"#,
        r#"{"type":"a","source":"s","id":"1","data":1}"#,
        r#"{"type":"b","source":"t","id":"1","data":2}"#,
        r#"{"type":"a","source":"s","id":"1","data":1}"#,
        r#"{"type":"c","data":3}"#,
        r#"{"type":"c","data":3}"#,
    ] {
        publish(&mut world, event);
    }
    world.tick(50);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 g listen
    receive 1.0 1
    receive 1.0 2
    receive 1.0 3
    receive 1.0 3
    !1 timeout: the step took longer than its timeout at /g
    ending 0 failed
    failed timeout: the step took longer than its timeout at /g
    ");
}

#[test]
fn one_body_after_the_other_in_the_order_of_the_events() {
    let until = Until::Holds(Expr("$context.n == 2".into()));
    let body = vec![
        task("t")
            .output("[$item, $index, .]")
            .export("{n: (($context.n // 0) + 1)}"),
    ];
    let mut world = run(vec![
        gather_each("g", vec![filter("a")], Some(until), body),
        set("s", "."),
    ]);
    for data in ["1", "2", "3"] {
        world.signal("a", data);
    }
    world.done("t", r#""first""#);
    world.done("t", r#""second""#);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 g region
    receive 1.0 1
    [2 1#0
    +3 t task 1
    receive 1.0 2
    receive 1.0 3
    claim 3 #1
    =3 [1,0,"first"]
    ]2 [1,0,"first"]
    [4 1#1
    +5 t task 2
    claim 5 #1
    =5 [2,1,"second"]
    ]4 [2,1,"second"]
    =1 [[1,0,"first"],[2,1,"second"]]
    . s [[1,0,"first"],[2,1,"second"]]
    completed [[1,0,"first"],[2,1,"second"]]
    "#);
}

#[test]
fn all_with_bodies_ends_when_each_was_handled() {
    let mut world = run(vec![gather_each(
        "g",
        vec![filter("a"), filter("b")],
        None,
        vec![task("t")],
    )]);
    world.signal("b", "1");
    world.signal("b", "9");
    world.signal("a", "2");
    world.done("t", "10");
    world.done("t", "20");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 g region
    receive 1.1 1
    [2 1#0
    +3 t task 1
    signal 1 kept {"data":9,"type":"b"}
    receive 1.0 2
    claim 3 #1
    =3 10
    ]2 10
    [4 1#1
    +5 t task 2
    claim 5 #1
    =5 20
    ]4 20
    =1 [10,20]
    completed [10,20]
    "#);
}

#[test]
fn a_body_that_fails_fails_the_listen() {
    let body = vec![crate::graphs::raise("r", "broken")];
    let mut world = run(vec![gather_each(
        "g",
        vec![filter("a")],
        Some(Until::Never),
        body,
    )]);
    world.signal("a", "1");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 g region
    receive 1.0 1
    [2 1#0
    !r broken: raised at /r
    ending 2 failed
    ]2 -
    withdraw 1
    !1 broken: raised at /r
    ending 0 failed
    failed broken: raised at /r
    ");
}

#[test]
fn a_suspended_run_takes_events_and_handles_them_later() {
    let body = vec![set("s", ". + 1")];
    let until = Until::Holds(Expr("length == 2".into()));
    let mut world = run(vec![gather_each("g", vec![filter("a")], Some(until), body)]);
    let run = world.first();
    world.tell(Command::SuspendRun { run });
    world.signal("a", "1");
    world.signal("a", "2");
    world.tell(Command::ResumeRun { run });
    world.tick(0);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 g region
    suspended
    receive 1.0 1
    turn 1 body #1, due 0
    receive 1.0 2
    turn 1 body #1, due 0
    resumed
    turn 1 body #1
    [2 1#0
    . s 2
    ]2 2
    [3 1#1
    . s 3
    ]3 3
    =1 [2,3]
    completed [2,3]
    ");
}

#[test]
fn the_first_event_settles_what_the_others_must_give() {
    let mut world = run(vec![listen("l", Need::All, agreeing(&["paid", "sent"]))]);
    for event in [
        r#"{"type":"paid","data":{"order":null}}"#,
        r#"{"type":"paid","data":{"order":1}}"#,
        r#"{"type":"sent","data":{"order":2}}"#,
        r#"{"type":"sent","data":{"order":1.0}}"#,
    ] {
        publish(&mut world, event);
    }
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 l listen
    event 1 kept {"data":{"order":null},"type":"paid"}
    receive 1.0 {"order":1}
    event 2 kept {"data":{"order":2},"type":"sent"}
    receive 1.1 {"order":1.0}
    =1 [{"order":1},{"order":1.0}]
    completed [{"order":1},{"order":1.0}]
    "#);
}

#[test]
fn kept_events_count_for_a_wait_that_comes_late() {
    let until = Until::Holds(Expr("length == 2".into()));
    let mut world = run(vec![task("t"), gather("g", vec![filter("")], until)]);
    for _ in 0..2 {
        publish(&mut world, r#"{"type":"a","source":"s","id":"1","data":1}"#);
    }
    publish(&mut world, r#"{"type":"b","data":2}"#);
    assert_eq!(world.state.kept_events.len(), 2);
    world.hush();
    world.done("t", "null");
    assert_snapshot!(world.log(), @r"
    claim 1 #1
    =1 null
    +2 g listen
    event 1 dropped
    receive 2.0 1
    event 2 dropped
    receive 2.0 2
    =2 [1,2]
    completed [1,2]
    ");
    assert!(world.state.kept_events.is_empty());
}

#[test]
fn what_a_wait_takes_in_is_bounded() {
    let heavy = Value::text("x".repeat(400_000)).to_json();
    let mut world = run(vec![gather("g", vec![filter("a")], Until::Never)]);
    world.hush();
    for _ in 0..3 {
        world.signal("a", &heavy);
    }
    let log = world.log();
    assert_eq!(
        log.lines().last(),
        Some(
            "failed runtime: the listen took in more than 1048576 bytes of events; let its `until` end it earlier at /g"
        )
    );
    // Bodies take what waits, so that a listen for ever is no burden.
    let mut world = run(vec![gather_each(
        "g",
        vec![filter("a")],
        Some(Until::Never),
        vec![set("s", "null")],
    )]);
    world.quiet = true;
    for _ in 0..20 {
        world.signal("a", &heavy);
    }
    let run = world.first();
    assert!(world.state.runs[&run].is_live());
}
