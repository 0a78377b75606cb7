//! Owns [`to_text`]: a graph, however it was made, as a text in the graph form.
//!
//! Every match is exhaustive and every type is taken apart whole, so that what a graph can say cannot be
//! left out here. A name that a body has twice is numbered; the node keeps its own beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use graph::ir::{
    Attribute, AttributeKind, Body, Catch, EachEvent, ForEach, Fork, Graph, Kind, Lock, LockScope,
    Loop, Losers, Milestone, NAMESPACE_DEFAULT, Need, Next, Node, NodeIndex, ROOT, Try, Wait,
    Withdraw,
};
use graph::value::{Str, Value};
use graph::{BodyIndex, Expr, Template};

use super::value::{
    after, child_doc, concurrency, delay_doc, duration, filled, flag, human_doc, join_doc,
    listening, losers_doc, map_or_wrapped, more_doc, named_unless, need_doc, raised, raw,
    retry_doc, schedule_docs, shaping, text_or_wrapped, worker_task, wrapped,
};
use super::yaml::Doc;
use super::{FORM_VERSION, KEYS_BODY};
use crate::compile::{Compiled, Schedule};
use crate::task::catalogue::{CONCURRENCY_DEFAULT, INDEX_DEFAULT, ITEM_DEFAULT};
use crate::task::failure::ERROR;
use crate::task::list::DIRECTIVES;

/// Longer names get a key of their own.
const KEY_BYTES_MAX: usize = 100;

/// A compiled workflow as a text in the graph form, in YAML. Compiled again it means the same, and it is
/// written the same from then on. Places in the source are its own. Bodies that functions and extensions nest more than
/// some twenty deep are written as well, but nest too deep to be read.
#[must_use]
pub fn to_text(compiled: &Compiled) -> String {
    let Compiled {
        graph,
        schedule,
        warnings: _,
    } = compiled;
    let mut printer = Printer::new(graph);
    printer.document(schedule.as_ref()).to_yaml(1)
}

struct Printer<'g> {
    graph: &'g Graph,
    /// The nodes of each body, in their order.
    members: Vec<Vec<NodeIndex>>,
    /// The key of each node in its body.
    keys: Vec<Str>,
}

