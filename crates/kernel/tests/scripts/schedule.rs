//! Scripts of schedules: calendar and interval, overlap, catch-up, pause, deletion.
//!
//! The invariant behind them: an instant starts at most one run, however late it is looked at.

use std::collections::BTreeSet;

use graph::Expr;
use graph::ir::{Filter, Listen, Need};
use insta::assert_snapshot;
use kernel::limits::{SCHEDULE_RUNS_MAX, TRIGGER_PAST_MAX, TRIGGER_SETS_MAX};
use kernel::schedule::{CatchUp, Overlap, Schedule, Trigger};
use kernel::{Command, Time};

use crate::graphs::{filter, graph, json, set, task};
use crate::world::{START, World};

fn every(ms: u64) -> Schedule {
    Schedule {
        name: "s".into(),
        workflow: "w".into(),
        version: None,
        input: json("1"),
        cron: None,
        zone: "UTC".into(),
        every_ms: Some(ms),
        overlap: Overlap::Skip,
        catch_up: CatchUp::Skip,
        paused: false,
        next_at: None,
        last_at: None,
        started: 0,
        active: vec![],
        waiting: None,
        after_ms: None,
        trigger: None,
        from: None,
        until: None,
    }
}

fn cron(text: &str) -> Schedule {
    Schedule {
        cron: Some(text.into()),
        every_ms: None,
        ..every(0)
    }
}

fn world_with(schedule: Schedule) -> World {
    let mut world = World::of(vec![task("a")]);
    world.tell(Command::PutSchedule { schedule });
    world
}

fn runs(world: &World) -> (usize, usize) {
    (
        world
            .state
            .runs
            .values()
            .filter(|run| run.is_live())
            .count(),
        world.state.runs.len(),
    )
}

