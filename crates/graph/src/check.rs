//! Owns [`check`]: whether a graph is one that the kernel can run.
//!
//! Every graph passes here before it is stored, whoever made it, so the kernel follows indexes without
//! asking. What is sound: indexes lead somewhere, tokens stay in their body, bodies form a tree, every
//! node can be reached, counts keep within the bounds below, and every expression compiles. A cycle of
//! nodes is sound; the kernel bounds how long one may go round without waiting.

mod collect;
mod endless;
mod reach;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::expr::Program;
use crate::ir::{
    Body, BodyIndex, Case, ForEach, Graph, Human, Join, JoinBy, Kind, Listen, Losers, Need, Next,
    Node, NodeIndex, ROOT, Sealed, Until,
};
use crate::schema::Schema;
use crate::template::{Expr, SECRETS_VARIABLE, VARIABLES};
use crate::value::Str;

pub use collect::expressions;
pub use endless::{Endless, endless};
pub use reach::{unreachable, unreachable_message};

/// The most nodes of a graph.
pub const NODES_MAX: usize = 10_000;

/// The most bodies of a graph.
pub const BODIES_MAX: usize = 20_000;

/// How deep bodies may nest.
pub const BODY_DEPTH_MAX: usize = 64;

/// The most branches of a fork, cases of a switch, and filters of a listen.
pub const BRANCHES_MAX: usize = 1_000;

/// How many bodies of a for-each may run at once.
pub const CONCURRENCY_MAX: u32 = 1_000;

/// The most merges of a graph, and the most joins beside them.
pub const MERGES_MAX: usize = 100;

/// The most tokens that one token may become, that a join by threads may wait for, and that may hold one lock.
pub const THREADS_MAX: u32 = 1_000;

/// The most elements that a for-each may take while it goes on.
pub const MORE_MAX: u32 = 10_000;

/// The most rounds of a loop.
pub const ROUNDS_MAX: u32 = 1_000_000;

/// The most reminders of a human task.
pub const REMINDERS_MAX: usize = 32;

/// The most named outcomes of a human task.
pub const OUTCOMES_MAX: usize = 64;

/// The longest name of a workflow, version, node, variable or label, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// The most labels, and the most search attributes, of a workflow.
pub const LABELS_MAX: usize = 64;

/// The most variables that bodies bind.
pub const LOCALS_MAX: usize = 250;

/// The most sealed members of a task's input.
pub const SEALED_MAX: usize = 64;

/// How much of an expression a message quotes.
const QUOTE_CHARS_MAX: usize = 60;

/// Why a graph cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// Where, as a JSON pointer into the source.
    pub path: Str,
    /// What is wrong; how to fix it.
    pub message: String,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Checks a graph.
///
/// # Errors
/// All that is wrong, as far as it can be told: indexes that lead nowhere are told alone, because
/// nothing else means anything before they are right.
pub fn check(graph: &Graph) -> Result<(), Vec<Unsound>> {
    let mut checker = Checker {
        graph,
        unsound: Vec::new(),
    };
    checker.indexes();
    if checker.unsound.is_empty() {
        checker.tree();
        checker.reachable();
        checker.others();
        checker.entrances();
        checker.bounds();
        checker.expressions();
        checker.schemas();
        checker.trigger();
    }
    if checker.unsound.is_empty() {
        Ok(())
    } else {
        Err(checker.unsound)
    }
}

struct Checker<'g> {
    graph: &'g Graph,
    unsound: Vec<Unsound>,
}

impl<'g> Checker<'g> {
    fn fail(&mut self, path: &Str, message: String) {
        self.unsound.push(Unsound {
            path: path.clone(),
            message,
        });
    }

