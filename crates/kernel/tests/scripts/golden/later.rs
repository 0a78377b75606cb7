//! Owns the examples of fields that later releases added to what there was before.

use kernel::event::ScheduleMoved;
use kernel::schedule::{EventSet, EventTaken, Trigger};

use super::*;

/// A run with what later releases added to it and to what is in it.
pub(super) fn queued(run: &Run) -> Run {
    let mut run = Run {
        lock: Some(locking()),
        priority: Some(9),
        kept_place: Some(300),
        ..run.clone()
    };
    for frame in run.frames.values_mut() {
        let arrived = Arrivals {
            data: vec![data()],
            edges: vec![300],
        };
        frame.joins.insert(5, arrived);
    }
    for step in run.steps.values_mut() {
        step.edge = Some(1);
        if let Activity::Task(task) = &mut step.activity {
            task.priority = Some(0);
        }
    }
    run
}

/// Facts with fields that later releases added.
fn later_facts() -> Vec<(&'static str, RunEvent)> {
    let (step, frame, node) = (StepId(1), FrameId(0), 2);
    let Some(RunEvent::Started(started)) = facts().into_iter().next() else {
        unreachable!("it is the first");
    };
    let started_plainly = started.clone();
    vec![
        (
            "Started.Queued",
            RunEvent::Started(RunStarted {
                lock: Some(locking()),
                priority: Some(0),
                ..started
            }),
        ),
        (
            "StepEntered.Edge",
            RunEvent::StepEntered(StepEntered {
                step,
                frame,
                node,
                input: None,
                deadline: None,
                activity: Activity::Yielded(due()),
                shaped: None,
                edge: Some(300),
            }),
        ),
        (
            "TokenJoined.Edge",
            RunEvent::TokenJoined(TokenJoined {
                frame,
                node,
                data: data(),
                edge: Some(0),
            }),
        ),
        (
            "JoinReset.Kept",
            RunEvent::JoinReset(JoinReset {
                frame,
                node,
                kept: vec![0, 300],
            }),
        ),
        (
            "Started.Context",
            RunEvent::Started(RunStarted {
                context: Some(data()),
                ..started_plainly
            }),
        ),
    ]
}

/// The same, of waits for events and of steps that did nothing.
fn later_step_facts() -> Vec<(&'static str, RunEvent)> {
    let (step, frame, node) = (StepId(1), FrameId(0), 2);
    vec![
        (
            "StepEntered.ListenBound",
            entered(Activity::Listen(listening())),
        ),
        (
            "StepEntered.RegionListening",
            entered(Activity::Region(Region {
                listening: Some(Box::new(listening())),
                ..region()
            })),
        ),
        (
            "EventReceived.Bound",
            RunEvent::EventReceived(EventReceived {
                step,
                filter: 1,
                event: data(),
                bound: [("order".into(), data())].into(),
                identity: Some(u64::MAX),
                ends: Some(true),
                again: Some(true),
            }),
        ),
        (
            "StepPassed.Skipped",
            RunEvent::StepPassed(StepPassed {
                frame,
                node,
                output: data(),
                context: None,
                saga: None,
                skipped: Some(true),
            }),
        ),
        (
            "StepCompleted.Skipped",
            RunEvent::StepCompleted(StepCompleted {
                step,
                output: data(),
                context: None,
                saga: None,
                undoable: false,
                skipped: Some(true),
            }),
        ),
    ]
}

fn entered(activity: Activity) -> RunEvent {
    RunEvent::StepEntered(StepEntered {
        step: StepId(1),
        frame: FrameId(0),
        node: 2,
        input: None,
        deadline: None,
        activity,
        shaped: None,
        edge: None,
    })
}

fn listening() -> Listening {
    Listening {
        wanted: Vec::new(),
        need: 1,
        received: vec![data()],
        bound: [("order".into(), data())].into(),
        seen: vec![0, u64::MAX],
        bytes: Some(300),
    }
}

/// Events with fields that later releases added, and of kinds that they added.
pub(super) fn later_events() -> Vec<(&'static str, Event)> {
    let facts = later_facts().into_iter().chain(later_step_facts());
    let mut events: Vec<(&str, Event)> = facts
        .map(|(name, fact)| (name, Event::Run(RunFact { run: RUN, fact })))
        .collect();
    let set = EventSet {
        met: vec![1],
        events: vec![data()],
        bound: [("order".into(), data())].into(),
        seen: vec![u64::MAX],
    };
    let put = Schedule {
        cron: None,
        every_ms: None,
        after_ms: Some(1_000),
        trigger: Some(Trigger {
            sets: vec![set],
            past: vec![0, u64::MAX],
        }),
        from: Some(Time(5)),
        until: Some(Time(6)),
        ..schedule()
    };
    let moved = ScheduleMoved {
        name: "s".into(),
        next_at: Some(Time(1)),
        last_at: Some(Time(2)),
        started: 300,
        waiting: Some(Time(3)),
        begun: vec![RUN, RunId([7; 16])],
        ended: Some(RUN),
        taken: Some(EventTaken {
            set: 1,
            filter: 2,
            event: Some(data()),
            bound: [("order".into(), data())].into(),
            identity: Some(u64::MAX),
            dropped: 300,
        }),
    };
    events.push(("SchedulePut.Later", Event::SchedulePut(put)));
    events.push(("ScheduleMoved", Event::ScheduleMoved(moved)));
    events
}