#[test]
fn an_interval_starts_runs_one_after_the_other() {
    let mut world = World::of(vec![set("a", "2")]);
    world.tell(Command::PutSchedule {
        schedule: every(10_000),
    });
    world.tick(20_000);
    assert_snapshot!(world.log(), @r"
    schedule s: 0 started, 0 active, next 1010000
    schedule s: 1 started, 1 active, next 1020000
    start w 1
    . a 2
    completed 2
    schedule s: 1 started, 0 active, next 1020000
    schedule s: 2 started, 1 active, next 1030000
    r2 start w 1
    r2 . a 2
    r2 completed 2
    schedule s: 2 started, 0 active, next 1030000
    ");
}

#[test]
fn a_calendar_starts_runs_until_it_has_no_more() {
    let mut world = World::of(vec![set("a", "2")]);
    world.tell(Command::PutSchedule {
        schedule: cron("until 1010000 every 5000"),
    });
    world.tick(60_000);
    assert_eq!(runs(&world), (0, 2));
    assert_eq!(world.state.schedules["s"].next_at, None);
    assert!(world.schedules.is_empty());
    world.verify();
}

#[test]
fn overlap_is_as_the_policy_says() {
    let told = |overlap: Overlap| {
        let mut world = world_with(Schedule {
            overlap,
            ..every(10_000)
        });
        world.tick(30_000);
        let before = runs(&world);
        world.done("a", "1");
        world.verify();
        let schedule = &world.state.schedules["s"];
        format!(
            "{}: {before:?} then {:?}, {} active, {} started",
            overlap.word(),
            runs(&world),
            schedule.active.len(),
            schedule.started
        )
    };
    assert_snapshot!(Overlap::ALL.iter().map(|overlap| told(*overlap)).collect::<Vec<_>>().join("\n"), @r"
    skip: (1, 1) then (0, 1), 0 active, 1 started
    queue: (1, 1) then (1, 2), 1 active, 2 started
    allow: (3, 3) then (2, 3), 2 active, 3 started
    cancel: (1, 3) then (0, 3), 0 active, 3 started
    terminate: (1, 3) then (0, 3), 0 active, 3 started
    ");
}

/// Runs started, and the first and last instants in seconds, after the server was away for `away_ms`.
fn after_absence(schedule: Schedule, away_ms: u64) -> String {
    let name = schedule.catch_up.word();
    let mut world = world_with(Schedule {
        overlap: Overlap::Allow,
        ..schedule
    });
    world.quiet = true;
    world.now.0 = START.plus(away_ms);
    world.tick(0);
    world.verify();
    let put = &world.state.schedules["s"];
    let seconds = |at: Option<Time>| at.map_or(0, |at| at.since(START) / 1_000);
    format!(
        "{name}: {} started, last {}, next {}",
        put.started,
        seconds(put.last_at),
        seconds(put.next_at)
    )
}

#[test]
fn missed_starts_are_made_up_for_as_the_policy_says() {
    let mut lines = Vec::new();
    for (what, make, away_ms) in [
        ("a little late", every(10_000), 25_000),
        ("missed", every(100_000), 390_000),
        ("calendar", cron("every 100000"), 390_000),
        ("far behind", every(10_000), 86_400_000),
        ("calendar far behind", cron("every 10000"), 86_400_000),
        ("years behind", cron("every 1000"), 10 * 31_536_000_000),
    ] {
        for catch_up in CatchUp::ALL {
            lines.push(format!(
                "{what}, {}",
                after_absence(
                    Schedule {
                        catch_up: *catch_up,
                        ..make.clone()
                    },
                    away_ms
                )
            ));
        }
    }
    assert_snapshot!(lines.join("\n"), @r"
    a little late, skip: 1 started, last 20, next 30
    a little late, one: 1 started, last 20, next 30
    a little late, all: 2 started, last 20, next 30
    missed, skip: 0 started, last 0, next 400
    missed, one: 1 started, last 300, next 400
    missed, all: 3 started, last 300, next 400
    calendar, skip: 0 started, last 0, next 400
    calendar, one: 1 started, last 300, next 400
    calendar, all: 3 started, last 300, next 400
    far behind, skip: 1 started, last 86400, next 86410
    far behind, one: 1 started, last 86400, next 86410
    far behind, all: 100 started, last 1000, next 86410
    calendar far behind, skip: 1 started, last 86400, next 86410
    calendar far behind, one: 1 started, last 86400, next 86410
    calendar far behind, all: 100 started, last 1000, next 86410
    years behind, skip: 1 started, last 315360000, next 315360001
    years behind, one: 1 started, last 315360000, next 315360001
    years behind, all: 100 started, last 100, next 315360001
    ");
}

#[test]
fn a_paused_schedule_rests() {
    let mut world = world_with(Schedule {
        catch_up: CatchUp::One,
        ..every(10_000)
    });
    let pause = |paused| Command::PauseSchedule {
        name: "s".into(),
        paused,
    };
    world.tell(pause(true));
    world.tell(pause(true));
    world.tell(Command::FireSchedule { name: "s".into() });
    world.tick(200_000);
    assert_eq!(runs(&world), (0, 0));
    world.tell(pause(false));
    world.tick(0);
    assert_snapshot!(world.log(), @r"
    schedule s: 0 started, 0 active, next 1010000
    schedule s: 0 started, 0 active, next 1010000
    refused not-due: the instant has not come, or what it was for is over
    schedule s: 0 started, 0 active, next 1010000
    schedule s: 1 started, 1 active, next 1210000
    start w 1
    +1 a task 1
    ");
}

#[test]
fn a_deleted_schedule_leaves_its_runs() {
    let mut world = world_with(every(10_000));
    world.tick(10_000);
    world.hush();
    world.tell(Command::DeleteSchedule { name: "s".into() });
    world.tell(Command::DeleteSchedule { name: "s".into() });
    world.tick(10_000);
    world.done("a", "1");
    assert_snapshot!(world.log(), @r"
    schedule s dropped
    refused schedule-missing: no schedule s
    claim 1 #1
    =1 1
    completed 1
    ");
}

#[test]
fn a_replaced_schedule_keeps_its_counters() {
    let mut world = world_with(every(10_000));
    world.tick(10_000);
    world.hush();
    world.tell(Command::PutSchedule {
        schedule: every(50_000),
    });
    assert_snapshot!(world.log(), @"schedule s: 1 started, 1 active, next 1060000");
}

#[test]
fn schedules_that_mean_nothing_are_refused() {
    let mut world = World::of(vec![]);
    for schedule in [
        every(999),
        cron("whenever"),
        Schedule {
            cron: Some("every 5000".into()),
            ..every(5_000)
        },
        Schedule {
            every_ms: None,
            ..every(0)
        },
        Schedule {
            workflow: "nobody".into(),
            ..every(5_000)
        },
        Schedule {
            name: "".into(),
            ..every(5_000)
        },
        Schedule {
            name: "x".repeat(250).into(),
            ..every(5_000)
        },
    ] {
        world.tell(Command::PutSchedule { schedule });
    }
    assert_snapshot!(world.log(), @r"
    refused invalid: the interval must be at least 1000 ms
    refused invalid: cannot read whenever in UTC
    refused invalid: a schedule needs just one of a cron expression, an interval, a pause and events
    refused invalid: a schedule needs just one of a cron expression, an interval, a pause and events
    refused workflow-missing: no workflow nobody; apply it first (`quadrille apply -f FILE`), or list what there is
    refused invalid: schedule name must have 1 to 256 bytes and no control characters
    refused limit-reached: limit reached: bytes of a schedule's name (at most 216)
    ");
}

#[test]
fn a_schedule_has_so_many_runs_at_once() {
    let mut world = world_with(Schedule {
        overlap: Overlap::Allow,
        ..every(1_000)
    });
    world.quiet = true;
    world.tick(1_000 * (SCHEDULE_RUNS_MAX as u64 + 2));
    assert_eq!(runs(&world).0, SCHEDULE_RUNS_MAX);
    world.done("a", "1");
    world.tick(1_000);
    assert_eq!(runs(&world).1, SCHEDULE_RUNS_MAX + 1);
}

#[test]
fn a_start_that_is_refused_does_not_hold_up_the_schedule() {
    let mut world = world_with(every(1_000));
    let mut broken = graph("w", vec![set("a", "1")]);
    broken.version = "2.0.0".into();
    broken.attributes = vec![graph::ir::Attribute {
        name: "total".into(),
        kind: graph::ir::AttributeKind::Number,
        from: "error".into(),
    }];
    world.deploy(broken);
    world.tick(1_000);
    assert_eq!(runs(&world), (0, 0));
    assert!(world.state.schedules["s"].active.is_empty());
    let mut mended = graph("w", vec![set("a", "1")]);
    mended.version = "3.0.0".into();
    world.deploy(mended);
    world.tick(1_000);
    assert_eq!(runs(&world).1, 1, "the next start is not left out");
}

#[test]
fn a_pause_counts_from_the_end_of_the_run_before() {
    let mut world = world_with(Schedule {
        every_ms: None,
        after_ms: Some(10_000),
        ..every(0)
    });
    world.tick(10_000);
    world.tick(50_000);
    world.done("a", "null");
    world.tick(9_999);
    assert_eq!(runs(&world), (0, 1));
    world.tick(1);
    assert_eq!(runs(&world), (1, 2));
    assert_snapshot!(world.log(), @r"
    schedule s: 0 started, 0 active, next 1010000
    schedule s: 1 started, 1 active, next never
    start w 1
    +1 a task 1
    claim 1 #1
    =1 null
    completed null
    schedule s: 1 started, 0 active, next 1070000
    schedule s: 2 started, 1 active, next never
    r2 start w 1
    r2 +1 a task 1
    ");
}

#[test]
fn nothing_starts_outside_of_the_window() {
    let windowed = |schedule: Schedule| {
        let mut world = World::of(vec![set("a", "2")]);
        world.tell(Command::PutSchedule {
            schedule: Schedule {
                from: Some(Time(START.0 + 25_000)),
                until: Some(Time(START.0 + 45_000)),
                ..schedule
            },
        });
        for _ in 0..10 {
            world.tick(10_000);
        }
        let runs = world.state.runs.values();
        let starts: BTreeSet<u64> = runs.map(|run| run.started_at.since(START)).collect();
        starts.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(windowed(every(10_000)).len(), 3);
    assert_eq!(windowed(cron("every 10000")), [30_000, 40_000]);
    let mut world = World::of(vec![set("a", "2")]);
    world.tell(Command::PutSchedule {
        schedule: Schedule {
            until: Some(START),
            ..every(10_000)
        },
    });
    world.tell(Command::PutSchedule {
        schedule: Schedule {
            from: Some(START),
            until: Some(START),
            ..every(10_000)
        },
    });
    world.tell(Command::PutSchedule {
        schedule: Schedule {
            after_ms: Some(5_000),
            ..every(10_000)
        },
    });
    assert_snapshot!(world.log(), @r#"
    refused invalid: "the interval" never comes: no date fits all of its fields, or none lies between from and until
    refused invalid: the schedule ends before it begins; let until come after from
    refused invalid: a schedule needs just one of a cron expression, an interval, a pause and events
    "#);
}

/// A world in which events of these types together start runs, if they agree on `.data.order`.
fn triggered(types: &[&str], need: Need, overlap: Overlap) -> World {
    let filters = types.iter().map(|of| Filter {
        bind: vec![("order".into(), Expr(".data.order".into()))],
        ..filter(of)
    });
    let mut workflow = graph("w", vec![task("a")]);
    workflow.trigger = Some(Listen {
        filters: filters.collect(),
        need,
        envelope: false,
        until: None,
        each: None,
    });
    let mut world = World::default();
    world.deploy(workflow);
    world.tell(Command::PutSchedule {
        schedule: on_events(overlap),
    });
    world
}

fn on_events(overlap: Overlap) -> Schedule {
    Schedule {
        every_ms: None,
        trigger: Some(Trigger::default()),
        overlap,
        ..every(0)
    }
}

fn publish(world: &mut World, of: &str, id: &str, order: u32) {
    let event = format!(r#"{{"type":"{of}","source":"s","id":"{id}","data":{{"order":{order}}}}}"#);
    world.tell(Command::PublishEvent {
        event: json(&event),
        ttl_ms: 60_000,
    });
}

#[test]
fn each_event_starts_one_run_however_often_it_comes() {
    let mut world = triggered(&["paid", "sent"], Need::Count(1), Overlap::Allow);
    publish(&mut world, "paid", "1", 7);
    publish(&mut world, "paid", "1", 7);
    publish(&mut world, "lost", "2", 7);
    publish(&mut world, "sent", "3", 8);
    assert_eq!(runs(&world), (2, 2));
    assert_snapshot!(world.log(), @r#"
    schedule s: 0 started, 0 active, next never
    schedule s: 1 started, 1 active, next never
    start w [{"order":7}]
    +1 a task [{"order":7}]
    event 1 kept {"data":{"order":7},"id":"2","source":"s","type":"lost"}
    schedule s: 2 started, 2 active, next never
    r2 start w [{"order":8}]
    r2 +1 a task [{"order":8}]
    "#);
    // The same again once its run has ended: it is known, and the schedule does not wait for it.
    let first = *world.state.runs.keys().next().unwrap();
    let (run, reason) = (first, None);
    world.tell(Command::TerminateRun { run, reason });
    publish(&mut world, "paid", "1", 7);
    publish(&mut world, "sent", "3", 8);
    assert_eq!(runs(&world), (1, 2));
    assert_eq!(world.state.schedules["s"].active.len(), 1);
    assert_eq!(world.state.schedules["s"].started, 2, "it counts once");
    world.verify();
}

#[test]
fn an_event_that_comes_again_takes_no_run_away() {
    for overlap in [Overlap::Cancel, Overlap::Terminate] {
        let mut world = triggered(&["paid"], Need::All, overlap);
        for (id, order) in [("1", 1), ("2", 2), ("1", 1)] {
            publish(&mut world, "paid", id, order);
        }
        assert_eq!(runs(&world), (1, 2), "the newest goes on");
        world.verify();
    }
    // Nor does it begin another set once the one that it was in is complete.
    let mut world = triggered(&["paid", "sent"], Need::All, Overlap::Allow);
    for (of, id) in [("paid", "1"), ("sent", "2"), ("paid", "1"), ("sent", "3")] {
        publish(&mut world, of, id, 7);
    }
    assert_eq!(runs(&world), (1, 1));
    for id in 10..10 + TRIGGER_PAST_MAX as u32 {
        let of = if id % 2 == 0 { "sent" } else { "paid" };
        publish(&mut world, of, &id.to_string(), id / 2);
    }
    let trigger = world.state.schedules["s"].trigger.as_ref();
    assert!(trigger.unwrap().past.len() <= TRIGGER_PAST_MAX);
    world.verify();
}

#[test]
fn events_that_wait_for_others_outlive_another_put_of_the_schedule() {
    let mut world = triggered(&["paid", "sent"], Need::All, Overlap::Allow);
    publish(&mut world, "paid", "1", 7);
    world.tell(Command::PutSchedule {
        schedule: on_events(Overlap::Skip),
    });
    publish(&mut world, "sent", "2", 7);
    assert_eq!(runs(&world), (1, 1));
}

#[test]
fn what_a_schedule_does_is_journaled_in_few_bytes_however_much_it_holds() {
    let mut world = triggered(&["paid", "sent"], Need::All, Overlap::Allow);
    let heavy = "x".repeat(10_000);
    for order in 0..20 {
        world.publish(&format!(
            r#"{{"type":"paid","data":{{"order":{order},"pad":"{heavy}"}}}}"#
        ));
    }
    let held = world.journal.len();
    world.publish(r#"{"type":"paid","data":{"order":100}}"#);
    world.publish(r#"{"type":"sent","data":{"order":100}}"#);
    world.done("a", "1");
    let bytes = |entry: &kernel::Entry| kernel::codec::encode(entry).len();
    let most = world.journal[held..].iter().map(bytes).max();
    assert!(most.is_some_and(|most| most < 1_000), "{most:?}");
    world.verify();
}

#[test]
fn several_events_start_a_run_together_when_they_agree() {
    let mut world = triggered(&["paid", "sent"], Need::All, Overlap::Allow);
    publish(&mut world, "paid", "1", 7);
    publish(&mut world, "sent", "2", 8);
    publish(&mut world, "paid", "1", 7);
    publish(&mut world, "paid", "3", 9);
    assert_eq!(runs(&world), (0, 0));
    publish(&mut world, "paid", "4", 8);
    publish(&mut world, "sent", "5", 7);
    assert_eq!(runs(&world), (2, 2));
    let sets = |world: &World| {
        world.state.schedules["s"]
            .trigger
            .clone()
            .unwrap()
            .sets
            .len()
    };
    assert_eq!(sets(&world), 1);
    for order in 100..300 {
        publish(&mut world, "paid", &order.to_string(), order);
    }
    assert_eq!(sets(&world), TRIGGER_SETS_MAX);
    assert!(world.state.kept_events.is_empty());
    world.verify();
}

#[test]
fn events_heed_pause_overlap_and_the_workflow() {
    let mut world = triggered(&["paid"], Need::All, Overlap::Skip);
    publish(&mut world, "paid", "1", 1);
    publish(&mut world, "paid", "2", 2);
    assert_eq!(runs(&world), (1, 1));
    world.tell(Command::PauseSchedule {
        name: "s".into(),
        paused: true,
    });
    publish(&mut world, "paid", "3", 3);
    assert_eq!(world.state.kept_events.len(), 1);
    world.hush();
    world.tell(Command::PutSchedule {
        schedule: on_events(Overlap::Queue),
    });
    world.deploy(graph("v", vec![task("a")]));
    world.tell(Command::PutSchedule {
        schedule: Schedule {
            workflow: "v".into(),
            ..on_events(Overlap::Allow)
        },
    });
    assert_snapshot!(world.log(), @r"
    refused invalid: a start by events cannot wait for the run before; let overlap be allow, skip, cancel or terminate
    refused invalid: the workflow v does not say which events start it; add `schedule.on` to it
    ");
}
