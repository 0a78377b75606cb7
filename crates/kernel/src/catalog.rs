//! Owns the catalog: workflows and their versions.
//!
//! Invariant: a version never changes once deployed; runs find the version they started with for as
//! long as the server lives.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use graph::expr::Program;
use graph::template::VARIABLES;
use graph::value::Str;
use graph::{Expr, Graph, Node};

use crate::command::Reply;
use crate::event::{Event, WorkflowDeployed};
use crate::rejection::Rejection;
use crate::turn::Turn;

/// Workflows by name.
#[derive(Debug, Default)]
pub struct Catalog {
    workflows: BTreeMap<Str, Workflow>,
}

/// The versions of one workflow.
#[derive(Debug, Default)]
pub struct Workflow {
    versions: BTreeMap<Str, Arc<Definition>>,
    latest: Option<Str>,
}

/// One version, ready to run.
pub struct Definition {
    /// The graph.
    pub graph: Graph,
    /// What the author wrote.
    pub source: Str,
    /// The graph as JSON, as it was deployed.
    json: Str,
    programs: BTreeMap<Str, Result<Program, Str>>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.graph.workflow, self.graph.version)
    }
}

impl Definition {
    /// Compiles every expression of a graph once. One that does not compile fails where it is used.
    #[must_use]
    pub fn new(graph: Graph, json: Str, source: Str) -> Definition {
        let mut programs = BTreeMap::new();
        let variables: Vec<&str> = VARIABLES.iter().copied().chain(graph.locals.iter().map(|name| &**name)).collect();
        for expr in graph::check::expressions(&graph) {
            if &*expr.0 != "." && !programs.contains_key(&expr.0) {
                let program = Program::compile(&expr.0, &variables).map_err(|error| Str::from(error.to_string()));
                programs.insert(expr.0.clone(), program);
            }
        }
        Definition { graph, source, json, programs }
    }

    /// A node by its index.
    #[must_use]
    pub fn node(&self, index: u32) -> Option<&Node> {
        self.graph.nodes.get(index as usize)
    }

    /// The compiled form of an expression of this graph.
    pub(crate) fn program(&self, expr: &Expr) -> Result<&Program, Str> {
        match self.programs.get(&expr.0) {
            Some(Ok(program)) => Ok(program),
            Some(Err(why)) => Err(why.clone()),
            None => Err("not an expression of this workflow".into()),
        }
    }
}

impl Catalog {
    /// A version of a workflow; the one deployed last if none is named.
    #[must_use]
    pub fn find(&self, workflow: &str, version: Option<&str>) -> Option<&Arc<Definition>> {
        let workflow = self.workflows.get(workflow)?;
        workflow.versions.get(version.or(workflow.latest.as_deref())?)
    }

    /// All versions, by workflow and version name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.workflows.values().flat_map(|workflow| workflow.versions.values())
    }

    /// Whether this is the version that new runs get.
    #[must_use]
    pub fn is_latest(&self, definition: &Definition) -> bool {
        self.find(&definition.graph.workflow, None).is_some_and(|latest| latest.graph.version == definition.graph.version)
    }

    pub(crate) fn apply_deployed(&mut self, deployed: &WorkflowDeployed) {
        let Ok(graph) = serde_json::from_str::<Graph>(&deployed.graph) else {
            // Written by a newer release: its runs fail with a clear error, everything else goes on.
            return;
        };
        let definition = Definition::new(graph, deployed.graph.clone(), deployed.source.clone());
        let workflow = self.workflows.entry(deployed.workflow.clone()).or_default();
        workflow.versions.insert(deployed.version.clone(), Arc::new(definition));
        workflow.latest = Some(deployed.version.clone());
    }
}

/// Makes a version known.
pub(crate) fn decide_deploy(turn: &mut Turn<'_>, graph: &Graph, source: &Str) -> Result<Reply, Rejection> {
    let json: Str = serde_json::to_string(graph).map_err(|error| Rejection::Invalid(error.to_string()))?.into();
    if let Some(existing) = turn.state().catalog.find(&graph.workflow, Some(&graph.version)) {
        return if existing.json == json {
            Ok(Reply::Deployed { created: false })
        } else {
            Err(Rejection::VersionExists(format!("{} {}", graph.workflow, graph.version).into()))
        };
    }
    graph::check::check(graph).map_err(|unsound| {
        let first = unsound.first().map(ToString::to_string).unwrap_or_default();
        Rejection::WorkflowUnsound(first)
    })?;
    turn.emit(Event::WorkflowDeployed(WorkflowDeployed {
        workflow: graph.workflow.clone(),
        version: graph.version.clone(),
        graph: json,
        source: source.clone(),
    }));
    Ok(Reply::Deployed { created: true })
}
