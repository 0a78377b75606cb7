//! Owns [`Trace`]: what the nodes of a workflow did, visit by visit, as its author would tell it.
//!
//! Invariant: the order is that in which visits ended. Nodes that the compiler puts in beside the author's
//! tasks (a guard, the arguments of a function) are not told.

use std::collections::BTreeMap;

use graph::value::Str;
use graph::{Failure, Graph, Kind, Next, Node};
use kernel::catalog::Catalog;
use kernel::event::RunFact;
use kernel::id::FrameId;
use kernel::{RunEvent, RunId, StepId, Time};

/// What a run's nodes did so far.
#[derive(Debug, Default)]
pub struct Trace {
    ended: Vec<Visit>,
    open: BTreeMap<(RunId, StepId), Visit>,
    /// Of each run its workflow and version.
    workflows: BTreeMap<RunId, (Str, Str)>,
    /// Guards that a token has passed, by where: it is on its way to the guarded node, or past it.
    guarded: BTreeMap<(RunId, FrameId), Visit>,
}

/// One visit to a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// The run.
    pub run: RunId,
    /// Index of the node.
    pub node: u32,
    /// The author's name for it.
    pub name: Str,
    /// Where it stands in the source, as a JSON pointer.
    pub path: Str,
    /// When it began.
    pub began_at: Time,
    /// When it ended, or was last seen to go on.
    pub ended_at: Time,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a visit ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Well.
    Completed,
    /// Its condition did not hold.
    Skipped,
    /// With this failure.
    Failed(Failure),
    /// It was withdrawn.
    Cancelled,
    /// Not yet.
    GoesOn,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Skipped => "skipped",
            Outcome::Failed(_) => "failed",
            Outcome::Cancelled => "cancelled",
            Outcome::GoesOn => "goes-on",
        }
    }
}

impl Trace {
    /// Visits that ended, in the order in which they did; then those that go on.
    pub fn visits(&self) -> impl Iterator<Item = &Visit> {
        self.ended.iter().chain(self.open.values())
    }

    /// Takes in what happened to a run.
    pub(super) fn note(&mut self, fact: &RunFact, at: Time, catalog: &Catalog) {
        let run = fact.run;
        match &fact.fact {
            RunEvent::Started(started) => {
                let workflow = (started.workflow.clone(), started.version.clone());
                self.workflows.insert(run, workflow);
            }
            RunEvent::StepEntered(fact) => {
                self.arrive(run, fact.frame, fact.node);
                if let Some(visit) = self.visit(run, fact.node, at, catalog) {
                    self.open.insert((run, fact.step), visit);
                }
            }
            RunEvent::StepPassed(fact) => {
                self.arrive(run, fact.frame, fact.node);
                let Some(visit) = self.visit(run, fact.node, at, catalog) else {
                    return;
                };
                let graph = self.graph(run, catalog);
                if let Some(guarded) = graph.and_then(|graph| guarded(graph, fact.node)) {
                    let visit = Visit {
                        node: guarded,
                        outcome: Outcome::Skipped,
                        ..visit
                    };
                    self.guarded.insert((run, fact.frame), visit);
                } else {
                    let outcome = well(fact.skipped);
                    self.ended.push(Visit { outcome, ..visit });
                }
            }
            RunEvent::StepCompleted(fact) => self.end(run, fact.step, at, well(fact.skipped)),
            RunEvent::StepCancelled(fact) => self.end(run, fact.step, at, Outcome::Cancelled),
            RunEvent::StepFailed(fact) => {
                let outcome = Outcome::Failed(fact.failure.clone());
                match fact.step {
                    Some(step) => self.end(run, step, at, outcome),
                    None => {
                        let visit = self.visit(run, fact.node, at, catalog);
                        let failed = visit.map(|visit| Visit { outcome, ..visit });
                        self.ended.extend(failed);
                    }
                }
            }
            RunEvent::FrameClosed(fact) => {
                self.ended.extend(self.guarded.remove(&(run, fact.frame)));
            }
            RunEvent::Ended(_) => self.end_all(run, at),
            _ => {}
        }
    }

    /// A token has come to a node: if it passed a guard on its way, that has let it in or led it past.
    fn arrive(&mut self, run: RunId, frame: FrameId, node: u32) {
        if let Some(skipped) = self.guarded.remove(&(run, frame))
            && skipped.node != node
        {
            self.ended.push(skipped);
        }
    }

    fn visit(&self, run: RunId, node: u32, at: Time, catalog: &Catalog) -> Option<Visit> {
        let graph = self.graph(run, catalog)?;
        let of = graph.nodes.get(node as usize)?;
        (!is_arguments(of)).then(|| Visit {
            run,
            node,
            name: of.name.clone(),
            path: of.path.clone(),
            began_at: at,
            ended_at: at,
            outcome: Outcome::GoesOn,
        })
    }

    fn graph<'c>(&self, run: RunId, catalog: &'c Catalog) -> Option<&'c Graph> {
        let (workflow, version) = self.workflows.get(&run)?;
        Some(&catalog.find(workflow, Some(version))?.graph)
    }

    fn end(&mut self, run: RunId, step: StepId, at: Time, outcome: Outcome) {
        if let Some(visit) = self.open.remove(&(run, step)) {
            self.ended.push(Visit {
                ended_at: at,
                outcome,
                ..visit
            });
        }
    }

    /// What a run leaves open at its end was cut off.
    fn end_all(&mut self, run: RunId, at: Time) {
        let of_run: Vec<StepId> = self
            .open
            .range((run, StepId(0))..=(run, StepId(u32::MAX)))
            .map(|((_, step), _)| *step)
            .collect();
        for step in of_run {
            self.end(run, step, at, Outcome::Cancelled);
        }
        let places: Vec<_> = self
            .guarded
            .range((run, FrameId(0))..=(run, FrameId(u32::MAX)))
            .map(|(place, _)| *place)
            .collect();
        for place in places {
            self.ended.extend(self.guarded.remove(&place));
        }
    }
}

fn well(skipped: Option<bool>) -> Outcome {
    match skipped {
        Some(true) => Outcome::Skipped,
        _ => Outcome::Completed,
    }
}

/// The node that a guard stands before: both come from the same task of the author.
fn guarded(graph: &Graph, node: u32) -> Option<u32> {
    let guard = graph.nodes.get(node as usize)?;
    let Kind::Switch(cases) = &guard.kind else {
        return None;
    };
    match cases[..] {
        [ref case] => match case.next {
            Next::Node(next) => {
                (graph.nodes.get(next.0 as usize)?.path == guard.path).then_some(next.0)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a node sets the arguments of a function that was put in place of its call.
fn is_arguments(node: &Node) -> bool {
    &*node.name == "with" && node.path.ends_with("/with") && matches!(node.kind, Kind::Set(_))
}
