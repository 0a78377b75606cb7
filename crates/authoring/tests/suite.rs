//! Test cases of authors: what is wrong with them is told with its place.

use graph::Value;
use insta::assert_snapshot;
use quadrille_authoring::suite::{Moment, Place, suite};

fn findings(text: &str) -> String {
    let findings = suite(text).expect_err("it is not sound");
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let told = findings(
        "workflows: a.yaml
mocks:
  - output: {}
  - {task: a}
  - {call: http, output: 1, answers: []}
  - {task: b, workflow: w, error: {status: 99}}
  - {task: c, output: '${ .x + }'}
cases:
  one:
    imput: {}
    at: tomorrow
    until: soon
    meanwhile:
      - {after: PT1S}
      - {signal: s, cancel: why}
      - {after: PT1S, once: a, suspend: true}
      - {suspend: yes}
      - {publish: {data: 1}}
      - {publish: news}
      - {human: {complete: 1, reject: why}}
      - {human: {task: a, by: 5, reject: no, outcome: x, until: 1}}
    expect: {state: done, error: {kind: x}, trace: [a: ended, [b]], emitted: [[], 1], emittedIncludes: x}
  two: {expect: {}}
  three: {}
",
    );
    assert_snapshot!(told, @r#"
    1:1: error: unknown key "workflows"; did you mean "workflow"? [unknown-key]
    3:5: error: a mock needs to say whose calls it answers: `task`, `call`, `queue` or `workflow` [missing-key]
    4:5: error: an answer has either an `output` or an `error` [missing-key]
    5:18: error: `output` belongs into each of the `answers` [unknown-key]
    5:38: error: there is no answer [empty-list]
    6:15: error: `workflow` answers whole runs; make another mock for calls [bad-value]
    6:28: error: `type` is missing; add it here [missing-key]
    7:31: error: the expression ".x +" is wrong: expected an expression, found the end [bad-expression]
    10:5: error: unknown key "imput"; did you mean "input"? [unknown-key]
    11:9: error: "tomorrow" is not an instant since 1970; write for example 2030-01-31T09:00:00Z [bad-instant]
    12:12: error: "soon" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
    14:9: error: what happens is one of signal, publish, human, cancel, terminate, suspend, resume, retry [bad-value]
    15:9: error: what happens is one of signal, publish, human, cancel, terminate, suspend, resume, retry [bad-value]
    16:23: error: say either how long `after` the start, or `once` a task was begun [bad-value]
    17:19: error: `suspend` must be true, not text [bad-type]
    18:10: error: `type` is missing; add it here [missing-key]
    19:19: error: `publish` must be an event, which is a map with a `type`, not text [bad-type]
    20:10: error: `task` is missing; add it here [missing-key]
    20:17: error: a person does one of `complete: data` and `reject: reason`; give one [missing-key]
    21:31: error: `by` must be text, not a number; quote the value [bad-type]
    21:46: error: `outcome` belongs to `complete`; say why with `reject: reason` [unknown-key]
    21:58: error: unknown key "until"; allowed here: task, by, complete, outcome, comment, reject [unknown-key]
    22:21: error: "done" is not a word that `state` knows; use one of completed, failed, cancelled, terminated, waiting, running, suspended, incident [bad-value]
    22:35: error: unknown key "kind"; allowed here: type, status, title, detail, instance [unknown-key]
    22:56: error: "ended" is not a word that `a` knows; use one of completed, failed, cancelled, skipped, goes-on [bad-value]
    22:63: error: this must be the name of a task, or `name: outcome`, not a list [bad-type]
    22:79: error: this must be the type of an event, or a map of what it includes, not a list [bad-type]
    22:83: error: this must be the type of an event, or a map of what it includes, not a number [bad-type]
    22:104: error: `emittedIncludes` must be a list, not text [bad-type]
    23:17: error: nothing is expected; give at least one of state, output, outputIncludes, error, trace, traceIncludes, emitted, emittedIncludes [missing-key]
    24:3: error: `expect` is missing; add it here [missing-key]
    "#);
}

#[test]
fn a_file_without_cases_is_none() {
    for text in [
        "",
        "[]",
        "cases: []",
        "cases: {}",
        "mocks: []",
        "cases: {a: 1}",
        "a: &x 1",
    ] {
        assert!(suite(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_left_out_has_a_meaning() {
    let suite = suite("cases: {c: {meanwhile: [{signal: s}], expect: {output: 1}}}").unwrap();
    let case = &suite.cases[0];
    assert_eq!(case.input, Value::from([]));
    assert_eq!(case.begin_ms, 1_767_225_600_000);
    assert_eq!(case.until_ms, None);
    assert_eq!(case.meanwhile[0].moment, Moment::After(0));
    assert_eq!(case.expect.state, None);
}

#[test]
fn a_task_is_named_by_itself_and_those_around_it() {
    let pointer = "/do/0/order/with/do/1/charge/try/0/ask";
    for name in ["ask", "charge/ask", "order/ask", "order/charge/ask"] {
        assert!(Place::new(name).is_at(pointer), "{name}");
    }
    for name in ["charge", "ask/charge", "reserve/ask", "as", "", "ask/ask"] {
        assert!(!Place::new(name).is_at(pointer), "{name}");
    }
    assert!(Place::new("a~b").is_at("/do/0/a~0b"));
}