    fn node(&self, index: NodeIndex) -> &'g Node {
        &self.graph.nodes[index.0 as usize]
    }

    fn body(&self, index: BodyIndex) -> &'g Body {
        &self.graph.bodies[index.0 as usize]
    }

    /// Indexes are in range and jumps stay in their body.
    fn indexes(&mut self) {
        let (nodes, bodies) = (self.graph.nodes.len(), self.graph.bodies.len());
        if bodies == 0 || nodes > NODES_MAX || bodies > BODIES_MAX {
            let message = format!(
                "a graph has 1 to {BODIES_MAX} bodies and up to {NODES_MAX} nodes, not {bodies} and {nodes}"
            );
            return self.fail(&"".into(), message);
        }
        if self.graph.locals.len() > LOCALS_MAX {
            let message = format!(
                "{} variables are bound, more than {LOCALS_MAX}; bind the same names again",
                self.graph.locals.len()
            );
            return self.fail(&"".into(), message);
        }
        for (index, body) in self.graph.bodies.iter().enumerate() {
            let Some(first) = body.first else { continue };
            match self.graph.nodes.get(first.0 as usize) {
                Some(node) if node.body.0 as usize == index => {}
                _ => self.fail(
                    &body.path,
                    format!("the body starts at node {}, which is not in it", first.0),
                ),
            }
        }
        for node in &self.graph.nodes {
            if node.body.0 as usize >= bodies {
                self.fail(
                    &node.path,
                    format!(
                        "the node belongs to body {}, which does not exist",
                        node.body.0
                    ),
                );
            }
            for next in nexts(node) {
                let Next::Node(to) = next else { continue };
                match self.graph.nodes.get(to.0 as usize) {
                    Some(other) if other.body == node.body => {}
                    _ => self.fail(
                        &node.path,
                        format!("the node leads to node {}, which is not in its body", to.0),
                    ),
                }
            }
            for body in owned(node)
                .into_iter()
                .filter(|body| body.0 as usize >= bodies)
            {
                self.fail(
                    &node.path,
                    format!("the node opens body {}, which does not exist", body.0),
                );
            }
        }
    }

    /// Every body but the root is opened by exactly one node, and from the root all are reached.
    fn tree(&mut self) {
        let mut owners = vec![0_u32; self.graph.bodies.len()];
        let mut inner: Vec<Vec<BodyIndex>> = vec![Vec::new(); self.graph.bodies.len()];
        for node in &self.graph.nodes {
            for body in owned(node) {
                owners[body.0 as usize] += 1;
                inner[node.body.0 as usize].push(body);
                if body == ROOT {
                    self.fail(
                        &node.path,
                        "the node opens the root body; give it a body of its own".into(),
                    );
                } else if owners[body.0 as usize] == 2 {
                    self.fail(
                        &node.path,
                        format!(
                            "body {} is opened by more than one node; give each its own",
                            body.0
                        ),
                    );
                }
            }
        }
        if !self.unsound.is_empty() {
            return;
        }
        let mut seen = vec![false; self.graph.bodies.len()];
        let mut todo = vec![(ROOT, 0_usize)];
        while let Some((index, depth)) = todo.pop() {
            seen[index.0 as usize] = true;
            if depth > BODY_DEPTH_MAX {
                self.fail(
                    &self.body(index).path,
                    format!("bodies nest deeper than {BODY_DEPTH_MAX}; use a child run"),
                );
                return;
            }
            todo.extend(
                inner[index.0 as usize]
                    .iter()
                    .map(|body| (*body, depth + 1)),
            );
        }
        for (body, _) in self.graph.bodies.iter().zip(seen).filter(|(_, seen)| !seen) {
            self.fail(
                &body.path,
                "nothing leads from the root to this body; remove it or let a node open it".into(),
            );
        }
    }

    /// Every node is reached from the start of its body.
    fn reachable(&mut self) {
        for node in unreachable(self.graph) {
            self.fail(&node.path, unreachable_message(node));
        }
    }

    /// What looks at other nodes sees them: they stand in its own body or in one around it.
    fn others(&mut self) {
        let mut around: Vec<Option<BodyIndex>> = vec![None; self.graph.bodies.len()];
        for node in &self.graph.nodes {
            // A compensation runs when the body that it is written in is over.
            for body in owned(node)
                .into_iter()
                .filter(|body| node.undo != Some(*body))
            {
                around[body.0 as usize] = Some(node.body);
            }
        }
        let graph = self.graph;
        for node in &graph.nodes {
            let (others, must_last): (&[NodeIndex], bool) = match &node.kind {
                Kind::Withdraw(withdraw) => (&withdraw.nodes, false),
                Kind::Milestone(milestone) => (core::slice::from_ref(&milestone.node), true),
                _ => continue,
            };
            for index in others {
                let Some(other) = graph.nodes.get(index.0 as usize) else {
                    let message =
                        format!("the node looks at node {}, which does not exist", index.0);
                    self.fail(&node.path, message);
                    continue;
                };
                let mut bodies =
                    core::iter::successors(Some(node.body), |body| around[body.0 as usize]);
                if !bodies.any(|body| body == other.body) {
                    let message = format!(
                        "{:?} cannot be seen from here; name a task of the same list or of one around it",
                        other.name
                    );
                    self.fail(&node.path, message);
                } else if must_last && is_instant(&other.kind) {
                    let message = format!(
                        "{:?} takes no time, so nothing ever waits there; name one that does",
                        other.name
                    );
                    self.fail(&node.path, message);
                }
            }
        }
    }

    /// Names and counts keep within their bounds, and every variable that is bound is declared.
    fn bounds(&mut self) {
        let graph = self.graph;
        for (what, count) in [
            ("labels", graph.labels.len()),
            ("search attributes", graph.attributes.len()),
        ] {
            if count > LABELS_MAX {
                self.fail(
                    &"".into(),
                    format!("the workflow has {count} {what}; use at most {LABELS_MAX}"),
                );
            }
        }
        let count =
            |is: fn(&Kind) -> bool| graph.nodes.iter().filter(|node| is(&node.kind)).count();
        let merges = count(|kind| matches!(kind, Kind::Merge));
        let joins = count(|kind| matches!(kind, Kind::Join(_)));
        if merges > MERGES_MAX || (merges > 0 && joins > MERGES_MAX) {
            self.fail(
                &"".into(),
                format!(
                    "the workflow has {merges} merges and {joins} joins; use at most {MERGES_MAX} of each where there are merges, or a child run"
                ),
            );
        }
        let labels = graph.labels.iter().flat_map(|(name, value)| [name, value]);
        let names = [&graph.workflow, &graph.version]
            .into_iter()
            .chain(&graph.locals)
            .chain(labels);
        for name in names.chain(graph.attributes.iter().map(|attribute| &attribute.name)) {
            self.name(&"".into(), name);
        }
        for node in &graph.nodes {
            self.name(&node.path, &node.name);
            for name in bound(&node.kind)
                .into_iter()
                .filter(|name| !self.graph.locals.contains(name))
            {
                self.fail(
                    &node.path,
                    format!(
                        "the variable ${name} is not among the locals of the graph; add it there"
                    ),
                );
            }
            for message in flaws(&node.kind) {
                self.fail(&node.path, message);
            }
        }
    }

    /// What runs at once is bounded, and edges can be told apart where they are counted.
    fn entrances(&mut self) {
        let graph = self.graph;
        if let Some(concurrency) = &graph.concurrency
            && !(1..=THREADS_MAX).contains(&concurrency.limit)
        {
            let limit = concurrency.limit;
            self.fail(
                &"".into(),
                format!("the limit of runs at once must be from 1 to {THREADS_MAX}, not {limit}"),
            );
        }
        for body in &graph.bodies {
            let first = body.first.map(|first| self.node(first));
            if let Some(Node {
                path,
                kind: Kind::Join(Join {
                    by: JoinBy::Edges, ..
                }),
                ..
            }) = first
            {
                let message = "a join that counts edges cannot be the first of its list, where a token comes by no edge; put another task before it";
                self.fail(path, message.into());
            }
        }
    }

    fn name(&mut self, path: &Str, name: &str) {
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
            self.fail(
                path,
                format!("a name has 1 to {NAME_BYTES_MAX} bytes, not {}", name.len()),
            );
        }
    }

    fn expressions(&mut self) {
        let graph = self.graph;
        let variables: Vec<&str> = VARIABLES
            .iter()
            .copied()
            .chain(graph.locals.iter().map(|name| &**name))
            .collect();
        self.compile(&"".into(), &collect::of_graph(graph), &variables);
        for node in &graph.nodes {
            let mut found = Vec::new();
            collect::of_node(node, &mut found);
            self.compile(&node.path, &found, &variables);
            if let Kind::Task(task) = &node.kind {
                self.sealed(&node.path, &task.sealed);
            }
        }
    }

    fn sealed(&mut self, path: &Str, sealed: &[Sealed]) {
        if sealed.len() > SEALED_MAX {
            let count = sealed.len();
            self.fail(
                path,
                format!("{count} members are sealed, more than {SEALED_MAX}"),
            );
        }
        for member in sealed {
            if !member.at.is_empty() && !member.at.starts_with('/') {
                let at = &member.at;
                self.fail(path, format!("the sealed member {at:?} is no JSON pointer"));
            }
            self.compile(path, &[&member.value], &[SECRETS_VARIABLE]);
        }
    }

    /// What starts runs is a wait without an end of its own.
    fn trigger(&mut self) {
        let Some(trigger) = &self.graph.trigger else {
            return;
        };
        let root = Str::from("");
        if trigger.until.is_some() || trigger.each.is_some() {
            let message =
                "events that start runs have neither an end nor a body; leave out until and each";
            self.fail(&root, message.into());
        }
        for message in listen_flaws(trigger) {
            self.fail(&root, message);
        }
    }

    /// Every schema compiles, and what `$context` is at first fits its own.
    fn schemas(&mut self) {
        let graph = self.graph;
        let root = Str::from("");
        for (node, word, schema) in graph.schemas() {
            let path = node.map_or(&root, |node| &self.node(NodeIndex(node)).path);
            for flaw in Schema::compile(schema).err().unwrap_or_default() {
                let message = format!("the schema of the {word} is wrong at {flaw}");
                self.fail(path, message);
            }
        }
        if let (Some(context), Some(schema)) = (&graph.context, &graph.schemas.export)
            && let Ok(schema) = Schema::compile(schema)
            && let Err(misfits) = schema.check(context)
        {
            self.fail(
                &root,
                format!("what `$context` is at first does not fit its schema: {misfits}"),
            );
        }
    }

    fn compile(&mut self, path: &Str, expressions: &[&Expr], variables: &[&str]) {
        for expr in expressions {
            if let Err(error) = Program::compile(&expr.0, variables) {
                let start: String = expr.0.chars().take(QUOTE_CHARS_MAX).collect();
                self.fail(
                    path,
                    format!(
                        "the expression that starts with {start:?} is wrong: {}",
                        error.message
                    ),
                );
            }
        }
    }
}

