//! Owns lists of tasks: bodies, what all tasks have in common, and where the token goes.
//!
//! Invariants: names in a list differ and none is a directive; a jump stays in its list. All names of a
//! list are known before the first of its tasks is read, so that jumps may go forward.

use std::collections::BTreeMap;

use graph::Template;
use graph::ir::{BodyIndex, Case, Kind, Next, NodeIndex};

use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// Words that say where to go and cannot be names.
pub(crate) const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

/// Keys that every task and every drawn node may have.
const KEYS_COMMON: [&str; 6] = ["if", "input", "output", "export", "timeout", "metadata"];

/// The kinds of tasks by the key that tells them, each with its further keys. `do` is last, because it is
/// also a further key of `for`.
const KINDS: [(&str, &[&str]); 12] = [
    ("call", &["with"]),
    ("emit", &[]),
    ("for", &["while", "do"]),
    ("fork", &[]),
    ("listen", &["foreach"]),
    ("raise", &[]),
    ("run", &[]),
    ("set", &[]),
    ("switch", &[]),
    ("try", &["catch"]),
    ("wait", &[]),
    ("do", &[]),
];

/// The kinds of drawn nodes that edges steer; tasks are none of them but `switch`.
pub(crate) const KINDS_STEERED: [&str; 7] = [
    "switch",
    "split",
    "threads",
    "join",
    "merge",
    "withdraw",
    "milestone",
];

/// Where tokens of one list may go.
pub(crate) struct Flow<'t> {
    names: BTreeMap<&'t str, NodeIndex>,
    /// The body that the list becomes; none if edges say where tokens go.
    pub(super) body: Option<BodyIndex>,
    /// Where the task's token goes if nothing else is said.
    following: Next,
    /// Whether edges say where tokens go.
    is_drawn: bool,
}

impl Flow<'_> {
    /// That of a node whose edges say where its token goes.
    pub(crate) fn drawn() -> Self {
        Flow {
            names: BTreeMap::new(),
            body: None,
            following: Next::Exit,
            is_drawn: true,
        }
    }
}

/// A task of a list and its node; the guard stands ahead of it if both `if` and `then` steer it.
struct Item<'t> {
    task: At<'t>,
    guard: Option<NodeIndex>,
    node: NodeIndex,
}

impl Item<'_> {
    fn entry(&self) -> NodeIndex {
        self.guard.unwrap_or(self.node)
    }
}

impl<'t> Lowering<'t> {
    /// A list of tasks as a body; in the graph form also a drawn one.
    pub(crate) fn body(&mut self, list: At<'t>, scope: &Scope) -> Option<BodyIndex> {
        if self.is_drawn && list.is_map() {
            return self.drawn_body(list, scope);
        }
        let tasks = self.tasks(list)?;
        self.body_of(list, &tasks, scope)
    }

