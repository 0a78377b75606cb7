//! Owns [`Lowering`]: the graph while it is made of the tree, and [`Scope`], what a task may refer to.
//!
//! Invariants: everything in `use` is found through [`Lowering::reuse`], which bounds what repeated use
//! can add up to; a body nests no deeper and a graph grows no larger than the check allows.

use std::collections::{BTreeMap, BTreeSet};

use graph::Template;
use graph::check::{BODY_DEPTH_MAX, LOCALS_MAX, NODES_MAX};
use graph::expr::Budget;
use graph::ir::{Body, BodyIndex, Graph, Kind, NAMESPACE_DEFAULT, Next, Node, NodeIndex, Schemas};
use graph::template::{SECRETS_VARIABLE, VARIABLES};
use graph::value::Str;

use crate::finding::{Findings, quote};
use crate::task::catalogue::{INDEX_DEFAULT, ITEM_DEFAULT};
use crate::task::extension::Extension;
use crate::tree::At;

/// What all uses of reusable components may add up to, in bytes of text and a few more for each value.
pub const REUSED_WEIGHT_MAX: usize = 4 << 20;

/// The sections of `use` whose members are referred to by name.
pub(crate) const SECTIONS: [&str; 5] = [
    "authentications",
    "errors",
    "functions",
    "retries",
    "timeouts",
];

/// The graph so far and what was found on the way.
pub(crate) struct Lowering<'t> {
    pub(crate) findings: Findings,
    pub(crate) graph: Graph,
    pub(crate) namespace: String,
    /// Whether bodies may be drawn: the document is in the graph form.
    pub(crate) is_drawn: bool,
    /// The nodes of the drawn bodies around, the innermost last.
    pub(crate) drawn: Vec<BTreeMap<&'t str, NodeIndex>>,
    pub(crate) extensions: Vec<Extension<'t>>,
    /// The secrets that `use.secrets` declares.
    pub(crate) secrets: BTreeSet<Str>,
    components: BTreeMap<(&'static str, &'t str), At<'t>>,
    used: BTreeSet<(&'static str, &'t str)>,
    reused_weight: usize,
    /// What may still be spent on expressions that always give the same, to see what that is.
    pub(crate) foreseeing: Budget,
    /// What an error has left open.
    pub(crate) unclear: Unclear,
}

/// What cannot be told of the flow of tasks, because of an error where it is written.
#[derive(Debug, Default)]
pub(crate) struct Unclear {
    /// Bodies in which not all jumps are known.
    pub(crate) jumps: BTreeSet<BodyIndex>,
    /// Nodes of which it is not known what they do.
    pub(crate) nodes: BTreeSet<NodeIndex>,
}

/// What a task may refer to where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Variables that enclosing bodies bind, without `$`.
    pub(crate) locals: Vec<Str>,
    /// How many bodies enclose it.
    pub(crate) depth: usize,
    /// Whether what it does can be taken back by an enclosing saga.
    pub(crate) saga: bool,
    /// The functions that it is inlined from.
    pub(crate) functions: Vec<Str>,
    /// Whether expressions may name secrets.
    pub(crate) secrets: bool,
    /// Whether it stands in an extension, and so is not extended itself.
    pub(crate) extension: bool,
    /// Whether `$task` is the task that is extended.
    pub(crate) task_held: bool,
}

impl Scope {
    /// The same place, in which expressions may name secrets.
    pub(crate) fn with_secrets(&self) -> Scope {
        Scope {
            secrets: true,
            ..self.clone()
        }
    }
}

impl Scope {
    /// The same, one body further in.
    pub(crate) fn inside(&self) -> Scope {
        Scope {
            depth: self.depth + 1,
            ..self.clone()
        }
    }
}

