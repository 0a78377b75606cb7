//! Scripts of the bounds: every one has a rejection or a failure behind it.
//!
//! And of cost: work and bytes grow no faster than what is asked, counted and not timed.

use graph::Value;
use insta::assert_snapshot;
use kernel::codec::encode;
use kernel::limits::{
    DATA_BYTES_MAX, EVENT_LISTENERS_MAX, EVENTS_KEPT_MAX, LABELS_MAX, MESSAGES_MAX,
    PUBLISHED_BYTES_MAX, SIGNALS_MAX, TURN_BYTES_MAX,
};
use kernel::signal::KeptEvent;
use kernel::{Command, Event, Message, Rejection, RunId, StepId, StepRef};

use crate::graphs::{block, emit, expr, hear, json, map, repeat, set, task};
use crate::world::{World, run};

fn heavy() -> Value {
    Value::text("x".repeat(DATA_BYTES_MAX))
}

fn deep(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::array(vec![inner]))
}

#[test]
fn heavy_data_is_refused_at_the_door() {
    let mut world = run(vec![task("a")]);
    let id = world.first();
    world.hush();
    let start = kernel::StartRun {
        input: heavy(),
        ..world.starting("w", "1")
    };
    world.tell(Command::StartRun(start));
    let start = kernel::StartRun {
        input: deep(101),
        ..world.starting("w", "1")
    };
    world.tell(Command::StartRun(start));
    let labels = (0..=LABELS_MAX)
        .map(|place| (format!("{place}").into(), "x".into()))
        .collect();
    let start = kernel::StartRun {
        labels,
        ..world.starting("w", "1")
    };
    world.tell(Command::StartRun(start));
    world.tell(Command::SignalRun {
        run: id,
        name: "s".into(),
        data: heavy(),
        ttl_ms: 1,
    });
    world.tell(Command::SignalRun {
        run: id,
        name: "s".repeat(257).into(),
        data: json("1"),
        ttl_ms: 1,
    });
    world.tell(Command::PublishEvent {
        event: Value::from([("type", Value::from("e")), ("data", heavy())]),
        ttl_ms: 1,
    });
    world.tell(Command::CancelRun {
        run: id,
        reason: Some("x".repeat(5_000).into()),
    });
    assert_snapshot!(world.log(), @r"
    refused limit-reached: limit reached: input (at most 1048576)
    refused limit-reached: limit reached: input (at most 1048576)
    refused limit-reached: limit reached: labels of one run (at most 64)
    refused limit-reached: limit reached: signal (at most 1048576)
    refused invalid: signal name must have 1 to 256 bytes and no control characters
    refused limit-reached: limit reached: event (at most 1048576)
    refused limit-reached: limit reached: bytes of a reason (at most 4096)
    ");
}

#[test]
fn heavy_data_made_by_a_run_is_its_failure() {
    let mut world = run(vec![task("a")]);
    world.hush();
    let token = world.claim("a");
    world.tell(Command::CompleteTask {
        token,
        output: heavy(),
    });
    assert_snapshot!(world.log(), @r"
    claim 1 #1
    !1 runtime: the worker returned more than 1048576 bytes at /a
    ending 0 failed
    failed runtime: the worker returned more than 1048576 bytes at /a
    ");
    let double = || vec![set("a", ". + .")];
    let mut world = World::of(vec![repeat("l", "", "", 100, double())]);
    world.quiet = true;
    let id = world.start("w", "\"xxxxxxxx\"");
    world.tick(0);
    world.verify();
    let failure = world.state.runs[&id].failure.clone().unwrap();
    assert_eq!(failure.instance.as_deref(), Some("/a"));
    let mut world = run(vec![map(
        "m",
        "[range(20)]",
        1,
        vec![set("a", "\"x\" * 100000")],
    )]);
    assert_snapshot!(world.log().lines().last().unwrap_or_default(), @"failed runtime: the outputs of the for-each together exceed 1048576 bytes at /m");
}

#[test]
fn what_an_expression_says_of_its_failure_is_cut() {
    let source = format!("\"x\" * 9000000 | error # {}", "y".repeat(10_000));
    let mut world = run(vec![set("a", &source)]);
    let log = world.log();
    let told = log.lines().last().unwrap_or_default();
    assert!(told.contains("yyy…: xxx") && told.ends_with("xxx… at /a"));
    assert!((4_200..4_400).contains(&told.chars().count()));
}

#[test]
fn deep_data_made_by_a_run_is_its_failure_and_the_journal_stays_readable() {
    let mut world = World::of(vec![repeat("l", "", "", 500, vec![set("a", "[.]")])]);
    world.quiet = true;
    let id = world.start("w", "null");
    world.tick(0);
    world.verify();
    let failure = world.state.runs[&id].failure.clone().unwrap();
    assert_snapshot!(failure.detail.unwrap(), @"[.]: the value nests deeper than 100 levels");
    let world = run(vec![set("a", "reduce range(100000) as $n (null; [.])")]);
    world.verify();
    // What wraps data that is as deep as may be is still written and read.
    let mut world = run(vec![crate::graphs::fork(
        "f",
        graph::ir::Need::All,
        vec![vec![task("a")]],
    )]);
    let token = world.claim("a");
    world.tell(Command::CompleteTask {
        token,
        output: deep(100),
    });
    world.verify();
}

#[test]
fn a_run_keeps_so_many_signals_and_makes_room_when_they_expire() {
    let mut world = run(vec![task("a")]);
    world.quiet = true;
    let run = world.first();
    let signal = Command::SignalRun {
        run,
        name: "s".into(),
        data: json("1"),
        ttl_ms: 10,
    };
    for _ in 0..SIGNALS_MAX {
        world.ask(signal.clone()).unwrap();
    }
    assert_eq!(
        world.ask(signal.clone()),
        Err(Rejection::LimitReached(
            "signals kept for one run",
            SIGNALS_MAX as u64
        ))
    );
    world.tick(10);
    world.ask(signal).unwrap();
    assert_eq!(world.state.runs[&run].signals.len(), 1);
    world.verify();
}

#[test]
fn a_run_has_so_many_steps_at_once() {
    let inner = map("n", "[range(900)]", 900, vec![task("a")]);
    let mut world = World::of(vec![map("m", "[range(900)]", 900, vec![inner])]);
    world.quiet = true;
    let id = world.start("w", "null");
    world.tick(0);
    let failure = world.state.runs[&id].failure.clone().unwrap();
    assert_snapshot!(failure.detail.unwrap(), @"the run reached the limit of 20000 steps at once");
    assert!(world.offers.is_empty() && world.timers.is_empty());
}

/// Runs a for-each over so many elements; bytes journaled, events, and commands.
fn cost(elements: usize) -> [usize; 3] {
    let mut world = World::of(vec![
        map(
            "m",
            ".",
            1_000,
            vec![block(
                "b",
                vec![task("a").with_task(|task| task.input = expr("$item"))],
            )],
        )
        .output("length"),
    ]);
    world.quiet = true;
    let items = format!("[{}]", vec!["1"; elements].join(","));
    let id = world.start("w", &items);
    let mut largest = 0;
    while world.state.runs[&id].is_live() {
        world.tick(0);
        let Some((_, task)) = world.offers.first().cloned() else {
            continue;
        };
        world
            .ask(Command::ClaimTask {
                task,
                session: kernel::SessionId(1),
            })
            .unwrap();
        let token = world.work[&task].token;
        world
            .ask(Command::CompleteTask {
                token,
                output: json("1"),
            })
            .unwrap();
        largest = largest.max(world.offers.len());
    }
    assert!(largest <= 1_000);
    assert_eq!(
        world.state.runs[&id].output,
        Some(Value::Int(elements as i64))
    );
    let events = world.journal.iter().map(|entry| entry.events.len()).sum();
    [
        world.journal.iter().map(|entry| encode(entry).len()).sum(),
        events,
        world.journal.len(),
    ]
}

#[test]
fn a_for_each_of_many_elements_costs_in_proportion() {
    let (small, large) = (cost(2_500), cost(10_000));
    for (few, many) in small.into_iter().zip(large) {
        assert!(many <= few * 9 / 2, "{small:?} {large:?}");
    }
    assert!(
        large[1] <= 10_000 * 10 + 100,
        "no more than ten events an element: {large:?}"
    );
}

#[test]
fn a_saga_of_many_elements_is_undone() {
    let nodes = vec![
        map(
            "m",
            "[range(3000)]",
            100,
            vec![set("a", "$item").undo(vec![])],
        ),
        crate::graphs::raise("r", "broken"),
    ];
    let mut world = World::of(vec![crate::graphs::saga("s", nodes)]);
    world.quiet = true;
    let id = world.start("w", "null");
    world.tick(0);
    assert!(!world.state.runs[&id].is_live());
    world.verify();
}

#[test]
fn the_server_keeps_so_many_events_and_listeners() {
    let mut world = World::default();
    let publish = || Command::PublishEvent {
        event: json(r#"{"type":"go"}"#),
        ttl_ms: 10,
    };
    for number in 1..=EVENTS_KEPT_MAX as u64 {
        let kept = KeptEvent {
            number,
            event: json(r#"{"type":"other"}"#),
            expires_at: world.now.0,
        };
        world.state.apply(&Event::EventKept(kept), world.now.0);
    }
    let full = Rejection::LimitReached("kept events", EVENTS_KEPT_MAX as u64);
    assert_eq!(world.ask(publish()), Err(full));
    let listener = |step| StepRef {
        run: RunId([0; 16]),
        step: StepId(step),
    };
    let many = (0..=EVENT_LISTENERS_MAX as u32).map(listener).collect();
    world.state.listeners.insert("go".into(), many);
    let most = EVENT_LISTENERS_MAX as u64;
    let crowded = Rejection::LimitReached("runs waiting for one event type", most);
    assert_eq!(world.ask(publish()), Err(crowded));
}

#[test]
fn a_task_that_loses_every_worker_counts_as_failed() {
    let mut world = run(vec![task("a")]);
    world.quiet = true;
    while world.has_offer("a") {
        let token = world.claim("a");
        let reason = "gone".into();
        world.ask(Command::ReleaseTask { token, reason }).unwrap();
    }
    let run = &world.state.runs[&world.first()];
    let detail = run.failure.clone().unwrap().detail.unwrap();
    assert_snapshot!(detail, @"1000 workers took the task and were lost");
}

#[test]
fn an_event_hands_out_no_more_than_one_record_can_hold() {
    let mut world = run(vec![hear("a", "news")]);
    let text = Value::text("x".repeat(DATA_BYTES_MAX / 2));
    let publish = |text: &Value| Command::PublishEvent {
        event: Value::from([("type", Value::from("news")), ("data", text.clone())]),
        ttl_ms: 0,
    };
    for _ in 1..PUBLISHED_BYTES_MAX / (DATA_BYTES_MAX / 2) {
        world.start("w", "1");
    }
    let refused = world.ask(publish(&text));
    assert!(
        matches!(refused, Err(Rejection::LimitReached(..))),
        "{refused:?}"
    );
    let told = world.ask(publish(&Value::Int(1)));
    assert_eq!(told, Ok(kernel::Reply::Published { receivers: 8 }));
}

#[test]
fn a_fan_out_of_heavy_task_inputs_is_spread_over_turns() {
    // The tokens are light; what each task is given is not.
    let heavy = task("t").with_task(|task| task.input = expr("$workflow.input"));
    let mut world = World::of(vec![map("m", "[range(100)]", 100, vec![heavy]).input("1")]);
    let input = Value::text("x".repeat(200_000));
    let start = kernel::StartRun {
        input,
        ..world.starting("w", "1")
    };
    let run = start.run;
    world.tell(Command::StartRun(start));
    let offered = world.state.runs[&run]
        .steps
        .values()
        .filter(|step| step.task().is_some())
        .count();
    assert!(
        offered > 0 && offered * 200_000 < 2 * TURN_BYTES_MAX,
        "{offered}"
    );
}

#[test]
fn while_too_many_messages_wait_nobody_begins_what_sends_more() {
    let mut world = run(vec![task("a"), emit("e", "{type: \"x\"}")]);
    let mut child = run(vec![task("a"), crate::graphs::child("c", "w")]);
    let at = StepRef {
        run: world.first(),
        step: StepId(99),
    };
    let full = || {
        (0..MESSAGES_MAX as u64)
            .map(|number| (number, Message::LinkChild(at)))
            .collect()
    };
    world.state.messages = full();
    child.state.messages = full();
    let start = world.starting("w", "null");
    let told = world.ask(Command::StartRun(start.clone()));
    let bound = MESSAGES_MAX as u64;
    assert_eq!(
        told,
        Err(Rejection::LimitReached(
            "messages between runs that wait",
            bound
        ))
    );
    let event = json(r#"{"type":"x"}"#);
    let publish = Command::PublishEvent { event, ttl_ms: 1 };
    assert_eq!(world.ask(publish.clone()), told);
    for world in [&mut world, &mut child] {
        world.done("a", "1");
        let run = &world.state.runs[&world.first()];
        let told = run
            .failure
            .as_ref()
            .and_then(|failure| failure.detail.clone());
        assert!(told.is_some_and(|told| told.contains("messages between runs")));
    }
    world.state.messages.pop_last();
    assert!(world.ask(Command::StartRun(start)).is_ok());
    assert!(world.ask(publish).is_ok());
}