/// Where a node's token may go.
fn nexts(node: &Node) -> Vec<Next> {
    let cases: &[Case] = match &node.kind {
        Kind::Switch(cases) | Kind::Split(cases) => cases,
        _ => &[],
    };
    let mut nexts: Vec<Next> = cases.iter().map(|case| case.next).collect();
    match &node.kind {
        Kind::Try(body) => nexts.extend(body.catch.as_ref().and_then(|catch| catch.next)),
        Kind::Milestone(milestone) => nexts.extend(milestone.otherwise),
        _ => {}
    }
    // A switch with a default takes one of its cases, unless it is skipped itself.
    let decided =
        matches!(node.kind, Kind::Switch(_)) && cases.iter().any(|case| case.when.is_none());
    if !decided || node.when.is_some() {
        nexts.push(node.next);
    }
    nexts
}

/// The bodies that a node opens.
fn owned(node: &Node) -> Vec<BodyIndex> {
    let mut bodies: Vec<BodyIndex> = node.undo.into_iter().collect();
    match &node.kind {
        Kind::Do(body) | Kind::Saga(body) => bodies.push(*body),
        Kind::Loop(repeat) => bodies.push(repeat.body),
        Kind::ForEach(each) => bodies.push(each.body),
        Kind::Lock(lock) => bodies.push(lock.body),
        Kind::Fork(fork) => bodies.extend(&fork.branches),
        Kind::Listen(listen) => bodies.extend(listen.each.as_ref().map(|each| each.body)),
        Kind::Try(body) => {
            bodies.push(body.body);
            bodies.extend(body.catch.as_ref().and_then(|catch| catch.body));
            bodies.extend(body.finally);
        }
        _ => {}
    }
    bodies
}