impl<'g> Printer<'g> {
    fn new(graph: &'g Graph) -> Printer<'g> {
        let mut members = vec![Vec::new(); graph.bodies.len()];
        let mut taken = vec![Taken::default(); graph.bodies.len()];
        let mut keys: Vec<Str> = vec!["".into(); graph.nodes.len()];
        let meant = meant_from_afar(graph);
        let mut apart = Taken::default();
        for index in &meant {
            let name = &graph.nodes[index.0 as usize].name;
            keys[index.0 as usize] = apart.take(name, &BTreeSet::new());
        }
        for (index, node) in (0..).map(NodeIndex).zip(&graph.nodes) {
            let body = node.body.0 as usize;
            members[body].push(index);
            if !meant.contains(&index) {
                keys[index.0 as usize] = taken[body].take(&node.name, &apart.keys);
            }
        }
        Printer {
            graph,
            members,
            keys,
        }
    }

    fn document(&mut self, schedule: Option<&Schedule>) -> Doc {
        let Graph {
            workflow: _,
            version: _,
            input,
            output,
            timeout,
            retention_ms: _,
            labels: _,
            attributes: _,
            schemas,
            context: _,
            concurrency: _,
            priority: _,
            definition: _,
            locals: _,
            bodies: _,
            nodes: _,
            trigger,
        } = self.graph;
        let schedule = schedule.map(|schedule| schedule_docs(schedule, trigger.as_ref()));
        let (schedule, hints) = match schedule {
            Some([schedule, hints]) => (Some(schedule), filled(hints)),
            None => (None, None),
        };
        let mut root = vec![
            ("graph", Some(Doc::text(FORM_VERSION))),
            ("document", Some(self.identity(hints))),
            (
                "use",
                filled(Doc::map([("secrets", filled(self.secrets()))])),
            ),
            ("schedule", schedule),
            ("input", shaping("from", input, &schemas.input)),
            ("output", shaping("as", output, &schemas.output)),
            ("timeout", timeout.as_ref().map(after)),
        ];
        root.extend(self.body_members(ROOT));
        Doc::map(root)
    }

    /// The names of the secrets that tasks need.
    fn secrets(&self) -> Doc {
        let sealed = self.graph.nodes.iter().flat_map(|node| match &node.kind {
            Kind::Task(task) => &task.sealed[..],
            _ => &[],
        });
        let names: BTreeSet<&Str> = sealed.flat_map(|sealed| &sealed.secrets).collect();
        Doc::List(
            names
                .into_iter()
                .map(|name| Doc::text(name.clone()))
                .collect(),
        )
    }

    fn identity(&self, hints: Option<Doc>) -> Doc {
        let graph = self.graph;
        let (namespace, name) = graph
            .workflow
            .split_once('/')
            .unwrap_or((NAMESPACE_DEFAULT, &graph.workflow));
        let tag = |(name, value): &(Str, Str)| (name.clone(), Doc::text(value.clone()));
        let tags = graph.labels.iter().map(tag).collect();
        let attribute = |attribute: &Attribute| {
            let Attribute { name, kind, from } = attribute;
            let kind = match kind {
                AttributeKind::Text => "text",
                AttributeKind::Number => "number",
                AttributeKind::Bool => "bool",
                AttributeKind::Time => "time",
            };
            let kind = Some(Doc::text(kind));
            (
                name.clone(),
                Doc::map([("type", kind), ("from", Some(wrapped(from)))]),
            )
        };
        let attributes = graph.attributes.iter().map(attribute).collect();
        let variables = Doc::map([
            ("schema", graph.schemas.export.as_ref().map(raw)),
            ("initial", graph.context.as_ref().map(raw)),
        ]);
        let metadata = Doc::map([
            ("retention", graph.retention_ms.map(duration)),
            ("attributes", filled(Doc::Map(attributes))),
            (
                "dev.quadrille/concurrency",
                graph.concurrency.as_ref().map(concurrency),
            ),
            (
                "dev.quadrille/priority",
                graph.priority.as_ref().map(wrapped),
            ),
            ("dev.quadrille/schedule", hints),
            ("dev.quadrille/variables", filled(variables)),
        ]);
        Doc::map([
            ("namespace", Some(Doc::text(namespace))),
            ("name", Some(Doc::text(name))),
            ("version", Some(Doc::text(graph.version.clone()))),
            ("tags", filled(Doc::Map(tags))),
            ("metadata", filled(metadata)),
        ])
    }

    fn body(&self, body: BodyIndex) -> Doc {
        Doc::map(self.body_members(body))
    }

    fn body_members(&self, index: BodyIndex) -> [(&'static str, Option<Doc>); 3] {
        let Body { path: _, first } = &self.graph.bodies[index.0 as usize];
        let members = &self.members[index.0 as usize];
        let start = first
            .filter(|first| members.first() != Some(first))
            .map(|first| Doc::text(self.key(first)));
        let mut edges = Vec::new();
        let mut nodes = Vec::new();
        for member in members {
            let node = &self.graph.nodes[member.0 as usize];
            nodes.push((self.key(*member), self.node(*member, node)));
            self.edges(*member, node, &mut edges);
        }
        let [key_start, key_nodes, key_edges] = KEYS_BODY;
        [
            (key_start, start),
            (key_nodes, Some(Doc::Map(nodes))),
            (key_edges, filled(Doc::List(edges))),
        ]
    }

    fn key(&self, node: NodeIndex) -> Str {
        self.keys[node.0 as usize].clone()
    }

    fn node(&self, index: NodeIndex, node: &Node) -> Doc {
        let Node {
            name,
            path: _,
            body: _,
            when,
            schemas,
            input,
            output,
            export,
            timeout,
            undo,
            next: _,
            kind,
        } = node;
        let name = (*name != self.keys[index.0 as usize]).then(|| Doc::text(name.clone()));
        let mut members = vec![
            ("name", name),
            ("if", when.as_ref().map(wrapped)),
            ("input", shaping("from", input, &schemas.input)),
        ];
        members.extend(self.kind(kind));
        members.extend([
            ("output", shaping("as", output, &schemas.output)),
            ("export", shaping("as", export, &schemas.export)),
            ("timeout", timeout.as_ref().map(after)),
            ("compensate", undo.map(|undo| self.body(undo))),
        ]);
        Doc::map(members)
    }

    /// What is done for each event: one node, whose shaping is that of the event.
    fn foreach(&self, each: &EachEvent) -> Doc {
        let EachEvent { each, at, body } = each;
        let members = &self.members[body.0 as usize];
        let only = match members[..] {
            [only] => Some(&self.graph.nodes[only.0 as usize]),
            _ => None,
        };
        let (inner, output, export) = match only {
            Some(node) => match &node.kind {
                Kind::Do(inner) => (
                    Some(self.body(*inner)),
                    shaping("as", &node.output, &node.schemas.output),
                    shaping("as", &node.export, &node.schemas.export),
                ),
                Kind::Set(data) if *data == Template::identity() => (
                    None,
                    shaping("as", &node.output, &node.schemas.output),
                    shaping("as", &node.export, &node.schemas.export),
                ),
                _ => (Some(self.body(*body)), None, None),
            },
            None => (Some(self.body(*body)), None, None),
        };
        Doc::map([
            ("item", named_unless(each, ITEM_DEFAULT)),
            ("at", named_unless(at, INDEX_DEFAULT)),
            ("do", inner),
            ("output", output),
            ("export", export),
        ])
    }

    /// The edges out of a node. What a switch with a default does with no case is never asked.
    fn edges(&self, from: NodeIndex, node: &Node, edges: &mut Vec<Doc>) {
        let mut edge = |next: Next, when: Option<&Expr>, case: Option<&str>| {
            let to = match next {
                Next::Node(to) => Doc::text(self.key(to)),
                Next::Exit => Doc::text("exit"),
                Next::End => Doc::text("end"),
            };
            edges.push(Doc::map([
                ("from", Some(Doc::text(self.key(from)))),
                ("to", Some(to)),
                ("when", when.map(wrapped)),
                ("case", case.map(Doc::text)),
            ]));
        };
        let mut otherwise = None;
        let mut is_asked = true;
        if let Kind::Switch(cases) | Kind::Split(cases) = &node.kind {
            for case in cases {
                edge(case.next, case.when.as_ref(), None);
            }
            let decided = cases.iter().any(|case| case.when.is_none());
            is_asked = !matches!(node.kind, Kind::Switch(_)) || !decided || node.when.is_some();
            otherwise = Some("else");
        }
        if node.next != Next::Exit && is_asked {
            edge(node.next, None, otherwise);
        }
        if let Kind::Milestone(milestone) = &node.kind
            && let Some(next) = milestone.otherwise
        {
            edge(next, None, Some("else"));
        }
        if let Kind::Try(Try {
            catch: Some(catch), ..
        }) = &node.kind
            && let Some(next) = catch.next
        {
            edge(next, None, Some("error"));
        }
    }

    /// The members that say what a node does.
    fn kind(&self, kind: &Kind) -> Vec<(&'static str, Option<Doc>)> {
        let nothing = || Some(Doc::Map(Vec::new()));
        match kind {
            Kind::Task(task) => call("task", worker_task(task)),
            Kind::Set(data) => vec![("set", Some(map_or_wrapped(data)))],
            Kind::Switch(_) => vec![("switch", nothing())],
            Kind::Do(body) => vec![("do", Some(self.body(*body)))],
            Kind::Loop(repeat) => call("loop", self.repeat(repeat)),
            Kind::ForEach(each) => self.for_each(each),
            Kind::Fork(fork) => self.fork(fork),
            Kind::Try(tried) => self.tried(tried),
            Kind::Saga(body) => call("saga", Doc::map([("do", Some(self.body(*body)))])),
            Kind::Raise(error) => {
                vec![("raise", Some(Doc::map([("error", Some(raised(error)))])))]
            }
            Kind::Wait(Wait::For(delay)) => vec![("wait", Some(delay_doc(delay)))],
            Kind::Wait(Wait::Until(instant)) => call(
                "wait-until",
                Doc::map([("at", Some(text_or_wrapped(instant)))]),
            ),
            Kind::Listen(listen) => vec![
                ("listen", Some(listening(listen))),
                (
                    "foreach",
                    listen.each.as_ref().map(|each| self.foreach(each)),
                ),
            ],
            Kind::Emit(event) => {
                let event = Doc::map([("with", Some(map_or_wrapped(event)))]);
                vec![("emit", Some(Doc::map([("event", Some(event))])))]
            }
            Kind::Child(child) => call("child", child_doc(child)),
            Kind::Split(_) => vec![("split", nothing())],
            Kind::Threads(count) => vec![("threads", Some(wrapped(count)))],
            Kind::Join(join) => vec![("join", Some(join_doc(*join)))],
            Kind::Merge => vec![("merge", nothing())],
            Kind::Human(human) => call("human-task", human_doc(human)),
            Kind::Lock(lock) => call("lock", self.lock(lock)),
            Kind::Withdraw(Withdraw { nodes, complete }) => {
                let nodes = nodes.iter().map(|node| Doc::text(self.key(*node)));
                let nodes = Some(Doc::List(nodes.collect()));
                let members = [("nodes", nodes), ("complete", flag(*complete))];
                vec![("withdraw", Some(Doc::map(members)))]
            }
            Kind::Milestone(Milestone { node, otherwise: _ }) => {
                let node = Some(Doc::text(self.key(*node)));
                vec![("milestone", Some(Doc::map([("node", node)])))]
            }
        }
    }

    fn repeat(&self, repeat: &Loop) -> Doc {
        let Loop {
            body,
            repeat_while,
            repeat_until,
            rounds_max,
        } = repeat;
        // A loop without a condition goes on until it fails.
        let endless = repeat_while.is_none() && repeat_until.is_none();
        let repeat_while = repeat_while.as_ref().map(wrapped);
        Doc::map([
            (
                "while",
                repeat_while.or_else(|| endless.then(|| Doc::text("${ true }"))),
            ),
            ("until", repeat_until.as_ref().map(wrapped)),
            ("max", Some(Doc::count(*rounds_max))),
            ("do", Some(self.body(*body))),
        ])
    }

    fn lock(&self, lock: &Lock) -> Doc {
        let Lock {
            name,
            scope,
            limit,
            body,
        } = lock;
        let scope = match scope {
            LockScope::Run => None,
            LockScope::Workflow => Some(Doc::text("workflow")),
            LockScope::Server => Some(Doc::text("server")),
        };
        Doc::map([
            ("name", Some(text_or_wrapped(name))),
            ("scope", scope),
            ("limit", (*limit != 1).then(|| Doc::count(*limit))),
            ("do", Some(self.body(*body))),
        ])
    }

    fn for_each(&self, for_each: &ForEach) -> Vec<(&'static str, Option<Doc>)> {
        let ForEach {
            items,
            each,
            at,
            body,
            repeat_while,
            concurrency,
            collect,
            need,
            until,
            losers,
            more,
        } = for_each;
        let list = vec![
            ("each", named_unless(each, ITEM_DEFAULT)),
            ("in", Some(wrapped(items))),
            ("at", named_unless(at, INDEX_DEFAULT)),
        ];
        let body = Some(self.body(*body));
        let repeat_while = repeat_while.as_ref().map(wrapped);
        if !collect {
            return vec![
                ("for", Some(Doc::map(list))),
                ("while", repeat_while),
                ("do", body),
            ];
        }
        let concurrency = (*concurrency != CONCURRENCY_DEFAULT).then(|| Doc::count(*concurrency));
        let further = [
            ("concurrency", concurrency),
            ("while", repeat_while),
            ("need", (*need != Need::All).then(|| need_doc(*need))),
            ("until", until.as_ref().map(wrapped)),
            ("losers", losers_doc(*losers)),
            ("more", more.as_ref().map(more_doc)),
            ("do", body),
        ];
        call("map", Doc::map(list.into_iter().chain(further)))
    }

    fn fork(&self, fork: &Fork) -> Vec<(&'static str, Option<Doc>)> {
        let Fork {
            branches,
            need,
            losers,
            first,
        } = fork;
        let branches = branches.iter().map(|branch| self.body(*branch)).collect();
        let branches = ("branches", Some(Doc::List(branches)));
        match (need, losers, first) {
            (Need::All, Losers::Cancel, false) => vec![("fork", Some(Doc::map([branches])))],
            (Need::Count(1), Losers::Cancel, true) => {
                let compete = Some(Doc::Scalar(Value::Bool(true)));
                vec![("fork", Some(Doc::map([("compete", compete), branches])))]
            }
            _ => call(
                "race",
                Doc::map([
                    ("need", (*need != Need::Count(1)).then(|| need_doc(*need))),
                    ("losers", losers_doc(*losers)),
                    ("first", flag(*first)),
                    branches,
                ]),
            ),
        }
    }

    fn tried(&self, tried: &Try) -> Vec<(&'static str, Option<Doc>)> {
        let Try {
            body,
            catch,
            finally,
        } = tried;
        let body = Some(self.body(*body));
        let catch = catch.as_ref().map(|catch| self.catch(catch));
        match finally {
            Some(finally) => call(
                "finally",
                Doc::map([
                    ("do", body),
                    ("catch", catch),
                    ("finally", Some(self.body(*finally))),
                ]),
            ),
            // Without both it only runs its body.
            None if catch.is_none() => vec![("do", body)],
            None => vec![("try", body), ("catch", catch)],
        }
    }

    fn catch(&self, catch: &Catch) -> Doc {
        let Catch {
            with,
            when,
            except_when,
            bind,
            retry,
            body,
            next: _,
        } = catch;
        let member = |(key, value): &(Str, Value)| (key.clone(), Doc::Scalar(value.clone()));
        let with = filled(Doc::Map(with.iter().map(member).collect()));
        Doc::map([
            ("errors", with.map(|with| Doc::map([("with", Some(with))]))),
            ("as", named_unless(bind, ERROR)),
            ("when", when.as_ref().map(wrapped)),
            ("exceptWhen", except_when.as_ref().map(wrapped)),
            ("retry", retry.as_ref().map(retry_doc)),
            ("do", body.map(|body| self.body(body))),
        ])
    }
}

/// The nodes that others mean by name from wherever they stand, so that no other may have their keys.
fn meant_from_afar(graph: &Graph) -> BTreeSet<NodeIndex> {
    let meant = graph.nodes.iter().flat_map(|node| match &node.kind {
        Kind::Withdraw(withdraw) => &withdraw.nodes[..],
        Kind::Milestone(milestone) => slice::from_ref(&milestone.node),
        _ => &[],
    });
    meant.copied().collect()
}

/// Keys that are taken.
#[derive(Clone, Default)]
struct Taken {
    keys: BTreeSet<Str>,
    /// The number that comes next for a name that is there already.
    numbers: BTreeMap<Str, u32>,
}

impl Taken {
    /// Takes a key for a node of this name that neither these nor the others have.
    fn take(&mut self, name: &Str, others: &BTreeSet<Str>) -> Str {
        let base: Str = match name.len() <= KEY_BYTES_MAX {
            true => name.clone(),
            false => "node".into(),
        };
        let mut key = base.clone();
        while self.keys.contains(&key) || others.contains(&key) || DIRECTIVES.contains(&&*key) {
            let number = self.numbers.entry(base.clone()).or_insert(1);
            *number += 1;
            key = format!("{base}-{number}").into();
        }
        self.keys.insert(key.clone());
        key
    }
}

fn call(name: &'static str, with: Doc) -> Vec<(&'static str, Option<Doc>)> {
    vec![("call", Some(Doc::text(name))), ("with", Some(with))]
}
