//! What documents do when they run, where the compiler alone cannot show it: extensions, limits of attempts, and
//! expressions that are stopped.

use quadrille_tests::{Ended, Quadrille};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::workflow;

async fn exec(text: &str, input: &Value) -> Ended {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, text).unwrap();
    let input = input.to_string();
    let arguments = ["exec", file.to_str().unwrap(), "--input", &input];
    Quadrille::new(arguments).run().await
}

#[tokio::test]
async fn extensions_go_around_tasks_and_leave_their_data_alone() {
    let text = workflow(
        "extended",
        r#"
  - first: {set: {a: '${ .x + 1 }'}}
  - second: {input: {from: .a}, set: {b: '${ . + 1 }', c: '${ $task.reference }'}}
output: {as: '${ {data: ., log: $context.log} }'}
use:
  functions:
    own: {set: '${ $task.name }'}
  extensions:
    - outer:
        extend: set
        before: [n: {set: {lost: 1}, export: {as: '${ {log: ($context.log + ["before \($task.name)"])} }'}}]
        after: [n: {set: {}, export: {as: '${ {log: ($context.log + ["after \($task.set | keys)"])} }'}}]
    - inner:
        extend: all
        when: .x == 1
        before: [n: {wait: PT0S, export: {as: '${ {log: ($context.log + ["inner \($task.reference)"])} }'}}]
        after: [n: {call: own, export: {as: '${ {log: ($context.log + ["own " + .])} }'}}]"#,
    );
    assert_eq!(
        exec(&text, &json!({"x": 1})).await.json(),
        json!({
            "data": {"b": 3, "c": "/do/1/second"},
            "log": ["before first", "inner /do/0/first", "own own", "after [\"a\"]", "before second", "after [\"b\",\"c\"]"],
        })
    );
}

#[tokio::test]
async fn an_extension_that_leaves_with_exit_stands_for_the_task() {
    let text = workflow(
        "mocked",
        r#"
  - ask: {call: http, with: {method: get, endpoint: 'https://example.com/a'}}
  - then: {set: {got: '${ . }'}}
use:
  extensions:
    - mock:
        extend: call
        when: $task.call == "http"
        before:
          - log: {set: {}}
          - answer: {set: {mocked: '${ $task.with.endpoint }'}, then: exit}"#,
    );
    assert_eq!(
        exec(&text, &json!({})).await.json(),
        json!({"got": {"mocked": "https://example.com/a"}})
    );
}

#[tokio::test]
async fn each_attempt_has_its_own_limit() {
    let text = workflow(
        "attempts",
        r#"
  - slow:
      try: [rest: {wait: PT1H}]
      catch:
        retry: {delay: PT0.01S, limit: {attempt: {count: 3, duration: PT0.05S}}}
        do: [give-up: {set: '${ $error }'}]"#,
    );
    let error = exec(&text, &json!({})).await.json();
    assert_eq!(error["status"], 408, "{error}");
}

#[tokio::test]
async fn an_expression_that_is_stopped_is_named_with_its_place() {
    let bombs = [
        "def f: f; f",
        "def f: 1 + f; f",
        "[repeat(1)]",
        "[range(1e9)]",
        "last(range(infinite))",
        "[limit(1e9; repeat(1))]",
        r#"reduce range(60) as $i ("x"; . + .)"#,
        r#""x" * 1e9"#,
        "reduce range(100000) as $i (0; [.])",
        "[range(5000)] | [combinations(3)]",
        "reduce range(64) as $i ([1]; [., .] | flatten)",
        "[while(true; . + 1)]",
        "until(false; . + 1)",
        "[recurse(. + 1)]",
    ];
    for bomb in bombs {
        let text = workflow(
            "bomb",
            &format!("  - a: {{do: [b: {{set: {{v: '${{ {bomb} }}'}}}}]}}"),
        );
        let ended = exec(&text, &json!(0)).await;
        assert_eq!(ended.code, 1, "{bomb}: {ended:?}");
        let error = ended.error();
        assert_eq!(error["instance"], "/do/0/a/do/0/b", "{bomb}: {error}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.starts_with(bomb), "{bomb}: {detail}");
    }
}
