//! Owns the reading of a drawn body: its nodes, and the edges along which tokens leave them.
//!
//! Invariants: all nodes of a body are known before the first edge is read; every edge has one meaning,
//! which follows from its `case` and from what the node does that it leaves. Edges of a node keep their order.

use std::collections::BTreeMap;

use graph::Expr;
use graph::check::BRANCHES_MAX;
use graph::ir::{BodyIndex, Case, Join, JoinBy, Kind, Milestone, Need, Next, NodeIndex, Withdraw};

use super::KEYS_BODY;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::task::list::{Flow, KINDS_STEERED};
use crate::tree::{At, Data};

/// Targets of an edge that are no nodes.
const TARGETS: [&str; 2] = ["exit", "end"];

const SECOND: &str = "a second edge of this kind leaves the node; let the node lead to a `switch`, where one of several is taken, or to a `split`, where all are";
const DECIDED: &str = "this edge is never taken, because one before it has no `when`; put that one last or give it a condition";
const NO_CATCH: &str = "only a node with a `catch` has an edge with `case: error`";
const NO_ELSE: &str = "only a `switch`, `split` or `milestone` has an edge with `case: else`";
const NO_CONDITION: &str = "only edges out of a `switch` or `split` have a condition, and not those with `case`; lead this edge to a `switch`";

/// An edge, read.
struct Edge<'t> {
    at: At<'t>,
    when: Option<Expr>,
    case: Option<&'static str>,
    next: Next,
}

/// The edges out of each node.
type Edges<'t> = BTreeMap<NodeIndex, Vec<Edge<'t>>>;

/// The nodes of a body by their keys.
type Nodes<'t> = BTreeMap<&'t str, NodeIndex>;

impl<'t> Lowering<'t> {
    /// A body drawn as nodes and edges.
    pub(crate) fn drawn_body(&mut self, at: At<'t>, scope: &Scope) -> Option<BodyIndex> {
        self.known(at, &KEYS_BODY);
        self.drawing(at, scope)
    }

    /// The same, whatever other keys stand beside it.
    pub(crate) fn drawing(&mut self, at: At<'t>, scope: &Scope) -> Option<BodyIndex> {
        let body = self.add_body(at, scope)?;
        let errors = self.findings.errors();
        let drawn = self.draw(at, body, &scope.inside());
        if self.findings.errors() > errors {
            self.unclear.jumps.insert(body);
        }
        drawn.map(|()| body)
    }

    fn draw(&mut self, at: At<'t>, body: BodyIndex, scope: &Scope) -> Option<()> {
        let list = self.require(at, "nodes")?;
        if !list.is_map() {
            self.wrong(list, "a map of nodes by name");
            return None;
        }
        let mut nodes = Nodes::new();
        for node in list.children() {
            self.check_task_name(node, false);
            let index = self.add_node(node, node.key(), body)?;
            nodes.insert(node.key(), index);
        }
        let first = list.children().next().map(|node| nodes[node.key()]);
        let first = match at.member("start") {
            Some(start) => self.node_at(start, &nodes, &[]).or(first),
            None => first,
        };
        self.graph.bodies[body.0 as usize].first = first;
        let mut edges = match at.member("edges") {
            Some(edges) => self.edges(edges, &nodes, scope)?,
            None => Edges::new(),
        };
        self.drawn.push(nodes.clone());
        for node in list.children() {
            let index = nodes[node.key()];
            let out = edges.remove(&index).unwrap_or_default();
            self.drawn_node(node, index, scope, out);
        }
        self.drawn.pop();
        Some(())
    }

    /// The node that a text names.
    fn node_at(&mut self, at: At<'t>, nodes: &Nodes<'t>, further: &[&str]) -> Option<NodeIndex> {
        let name = self.literal(at)?;
        let found = nodes.get(&*name).copied();
        if found.is_none() {
            let names = nodes.keys().chain(further).copied();
            let hint = self.findings.hint(&name, names, || {
                format!(
                    "; `{}` names a node of the body{}",
                    at.key(),
                    if further.is_empty() {
                        ""
                    } else {
                        ", or exit or end"
                    }
                )
            });
            self.no_node(at, &name, &hint);
        }
        found
    }

    fn no_node(&mut self, at: At<'t>, name: &str, hint: &str) {
        let message = format!("no node of this body is named {}{hint}", quote(name));
        self.findings.error(at, "unknown-jump", message);
    }

