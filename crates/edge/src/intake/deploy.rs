//! Owns deploying a text: compile it, make the version known, keep the schedule it asks for.
//!
//! Invariant: a text with errors changes nothing. Deploying the same again changes nothing either: a
//! schedule that is there keeps its pace, and one that rests goes on resting.

use authoring::{Compiled, Finding};
use engine::Engine;
use graph::value::Str;
use kernel::{Command, Reply};

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
    /// What is probably not meant as written.
    pub(crate) warnings: Vec<Finding>,
}

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
        schedule,
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
    if let Some(pace) = schedule {
        keep_schedule(engine, &workflow, pace, created).await?;
    }
    Ok(Deployed {
        workflow,
        version,
        created,
        warnings,
    })
}

async fn keep_schedule(
    engine: &Engine,
    workflow: &Str,
    pace: authoring::Schedule,
    created: bool,
) -> Result<(), Refusal> {
    let schedules = engine.schedules().await?;
    let before = schedules.iter().find(|schedule| schedule.name == *workflow);
    if !created && before.is_some() {
        return Ok(());
    }
    let (cron, every_ms) = match pace {
        authoring::Schedule::Cron(cron) => (cron, 0),
        authoring::Schedule::Every(every_ms) => (String::new(), every_ms),
    };
    let command = schedule(ScheduleParts {
        name: workflow.to_string(),
        workflow: workflow.to_string(),
        version: String::new(),
        input: empty_object(),
        cron,
        time_zone: String::new(),
        every_ms,
        overlap: String::new(),
        catch_up: String::new(),
        paused: before.is_some_and(|before| before.paused),
    })?;
    engine.ask(command).await?;
    Ok(())
}

/// Compiles on a thread of its own kind, because a large text takes longer than others should wait.
async fn compile(source: String) -> (Result<Compiled, Vec<Finding>>, String) {
    let compiling = tokio::task::spawn_blocking(move || (authoring::compile(&source), source));
    compiling
        .await
        .expect("compiling neither panics nor is it cancelled")
}
