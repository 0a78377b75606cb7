//! Graphs that are sound, and for each rule one that breaks it.

use super::*;
use crate::ir::{ForEach, Fork, Loop, Losers, Schemas};
use crate::value::Value;

fn node(name: &str, body: u32, next: Next, kind: Kind) -> Node {
    Node {
        name: name.into(),
        path: format!("/{name}").into(),
        body: BodyIndex(body),
        when: None,
        input: None,
        output: None,
        export: None,
        schemas: Schemas::default(),
        timeout: None,
        undo: None,
        next,
        kind,
    }
}

/// A graph of these nodes, with bodies that start at the first node that is in them.
fn graph(bodies: u32, nodes: Vec<Node>) -> Graph {
    let first = |body| {
        nodes
            .iter()
            .position(|node| node.body == BodyIndex(body))
            .map(|index| NodeIndex(index as u32))
    };
    let bodies = (0..bodies)
        .map(|body| Body {
            path: format!("/body{body}").into(),
            first: first(body),
        })
        .collect();
    Graph {
        workflow: "w".into(),
        version: "1.0.0".into(),
        input: None,
        output: None,
        timeout: None,
        retention_ms: None,
        schemas: Schemas::default(),
        context: None,
        labels: vec![],
        attributes: vec![],
        locals: vec!["item".into(), "index".into()],
        bodies,
        nodes,
    }
}

/// So many nodes of one kind, one after the other.
fn row(count: u32, kind: &Kind) -> Vec<Node> {
    let next = |index| {
        if index + 1 == count {
            Next::Exit
        } else {
            to(index + 1)
        }
    };
    (0..count)
        .map(|index| node(&format!("n{index}"), 0, next(index), kind.clone()))
        .collect()
}

fn set() -> Kind {
    Kind::Set(Template::Literal(Value::Null))
}

fn to(index: u32) -> Next {
    Next::Node(NodeIndex(index))
}

fn repeat(body: u32, rounds_max: u32) -> Kind {
    Kind::Loop(Loop {
        body: BodyIndex(body),
        repeat_while: None,
        repeat_until: None,
        rounds_max,
    })
}

fn fork(branches: &[u32], need: Need) -> Kind {
    let branches = branches.iter().map(|body| BodyIndex(*body)).collect();
    Kind::Fork(Fork {
        branches,
        need,
        losers: Losers::Cancel,
        first: false,
    })
}

fn each(each: &str, concurrency: u32, collect: bool) -> Kind {
    Kind::ForEach(ForEach {
        items: ".".into(),
        each: each.into(),
        at: "index".into(),
        body: BodyIndex(1),
        repeat_while: None,
        concurrency,
        collect,
    })
}

fn case(when: Option<&str>, next: Next) -> Case {
    Case {
        when: when.map(Expr::from),
        next,
    }
}

#[test]
fn sound_graphs() {
    let exit = Next::Exit;
    let table = [
        ("empty", graph(1, vec![])),
        (
            "cycle",
            graph(
                1,
                vec![node("a", 0, to(1), set()), node("b", 0, to(0), set())],
            ),
        ),
        (
            "bodies",
            graph(
                3,
                vec![
                    node("a", 0, exit, fork(&[1, 2], Need::Count(2))),
                    node("b", 1, exit, set()),
                ],
            ),
        ),
        (
            "map",
            graph(
                2,
                vec![node("a", 0, exit, each("item", CONCURRENCY_MAX, true))],
            ),
        ),
        (
            "switch",
            graph(
                1,
                vec![
                    node("a", 0, exit, Kind::Switch(vec![case(Some(".x"), to(1))])),
                    node("b", 0, exit, set()),
                ],
            ),
        ),
    ];
    for (what, graph) in table {
        assert_eq!(check(&graph), Ok(()), "{what}");
    }
}

/// Each graph must be refused for a reason that has these words.
fn assert_unsound(table: Vec<(&str, Graph)>) {
    for (message, graph) in table {
        let unsound = check(&graph).expect_err(message);
        let found = unsound.iter().any(|flaw| flaw.message.contains(message));
        assert!(found, "{message}: {unsound:?}");
    }
}

#[test]
fn unsound_indexes() {
    let exit = Next::Exit;
    let sound = || graph(1, vec![node("a", 0, exit, set())]);
    let table = [
        ("1 to", graph(0, vec![])),
        (
            "starts at node 9",
            Graph {
                bodies: vec![Body {
                    path: "".into(),
                    first: Some(NodeIndex(9)),
                }],
                ..sound()
            },
        ),
        (
            "leads to node 7",
            graph(1, vec![node("a", 0, to(7), set())]),
        ),
        (
            "not in its body",
            graph(
                2,
                vec![
                    node("a", 0, to(1), Kind::Do(BodyIndex(1))),
                    node("b", 1, exit, set()),
                ],
            ),
        ),
        (
            "belongs to body 3",
            Graph {
                nodes: vec![node("a", 3, exit, set())],
                ..graph(1, vec![])
            },
        ),
    ];
    assert_unsound(table.into());
}

