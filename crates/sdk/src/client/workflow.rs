//! Owns the calls about workflows: deploying, checking, listing and reading definitions.

use api::v1;

use super::schedule::non_empty;
use super::{Client, bounded};
use crate::error::Error;
use crate::json::Json;
use std::time::Duration;

/// What deploying did.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The workflow's name.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// False if the same was there already.
    pub created: bool,
    /// What became of the schedule of the workflow's name: `created`, `changed`, `removed` or `unchanged`;
    /// `None` if neither this text nor an earlier one has any.
    pub schedule: Option<String>,
    /// What could be better.
    pub warnings: Vec<Finding>,
}

/// Something to say about a place in a workflow's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// From 1; 0 if there is no place.
    pub line: u32,
    /// From 1; 0 if there is no place.
    pub column: u32,
    /// JSON pointer.
    pub path: String,
    /// Whether it stops the workflow from being deployed.
    pub is_error: bool,
    /// Permanent code.
    pub code: String,
    /// What, and how to fix it.
    pub message: String,
}

/// A version of a workflow.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// The workflow's name.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// Whether it is the version that starts use if they name none.
    pub latest: bool,
    /// The text it was deployed with; empty in lists.
    pub source: String,
    /// The compiled graph; empty in lists.
    pub graph: Json,
}

impl Client {
    /// Makes a version of a workflow known. The same text again is no change.
    ///
    /// # Errors
    /// [`Error::Refused`] if the text has errors or the version has another text; [`Error::Unreachable`].
    pub async fn deploy(&self, source: impl Into<String>) -> Result<Deployment, Error> {
        let request = v1::DeployRequest {
            source: source.into(),
        };
        let answer = self
            .raw()
            .workflows()
            .deploy(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(Deployment {
            workflow: answer.workflow,
            version: answer.version,
            created: answer.created,
            schedule: non_empty(answer.schedule),
            warnings: answer.warnings.into_iter().map(Finding::from).collect(),
        })
    }

    /// Checks a workflow's text without deploying it.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`]; mistakes in the text are findings, not errors.
    pub async fn check(&self, source: impl Into<String>) -> Result<Vec<Finding>, Error> {
        let request = v1::CheckRequest {
            source: source.into(),
        };
        let answer = self
            .raw()
            .workflows()
            .check(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(answer.findings.into_iter().map(Finding::from).collect())
    }

    /// All workflows with their versions.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        let request = v1::ListWorkflowsRequest {};
        let answer = self
            .raw()
            .workflows()
            .list(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(answer.workflows.into_iter().map(Workflow::from).collect())
    }

    /// One version of a workflow with its source, the latest if none is named.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn workflow(&self, workflow: &str, version: Option<&str>) -> Result<Workflow, Error> {
        let request = v1::GetWorkflowRequest {
            workflow: workflow.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        };
        let answer = self
            .raw()
            .workflows()
            .get(bounded(request, Duration::ZERO))
            .await?;
        Ok(answer.into_inner().into())
    }
}

impl From<v1::Finding> for Finding {
    fn from(finding: v1::Finding) -> Finding {
        Finding {
            line: finding.line,
            column: finding.column,
            path: finding.path,
            is_error: finding.severity == "error",
            code: finding.code,
            message: finding.message,
        }
    }
}

impl From<v1::Workflow> for Workflow {
    fn from(workflow: v1::Workflow) -> Workflow {
        Workflow {
            workflow: workflow.workflow,
            version: workflow.version,
            latest: workflow.latest,
            source: workflow.source,
            graph: workflow.graph.into(),
        }
    }
}