/// The variables that a node binds.
fn bound(kind: &Kind) -> Vec<&Str> {
    match kind {
        Kind::ForEach(each) => vec![&each.each, &each.at],
        Kind::Try(body) => body.catch.iter().map(|catch| &catch.bind).collect(),
        Kind::Listen(listen) => {
            let each = listen.each.iter();
            each.flat_map(|each| [&each.each, &each.at]).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a token never stays at such a node.
fn is_instant(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Raise(_)
            | Kind::Emit(_)
            | Kind::Split(_)
            | Kind::Threads(_)
            | Kind::Withdraw(_)
    )
}

/// What does not fit together in a for-each.
fn flaw_of_each(each: &ForEach) -> Option<String> {
    if each.need == Need::Count(0) {
        return Some("the count of needed elements must be at least 1, not 0".into());
    }
    let is_partial = each.need != Need::All || each.until.is_some() || each.more.is_some();
    if is_partial && !each.collect {
        return Some("only a for-each that collects can end before its last element, or take more; let it collect".into());
    }
    if each.losers == Losers::Leave && each.need == Need::All && each.until.is_none() {
        return Some("without need or until nobody is left over; leave losers out".into());
    }
    None
}

/// What is out of bounds in a wait.
fn listen_flaws(listen: &Listen) -> Vec<String> {
    let mut strategies = vec![("filters", &listen.filters, listen.need)];
    if let Some(Until::Events { filters, need }) = &listen.until {
        strategies.push(("ending filters", filters, *need));
    }
    let mut flaws = Vec::new();
    let mut limit = |what: String, count: usize, max: usize| {
        if !(1..=max).contains(&count) {
            flaws.push(format!("{what} must be from 1 to {max}, not {count}"));
        }
    };
    for (what, filters, need) in strategies {
        limit(format!("the count of {what}"), filters.len(), BRANCHES_MAX);
        if let Need::Count(count) = need {
            limit(
                format!("the count of needed {what}"),
                count as usize,
                filters.len(),
            );
        }
    }
    flaws
}

fn crowded(human: &Human) -> Option<String> {
    let (reminders, outcomes) = (human.remind.len(), human.outcomes.len());
    let fits = reminders <= REMINDERS_MAX && outcomes <= OUTCOMES_MAX;
    (!fits).then(|| {
        format!(
            "a human task has at most {REMINDERS_MAX} reminders and {OUTCOMES_MAX} outcomes, not {reminders} and {outcomes}"
        )
    })
}

/// What is out of bounds in a node.
fn flaws(kind: &Kind) -> Vec<String> {
    let mut flaws = Vec::new();
    let mut limit = |what: &str, count: usize, max: usize| {
        if !(1..=max).contains(&count) {
            flaws.push(format!("{what} must be from 1 to {max}, not {count}"));
        }
    };
    let threads_max = THREADS_MAX as usize;
    let needed = |need: Need| match need {
        Need::Count(count) => Some(count as usize),
        Need::All => None,
    };
    match kind {
        Kind::Switch(cases) | Kind::Split(cases) => {
            limit("the count of cases", cases.len(), BRANCHES_MAX);
        }
        Kind::Loop(repeat) => limit(
            "the most rounds",
            repeat.rounds_max as usize,
            ROUNDS_MAX as usize,
        ),
        Kind::ForEach(each) => {
            let max = if each.collect { CONCURRENCY_MAX } else { 1 };
            limit("the concurrency", each.concurrency as usize, max as usize);
            if let Some(more) = &each.more {
                limit(
                    "the most elements that come later",
                    more.max as usize,
                    MORE_MAX as usize,
                );
            }
            flaws.extend(flaw_of_each(each));
        }
        Kind::Fork(fork) => {
            limit("the count of branches", fork.branches.len(), BRANCHES_MAX);
            if let Some(count) = needed(fork.need) {
                limit("the count of needed branches", count, fork.branches.len());
            }
        }
        Kind::Listen(listen) => return listen_flaws(listen),
        Kind::Join(join) => match needed(join.need) {
            Some(count) => limit("the count of needed tokens", count, threads_max),
            None if join.by == JoinBy::Threads => flaws.push(
                "a join that counts threads must say how many it needs; give need a count".into(),
            ),
            None => {}
        },
        Kind::Lock(lock) => limit("the limit of a lock", lock.limit as usize, threads_max),
        Kind::Withdraw(withdraw) => {
            let count = withdraw.nodes.len();
            limit("the count of nodes to withdraw", count, BRANCHES_MAX);
        }
        Kind::Human(human) => flaws.extend(crowded(human)),
        _ => {}
    }
    flaws
}

#[cfg(test)]
mod tests;