    fn edges(&mut self, at: At<'t>, nodes: &Nodes<'t>, scope: &Scope) -> Option<Edges<'t>> {
        let mut edges = Edges::new();
        for edge in self.list(at)? {
            if !self.known(edge, &["from", "to", "when", "case"]) {
                continue;
            }
            let (from, to) = (self.require(edge, "from"), self.require(edge, "to"));
            let from = from.and_then(|from| self.node_at(from, nodes, &[]));
            let to = to.and_then(|to| self.target(to, nodes));
            let when = self.optional_condition(edge, "when", scope);
            let case = edge
                .member("case")
                .and_then(|case| self.word(case, &["else", "error"]));
            if let (Some(from), Some(next)) = (from, to) {
                edges.entry(from).or_default().push(Edge {
                    at: edge,
                    when,
                    case,
                    next,
                });
            }
        }
        Some(edges)
    }

    fn target(&mut self, at: At<'t>, nodes: &Nodes<'t>) -> Option<Next> {
        match at.text().map(|text| &**text) {
            Some("exit") => Some(Next::Exit),
            Some("end") => Some(Next::End),
            _ => self.node_at(at, nodes, &TARGETS).map(Next::Node),
        }
    }

    /// One node: a task without a `then`, and where its edges lead. What its edges steer is not extended.
    fn drawn_node(&mut self, at: At<'t>, index: NodeIndex, scope: &Scope, edges: Vec<Edge<'t>>) {
        let Some(word) = self.kind_word(at, true) else {
            self.unclear.nodes.insert(index);
            return;
        };
        let when = self.optional_condition(at, "if", scope);
        if let Some(name) = at.member("name").and_then(|name| self.name(name)) {
            self.node(index).name = name;
        }
        let skips = when.is_some();
        self.node(index).when = when;
        let is_steered =
            KINDS_STEERED.contains(&word) || edges.iter().any(|edge| edge.case == Some("error"));
        let place = match is_steered {
            true => Some((index, scope.clone())),
            false => self.extended(at, word, index, scope),
        };
        let work = place.filter(|(node, scope)| {
            let flow = Flow::drawn();
            self.work(at, word, *node, scope, &flow)
        });
        let Some((node, _)) = work else {
            self.unclear.nodes.insert(index);
            return;
        };
        let mut kind = std::mem::replace(&mut self.node(node).kind, Kind::Merge);
        let next = self.connect(&mut kind, edges, skips);
        self.node(node).kind = kind;
        self.node(index).next = next;
    }

    /// What a node does that is steered by edges.
    pub(crate) fn steered(&mut self, word: &str, at: At<'t>, scope: &Scope) -> Option<Kind> {
        match word {
            "threads" => self.number_expression(at, scope).map(Kind::Threads),
            "join" => self.join(at).map(Kind::Join),
            "withdraw" => self.withdraw(at).map(Kind::Withdraw),
            "milestone" => self.milestone(at).map(Kind::Milestone),
            _ => {
                self.nothing(at);
                Some(match word {
                    "switch" => Kind::Switch(Vec::new()),
                    "split" => Kind::Split(Vec::new()),
                    _ => Kind::Merge,
                })
            }
        }
    }

    fn join(&mut self, at: At<'t>) -> Option<Join> {
        if !matches!(at.data(), Data::Null) && !self.known(at, &["need", "by"]) {
            return None;
        }
        let max = u32::try_from(BRANCHES_MAX).unwrap_or(u32::MAX);
        let need = self.need(at, max).unwrap_or(Need::All);
        let by = at
            .member("by")
            .and_then(|by| self.word(by, &["tokens", "edges", "threads"]));
        let by = match by {
            Some("edges") => JoinBy::Edges,
            Some("threads") => JoinBy::Threads,
            _ => JoinBy::Tokens,
        };
        Some(Join { need, by })
    }

    fn withdraw(&mut self, at: At<'t>) -> Option<Withdraw> {
        self.known(at, &["nodes", "complete"]);
        let nodes = self.require(at, "nodes")?;
        let nodes = self
            .list(nodes)?
            .into_iter()
            .map(|node| self.node_around(node));
        let nodes: Vec<_> = nodes.collect();
        Some(Withdraw {
            nodes: nodes.into_iter().collect::<Option<_>>()?,
            complete: self.flag(at, "complete", false),
        })
    }

    fn milestone(&mut self, at: At<'t>) -> Option<Milestone> {
        self.known(at, &["node"]);
        let node = self.require(at, "node")?;
        Some(Milestone {
            node: self.node_around(node)?,
            otherwise: None,
        })
    }

    /// The node that a text names in the innermost drawn body around that has one.
    fn node_around(&mut self, at: At<'t>) -> Option<NodeIndex> {
        let name = self.literal(at)?;
        let mut around = self.drawn.iter().rev();
        let found = around.find_map(|nodes| nodes.get(&*name).copied());
        if found.is_none() {
            let names = self.drawn.iter().rev().flat_map(BTreeMap::keys).copied();
            let hint = self.findings.hint(&name, names, || {
                "; name one of this body or of one around it".into()
            });
            self.no_node(at, &name, &hint);
        }
        found
    }

    /// Lets the edges of a node lead on; gives where its token goes if nothing else is said.
    fn connect(&mut self, kind: &mut Kind, edges: Vec<Edge<'t>>, skips: bool) -> Next {
        let (mut next, mut decided) = (None, false);
        for edge in edges {
            let condition = edge.at.member("when");
            let taken = Case {
                when: edge.when,
                next: edge.next,
            };
            let flaw = match (edge.case, &mut *kind) {
                (Some("error"), Kind::Try(tried)) => match &mut tried.catch {
                    Some(catch) => catch.next.replace(edge.next).map(|_| SECOND),
                    None => Some(NO_CATCH),
                },
                (Some("error"), _) => Some(NO_CATCH),
                (None, Kind::Switch(_)) if decided => Some(DECIDED),
                (None, Kind::Switch(cases)) => {
                    decided = condition.is_none();
                    cases.push(taken);
                    continue;
                }
                (None, Kind::Split(cases)) => {
                    cases.push(taken);
                    continue;
                }
                (Some(_), Kind::Milestone(milestone)) => {
                    milestone.otherwise.replace(edge.next).map(|_| SECOND)
                }
                (Some(_), Kind::Switch(_)) if decided && !skips => Some(DECIDED),
                (Some(_), Kind::Switch(_) | Kind::Split(_)) | (None, _) => {
                    next.replace(edge.next).map(|_| SECOND)
                }
                (Some(_), _) => Some(NO_ELSE),
            };
            if let Some(flaw) = flaw {
                self.findings.error(edge.at, "bad-edge", flaw);
            }
            if let Some(condition) = condition {
                self.findings.error_key(condition, "bad-edge", NO_CONDITION);
            }
        }
        next.unwrap_or(Next::Exit)
    }
}
