//! Owns the examples of fields that later releases added to what there was before.

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
pub(super) fn later_facts() -> Vec<(&'static str, RunEvent)> {
    let (step, frame, node) = (StepId(1), FrameId(0), 2);
    let Some(RunEvent::Started(started)) = facts().into_iter().next() else {
        unreachable!("it is the first");
    };
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
    ]
}
