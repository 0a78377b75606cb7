//! Owns a workflow version as JSON and as a row of a table.

use sdk::Workflow;
use serde::Serialize;
use serde_json::Value;

use super::paint::Paint;
use super::run::value;
use super::table::Table;

/// A workflow version as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WorkflowRecord<'w> {
    workflow: &'w str,
    version: &'w str,
    latest: bool,
}

/// A workflow version as JSON with its text and what it was compiled to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WorkflowDetail<'w> {
    #[serde(flatten)]
    workflow: WorkflowRecord<'w>,
    source: &'w str,
    graph: Value,
}

impl<'w> From<&'w Workflow> for WorkflowRecord<'w> {
    fn from(workflow: &'w Workflow) -> Self {
        WorkflowRecord {
            workflow: &workflow.workflow,
            version: &workflow.version,
            latest: workflow.latest,
        }
    }
}

impl<'w> From<&'w Workflow> for WorkflowDetail<'w> {
    fn from(workflow: &'w Workflow) -> Self {
        WorkflowDetail {
            workflow: workflow.into(),
            source: &workflow.source,
            graph: value(&workflow.graph),
        }
    }
}

/// Workflow versions as a table.
pub(crate) fn table(workflows: &[Workflow], paint: Paint) -> String {
    let mut table = Table::new(["WORKFLOW", "VERSION", "LATEST"]);
    for workflow in workflows {
        let latest = if workflow.latest { "yes" } else { "" };
        table.row([
            workflow.workflow.as_str().into(),
            workflow.version.as_str().into(),
            latest.into(),
        ]);
    }
    table.render(paint)
}
