//! The graph form says all that a graph can: whatever compiles is written in it, and means the same.

use std::fs;
use std::path::Path;

use graph::ir::{
    Assignment, Backoff, Body, Case, Catch, Concurrency, ConcurrencyPolicy, Escalate, Exhausted,
    Filter, ForEach, Fork, Human, Join, JoinBy, Kind, Listen, Lock, LockScope, Loop, Losers,
    Milestone, More, Need, Next, Node, Retry, Schemas, Sealed, Task, Try, Wait, Withdraw,
};
use graph::value::Str;
use graph::{BodyIndex, Delay, Expr, Graph, NodeIndex, Template, Value};
use insta::assert_snapshot;
use quadrille_authoring::{Compiled, compile, to_text};

/// The same graph with bodies and nodes in the order in which they are met, and no places.
fn canonical(graph: &Graph) -> Graph {
    let mut order = Order::default();
    order.visit(graph, BodyIndex(0));
    let mut plain = graph.clone();
    plain.locals.sort();
    // Each is a text of its own.
    plain.definition = None;
    plain.bodies = order
        .bodies
        .iter()
        .map(|body| Body {
            path: "".into(),
            first: graph.bodies[body.0 as usize]
                .first
                .map(|first| order.node(first)),
        })
        .collect();
    plain.nodes = order
        .nodes
        .iter()
        .map(|index| order.renamed(&graph.nodes[index.0 as usize]))
        .collect();
    plain
}

#[derive(Default)]
struct Order {
    bodies: Vec<BodyIndex>,
    nodes: Vec<NodeIndex>,
}

impl Order {
    fn visit(&mut self, graph: &Graph, body: BodyIndex) {
        self.bodies.push(body);
        let own: Vec<&Node> = graph
            .nodes
            .iter()
            .filter(|node| node.body == body)
            .collect();
        for (index, node) in (0..).zip(&graph.nodes) {
            if node.body == body {
                self.nodes.push(NodeIndex(index));
            }
        }
        for node in own {
            let mut node = node.clone();
            let mut inner = Vec::new();
            bodies(&mut node, &mut |body| inner.push(*body));
            inner.into_iter().for_each(|body| self.visit(graph, body));
        }
    }

    fn node(&self, index: NodeIndex) -> NodeIndex {
        let place = self.nodes.iter().position(|other| *other == index);
        NodeIndex(u32::try_from(place.expect("every node is met")).expect("few"))
    }

    fn body(&self, index: BodyIndex) -> BodyIndex {
        let place = self.bodies.iter().position(|other| *other == index);
        BodyIndex(u32::try_from(place.expect("every body is met")).expect("few"))
    }

    fn renamed(&self, node: &Node) -> Node {
        let mut node = node.clone();
        node.path = "".into();
        node.body = self.body(node.body);
        bodies(&mut node, &mut |body| *body = self.body(*body));
        let go = |next: &mut Next| {
            if let Next::Node(to) = next {
                *to = self.node(*to);
            }
        };
        // With a default nobody asks where a switch leads without a case.
        if let Kind::Switch(cases) = &node.kind
            && node.when.is_none()
            && cases.iter().any(|case| case.when.is_none())
        {
            node.next = Next::Exit;
        }
        go(&mut node.next);
        if let Kind::Task(Task { input: data, .. }) | Kind::Raise(data) | Kind::Emit(data) =
            &mut node.kind
        {
            *data = folded(data.clone());
        }
        match &mut node.kind {
            Kind::Switch(cases) | Kind::Split(cases) => {
                cases.iter_mut().for_each(|case| go(&mut case.next));
            }
            Kind::Withdraw(withdraw) => {
                let nodes = withdraw.nodes.iter_mut();
                nodes.for_each(|node| *node = self.node(*node));
            }
            Kind::Milestone(milestone) => {
                milestone.node = self.node(milestone.node);
                milestone.otherwise.iter_mut().for_each(go);
            }
            Kind::Try(Try {
                catch: Some(Catch {
                    next: Some(next), ..
                }),
                ..
            }) => go(next),
            _ => {}
        }
        node
    }
}

