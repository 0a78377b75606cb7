//! Owns extensions: tasks of `use.extensions` put around other tasks.
//!
//! An extension becomes a body of its own around the task: first what comes before, then the task on the data that
//! came in, then what comes after. A loop of one round each holds that data and the task's output meanwhile, so what
//! an extension gives is dropped; only leaving its list with `exit` leaves the body, and with it the task.

use graph::expr::SOURCE_BYTES_MAX;
use graph::ir::{BodyIndex, Case, Kind, Next, NodeIndex};
use graph::value::{Object, Str, Value};
use graph::{Expr, Template};

use super::flow::one_by_one;
use crate::expression::constant;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// What can be extended.
pub(crate) const TARGETS: &[&str] = &[
    "all",
    "call",
    "composite",
    "emit",
    "for",
    "listen",
    "raise",
    "run",
    "set",
    "try",
    "wait",
];

/// The most extensions of a document: each is held against every task.
const EXTENSIONS_MAX: usize = 100;

/// Variables of our own, which no author can name: what a task got, what it gave, and an index without use.
const IN: &str = "__in";

/// Makes `$task` mean the task that is extended.
pub(crate) const TASK_HELD: &str = "$__in.task as $task | ";

const OUT: &str = "__out";
const INDEX: &str = "__index";

/// An extension of the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'t> {
    at: At<'t>,
    target: &'static str,
    applied: bool,
}

impl Extension<'_> {
    /// Whether a task of this kind is extended. What jumps from within cannot be put into a body of its own.
    fn applies(self, task: At<'_>, word: &str) -> bool {
        let jumps = word == "switch"
            || task
                .member("catch")
                .is_some_and(|catch| catch.member("then").is_some());
        let meant = match self.target {
            "all" => true,
            "composite" => matches!(word, "do" | "fork"),
            target => target == word,
        };
        meant && !jumps
    }
}

impl<'t> Lowering<'t> {
    /// Makes the members of `use.extensions` known.
    pub(crate) fn extensions(&mut self, list: At<'t>) {
        let extensions = self.tasks(list).unwrap_or_default();
        if extensions.len() > EXTENSIONS_MAX {
            let message = format!(
                "there are {} extensions; use at most {EXTENSIONS_MAX}, each of which may have several tasks",
                extensions.len()
            );
            self.findings.error(list, "too-large", message);
            return;
        }
        for at in extensions {
            if !self.known(at, &["extend", "when", "before", "after"]) {
                continue;
            }
            let Some(extend) = self.require(at, "extend") else {
                continue;
            };
            if extend.text().is_some_and(|text| &**text == "switch") {
                let advice = "put the tasks into the list, ahead of the switch";
                self.unsupported(extend, "`extend: switch`", advice);
            } else if let Some(target) = self.word(extend, TARGETS) {
                self.extensions.push(Extension {
                    at,
                    target,
                    applied: false,
                });
            }
        }
    }

    /// Warns of extensions that no task has: they were not looked into.
    pub(crate) fn warn_idle_extensions(&mut self) {
        for extension in self
            .extensions
            .iter()
            .filter(|extension| !extension.applied)
        {
            let message = format!(
                "no task is extended by {}, and so it was not checked; remove it",
                quote(extension.at.key())
            );
            self.findings.warning(extension.at, "unused", message);
        }
    }

    /// Puts the extensions that apply around a task. Gives the node that is to do the task, and its scope.
    pub(crate) fn extended(
        &mut self,
        task: At<'t>,
        word: &str,
        node: NodeIndex,
        scope: &Scope,
    ) -> Option<(NodeIndex, Scope)> {
        let (mut node, mut scope) = (node, scope.clone());
        if scope.extension {
            return Some((node, scope));
        }
        for index in 0..self.extensions.len() {
            let extension = self.extensions[index];
            if extension.applies(task, word) {
                self.extensions[index].applied = true;
                node = self.layer(extension.at, task, node, &scope)?;
                scope.depth += 1;
            }
        }
        Some((node, scope))
    }