#[test]
fn unsound_trees() {
    let exit = Next::Exit;
    let one = |kind| graph(2, vec![node("a", 0, exit, kind)]);
    let decided = Kind::Switch(vec![case(None, exit)]);
    let table = [
        ("opens body 5", one(Kind::Do(BodyIndex(5)))),
        ("opens the root", one(Kind::Do(ROOT))),
        (
            "more than one node",
            graph(
                2,
                vec![
                    node("a", 0, to(1), Kind::Do(BodyIndex(1))),
                    node("b", 0, exit, Kind::Do(BodyIndex(1))),
                ],
            ),
        ),
        ("nothing leads from the root", one(set())),
        (
            "nothing leads from the root",
            graph(
                3,
                vec![
                    node("a", 1, exit, Kind::Do(BodyIndex(2))),
                    node("b", 2, exit, Kind::Do(BodyIndex(1))),
                ],
            ),
        ),
        (
            "never be reached",
            graph(
                1,
                vec![node("a", 0, exit, set()), node("b", 0, exit, set())],
            ),
        ),
        (
            "never be reached",
            graph(
                1,
                vec![node("a", 0, to(1), decided), node("b", 0, exit, set())],
            ),
        ),
    ];
    assert_unsound(table.into());
}

#[test]
fn unsound_contents() {
    let exit = Next::Exit;
    let one = |kind| graph(2, vec![node("a", 0, exit, kind)]);
    let sound = || graph(1, vec![node("a", 0, exit, set())]);
    let table = [
        ("not 0", one(repeat(1, 0))),
        ("most rounds", one(repeat(1, ROUNDS_MAX + 1))),
        ("concurrency", one(each("item", 2, false))),
        ("concurrency", one(each("item", CONCURRENCY_MAX + 1, true))),
        ("$thing is not among", one(each("thing", 1, false))),
        (
            "count of branches",
            graph(1, vec![node("a", 0, exit, fork(&[], Need::All))]),
        ),
        (
            "101 merges and 0 joins",
            graph(1, row(MERGES_MAX as u32 + 1, &Kind::Merge)),
        ),
        (
            "65 labels",
            Graph {
                labels: vec![("a".into(), "b".into()); 65],
                ..sound()
            },
        ),
        (
            "not 0",
            Graph {
                version: "".into(),
                ..sound()
            },
        ),
        (
            "not 257",
            graph(1, vec![node(&"n".repeat(257), 0, exit, set())]),
        ),
        ("needed branches", one(fork(&[1], Need::Count(2)))),
        (
            "250",
            Graph {
                locals: (0..300).map(|n| format!("v{n}").into()).collect(),
                ..sound()
            },
        ),
        (
            "\".a ==\" is wrong",
            Graph {
                output: Some(Template::Expr(".a ==".into())),
                ..sound()
            },
        ),
        (
            "is wrong",
            graph(
                1,
                vec![node(
                    "a",
                    0,
                    exit,
                    Kind::Set(Template::Expr("$nosuch".into())),
                )],
            ),
        ),
    ];
    assert_unsound(table.into());
}

#[test]
fn deep_bodies() {
    let chain = |depth: u32| {
        graph(
            depth + 1,
            (0..depth)
                .map(|body| node("a", body, Next::Exit, Kind::Do(BodyIndex(body + 1))))
                .collect(),
        )
    };
    assert_eq!(check(&chain(BODY_DEPTH_MAX as u32)), Ok(()));
    assert!(check(&chain(BODY_DEPTH_MAX as u32 + 1)).is_err());
}

#[test]
fn merges_are_sound_up_to_their_bound_and_written_as_a_word() {
    assert_eq!(
        check(&graph(1, row(MERGES_MAX as u32, &Kind::Merge))),
        Ok(())
    );
    assert_eq!(
        check(&graph(
            1,
            row(MERGES_MAX as u32 + 1, &Kind::Join(Need::All))
        )),
        Ok(()),
        "joins alone have no bound but that of nodes"
    );
    let written = serde_json::to_string(&Kind::Merge).expect("a kind is JSON");
    assert_eq!(written, "\"merge\"");
    assert_eq!(
        serde_json::from_str::<Kind>(&written).ok(),
        Some(Kind::Merge)
    );
}

#[test]
fn schemas_must_compile_and_the_first_context_must_fit() {
    let mut graph = graph(1, row(1, &Kind::Set(Template::identity())));
    graph.nodes[0].schemas.output = Some(Value::from([("type", Value::from("text"))]));
    graph.schemas.export = Some(Value::from([("type", Value::from("object"))]));
    graph.context = Some(Value::Int(1));
    let unsound = check(&graph).expect_err("it is not sound");
    let told: Vec<String> = unsound.iter().map(|flaw| format!("{flaw}")).collect();
    assert_eq!(
        told.join("\n"),
        "/n0: the schema of the output is wrong at /type: \"text\" is not a type; use null, boolean, number, integer, string, array or object\n: what `$context` is at first does not fit its schema: must be object, not number (rule /type)"
    );
}
