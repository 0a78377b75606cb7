//! Owns the catalog: workflows and their versions.
//!
//! Invariant: a version never changes once deployed; runs find the version they started with for as
//! long as the server lives.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use graph::expr::Program;
use graph::ir::{Case, JoinBy};
use graph::schema::{Misfits, Schema};
use graph::template::VARIABLES;
use graph::value::{Str, Value};
use graph::{Expr, Failure, Graph, Kind, Next, Node, NodeIndex};

use crate::command::Reply;
use crate::event::{Event, WorkflowDeployed};
use crate::rejection::Rejection;
use crate::turn::{Turn, Via};

/// Workflows by name.
#[derive(Debug, Default)]
pub struct Catalog {
    workflows: BTreeMap<Str, Workflow>,
    deployments: u64,
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
    /// Counts deployments of the server.
    order: u64,
    programs: BTreeMap<Str, Result<Program, Str>>,
    /// Compiled schemas, by node (none for the workflow) and what they are of.
    schemas: BTreeMap<(Option<u32>, &'static str), Schema>,
    /// How many edges lead to each node.
    incoming: Vec<usize>,
    /// For each join that counts edges: where they begin, in order.
    edges: BTreeMap<u32, Vec<Via>>,
    /// Nodes that milestones name.
    watched: BTreeSet<u32>,
    /// For each merge, and for each join beside merges: from which nodes edges lead there.
    leading: BTreeMap<u32, Vec<bool>>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.graph.workflow, self.graph.version)
    }
}