impl<'t> Lowering<'t> {
    pub(crate) fn new(findings: Findings) -> Lowering<'t> {
        let graph = Graph {
            workflow: "".into(),
            version: "".into(),
            input: None,
            output: None,
            timeout: None,
            retention_ms: None,
            schemas: Schemas::default(),
            context: None,
            trigger: None,
            labels: Vec::new(),
            attributes: Vec::new(),
            concurrency: None,
            priority: None,
            definition: None,
            locals: Vec::new(),
            bodies: Vec::new(),
            nodes: Vec::new(),
        };
        Lowering {
            findings,
            graph,
            namespace: NAMESPACE_DEFAULT.into(),
            is_drawn: false,
            drawn: Vec::new(),
            extensions: Vec::new(),
            secrets: BTreeSet::new(),
            components: BTreeMap::new(),
            used: BTreeSet::new(),
            reused_weight: 0,
            foreseeing: Budget::default(),
            unclear: Unclear::default(),
        }
    }

    pub(crate) fn finish(self) -> (Graph, Findings, Unclear) {
        (self.graph, self.findings, self.unclear)
    }

    /// Makes the members of a section of `use` known.
    pub(crate) fn register(&mut self, section: &'static str, members: At<'t>) {
        for member in members.children() {
            self.components.insert((section, member.key()), member);
        }
    }

    /// The reusable component of this name, if there is one; a finding else.
    pub(crate) fn reuse(
        &mut self,
        section: &'static str,
        name: &str,
        at: At<'t>,
    ) -> Option<At<'t>> {
        let Some(component) = self.component(section, name) else {
            let names = self.names(section);
            let hint = self.findings.hint(name, names, || {
                format!("; declare it under `use.{section}`")
            });
            self.findings.error(
                at,
                "unknown-name",
                format!("`use.{section}` has no {}{hint}", quote(name)),
            );
            return None;
        };
        self.used.insert((section, component.key()));
        self.spend(component.weight(), at)?;
        Some(component)
    }

    /// Takes from what all uses of components may add up to; none when nothing is left.
    pub(crate) fn spend(&mut self, weight: usize, at: At<'t>) -> Option<()> {
        self.reused_weight = self.reused_weight.saturating_add(weight);
        if self.reused_weight > REUSED_WEIGHT_MAX {
            let message = "the components of `use` are used so often that the workflow gets too large; move work into a workflow of its own and call it with `run.workflow`";
            self.findings.error(at, "too-large", message);
            return None;
        }
        Some(())
    }

    pub(crate) fn component(&self, section: &'static str, name: &str) -> Option<At<'t>> {
        self.components.get(&(section, name)).copied()
    }

    /// The names in a section of `use`.
    pub(crate) fn names(&self, section: &'static str) -> impl Iterator<Item = &'t str> {
        self.components
            .range((section, "")..)
            .map(|((of, name), _)| (*of, *name))
            .take_while(move |(of, _)| *of == section)
            .map(|(_, name)| name)
    }

    /// Warns of components that nothing refers to: they were not looked into.
    pub(crate) fn warn_unused(&mut self) {
        for (key, component) in &self.components {
            if !self.used.contains(key) {
                let message = format!(
                    "{} is never used, and so was not checked; use it or remove it",
                    quote(key.1)
                );
                self.findings.warning(*component, "unused", message);
            }
        }
    }

    /// Adds a body; none when it would nest too deep.
    pub(crate) fn add_body(&mut self, at: At<'t>, scope: &Scope) -> Option<BodyIndex> {
        if scope.depth >= BODY_DEPTH_MAX {
            let message = format!(
                "tasks nest deeper than {BODY_DEPTH_MAX}; move the inner ones into a workflow of its own and call it with `run.workflow`"
            );
            self.findings.error(at, "too-deep", message);
            return None;
        }
        let index = u32::try_from(self.graph.bodies.len()).ok()?;
        self.graph.bodies.push(Body {
            path: at.path().into(),
            first: None,
        });
        Some(BodyIndex(index))
    }

    /// Adds a node that does nothing yet; none when there are too many.
    pub(crate) fn add_node(
        &mut self,
        at: At<'t>,
        name: &str,
        body: BodyIndex,
    ) -> Option<NodeIndex> {
        if self.graph.nodes.len() >= NODES_MAX {
            let message = format!(
                "the workflow has more than {NODES_MAX} tasks, functions put in place; split it with `run.workflow`"
            );
            self.findings.error(at, "too-large", message);
            return None;
        }
        let index = u32::try_from(self.graph.nodes.len()).ok()?;
        self.graph.nodes.push(Node {
            name: name.into(),
            path: at.path().into(),
            body,
            when: None,
            input: None,
            output: None,
            export: None,
            schemas: Schemas::default(),
            timeout: None,
            undo: None,
            next: Next::Exit,
            kind: Kind::Set(Template::identity()),
        });
        Some(NodeIndex(index))
    }

    pub(crate) fn node(&mut self, index: NodeIndex) -> &mut Node {
        &mut self.graph.nodes[index.0 as usize]
    }

    /// The scope in which a variable is bound: named by `at`, else by its default.
    pub(crate) fn bind(
        &mut self,
        at: Option<At<'t>>,
        default: &str,
        scope: &Scope,
    ) -> (Str, Scope) {
        let name = match at {
            Some(at) => self.variable(at).unwrap_or_else(|| default.into()),
            None => default.into(),
        };
        let mut scope = scope.clone();
        if !scope.locals.contains(&name) {
            scope.locals.push(name.clone());
        }
        self.declare(&name);
        (name, scope)
    }

    /// The scope in which an element and its place in a list are bound: each named under its key, else by its default.
    pub(crate) fn bind_each(&mut self, of: At<'t>, key: &str, scope: &Scope) -> (Str, Str, Scope) {
        let names = [of.member(key), of.member("at")];
        let (each, inner) = self.bind(names[0], ITEM_DEFAULT, scope);
        let (at, inner) = self.bind(names[1], INDEX_DEFAULT, &inner);
        if each == at
            && let Some(name) = names[1].or(names[0])
        {
            let message = format!(
                "the element and its place would both be ${at}; give `{key}` and `at` different names"
            );
            self.findings.error(name, "bad-name", message);
        }
        (each, at, inner)
    }

    /// Makes a variable known to the whole graph, as the kernel numbers them.
    pub(crate) fn declare(&mut self, name: &Str) {
        // One above what is allowed is enough for the check to say so.
        if self.graph.locals.len() <= LOCALS_MAX && !self.graph.locals.contains(name) {
            self.graph.locals.push(name.clone());
        }
    }

    fn variable(&mut self, at: At<'t>) -> Option<Str> {
        let name = self.name(at)?;
        let mut letters = name.chars();
        let starts = letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !starts || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = format!(
                "{} is not a name for a variable; use letters, digits and _, without $",
                quote(&name)
            );
            self.findings.error(at, "bad-name", message);
            return None;
        }
        let is_known = VARIABLES.contains(&&*name) || &*name == SECRETS_VARIABLE;
        if is_known || (name.starts_with("__") && !self.is_drawn) {
            let message =
                format!("${name} exists already with a meaning of its own; choose another name");
            self.findings.error(at, "bad-name", message);
            return None;
        }
        Some(name)
    }
}
