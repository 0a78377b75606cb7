//! Owns deploying a text: compile it, make the version known, let the schedule of its name follow.
//!
//! Invariants: a text with errors changes nothing; deploying the same again changes nothing that follows it
//! already, and mends what does not. A schedule that no version of the workflow asked for is never removed.

use authoring::{Compiled, Finding, Pace};
use engine::{AskError, Engine};
use graph::value::Str;
use kernel::schedule::{Overlap, Schedule};
use kernel::{Command, Rejection, Reply, Time};

use crate::intake::schedule::ZONE_DEFAULT;
use crate::intake::{ScheduleParts, empty_object, schedule};
use crate::refusal::Refusal;

/// A version that is known now.
pub(crate) struct Deployed {
    /// The workflow.
    pub(crate) workflow: Str,
    /// The version.
    pub(crate) version: Str,
    /// False if the same was there already.
    pub(crate) created: bool,
    /// What became of the schedule of the workflow's name: a word of [`FOLLOWED`]; none if neither the text
    /// nor an earlier one has any.
    pub(crate) schedule: Option<&'static str>,
    /// What is probably not meant as written.
    pub(crate) warnings: Vec<Finding>,
}

const CREATED: &str = "created";
const CHANGED: &str = "changed";
const REMOVED: &str = "removed";
const UNCHANGED: &str = "unchanged";

/// What can become of a schedule that follows its workflow.
pub(crate) const FOLLOWED: [&str; 4] = [CREATED, CHANGED, REMOVED, UNCHANGED];

/// What is to be said about a text, errors first.
pub(crate) async fn check(source: String) -> Vec<Finding> {
    match compile(source).await.0 {
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    }
}

/// Makes the version known that a text describes.
pub(crate) async fn deploy(engine: &Engine, source: String) -> Result<Deployed, Refusal> {
    let (compiled, source) = compile(source).await;
    let Compiled {
        graph,
        schedule: pace,
        warnings,
    } = compiled.map_err(Refusal::InvalidWorkflow)?;
    let (workflow, version) = (graph.workflow.clone(), graph.version.clone());
    let deploying = Command::DeployWorkflow {
        graph: graph.into(),
        source: source.into(),
    };
    let created = matches!(
        engine.ask(deploying).await?,
        Reply::Deployed { created: true }
    );
    if !created {
        demand_same_schedule(engine, &workflow, &version, pace.as_ref()).await?;
    }
    let schedule = follow(engine, &workflow, &version, pace).await?;
    Ok(Deployed {
        workflow,
        version,
        created,
        schedule,
        warnings,
    })
}

/// Refuses another schedule under a version that is known: versions never change, and the kernel compares
/// graphs, which say nothing of schedules.
async fn demand_same_schedule(
    engine: &Engine,
    workflow: &Str,
    version: &Str,
    pace: Option<&authoring::Schedule>,
) -> Result<(), Refusal> {
    let known = engine.workflow(workflow.clone(), Some(version.clone()));
    let (known, _) = known.await?;
    if schedule_of(&known.source).await.as_ref() == pace {
        return Ok(());
    }
    let name = format!("{workflow} {version}").into();
    Err(AskError::Rejected(Rejection::VersionExists(name)).into())
}

/// The schedule that a deployed text asks for.
async fn schedule_of(source: &Str) -> Option<authoring::Schedule> {
    let (compiled, _) = compile(source.to_string()).await;
    compiled.ok().and_then(|compiled| compiled.schedule)
}

/// Makes the schedule of a workflow's name what its newest text asks for; an older text has no say.
async fn follow(
    engine: &Engine,
    workflow: &Str,
    version: &Str,
    pace: Option<authoring::Schedule>,
) -> Result<Option<&'static str>, Refusal> {
    let (newest, _) = engine.workflow(workflow.clone(), None).await?;
    if newest.graph.version != *version {
        return Ok(None);
    }
    let schedules = engine.schedules().await?;
    let before = schedules.into_iter().find(|known| known.name == *workflow);
    let (change, command) = match (before, pace) {
        (None, None) => return Ok(None),
        (Some(before), Some(pace)) if is_of(&before, workflow, &pace) => {
            return Ok(Some(UNCHANGED));
        }
        (Some(before), None) => {
            if !was_asked_for(engine, &before).await? {
                return Ok(None);
            }
            let name = workflow.clone();
            (REMOVED, Command::DeleteSchedule { name })
        }
        (None, Some(pace)) => (CREATED, put(workflow, pace, None)?),
        (Some(before), Some(pace)) => (CHANGED, put(workflow, pace, Some(before))?),
    };
    engine.ask(command).await?;
    Ok(Some(change))
}