impl Definition {
    /// Compiles every expression of a graph once. One that does not compile fails where it is used.
    #[must_use]
    pub fn new(graph: Graph, json: Str, source: Str, order: u64) -> Definition {
        let mut programs = BTreeMap::new();
        let variables: Vec<&str> = VARIABLES
            .iter()
            .copied()
            .chain(graph.locals.iter().map(|name| &**name))
            .collect();
        for expr in graph::check::expressions(&graph) {
            if &*expr.0 != "." && !programs.contains_key(&expr.0) {
                let program = Program::compile(&expr.0, &variables)
                    .map_err(|error| Str::from(error.to_string()));
                programs.insert(expr.0.clone(), program);
            }
        }
        let schemas = schemas(&graph);
        let leading = leading(&graph);
        let named = graph.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Milestone(milestone) => Some(milestone.node.0),
            _ => None,
        });
        let watched = named.collect();
        let mut incoming = alloc::vec![0; graph.nodes.len()];
        let mut edges = BTreeMap::<u32, Vec<Via>>::new();
        for (from, node) in (0_u32..).zip(&graph.nodes) {
            for (way, target) in (0_u32..).zip(targets(node)) {
                let Next::Node(NodeIndex(to)) = target else {
                    continue;
                };
                if let Some(count) = incoming.get_mut(to as usize) {
                    *count += 1;
                }
                if counts_edges(&graph, to) {
                    let is_split = matches!(node.kind, Kind::Split(_));
                    let way = if is_split { way } else { 0 };
                    edges.entry(to).or_default().push(Via { node: from, way });
                }
            }
        }
        Definition {
            graph,
            source,
            json,
            order,
            programs,
            schemas,
            incoming,
            edges,
            watched,
            leading,
        }
    }

    /// A node by its index.
    #[must_use]
    pub fn node(&self, index: u32) -> Option<&Node> {
        self.graph.nodes.get(index as usize)
    }

    /// Holds data against the schema of the input, output or export of a node, or of the workflow.
    pub(crate) fn fits(
        &self,
        node: Option<u32>,
        what: &'static str,
        data: &Value,
    ) -> Result<(), Failure> {
        let Some(schema) = self.schemas.get(&(node, what)) else {
            return Ok(());
        };
        schema.check(data).map_err(|misfits| misfit(what, &misfits))
    }

    /// How many edges lead to a node; ways of which only one is taken count as one.
    pub(crate) fn incoming(&self, index: u32) -> usize {
        self.incoming
            .get(index as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The number of an edge among those that lead to a join, if the join tells them apart.
    pub(crate) fn edge(&self, via: Via, to: u32) -> Option<u32> {
        let edges = self.edges.get(&to)?;
        let place = edges.binary_search(&via).ok()?;
        u32::try_from(place).ok()
    }

    /// Whether there are merges.
    pub(crate) fn has_merges(&self) -> bool {
        !self.leading.is_empty()
    }

    /// Whether a milestone names a node.
    pub(crate) fn is_watched(&self, node: u32) -> bool {
        self.watched.contains(&node)
    }

    /// Whether edges lead from one node to another, which is a merge, or a join beside merges.
    pub(crate) fn leads(&self, from: u32, to: u32) -> bool {
        let leading = self.leading.get(&to);
        leading.is_some_and(|from_there| from_there.get(from as usize) == Some(&true))
    }

    /// Whether a node's `output` or `export` can see its shaped input.
    pub(crate) fn sees_input(&self, node: &Node) -> bool {
        let mut sees = false;
        for template in node.output.iter().chain(&node.export) {
            template.expressions(&mut |expr| {
                let program = self.programs.get(&expr.0);
                sees |= program.is_some_and(|program| {
                    let input = VARIABLES.iter().position(|name| *name == "input");
                    let uses = |program: &Program| input.is_some_and(|index| program.uses(index));
                    program.as_ref().is_ok_and(uses)
                });
            });
        }
        sees
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

fn counts_edges(graph: &Graph, node: u32) -> bool {
    let kind = graph.nodes.get(node as usize).map(|node| &node.kind);
    matches!(kind, Some(Kind::Join(join)) if join.by == JoinBy::Edges)
}

/// The failure of data that does not fit a schema.
pub(crate) fn misfit(what: &str, misfits: &Misfits) -> Failure {
    Failure::new(
        "validation",
        format!("the {what} does not fit its schema: {misfits}"),
    )
}

/// Every schema that compiles; a sound graph has no other.
fn schemas(graph: &Graph) -> BTreeMap<(Option<u32>, &'static str), Schema> {
    let compiled = |(node, what, schema)| Some(((node, what), Schema::compile(schema).ok()?));
    graph.schemas().filter_map(compiled).collect()
}

/// From where each merge and join can be reached; nothing where there is no merge.
fn leading(graph: &Graph) -> BTreeMap<u32, Vec<bool>> {
    if !graph.nodes.iter().any(|node| node.kind == Kind::Merge) {
        return BTreeMap::new();
    }
    let mut back: Vec<Vec<u32>> = alloc::vec![Vec::new(); graph.nodes.len()];
    for (from, node) in (0_u32..).zip(&graph.nodes) {
        for target in targets(node) {
            if let Next::Node(NodeIndex(to)) = target
                && let Some(sources) = back.get_mut(to as usize)
            {
                sources.push(from);
            }
        }
    }
    let nodes = (0_u32..).zip(&graph.nodes);
    let holding = nodes.filter(|(_, node)| matches!(node.kind, Kind::Merge | Kind::Join(_)));
    let leading_to = |(to, _): (u32, &Node)| {
        let mut leads = alloc::vec![false; graph.nodes.len()];
        let mut todo = alloc::vec![to];
        while let Some(at) = todo.pop() {
            for from in &back[at as usize] {
                if !core::mem::replace(&mut leads[*from as usize], true) {
                    todo.push(*from);
                }
            }
        }
        (to, leads)
    };
    holding.map(leading_to).collect()
}

/// Where the tokens that leave a node may come to.
fn targets(node: &Node) -> Vec<Next> {
    let (cases, is_split): (&[Case], _) = match &node.kind {
        Kind::Split(cases) => (cases, true),
        Kind::Switch(cases) => (cases, false),
        _ => (&[], false),
    };
    let caught = match &node.kind {
        Kind::Try(tried) => tried.catch.as_ref().and_then(|catch| catch.next),
        Kind::Milestone(milestone) => milestone.otherwise,
        _ => None,
    };
    let mut targets: Vec<Next> = Vec::new();
    for next in cases.iter().map(|case| case.next).chain(caught) {
        if is_split || !targets.contains(&next) {
            targets.push(next);
        }
    }
    let is_decided = node.when.is_none() && cases.iter().any(|case| case.when.is_none());
    if !is_decided && !targets.contains(&node.next) {
        targets.push(node.next);
    }
    targets
}

impl Catalog {
    /// A version of a workflow; the one deployed last if none is named.
    #[must_use]
    pub fn find(&self, workflow: &str, version: Option<&str>) -> Option<&Arc<Definition>> {
        let workflow = self.workflows.get(workflow)?;
        workflow
            .versions
            .get(version.or(workflow.latest.as_deref())?)
    }

    /// All versions, by workflow and version name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.workflows
            .values()
            .flat_map(|workflow| workflow.versions.values())
    }

    /// The fact that made a version known, and its place in the order of deployments.
    #[must_use]
    pub fn deployed(&self, workflow: &str, version: &str) -> Option<(u64, WorkflowDeployed)> {
        let definition = self.find(workflow, Some(version))?;
        let deployed = WorkflowDeployed {
            workflow: definition.graph.workflow.clone(),
            version: definition.graph.version.clone(),
            graph: definition.json.clone(),
            source: definition.source.clone(),
        };
        Some((definition.order, deployed))
    }

    /// Whether this is the version that new runs get.
    #[must_use]
    pub fn is_latest(&self, definition: &Definition) -> bool {
        self.find(&definition.graph.workflow, None)
            .is_some_and(|latest| latest.graph.version == definition.graph.version)
    }

    pub(crate) fn apply_deployed(&mut self, deployed: &WorkflowDeployed) {
        let Ok(graph) = serde_json::from_str::<Graph>(&deployed.graph) else {
            // Written by a newer release: its runs fail with a clear error, everything else goes on.
            return;
        };
        self.deployments += 1;
        let definition = Definition::new(
            graph,
            deployed.graph.clone(),
            deployed.source.clone(),
            self.deployments,
        );
        let workflow = self.workflows.entry(deployed.workflow.clone()).or_default();
        workflow
            .versions
            .insert(deployed.version.clone(), Arc::new(definition));
        workflow.latest = Some(deployed.version.clone());
    }
}

/// Makes a version known.
pub(crate) fn decide_deploy(
    turn: &mut Turn<'_>,
    graph: &Graph,
    source: &Str,
) -> Result<Reply, Rejection> {
    let json: Str = serde_json::to_string(graph)
        .map_err(|error| Rejection::Invalid(error.to_string()))?
        .into();
    if let Some(existing) = turn
        .state()
        .catalog
        .find(&graph.workflow, Some(&graph.version))
    {
        return if existing.json == json {
            Ok(Reply::Deployed { created: false })
        } else {
            Err(Rejection::VersionExists(
                format!("{} {}", graph.workflow, graph.version).into(),
            ))
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
