//! Owns "one live claim per task": a task is claimed only while it waits, claims are counted without
//! gaps, each is delivered at most once, and only the current one counts.

use graph::Value;
use kernel::event::RunFact;
use kernel::state::{TaskStage, TaskWork};
use kernel::{Event, RunEvent, State, TaskToken};

use crate::facts::{ClaimEnd, Facts};
use crate::verdict::{Invariant, Violation};

const CLAIM: Invariant = Invariant::OneLiveClaim;

/// An event that claims, or that only a claimed task can have.
pub(crate) fn event(state: &State, event: &Event) -> Result<(), Violation> {
    let Event::Run(RunFact { run: id, fact }) = event else {
        return Ok(());
    };
    let task = |step| {
        state
            .runs
            .get(id)
            .and_then(|run| run.step(step))
            .and_then(|step| step.task())
    };
    let fits = match fact {
        RunEvent::TaskClaimed(fact) => task(fact.step).is_some_and(|task| {
            matches!(task.stage, TaskStage::Queued(_)) && fact.claim == task.claims + 1
        }),
        // Workers of the simulation say in their output which claim they worked under.
        RunEvent::StepCompleted(fact) => {
            task(fact.step).is_none_or(|task| current(task, &fact.output))
        }
        RunEvent::OutcomeKept(fact) => {
            let output = fact.outcome.output.as_ref();
            let both = task(fact.step).zip(output);
            both.is_none_or(|(task, output)| current(task, output))
        }
        RunEvent::TaskBackedOff(fact) => {
            task(fact.step).is_some_and(|task| matches!(task.stage, TaskStage::Claimed(_)))
        }
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Violation::found(CLAIM, format!("{fact:?} of run {id}"))
    }
}

fn current(task: &TaskWork, output: &Value) -> bool {
    let worked_under = output.get("claim").and_then(Value::as_int);
    matches!(task.stage, TaskStage::Claimed(_)) && worked_under == Some(i64::from(task.claims))
}

/// A task that a worker was given.
pub(crate) fn delivered(facts: &mut Facts, token: TaskToken) -> Result<(), Violation> {
    if !facts.given.insert(token) {
        return Violation::found(CLAIM, format!("{token:?} was delivered twice"));
    }
    let claimed = facts.runs.get(&token.run).is_some_and(|past| {
        let is_it = |fact: &RunEvent| matches!(fact, RunEvent::TaskClaimed(fact) if fact.step == token.step && fact.claim == token.claim);
        past.history.iter().any(|(_, fact)| is_it(fact))
    });
    if claimed {
        return Ok(());
    }
    Violation::found(
        Invariant::NothingLeavesEarly,
        format!("{token:?} was delivered but its claim is not durable"),
    )
}

/// A receipt that says that a result counts.
pub(crate) fn accepted(
    facts: &Facts,
    token: TaskToken,
    output: Option<&Value>,
) -> Result<(), Violation> {
    match (facts.claims.get(&token), output) {
        (Some(ClaimEnd::Done(kept)), Some(output)) if kept == output => Ok(()),
        (Some(ClaimEnd::Failed), None) => Ok(()),
        (Some(end), _) => Violation::found(
            CLAIM,
            format!("a result for {token:?} was accepted, but it ended as {end:?}"),
        ),
        (None, _) => Violation::found(
            Invariant::NothingLeavesEarly,
            format!("a result for {token:?} was accepted, but nothing of it is durable"),
        ),
    }
}
