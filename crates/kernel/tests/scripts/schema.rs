//! Scripts of schemas: when data is held against them, and what becomes of data that does not fit.
//!
//! The invariant behind them: nothing goes on with data that its author has ruled out.

use insta::assert_snapshot;

use crate::graphs::{attempt, graph, json, set, task};
use crate::world::{World, run, run_on};

const ANY: &str = "true";
const NUMBER: &str = r#"{"type":"number"}"#;
const TEXT: &str = r#"{"type":"string"}"#;

#[test]
fn the_raw_input_the_shaped_output_and_the_export_are_checked() {
    let shaped = |input, output, export| {
        let node = task("a")
            .input("tostring")
            .output("length")
            .export("{n: .}");
        let mut world = run_on("[7]", vec![node.schemas(input, output, export)]);
        if world.state.runs.values().all(|run| run.is_live()) {
            world.done("a", "[1, 2]");
        }
        world.log()
    };
    assert_snapshot!(shaped(r#"{"type":"array"}"#, NUMBER, r#"{"required":["n"]}"#), @r#"
    start w [7]
    +1 a task "[7]"
    claim 1 #1
    =1 2
    completed 2
    "#);
    assert_snapshot!(shaped(TEXT, ANY, ANY), @r"
    start w [7]
    !a validation: the input does not fit its schema: must be string, not array (rule /type) at /a
    ending 0 failed
    failed validation: the input does not fit its schema: must be string, not array (rule /type) at /a
    ");
    assert_snapshot!(shaped(ANY, TEXT, ANY), @r#"
    start w [7]
    +1 a task "[7]"
    claim 1 #1
    !1 validation: the output does not fit its schema: must be string, not number (rule /type) at /a
    ending 0 failed
    failed validation: the output does not fit its schema: must be string, not number (rule /type) at /a
    "#);
    assert_snapshot!(shaped(ANY, ANY, r#"{"required":["m"]}"#), @r#"
    start w [7]
    +1 a task "[7]"
    claim 1 #1
    !1 validation: the export does not fit its schema: lacks "m" (rule /required) at /a
    ending 0 failed
    failed validation: the export does not fit its schema: lacks "m" (rule /required) at /a
    "#);
}

#[test]
fn a_misfit_is_a_validation_failure_that_can_be_caught() {
    let schema = r#"{"properties":{"age":{"minimum":18}},"required":["name"]}"#;
    let tried = vec![set("a", ".").schemas(schema, ANY, ANY)];
    let mut world = run_on(
        r#"{"age":17}"#,
        vec![attempt("t", tried).catch(vec![set(
            "c",
            "[$error.type, $error.status, $error.detail]",
        )])],
    );
    assert_snapshot!(world.log(), @r#"
    start w {"age":17}
    +1 t region
    [2 1#0
    !a validation: the input does not fit its schema: lacks "name" (rule /required); /age must be at least 18, not 17 (rule /properties/age/minimum) at /a
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [3 1#0 catch
    . c ["https://serverlessworkflow.io/spec/1.0.0/errors/validation",400,"the input does not fit its schema: lacks \"name\" (rule /required); /age must be at least 18, not 17 (rule /properties/age/minimum)"]
    ]3 ["https://serverlessworkflow.io/spec/1.0.0/errors/validation",400,"the input does not fit its schema: lacks \"name\" (rule /required); /age must be at least 18, not 17 (rule /properties/age/minimum)"]
    =1 ["https://serverlessworkflow.io/spec/1.0.0/errors/validation",400,"the input does not fit its schema: lacks \"name\" (rule /required); /age must be at least 18, not 17 (rule /properties/age/minimum)"]
    completed ["https://serverlessworkflow.io/spec/1.0.0/errors/validation",400,"the input does not fit its schema: lacks \"name\" (rule /required); /age must be at least 18, not 17 (rule /properties/age/minimum)"]
    "#);
}

#[test]
fn the_whole_workflow_is_checked_at_both_ends() {
    let mut world = World::default();
    let mut checked = graph("w", vec![set("a", ".x")]);
    checked.schemas.input = Some(json(r#"{"required":["x"]}"#));
    checked.schemas.output = Some(json(NUMBER));
    world.deploy(checked);
    world.start("w", "{}");
    world.start("w", r#"{"x":"text"}"#);
    world.start("w", r#"{"x":1}"#);
    assert_snapshot!(world.log(), @r#"
    start w {}
    failed validation: the input does not fit its schema: lacks "x" (rule /required)
    r2 start w {"x":"text"}
    r2 . a "text"
    r2 failed validation: the output does not fit its schema: must be number, not string (rule /type)
    r3 start w {"x":1}
    r3 . a 1
    r3 completed 1
    "#);
}

#[test]
fn context_begins_as_written_and_every_export_keeps_to_its_schema() {
    let mut world = World::default();
    let nodes = vec![
        set("a", "1").export("$context + {n: ($context.n + .)}"),
        set("b", "$context"),
        set("c", "2").export("{n: \"two\"}"),
    ];
    let mut typed = graph("w", nodes);
    typed.schemas.export = Some(json(r#"{"properties":{"n":{"type":"integer"}}}"#));
    typed.context = Some(json(r#"{"n":41,"by":"ann"}"#));
    world.deploy(typed);
    world.start("w", "null");
    assert_snapshot!(world.log(), @r#"
    start w null
    . a 1
    . b {"by":"ann","n":42}
    !c validation: the export does not fit its schema: /n must be integer, not string (rule /properties/n/type) at /c
    ending 0 failed
    failed validation: the export does not fit its schema: /n must be integer, not string (rule /properties/n/type) at /c
    "#);
}

#[test]
fn data_that_is_skipped_or_free_is_not_checked() {
    let mut world = run(vec![
        set("a", "1").when("false").schemas(TEXT, TEXT, TEXT),
        set("b", "2").schemas(ANY, ANY, TEXT),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    . a null skipped
    . b 2
    completed 2
    ");
}