    /// Puts one extension around a task; `outer` becomes the whole. Gives the node that is to do the task.
    fn layer(
        &mut self,
        extension: At<'t>,
        task: At<'t>,
        outer: NodeIndex,
        scope: &Scope,
    ) -> Option<NodeIndex> {
        self.spend(extension.weight().saturating_add(task.weight()), extension)?;
        let inside = Scope {
            locals: Vec::new(),
            depth: scope.depth + 1,
            saga: false,
            extension: true,
            task_held: true,
            ..scope.clone()
        };
        let when = self.optional_condition(extension, "when", &inside);
        let held = held(extension, task);
        if held.len() > SOURCE_BYTES_MAX {
            let message = format!(
                "the task {} is too large to be `$task` of the extension {}: with all that it says an expression would have {} bytes, more than {SOURCE_BYTES_MAX}; move tasks out of it, or leave `$task` out of the extension",
                quote(task.key()),
                quote(extension.key()),
                held.len()
            );
            self.findings.error_key(task, "too-large", message);
            return None;
        }
        let body = self.add_body(task, scope)?;
        self.node(outer).kind = self.once(IN, held, body);
        let inner = self.add_node(task, task.key(), body)?;
        let before = self.tasks_under(extension, "before");
        let mut entry = Next::Node(inner);
        if !before.is_empty() {
            let back = self.recall(extension, &format!("${IN}.data"), body, entry)?;
            let first = self.row(body, &before, &inside, back)?;
            // Also without a condition: who always leaves with `exit` replaces the task, and still it can be reached.
            let always = || Expr("true".into());
            let case = Case {
                when: Some(when.clone().unwrap_or_else(always)),
                next: first,
            };
            let guard = self.add_node(extension, extension.key(), body)?;
            let node = self.node(guard);
            (node.kind, node.next) = (Kind::Switch(vec![case]), back);
            entry = Next::Node(guard);
        }
        self.enter(body, entry);
        let after = self.tasks_under(extension, "after");
        if !after.is_empty() {
            let whole = self.add_node(extension, extension.key(), body)?;
            self.node(inner).next = Next::Node(whole);
            let body = self.add_body(extension, &inside)?;
            self.node(whole).kind = self.once(OUT, "[.]".into(), body);
            self.node(whole).when =
                when.map(|when| Expr(format!("${IN}.data | ({}\n)", when.0).into()));
            let last = self.recall(extension, &format!("${OUT}"), body, Next::Exit)?;
            let inside = Scope {
                depth: inside.depth + 1,
                ..inside
            };
            let entry = self.row(body, &after, &inside, last)?;
            self.enter(body, entry);
        }
        Some(inner)
    }

    /// A node that makes the data again what an expression holds.
    fn recall(&mut self, at: At<'t>, source: &str, body: BodyIndex, next: Next) -> Option<Next> {
        let index = self.add_node(at, at.key(), body)?;
        let node = self.node(index);
        (node.kind, node.next) = (Kind::Set(Template::Expr(Expr(source.into()))), next);
        Some(Next::Node(index))
    }

    fn tasks_under(&mut self, extension: At<'t>, key: &str) -> Vec<At<'t>> {
        extension
            .member(key)
            .and_then(|list| self.tasks(list))
            .unwrap_or_default()
    }

    /// A body run once, with what a list of one holds bound to a variable.
    fn once(&mut self, variable: &str, held: String, body: BodyIndex) -> Kind {
        let (each, at) = (Str::from(variable), Str::from(INDEX));
        self.declare(&each);
        self.declare(&at);
        Kind::ForEach(one_by_one(Expr(held.into()), each, at, body))
    }
}

/// What an extension holds on to: the data that came in, and what `$task` is, if it asks for it.
fn held(extension: At<'_>, task: At<'_>) -> String {
    if !mentions_task(extension) {
        return "[{data: .}]".into();
    }
    let definition = task.value();
    let mut members = match &definition {
        Value::Object(members) => (**members).clone(),
        _ => Object::new(),
    };
    members.insert("name".into(), Value::text(task.key()));
    members.insert("reference".into(), Value::text(task.path()));
    members.insert("definition".into(), definition);
    format!("[{{data: ., task: {}}}]", constant(&Value::object(members)))
}

fn mentions_task(at: At<'_>) -> bool {
    at.text().is_some_and(|text| text.contains("$task")) || at.children().any(mentions_task)
}
