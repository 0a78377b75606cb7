//! Owns what it means to ask for a run.
//!
//! Invariant: the same workflow and business key always name the same run; without a key every request
//! is a new one.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::query::RunView;
use engine::{AskError, Engine};
use graph::Value;
use graph::value::Str;
use kernel::{Command, Reply, RunId, StartRun};
use uuid::Uuid;

use crate::intake::workflow_name;
use crate::refusal::Refusal;

/// A request for a run; empty texts stand for none.
pub(crate) struct StartParts {
    /// The workflow.
    pub(crate) workflow: String,
    /// Its version; empty for the latest.
    pub(crate) version: String,
    /// The business key.
    pub(crate) key: String,
    /// The input.
    pub(crate) input: Value,
    /// What it is found by.
    pub(crate) labels: BTreeMap<Str, Str>,
    /// What it is searched by.
    pub(crate) attributes: BTreeMap<Str, Value>,
}

/// The wish that a request stands for.
pub(crate) fn start(parts: StartParts) -> Result<StartRun, Refusal> {
    if parts.workflow.is_empty() {
        return Err(Refusal::argument(
            "workflow",
            "is missing; name the workflow to start",
        ));
    }
    let workflow = workflow_name(&parts.workflow);
    let run = if parts.key.is_empty() {
        RunId(Uuid::now_v7().into_bytes())
    } else {
        RunId::of_key(workflow, &parts.key)
    };
    Ok(StartRun {
        run,
        workflow: workflow.into(),
        version: (!parts.version.is_empty()).then(|| parts.version.into()),
        key: (!parts.key.is_empty()).then(|| parts.key.into()),
        input: parts.input,
        labels: parts.labels,
        attributes: parts.attributes,
        parent: None,
        depth: 0,
    })
}

/// Begins a run, and waits for its end if that is asked for: whether it is new, and how it stands then.
pub(crate) async fn begin(
    engine: &Engine,
    start: StartRun,
    wait: Option<Duration>,
) -> Result<(bool, Option<RunView>), AskError> {
    if let Some(wait) = wait {
        let (view, created) = engine.start_and_wait(start, wait).await?;
        return Ok((created, Some(view)));
    }
    let reply = engine.ask(Command::StartRun(start)).await?;
    Ok((matches!(reply, Reply::Started { created: true, .. }), None))
}
