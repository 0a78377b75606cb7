//! Graphs that are sound, and for each rule one that breaks it.

use super::*;
use crate::ir::{
    Concurrency, ConcurrencyPolicy, ForEach, Fork, Join, JoinBy, Lock, LockScope, Loop, Losers,
    Milestone, Schemas, Withdraw,
};
use crate::template::Template;
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
        trigger: None,
        labels: vec![],
        attributes: vec![],
        concurrency: None,
        priority: None,
        definition: None,
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
        need: Need::All,
        until: None,
        losers: Losers::Cancel,
        more: None,
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
            row(MERGES_MAX as u32 + 1, &Kind::Join(Need::All.into()))
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
fn what_looks_at_other_nodes_must_see_them() {
    let exit = Next::Exit;
    let withdraw = |nodes: &[u32]| {
        Kind::Withdraw(Withdraw {
            nodes: nodes.iter().map(|node| NodeIndex(*node)).collect(),
            complete: false,
        })
    };
    let milestone = |node| {
        Kind::Milestone(Milestone {
            node: NodeIndex(node),
            otherwise: None,
        })
    };
    let one = |kind| {
        graph(
            1,
            vec![node("a", 0, to(1), set()), node("b", 0, exit, kind)],
        )
    };
    let inside = |kind| {
        graph(
            2,
            vec![
                node("a", 0, exit, Kind::Do(BodyIndex(1))),
                node("b", 1, exit, kind),
            ],
        )
    };
    let beside = |kind| {
        let fork = fork(&[1, 2], Need::All);
        let nodes = vec![
            node("a", 0, exit, fork),
            node("b", 1, exit, kind),
            node("c", 2, exit, Kind::Merge),
        ];
        graph(3, nodes)
    };
    let in_undo = |kind| {
        let mut nodes = vec![node("a", 0, exit, Kind::Merge), node("b", 1, exit, kind)];
        nodes[0].undo = Some(BodyIndex(1));
        graph(2, nodes)
    };
    for sound in [
        one(withdraw(&[0])),
        inside(withdraw(&[0])),
        inside(milestone(0)),
    ] {
        assert_eq!(check(&sound), Ok(()));
    }
    let table = [
        ("node 9, which does not exist", one(withdraw(&[9]))),
        ("nodes to withdraw", one(withdraw(&[]))),
        ("takes no time", one(milestone(0))),
        ("cannot be seen", beside(withdraw(&[2]))),
        ("cannot be seen", beside(milestone(2))),
        ("cannot be seen", in_undo(milestone(0))),
    ];
    assert_unsound(table.into());
}

#[test]
fn what_counts_and_bounds_must_have_a_bound() {
    let exit = Next::Exit;
    let one = |kind| graph(2, vec![node("a", 0, exit, kind)]);
    let alone = |kind| graph(1, vec![node("a", 0, exit, kind)]);
    let partial = |collect, change: fn(&mut ForEach)| {
        let Kind::ForEach(mut made) = each("item", 1, collect) else {
            unreachable!("it is one");
        };
        change(&mut made);
        one(Kind::ForEach(made))
    };
    let lock = |limit| {
        Kind::Lock(Lock {
            name: Template::Literal(Value::from("l")),
            scope: LockScope::Run,
            limit,
            body: BodyIndex(1),
        })
    };
    let by = |need, by| alone(Kind::Join(Join { need, by }));
    let limited = Graph {
        concurrency: Some(Concurrency {
            key: ".".into(),
            limit: 0,
            policy: ConcurrencyPolicy::Queue,
        }),
        ..alone(set())
    };
    let table = [
        (
            "a for-each that collects",
            partial(false, |each| each.need = Need::Count(1)),
        ),
        (
            "elements must be at least 1",
            partial(true, |each| each.need = Need::Count(0)),
        ),
        (
            "leave losers out",
            partial(true, |each| each.losers = Losers::Leave),
        ),
        ("limit of a lock", one(lock(0))),
        ("limit of a lock", one(lock(THREADS_MAX + 1))),
        ("give need a count", by(Need::All, JoinBy::Threads)),
        ("cannot be the first", by(Need::All, JoinBy::Edges)),
        ("needed tokens", by(Need::Count(0), JoinBy::Tokens)),
        ("runs at once", limited),
        ("is wrong", alone(Kind::Threads(".a ==".into()))),
    ];
    assert_unsound(table.into());
}

#[test]
fn a_join_is_written_as_its_need_unless_it_says_more() {
    let forms = [
        (Need::All.into(), r#"{"join":"all"}"#),
        (Need::Count(2).into(), r#"{"join":{"count":2}}"#),
        (
            Join {
                need: Need::Count(2),
                by: JoinBy::Edges,
            },
            r#"{"join":{"need":{"count":2},"by":"edges"}}"#,
        ),
    ];
    for (join, text) in forms {
        assert_eq!(
            serde_json::to_string(&Kind::Join(join)).expect("a kind is JSON"),
            text
        );
        assert_eq!(
            serde_json::from_str::<Kind>(text).ok(),
            Some(Kind::Join(join))
        );
    }
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