/// Where nothing is computed, data as they stand.
fn folded(data: Template) -> Template {
    let value = |template: &Template| match template {
        Template::Literal(value) => Some(value.clone()),
        _ => None,
    };
    match data {
        Template::Object(members) => {
            let fold = |(key, member): (Str, Template)| (key, folded(member));
            let members: Vec<_> = members.into_iter().map(fold).collect();
            let plain = members
                .iter()
                .map(|(key, member)| Some((key.clone(), value(member)?)));
            match plain.collect() {
                Some(plain) => Template::Literal(Value::object(plain)),
                None => Template::Object(members),
            }
        }
        Template::Array(elements) => {
            let elements: Vec<_> = elements.into_iter().map(folded).collect();
            match elements.iter().map(value).collect() {
                Some(plain) => Template::Literal(Value::array(plain)),
                None => Template::Array(elements),
            }
        }
        other => other,
    }
}

/// Calls `each` with every body that a node opens.
fn bodies(node: &mut Node, each: &mut dyn FnMut(&mut BodyIndex)) {
    node.undo.iter_mut().for_each(&mut *each);
    match &mut node.kind {
        Kind::Do(body) | Kind::Saga(body) => each(body),
        Kind::Loop(repeat) => each(&mut repeat.body),
        Kind::ForEach(for_each) => each(&mut for_each.body),
        Kind::Lock(lock) => each(&mut lock.body),
        Kind::Fork(fork) => fork.branches.iter_mut().for_each(each),
        Kind::Try(tried) => {
            each(&mut tried.body);
            let catch = tried
                .catch
                .iter_mut()
                .filter_map(|catch| catch.body.as_mut());
            catch.chain(&mut tried.finally).for_each(each);
        }
        Kind::Listen(listen) => {
            let bodies = listen.each.iter_mut().map(|each| &mut each.body);
            bodies.for_each(each);
        }
        _ => {}
    }
}

fn compiled(text: &str) -> Compiled {
    compile(text).unwrap_or_else(|findings| {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!("{}\n{text}", findings.join("\n"))
    })
}

/// Writes a graph, reads it, writes it and reads it; gives the text.
fn round(first: &Compiled) -> String {
    let text = to_text(first);
    let second = compiled(&text);
    assert_eq!(
        canonical(&second.graph),
        canonical(&first.graph),
        "\n{text}"
    );
    assert_eq!(second.schedule, first.schedule);
    assert_eq!(to_text(&second), text);
    assert_eq!(compiled(&to_text(&second)).graph, second.graph);
    text
}

/// All workflow texts below a folder.
fn texts(folder: &Path, found: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            texts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn every_example_can_be_seen_as_a_graph() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    texts(&root.join("examples"), &mut found);
    texts(&root.join("crates/authoring/tests/data"), &mut found);
    let written = found.iter().filter_map(|text| compile(text).ok());
    let written: Vec<String> = written.map(|compiled| round(&compiled)).collect();
    assert!(written.len() >= 10, "{} were found", written.len());
}

#[test]
fn what_the_language_says_of_data_alone_comes_back() {
    let listen = "listen: {to: {all: [{with: {data: '${ .x > 1 }'}}, {with: {type: b}}]}}";
    let task = "call: task, with: {name: pay, input: {a: '${ $secrets.key }', b: '$secrets.other', c: '${ .c }'}}";
    let list = "for: {in: [1, '$secrets.key', {'$secrets.key': 2}, '${ .x }']}, do: []";
    round(&compiled(&format!(
        "document: {{dsl: '1.0.3', namespace: default, name: x, version: '1.0.0'}}
use:
  secrets: [key]
  extensions: [log: {{extend: call, before: [a: {{set: '${{ $task }}'}}]}}]
do:
  - l: {{{listen}}}
  - t: {{{task}}}
  - f: {{{list}}}
"
    )));
}

#[test]
fn thousands_of_nodes_of_one_name_are_numbered() {
    let nodes = 5_000;
    let node = |index: usize| format!("  n{index}: {{name: x, set: {{}}}}\n");
    let edge = |index: usize| format!("  - {{from: n{index}, to: n{}}}\n", index + 1);
    let text = format!(
        "graph: '1.0'\ndocument: {{namespace: default, name: x, version: '1.0.0'}}\nnodes:\n{}edges:\n{}",
        (0..nodes).map(node).collect::<String>(),
        (1..nodes).map(|index| edge(index - 1)).collect::<String>()
    );
    let begun = std::time::Instant::now();
    let written = to_text(&compiled(&text));
    assert!(written.contains("  x-4999: {name: x, set: {}}\n"));
    // Numbering by trial takes ten times as long.
    let took = begun.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
}

