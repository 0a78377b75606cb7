//! Owns "timers are never early": nothing that waits for an instant happens before it.
//!
//! Included: time stamps never go back and never run ahead of the machine's clock, and a lost worker
//! keeps its tasks until its grace is over.

use engine::partition::SESSION_GRACE_MS;
use kernel::event::{RunFact, StepFailed, TaskQueued};
use kernel::state::{Activity, Phase, Run, TaskStage};
use kernel::{Event, RunEvent, Time};

use crate::facts::Facts;
use crate::verdict::{Invariant, Violation};

const EARLY: Invariant = Invariant::TimersNeverEarly;

/// The reason with which a lost worker's task is offered again.
const LOST: &str = "its worker was lost";

/// A record's time stamp.
pub(crate) fn stamp(facts: &Facts, at: Time) -> Result<(), Violation> {
    if at < facts.now {
        return Violation::found(
            EARLY,
            format!("a record of {} follows one of {}", at.0, facts.now.0),
        );
    }
    if at > facts.clock {
        return Violation::found(
            EARLY,
            format!("a record of {} was written at {}", at.0, facts.clock.0),
        );
    }
    Ok(())
}

/// An event that may end a wait.
pub(crate) fn event(facts: &Facts, event: &Event, at: Time) -> Result<(), Violation> {
    let waited_for = match event {
        Event::Run(RunFact { run, fact }) => facts
            .state
            .runs
            .get(run)
            .and_then(|run| instant(facts, run, fact)),
        Event::ScheduleMoved(moved) => moved.last_at,
        _ => None,
    };
    match waited_for {
        Some(due) if due > at => {
            Violation::found(EARLY, format!("{event:?} at {} waits for {}", at.0, due.0))
        }
        _ => Ok(()),
    }
}

/// The instant that a fact had to wait for.
fn instant(facts: &Facts, run: &Run, fact: &RunEvent) -> Option<Time> {
    match fact {
        RunEvent::StepCompleted(fact) => match &run.step(fact.step)?.activity {
            Activity::Timer(due) => Some(due.at),
            _ => None,
        },
        RunEvent::OutcomeKept(fact) => match &run.step(fact.step)?.activity {
            Activity::Timer(due) => Some(due.at),
            _ => None,
        },
        RunEvent::StepBegan(fact) => match &run.step(fact.step)?.activity {
            Activity::Yielded(due) => Some(due.at),
            _ => None,
        },
        RunEvent::TaskQueued(fact) => queued(facts, run, fact),
        RunEvent::RegionTurned(fact) => {
            let region = run.step(fact.step)?.region()?;
            let goes_on = region.phase == Phase::Backoff && fact.phase == Phase::Body;
            region.due.filter(|_| goes_on)
        }
        RunEvent::StepFailed(fact) => timed_out(run, fact),
        _ => None,
    }
}

fn queued(facts: &Facts, run: &Run, fact: &TaskQueued) -> Option<Time> {
    match &run.step(fact.step)?.task()?.stage {
        TaskStage::BackedOff(due) => Some(due.at),
        TaskStage::Claimed(claim) if &*fact.reason == LOST => {
            // A session that is connected has all the time of the world.
            let lost_at = facts.lost.get(&claim.session).copied();
            Some(lost_at.map_or(Time(u64::MAX), |lost_at| lost_at.plus(SESSION_GRACE_MS)))
        }
        _ => None,
    }
}

/// The workers of the simulation never report a timeout themselves.
fn timed_out(run: &Run, fact: &StepFailed) -> Option<Time> {
    let step = run.step(fact.step?)?;
    let waits = matches!(
        step.activity,
        Activity::Task(_) | Activity::Timer(_) | Activity::Listen(_) | Activity::Human(_)
    );
    if waits && fact.failure.kind.ends_with("timeout") {
        run.due(fact.step?)
    } else {
        None
    }
}