    /// The named tasks of a list: of each element its one member.
    pub(crate) fn tasks(&mut self, list: At<'t>) -> Option<Vec<At<'t>>> {
        let elements = self.list(list)?;
        Some(
            elements
                .into_iter()
                .filter_map(|element| self.named(element))
                .collect(),
        )
    }

    /// The one member of a list element such as `- name: {…}`.
    pub(crate) fn named(&mut self, element: At<'t>) -> Option<At<'t>> {
        let mut members = element.children();
        let (first, second) = (members.next(), members.next());
        if element.is_map() && first.is_some() && second.is_none() {
            return first;
        }
        let message = match (element.is_map(), first) {
            (true, Some(first)) => format!(
                "this item has {} keys, but needs one: its name, with everything else indented below; indent what follows {} further, or start a new item with -",
                element.children().count(),
                quote(first.key())
            ),
            _ => format!(
                "an item is a name with a definition below, such as `- greet: {{set: {{…}}}}`, not {}",
                element.kind()
            ),
        };
        self.findings.error(element, "bad-item", message);
        None
    }

    /// Named tasks that stand at `at` as a body.
    pub(crate) fn body_of(
        &mut self,
        at: At<'t>,
        tasks: &[At<'t>],
        scope: &Scope,
    ) -> Option<BodyIndex> {
        let body = self.add_body(at, scope)?;
        let scope = scope.inside();
        let entry = self.row(body, tasks, &scope, Next::Exit)?;
        self.enter(body, entry);
        Some(body)
    }

    /// Lets a body begin here.
    pub(super) fn enter(&mut self, body: BodyIndex, entry: Next) {
        self.graph.bodies[body.0 as usize].first = match entry {
            Next::Node(node) => Some(node),
            Next::Exit | Next::End => None,
        };
    }

    /// Named tasks one after the other in a body, and then further; gives where they begin.
    pub(super) fn row(
        &mut self,
        body: BodyIndex,
        tasks: &[At<'t>],
        scope: &Scope,
        further: Next,
    ) -> Option<Next> {
        let mut flow = Flow {
            body: Some(body),
            following: further,
            is_drawn: false,
            ..Flow::drawn()
        };
        let mut items = Vec::new();
        for task in tasks {
            self.check_task_name(*task, flow.names.contains_key(task.key()));
            let guard = if is_guarded(*task) {
                Some(self.add_node(*task, task.key(), body)?)
            } else {
                None
            };
            let item = Item {
                task: *task,
                guard,
                node: self.add_node(*task, task.key(), body)?,
            };
            flow.names.entry(task.key()).or_insert(item.entry());
            items.push(item);
        }
        let entry = items
            .first()
            .map_or(further, |item| Next::Node(item.entry()));
        for (index, item) in items.iter().enumerate() {
            flow.following = items
                .get(index + 1)
                .map_or(further, |next| Next::Node(next.entry()));
            self.task(item, scope, &flow);
        }
        Some(entry)
    }

    /// A name must fit, be no directive, and be new in its list.
    pub(crate) fn check_task_name(&mut self, task: At<'t>, taken: bool) {
        let name = task.key();
        self.fits_name(task, name);
        if DIRECTIVES.contains(&name) {
            let message = format!(
                "{} says where to go and cannot name a task; choose another name",
                quote(name)
            );
            self.findings.error_key(task, "bad-name", message);
        }
        if taken {
            let message = format!(
                "two tasks of this list are named {}; rename one, so that they can be told apart",
                quote(name)
            );
            self.findings.error_key(task, "duplicate-name", message);
        }
    }

    /// One task: what is common to all, then its kind.
    fn task(&mut self, item: &Item<'t>, scope: &Scope, flow: &Flow<'t>) {
        let task = item.task;
        let next = task
            .member("then")
            .map_or(flow.following, |then| self.directive(then, flow));
        self.node(item.node).next = next;
        let Some(word) = self.kind_word(task, false) else {
            self.unclear.nodes.insert(item.node);
            if item.guard.is_some() {
                self.unclear.jumps.extend(flow.body);
            }
            return;
        };
        let when = self.optional_condition(task, "if", scope);
        if when.is_none() && task.member("if").is_some() {
            self.unclear.jumps.extend(flow.body);
        }
        match item.guard {
            None => self.node(item.node).when = when,
            Some(guard) => {
                let to = Next::Node(item.node);
                let guard = self.node(guard);
                guard.next = flow.following;
                guard.kind = Kind::Switch(vec![Case { when, next: to }]);
            }
        }
        let place = self.extended(task, word, item.node, scope);
        let is_told = place.is_some_and(|(node, scope)| self.work(task, word, node, &scope, flow));
        if !is_told {
            self.unclear.nodes.insert(item.node);
            // What it would jump to is lost.
            let catches = |at: At<'t>| at.member("catch").is_some();
            if word == "switch" || catches(task) || task.member("with").is_some_and(catches) {
                self.unclear.jumps.extend(flow.body);
            }
        }
    }

    /// What a task does, with its data and limits, as a node; false if that cannot be told.
    pub(crate) fn work(
        &mut self,
        task: At<'t>,
        word: &str,
        node: NodeIndex,
        scope: &Scope,
        flow: &Flow<'t>,
    ) -> bool {
        let input = task
            .member("input")
            .and_then(|at| self.shaping(at, "from", scope));
        let output = task
            .member("output")
            .and_then(|at| self.shaping(at, "as", scope));
        let export = task
            .member("export")
            .and_then(|at| self.shaping(at, "as", scope));
        let schemas = self.schemas(task);
        let timeout = task
            .member("timeout")
            .and_then(|at| self.timeout(at, scope));
        if let Some(metadata) = task
            .member("metadata")
            .filter(|metadata| !metadata.is_map())
        {
            self.wrong(metadata, "a map");
        }
        let undo = self.compensation(task, scope);
        let kind = self.kind(task, word, scope, flow);
        debug_assert!(
            kind.is_some() || self.findings.has_errors(),
            "what cannot be told leaves a finding"
        );

        let node = self.node(node);
        (node.input, node.output, node.export) = (input, output, export);
        node.schemas = schemas;
        (node.timeout, node.undo) = (timeout, undo);
        let is_told = kind.is_some();
        if let Some(kind) = kind {
            node.kind = kind;
        }
        is_told
    }

    /// The key that tells what a task does, its keys held against the known ones.
    pub(crate) fn kind_word(&mut self, task: At<'t>, is_drawn: bool) -> Option<&'static str> {
        if !task.is_map() {
            self.wrong(task, "a map that says what to do, such as {set: {…}}");
            return None;
        }
        let drawn = if is_drawn { &KINDS_STEERED[1..] } else { &[] };
        let drawn = drawn.iter().map(|word| (word, &[][..]));
        let mut kinds = KINDS
            .iter()
            .map(|(word, further)| (word, *further))
            .chain(drawn);
        let words: Vec<&str> = kinds.clone().map(|(word, _)| *word).collect();
        let Some((word, further)) = kinds.find(|(word, _)| task.member(word).is_some()) else {
            let slip = task.children().map(At::key).find_map(|key| {
                let hint = self.findings.hint(key, words.iter().copied(), String::new);
                let meant = hint
                    .strip_suffix('?')
                    .filter(|_| !KEYS_COMMON.contains(&key))?;
                Some(format!("{meant} where it says {}?", quote(key)))
            });
            let hint = slip.unwrap_or_else(|| format!("; add one of {}", words.join(", ")));
            self.findings.error_key(
                task,
                "unknown-task",
                format!(
                    "the task {} does not say what to do{hint}",
                    quote(task.key())
                ),
            );
            return None;
        };
        let second = words.iter().find(|other| {
            *other != word && !further.contains(other) && task.member(other).is_some()
        });
        if let Some(second) = second {
            let message = format!(
                "the task {} has both `{word}` and `{second}`, but a task does one thing; make two tasks of it",
                quote(task.key())
            );
            self.findings.error_key(task, "unknown-task", message);
            return None;
        }
        let mut keys = vec![*word];
        keys.extend(further);
        keys.extend(KEYS_COMMON);
        keys.insert(keys.len() - 1, if is_drawn { "name" } else { "then" });
        if task.member("compensate").is_some() {
            keys.push("compensate");
        }
        self.known(task, &keys);
        Some(word)
    }

    fn kind(&mut self, task: At<'t>, word: &str, scope: &Scope, flow: &Flow<'t>) -> Option<Kind> {
        let at = task.member(word)?;
        match word {
            steered if flow.is_drawn && KINDS_STEERED.contains(&steered) => {
                self.steered(steered, at, scope)
            }
            "call" => self.call(task, at, scope, flow),
            "emit" => self.emit(at, scope),
            "for" => self.for_each(task, at, scope),
            "fork" => self.fork(at, scope),
            "listen" => {
                let kind = self.listen(task, at, scope)?;
                Some(self.heeding_metadata(task, kind))
            }
            "raise" => self.raise(at, scope),
            "run" => self.run(at, scope),
            "set" => self.map_or(at, &[], scope).map(Kind::Set),
            "switch" => self.switch(at, scope, flow),
            "try" => self.try_catch(task, at, scope, flow),
            "wait" => self.wait(at, scope),
            _ => self.body(at, scope).map(Kind::Do),
        }
    }

    /// `{from: …}` or `{as: …}`.
    pub(crate) fn shaping(&mut self, at: At<'t>, key: &str, scope: &Scope) -> Option<Template> {
        self.known(at, &[key, "schema"]);
        self.shape(at.member(key)?, scope)
    }

    fn compensation(&mut self, task: At<'t>, scope: &Scope) -> Option<BodyIndex> {
        let list = task.member("compensate")?;
        if !scope.saga {
            let message = "`compensate` works only on tasks of a saga; put this task into the `do` of a `call: saga`, or catch the failure with `try`";
            self.findings
                .error_key(list, "compensate-outside-saga", message);
            return None;
        }
        self.body(
            list,
            &Scope {
                saga: false,
                ..scope.clone()
            },
        )
    }

    /// Where a `then` leads.
    pub(crate) fn directive(&mut self, at: At<'t>, flow: &Flow<'t>) -> Next {
        if flow.is_drawn {
            let message =
                "edges say where a token goes; remove this, and draw an edge `case: error`";
            self.findings.error_key(at, "unknown-key", message);
            return Next::Exit;
        }
        let Some(text) = self.literal(at) else {
            return Next::Exit;
        };
        match &*text {
            "continue" => flow.following,
            "exit" => Next::Exit,
            "end" => Next::End,
            name => {
                match flow.names.get(name) {
                    Some(node) => Next::Node(*node),
                    None => {
                        self.unclear.jumps.extend(flow.body);
                        let names = flow.names.keys().copied().chain(DIRECTIVES);
                        let hint = self.findings.hint(name, names, || "; `then` reaches only tasks of its own list, or continue, exit, end".into());
                        self.findings.error(
                            at,
                            "unknown-jump",
                            format!("no task of this list is named {}{hint}", quote(name)),
                        );
                        Next::Exit
                    }
                }
            }
        }
    }
}

/// Whether a skipped task goes on with the list although a done one goes elsewhere.
fn is_guarded(task: At<'_>) -> bool {
    let leaves = task
        .member("then")
        .and_then(At::text)
        .is_some_and(|then| &**then != "continue");
    leaves && task.member("if").is_some()
}