const DRAWN: &str = "
graph: '1.0'
document: {namespace: default, name: drawn, version: '1.0.0'}
start: ready
nodes:
  pay: {call: task, with: {name: pay}}
  ready: {split: {}}
  pack: {if: .packed | not, set: {packed: true}}
  check: {switch: {}}
  both: {join: {}}
  ship:
    try: {nodes: {post: {call: task, with: {name: post}}}}
    catch: {errors: {with: {type: timeout}}}
edges:
  - {from: ready, to: pay}
  - {from: ready, to: pack, when: .stock > 0}
  - {from: ready, to: exit, case: else}
  - {from: pay, to: check}
  - {from: check, to: pay, when: .again}
  - {from: check, to: both}
  - {from: pack, to: both}
  - {from: both, to: ship}
  - {from: ship, to: end}
  - {from: ship, to: both, case: error}
";

#[test]
fn a_drawn_workflow_is_written_as_it_was_drawn() {
    assert_snapshot!(round(&compiled(DRAWN)), @r#"
    graph: '1.0'
    document:
      namespace: default
      name: drawn
      version: '1.0.0'
    start: ready
    nodes:
      pay: {call: task, with: {queue: default, name: pay}}
      ready: {split: {}}
      pack: {if: '${ .packed | not }', set: {packed: true}}
      check: {switch: {}}
      both: {join: {}}
      ship:
        try: {nodes: {post: {call: task, with: {queue: default, name: post}}}}
        catch: {errors: {with: {type: timeout}}}
    edges:
      - {from: pay, to: check}
      - {from: ready, to: pay}
      - {from: ready, to: pack, when: '${ .stock > 0 }'}
      - {from: pack, to: both}
      - {from: check, to: pay, when: '${ .again }'}
      - {from: check, to: both}
      - {from: both, to: ship}
      - {from: ship, to: end}
      - {from: ship, to: both, case: error}
    "#);
}

#[test]
fn what_the_language_lists_is_drawn() {
    let text = "
document: {dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0', tags: {team: a}, metadata: {retention: P30D, attributes: {total: {type: number, from: .total}}}}
schedule: {every: PT5M}
timeout: {after: PT1H}
do:
  - guard: {if: .big, call: task, with: {name: ask, retry: {delay: PT1S, backoff: {exponential: {}}, limit: {attempt: {count: 3}}, when: $error.status == 500}}, then: end}
  - choose: {switch: [big: {when: .total > 9, then: end}, other: {then: last}]}
  - last: {listen: {to: {any: [{with: {type: a, data: '${ .x }'}}, {with: {type: b}, correlate: {n: {from: .data.n, expect: '${ .n }'}}}]}}}
";
    assert_snapshot!(round(&compiled(text)), @r#"
    graph: '1.0'
    document:
      namespace: shop
      name: order
      version: '1.0.0'
      tags: {team: a}
      metadata: {retention: P30D, attributes: {total: {type: number, from: '${ .total }'}}}
    schedule:
      every: PT5M
    timeout:
      after: PT1H
    nodes:
      guard: {switch: {}}
      guard-2:
        name: guard
        call: task
        with:
          queue: default
          name: ask
          retry:
            delay: PT1S
            backoff: {exponential: {}}
            limit: {attempt: {count: 3}}
            when: '${ $error.status == 500 }'
      choose: {switch: {}}
      last:
        listen:
          to:
            any:
              - {with: {type: a}, when: '${ .data | (.x) }'}
              - {with: {type: b}, correlate: {key1: {from: '${ .data.n }', expect: '${ .n }'}}}
    edges:
      - {from: guard, to: guard-2, when: '${ .big }'}
      - {from: guard, to: choose, case: else}
      - {from: guard-2, to: end}
      - {from: choose, to: end, when: '${ .total > 9 }'}
      - {from: choose, to: last}
    "#);
}

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("it is JSON")
}

fn expr(text: &str) -> Expr {
    Expr(text.into())
}

/// A graph with every kind and every field that lists of tasks have no words for.
fn odd() -> Graph {
    let mut graph = compiled(DRAWN).graph;
    graph.workflow = "odd/all".into();
    graph.schemas.export = Some(json(r#"{"type": "object"}"#));
    graph.context = Some(json(r#"{"a": "${ 1 }"}"#));
    graph.priority = Some(expr("3"));
    graph.concurrency = Some(Concurrency {
        key: expr(".customer"),
        limit: 2,
        policy: ConcurrencyPolicy::Replace,
    });
    graph.labels = vec![("a b".into(), "yes".into()), ("k".into(), "1".into())];
    graph.locals = ["item", "error", "other"].map(Into::into).to_vec();
    graph.bodies = vec![Body {
        path: "".into(),
        first: Some(NodeIndex(0)),
    }];
    graph.nodes = Vec::new();
    graph
}

fn add_body(graph: &mut Graph) -> BodyIndex {
    let body = BodyIndex(u32::try_from(graph.bodies.len()).expect("few"));
    graph.bodies.push(Body {
        path: "".into(),
        first: None,
    });
    let first = add_node(graph, body, "same", Kind::Merge);
    let second = add_node(
        graph,
        body,
        "same",
        Kind::Join(Join {
            need: Need::Count(2),
            by: JoinBy::Threads,
        }),
    );
    graph.bodies[body.0 as usize].first = Some(second);
    graph.nodes[second.0 as usize].next = Next::Node(first);
    graph.nodes[first.0 as usize].next = Next::Node(second);
    body
}

fn add_node(graph: &mut Graph, body: BodyIndex, name: &str, kind: Kind) -> NodeIndex {
    let index = NodeIndex(u32::try_from(graph.nodes.len()).expect("few"));
    graph.nodes.push(Node {
        name: name.into(),
        path: "".into(),
        body,
        when: None,
        input: None,
        output: None,
        export: None,
        timeout: None,
        undo: None,
        schemas: Schemas::default(),
        next: Next::Exit,
        kind,
    });
    index
}

fn retry() -> Retry {
    Retry {
        delay: Delay::Computed(Template::Expr(expr(".pause"))),
        backoff: Backoff::Exponential(1.5),
        delay_max_ms: Some(86_400_001),
        jitter_ms: Some((0, 61_000)),
        attempts_max: Some(7),
        duration_max_ms: Some(3_600_000),
        fatal_types: vec!["on".into(), "it's".into()],
        when: Some(expr("$error.status > 1 # why")),
        except_when: Some(expr("false")),
    }
}

fn filter(kind: &str) -> Filter {
    Filter {
        event_type: kind.into(),
        with: vec![("source".into(), Template::Expr(expr(".s")))],
        when: Some(expr(".id > 1")),
        correlate: vec![
            (expr(".data.a"), Template::Literal(Value::Null)),
            (expr(".b"), Template::identity()),
        ],
        transient: true,
        bind: vec![("order".into(), ".data.order".into())],
    }
}

fn odd_kinds(graph: &mut Graph) -> Vec<Kind> {
    let literal = |value: &str| Template::Literal(Value::from(value));
    let mut kinds = vec![
        Kind::Raise(Template::Expr(expr(".error"))),
        Kind::Emit(Template::Expr(expr("{type: \"a\"}"))),
        Kind::Set(Template::Expr(expr("[1,\n 2]"))),
        Kind::Set(Template::Object(vec![
            ("${ x }".into(), Template::Expr(expr("1"))),
            ("exp".into(), literal("1e3")),
            (
                "tab\t\u{feff}\u{2028}é".into(),
                literal("line\nbreak \\ \"'"),
            ),
            (
                "~".into(),
                Template::Literal(Value::from([
                    ("on", Value::float(1e300)),
                    ("", Value::Null),
                ])),
            ),
        ])),
        Kind::Wait(Wait::Until(Template::Expr(expr(".at")))),
        Kind::Wait(Wait::For(Delay::Ms(0))),
        Kind::Task(Task {
            queue: Template::Expr(expr(".q")),
            name: literal("true"),
            input: Template::Literal(json(r#"{"key": null, "list": [1, null]}"#)),
            sealed: vec![Sealed {
                at: "/list/1".into(),
                secrets: vec!["pin".into()],
                value: expr("$secrets.pin"),
            }],
            queue_timeout: Some(Delay::Ms(1)),
            run_timeout: Some(Delay::Ms(90_061_001)),
            heartbeat_timeout: Some(Delay::Computed(Template::Object(vec![(
                "minutes".into(),
                Template::Expr(expr(".m")),
            )]))),
            retry: Some(retry()),
            exhausted: Exhausted::Park,
            priority: Some(expr(".urgent")),
        }),
        Kind::Listen(Listen {
            filters: vec![filter("a"), filter("b"), filter("c")],
            need: Need::Count(2),
            envelope: true,
            until: None,
            each: None,
        }),
    ];
    kinds.extend(odd_containers(graph));
    kinds
}

fn catch(graph: &mut Graph) -> Catch {
    Catch {
        with: vec![
            ("status".into(), Value::Int(5)),
            ("type".into(), Value::from("no")),
        ],
        when: Some(expr("$other.status == 1")),
        except_when: Some(expr("false")),
        bind: "other".into(),
        retry: Some(Retry {
            when: None,
            ..retry()
        }),
        body: Some(add_body(graph)),
        next: Some(Next::End),
    }
}

fn human() -> Human {
    let to = Assignment {
        assignee: Some(Template::Expr(expr(".boss"))),
        groups: Some(Template::Literal(json(r#"["heads"]"#))),
    };
    Human {
        title: Template::Literal(json(r#""Look""#)),
        description: Some(Template::Expr(expr(".what"))),
        to: to.clone(),
        data: Template::Literal(Value::Null),
        form: Some(json(r#"{"type": "object"}"#)),
        priority: Some(Template::Literal(Value::Int(7))),
        due: Some(Delay::Ms(5_000)),
        remind: vec![Delay::Ms(1_000)],
        escalate: Some(Escalate {
            after: Delay::Ms(6_000),
            to,
        }),
        outcomes: vec!["yes".into(), "no".into()],
    }
}

fn odd_containers(graph: &mut Graph) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for (need, losers, first) in [
        (Need::All, Losers::Leave, true),
        (Need::Count(1), Losers::Cancel, true),
        (Need::Count(2), Losers::Cancel, false),
    ] {
        let branches = vec![add_body(graph), add_body(graph)];
        kinds.push(Kind::Fork(Fork {
            branches,
            need,
            losers,
            first,
        }));
    }
    for (concurrency, collect) in [(1, false), (10, true), (3, true)] {
        kinds.push(Kind::ForEach(ForEach {
            items: expr(".list"),
            each: "item".into(),
            at: "other".into(),
            body: add_body(graph),
            repeat_while: Some(expr("$other < 3")),
            concurrency,
            collect,
            need: if collect { Need::Count(2) } else { Need::All },
            until: collect.then(|| expr("length > 3")),
            losers: if collect {
                Losers::Leave
            } else {
                Losers::Cancel
            },
            more: collect.then(|| More {
                filter: filter("more"),
                max: 7,
            }),
        }));
    }
    kinds.push(Kind::Lock(Lock {
        name: Template::Expr(expr(".door")),
        scope: LockScope::Server,
        limit: 2,
        body: add_body(graph),
    }));
    kinds.push(Kind::Threads(expr("3")));
    kinds.push(Kind::Human(human()));
    kinds.push(Kind::Loop(Loop {
        body: add_body(graph),
        repeat_while: Some(expr(".a")),
        repeat_until: Some(expr(".b")),
        rounds_max: 3,
    }));
    kinds.push(Kind::Try(Try {
        body: add_body(graph),
        catch: Some(Catch {
            retry: None,
            ..catch(graph)
        }),
        finally: Some(add_body(graph)),
    }));
    kinds
}

#[test]
fn every_kind_and_field_comes_back() {
    let mut graph = odd();
    let mut kinds = odd_kinds(&mut graph);
    let split = add_node(&mut graph, BodyIndex(0), "exit", Kind::Merge);
    graph.bodies[0].first = Some(split);
    let mut cases = vec![];
    let inner = add_body(&mut graph);
    let first = graph.bodies[inner.0 as usize].first.expect("it has nodes");
    // Both mean a node far out, which shares its name with one beside them.
    let meant = NodeIndex(split.0 + 1);
    let far = Kind::Milestone(Milestone {
        node: meant,
        otherwise: Some(Next::End),
    });
    let milestone = add_node(&mut graph, inner, "n", far);
    let withdraw = Kind::Withdraw(Withdraw {
        nodes: vec![meant, first],
        complete: true,
    });
    graph.nodes[first.0 as usize].kind = withdraw;
    graph.nodes[first.0 as usize].next = Next::Node(milestone);
    graph.nodes[milestone.0 as usize].next = Next::Node(NodeIndex(first.0 - 1));
    kinds.push(Kind::Saga(inner));
    for kind in kinds {
        let index = add_node(&mut graph, BodyIndex(0), "n", kind);
        cases.push(Case {
            when: Some(expr("true")),
            next: Next::Node(index),
        });
    }
    let last = &mut graph.nodes[split.0 as usize + 1];
    last.next = Next::End;
    last.when = Some(expr(".x"));
    last.timeout = Some(Delay::Ms(5));
    last.input = Some(Template::Object(vec![(
        "a".into(),
        Template::Expr(expr(".")),
    )]));
    last.output = Some(Template::Literal(Value::from([("a", Value::Int(-1))])));
    last.export = Some(Template::identity());
    last.schemas.input = Some(json(r#"{"const": "${ x }"}"#));
    last.schemas.export = Some(json("true"));
    graph.nodes[split.0 as usize].kind = Kind::Split(cases);
    graph::check::check(&graph).expect("sound");
    round(&Compiled {
        graph,
        schedule: None,
        warnings: Vec::new(),
    });
}

#[test]
fn a_wrong_edge_is_told_where_it_stands() {
    let findings = |nodes: &str, edges: &str| {
        let text = format!(
            "graph: '1.0'\ndocument: {{namespace: default, name: drawn, version: '1.0.0'}}\nnodes:\n{nodes}\nedges:\n{edges}\n"
        );
        let findings = compile(&text).expect_err("it is wrong");
        findings
            .iter()
            .map(|finding| format!("{finding} {}\n", finding.path))
            .collect::<String>()
    };
    let nodes = "  a: {set: {}}\n  b: {switch: {}}\n  c: {try: {nodes: {x: {set: {}}}}, catch: {then: a}}\n  exit: {merge: {}}\n  d: {marge: {}}";
    let edges = "  - {from: a, to: b}\n  - {from: a, to: bb}\n  - {from: a, to: c, when: .x}\n  - {from: b, to: c}\n  - {from: b, to: a}\n  - {from: b, to: a, case: else}\n  - {from: c, to: a, case: else}\n  - {from: a, to: a, case: error}\n  - {from: a}";
    assert_snapshot!(findings(nodes, edges), @r#"
    6:45: error: edges say where a token goes; remove this, and draw an edge `case: error` [unknown-key] /nodes/c/catch/then
    7:3: error: "exit" says where to go and cannot name a task; choose another name [bad-name] /nodes/exit
    8:3: error: the task "d" does not say what to do; did you mean "merge" where it says "marge"? [unknown-task] /nodes/d
    11:19: error: no node of this body is named "bb"; `to` names a node of the body, or exit or end [unknown-jump] /edges/1/to
    12:5: error: a second edge of this kind leaves the node; let the node lead to a `switch`, where one of several is taken, or to a `split`, where all are [bad-edge] /edges/2
    12:22: error: only edges out of a `switch` or `split` have a condition, and not those with `case`; lead this edge to a `switch` [bad-edge] /edges/2/when
    14:5: error: this edge is never taken, because one before it has no `when`; put that one last or give it a condition [bad-edge] /edges/4
    15:5: error: this edge is never taken, because one before it has no `when`; put that one last or give it a condition [bad-edge] /edges/5
    16:5: error: only a `switch`, `split` or `milestone` has an edge with `case: else` [bad-edge] /edges/6
    17:5: error: only a node with a `catch` has an edge with `case: error` [bad-edge] /edges/7
    18:5: error: `to` is missing; add it here [missing-key] /edges/8
    "#);
    assert_snapshot!(findings("  a: {set: {}}\n  b: {set: {}}", "  - {from: b, to: a}"), @r#"5:3: error: the task "b" can never be reached; let a `then` or an edge lead to it, or remove it [unsound] /nodes/b"#);
}

#[test]
fn a_body_is_drawn_only_in_the_graph_form() {
    let text = "
document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}
do:
  - a: {do: {nodes: {b: {set: {}}}}}
  - c: {join: {}}
";
    let findings = compile(text).expect_err("it is wrong");
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_snapshot!(findings.join("\n"), @r#"
    4:13: error: `do` must be a list, not a map [bad-type]
    5:5: error: the task "c" does not say what to do; add one of call, emit, for, fork, listen, raise, run, set, switch, try, wait, do [unknown-task]
    "#);
}
