//! Owns [`compile`], the way from a text to a graph.
//!
//! Invariant: a graph that comes out has passed [`graph::check`], so what the kernel runs is sound even
//! if a rule were missing here.

use graph::check::{Endless, check, endless, unreachable, unreachable_message};
use graph::ir::{Graph, Node};

use crate::finding::{FINDINGS_MAX, Finding, Findings, quote};
use crate::lowering::{Lowering, Unclear};
use crate::tree::Tree;
use crate::yaml;

/// A workflow that compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What the kernel runs.
    pub graph: Graph,
    /// When runs start by themselves, if they do.
    pub schedule: Option<Schedule>,
    /// What is probably not meant as written; never errors.
    pub warnings: Vec<Finding>,
}

/// When runs start by themselves, and with which policies; what the text leaves open is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When.
    pub pace: Pace,
    /// IANA name of the time zone of a cron expression.
    pub zone: Option<String>,
    /// No starts before this instant, in milliseconds since 1970.
    pub from_ms: Option<u64>,
    /// No starts after this instant, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// What to do when the run before has not ended: skip, queue, allow, cancel or terminate.
    pub overlap: Option<&'static str>,
    /// What to do about missed starts: skip, one or all.
    pub catch_up: Option<&'static str>,
}

/// When runs start by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At the times of this cron expression, checked.
    Cron(String),
    /// Again and again, this many milliseconds apart; more than zero.
    Every(u64),
    /// So many milliseconds after the run before has ended; more than zero.
    After(u64),
    /// When the events of the graph's trigger come.
    On,
}

/// Compiles a workflow written in the Serverless Workflow DSL 1.0 or in the graph form, as YAML 1.2 or JSON.
///
/// # Errors
/// The findings, errors first and at least one, each with its place in the text.
pub fn compile(text: &str) -> Result<Compiled, Vec<Finding>> {
    let mut findings = Findings::default();
    let Some(tree) = yaml::parse(text, &mut findings) else {
        return Err(findings.into_list());
    };
    let mut lowering = Lowering::new(findings);
    let schedule = lowering.document(tree.root());
    let (mut graph, mut findings, unclear) = lowering.finish();
    // Expressions that read the `definition` of `$task` or `$workflow` are rare, and the text is long.
    graph.definition = text.contains("definition").then(|| tree.root().value());
    tell_flow(&tree, &graph, &unclear, &mut findings);
    if findings.has_errors() {
        return Err(findings.into_list());
    }
    Ok(Compiled {
        graph,
        schedule,
        warnings: findings.into_list(),
    })
}

/// Says what can be told of the graph as a whole; after errors of the text only of the flow that they leave clear.
fn tell_flow(tree: &Tree, graph: &Graph, unclear: &Unclear, findings: &mut Findings) {
    if findings.has_errors() {
        let is_clear = |node: &&Node| {
            let is_begun = graph.bodies[node.body.0 as usize].first.is_some();
            is_begun && !unclear.jumps.contains(&node.body)
        };
        let unreachable = unreachable(graph).into_iter().filter(is_clear);
        for node in unreachable.take(FINDINGS_MAX) {
            let message = unreachable_message(node);
            findings.error_key(tree.find(&node.path), "unsound", message);
        }
    } else if let Err(unsound) = check(graph) {
        for flaw in unsound.into_iter().take(FINDINGS_MAX) {
            let message = flaw.message.replace('\n', "; ");
            findings.error_key(tree.find(&flaw.path), "unsound", message);
        }
    }
    let mut endless = endless(graph, &unclear.nodes);
    endless.retain(|endless| !unclear.jumps.contains(&endless.node.body));
    endless.sort_by_key(|endless| !endless.spins);
    for Endless { node, spins } in endless.into_iter().take(FINDINGS_MAX) {
        let (at, name) = (tree.find(&node.path), quote(&node.name));
        if spins {
            let message = format!(
                "from {name} no way leads out of this list, and nothing in it takes time: it goes round until the run fails; let a `switch` leave it with `exit`, or go through it with `for`"
            );
            findings.error_key(at, "endless", message);
        } else {
            let message = format!(
                "from {name} no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit`"
            );
            findings.warning_key(at, "endless", message);
        }
    }
}
