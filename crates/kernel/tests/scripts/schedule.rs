//! Schedules: calendar and interval, overlap, catch-up, pause, deletion.

use insta::assert_snapshot;
use kernel::schedule::{CatchUp, Overlap, Schedule};
use kernel::{Command, Time};

use crate::graphs::{json, set, task};
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
    }
}

fn cron(text: &str) -> Schedule {
    Schedule { cron: Some(text.into()), every_ms: None, ..every(0) }
}

fn world_with(schedule: Schedule) -> World {
    let mut world = World::of(vec![task("a")]);
    world.tell(Command::PutSchedule { schedule });
    world
}

fn runs(world: &World) -> (usize, usize) {
    (world.state.runs.values().filter(|run| run.is_live()).count(), world.state.runs.len())
}

#[test]
fn an_interval_starts_runs_one_after_the_other() {
    let mut world = World::of(vec![set("a", "2")]);
    world.tell(Command::PutSchedule { schedule: every(10_000) });
    world.tick(20_000);
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_calendar_starts_runs_until_it_has_no_more() {
    let mut world = World::of(vec![set("a", "2")]);
    world.tell(Command::PutSchedule { schedule: cron("until 1010000 every 5000") });
    world.tick(60_000);
    assert_eq!(runs(&world), (0, 2));
    assert_eq!(world.state.schedules["s"].next_at, None);
    assert!(world.schedules.is_empty());
    world.verify();
}

#[test]
fn overlap_is_as_the_policy_says() {
    let told = |overlap: Overlap| {
        let mut world = world_with(Schedule { overlap, ..every(10_000) });
        world.tick(30_000);
        let before = runs(&world);
        world.done("a", "1");
        world.verify();
        let schedule = &world.state.schedules["s"];
        format!("{}: {before:?} then {:?}, {} active, {} started", overlap.word(), runs(&world), schedule.active.len(), schedule.started)
    };
    assert_snapshot!(Overlap::ALL.iter().map(|overlap| told(*overlap)).collect::<Vec<_>>().join("\n"), @"");
}

/// Runs started, and the first and last instants in seconds, after the server was away for `away_ms`.
fn after_absence(schedule: Schedule, away_ms: u64) -> String {
    let name = schedule.catch_up.word();
    let mut world = world_with(Schedule { overlap: Overlap::Allow, ..schedule });
    world.quiet = true;
    world.now.0 = START.plus(away_ms);
    world.tick(0);
    world.verify();
    let put = &world.state.schedules["s"];
    let seconds = |at: Option<Time>| at.map_or(0, |at| at.since(START) / 1_000);
    format!("{name}: {} started, last {}, next {}", put.started, seconds(put.last_at), seconds(put.next_at))
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
            lines.push(format!("{what}, {}", after_absence(Schedule { catch_up: *catch_up, ..make.clone() }, away_ms)));
        }
    }
    assert_snapshot!(lines.join("\n"), @"");
}

#[test]
fn a_paused_schedule_rests() {
    let mut world = world_with(Schedule { catch_up: CatchUp::One, ..every(10_000) });
    let pause = |paused| Command::PauseSchedule { name: "s".into(), paused };
    world.tell(pause(true));
    world.tell(pause(true));
    world.tell(Command::FireSchedule { name: "s".into() });
    world.tick(200_000);
    assert_eq!(runs(&world), (0, 0));
    world.tell(pause(false));
    world.tick(0);
    assert_snapshot!(world.log(), @"");
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
    assert_snapshot!(world.log(), @"");
}

#[test]
fn a_replaced_schedule_keeps_its_counters() {
    let mut world = world_with(every(10_000));
    world.tick(10_000);
    world.hush();
    world.tell(Command::PutSchedule { schedule: every(50_000) });
    assert_snapshot!(world.log(), @"");
}

#[test]
fn schedules_that_mean_nothing_are_refused() {
    let mut world = World::of(vec![]);
    for schedule in [
        every(999),
        cron("whenever"),
        Schedule { cron: Some("every 5000".into()), ..every(5_000) },
        Schedule { every_ms: None, ..every(0) },
        Schedule { workflow: "nobody".into(), ..every(5_000) },
        Schedule { name: "".into(), ..every(5_000) },
        Schedule { name: "x".repeat(250).into(), ..every(5_000) },
    ] {
        world.tell(Command::PutSchedule { schedule });
    }
    assert_snapshot!(world.log(), @"");
}