/// Whether a schedule starts the newest version of a workflow as the text says; what it does not say may be anything.
fn is_of(schedule: &Schedule, workflow: &Str, wish: &authoring::Schedule) -> bool {
    let same_pace = match &wish.pace {
        Pace::Cron(cron) => {
            let zone = wish.zone.as_deref().unwrap_or(ZONE_DEFAULT);
            schedule.cron.as_deref() == Some(cron) && &*schedule.zone == zone
        }
        Pace::Every(every_ms) => schedule.every_ms == Some(*every_ms),
        Pace::After(after_ms) => schedule.after_ms == Some(*after_ms),
        Pace::On => schedule.trigger.is_some(),
    };
    let window = (schedule.from, schedule.until);
    let same_window = window == (wish.from_ms.map(Time), wish.until_ms.map(Time));
    let overlap = wish
        .overlap
        .is_none_or(|word| schedule.overlap.word() == word);
    let catch_up = wish
        .catch_up
        .is_none_or(|word| schedule.catch_up.word() == word);
    let same = same_pace && same_window && overlap && catch_up;
    same && schedule.workflow == *workflow && schedule.version.is_none()
}

/// Whether a version of the workflow asked for this schedule; else somebody made it by hand.
async fn was_asked_for(engine: &Engine, schedule: &Schedule) -> Result<bool, Refusal> {
    for (definition, _) in engine.workflows().await? {
        if definition.graph.workflow == schedule.name
            && let Some(pace) = schedule_of(&definition.source).await
            && is_of(schedule, &schedule.name, &pace)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The wish for a schedule as the text says; what it does not say stays as it was. Runs that events start are
/// of no concern to each other unless the text says so.
fn put(
    workflow: &Str,
    wish: authoring::Schedule,
    before: Option<Schedule>,
) -> Result<Command, Refusal> {
    let word = |word: fn(&Schedule) -> &'static str| before.as_ref().map(word);
    let default = if wish.pace == Pace::On {
        Overlap::Allow
    } else {
        Overlap::Skip
    };
    let overlap = wish
        .overlap
        .or_else(|| word(|before| before.overlap.word()));
    let catch_up = wish
        .catch_up
        .or_else(|| word(|before| before.catch_up.word()));
    let mut parts = ScheduleParts {
        name: workflow.to_string(),
        workflow: workflow.to_string(),
        time_zone: wish.zone.unwrap_or_default(),
        overlap: overlap.unwrap_or(default.word()).to_owned(),
        catch_up: catch_up.unwrap_or_default().to_owned(),
        paused: before.as_ref().is_some_and(|before| before.paused),
        input: before.map_or_else(empty_object, |before| before.input),
        from_ms: wish.from_ms.unwrap_or_default(),
        until_ms: wish.until_ms.unwrap_or_default(),
        ..ScheduleParts::default()
    };
    match wish.pace {
        Pace::Cron(cron) => parts.cron = cron,
        Pace::Every(every_ms) => parts.every_ms = every_ms,
        Pace::After(after_ms) => parts.after_ms = after_ms,
        Pace::On => parts.on_events = true,
    }
    schedule(parts)
}

/// Compiles on a thread of its own kind, because a large text takes longer than others should wait.
async fn compile(source: String) -> (Result<Compiled, Vec<Finding>>, String) {
    let compiling = tokio::task::spawn_blocking(move || (authoring::compile(&source), source));
    compiling
        .await
        .expect("compiling neither panics nor is it cancelled")
}
