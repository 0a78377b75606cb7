//! Cases against small workflows: what they can say, and what is said when they do not hold.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use super::{Loaded, find, judge, load, perform};
use crate::cli::Played;
use crate::output::paint::Paint;
use crate::output::{junit, trial};

const HEAD: &str = "document: {dsl: '1.0.3', namespace: default, name: w, version: '1.0.0'}\n";

/// Plays the cases for a workflow with these tasks.
fn play(tasks: &str, suite: &str) -> Played {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w.yaml"), format!("{HEAD}do:\n{tasks}")).unwrap();
    fs::write(folder.path().join("w.test.yaml"), suite).unwrap();
    let found = find(&[folder.path().to_owned()]).unwrap();
    assert_eq!(found.len(), 1);
    let cases = match load(&found[0]).unwrap() {
        Loaded::Script(script) => {
            let cases = script.suite.cases.iter();
            cases
                .map(|case| judge(case, perform(&script, case)))
                .collect()
        }
        Loaded::Unsound(sources) => panic!("{:?}", sources[0].1),
    };
    Played {
        file: "w.test.yaml".to_owned(),
        cases: Some(cases),
    }
}

fn told(tasks: &str, suite: &str) -> String {
    trial::text(&play(tasks, suite), Paint::Plain)
}

#[test]
fn what_differs_is_shown_with_the_trace() {
    let told = told(
        "  - wait: {wait: P30D}\n  - sum: {set: {total: '${ .a + 1 }', list: [1, 2]}}\n  - never: {if: 'false', set: {}}\n",
        "cases:
  all is well:
    input: {a: 1}
    expect: {output: {total: 2, list: [1, 2]}, trace: [wait, sum, never: skipped]}
  the sum is wrong:
    input: {a: 1}
    expect: {output: {total: 3, list: [1]}, outputIncludes: {list: [1, 2]}, trace: [wait, never]}
  it is expected to fail:
    input: {a: 1}
    expect: {error: {type: timeout}}
  it fails:
    input: {a: x}
    expect: {traceIncludes: [sum: completed]}
",
    );
    assert_snapshot!(told, @r#"
    w.test.yaml
      ok   all is well (30d 0h)
      FAIL the sum is wrong (30d 0h)
           w.test.yaml:5
           output/list/1: not expected, got 2
           output/total: expected 3, got 2
           trace: expected never as number 2, got sum completed
           output {"list":[1,2],"total":2}
           trace, then completed
             30d 0h  wait                 completed
             30d 0h  sum                  completed
             30d 0h  never                skipped
      FAIL it is expected to fail (30d 0h)
           w.test.yaml:8
           state: expected failed, got completed
           output {"list":[1,2],"total":2}
           trace, then completed
             30d 0h  wait                 completed
             30d 0h  sum                  completed
             30d 0h  never                skipped
      FAIL it fails (30d 0h)
           w.test.yaml:11
           state: expected completed, got failed
           trace: expected sum completed, got no such
           error {"detail":".a + 1: cannot add string \"x\" and number 1","instance":"/do/1/sum","status":400,"title":"Expression Error","type":"https://serverlessworkflow.io/spec/1.0.0/errors/expression"}
           trace, then failed
             30d 0h  wait                 completed
             30d 0h  sum                  failed, expression 400: .a + 1: cannot add string "x" and number 1
    "#);
}

#[test]
fn what_no_mock_answers_is_told_with_the_mock_that_is_missing() {
    let tasks = "  - outer:
      do:
        - ask: {call: http, with: {method: get, endpoint: http://x/y}}
  - ask: {call: task, with: {name: pay, queue: bank, input: {amount: 3}}}
  - sub: {run: {workflow: {name: other, version: 2.0.0, input: {q: 1}}}}
";
    let told = told(
        tasks,
        "mocks:
  - {call: http, output: {}}
cases:
  a task: {expect: {state: completed}}
  not this often:
    mocks: [{queue: bank, answers: [{error: {type: x}}]}]
    expect: {error: {type: x}}
  a workflow:
    mocks: [{task: ask, input: {amount: 3}, output: {}}]
    expect: {state: completed}
  misspelt:
    mocks: [{task: outer/aks, output: {}}]
    expect: {state: completed}
  answered:
    mocks:
      - {queue: bank, output: {}}
      - {workflow: other, input: {q: 1}, output: {p: '${ .q + 1 }'}, delay: PT1H}
    expect: {output: {p: 2}}
",
    );
    assert_snapshot!(told, @r#"
    w.test.yaml
      FAIL a task (0ms)
           w.test.yaml:4
           no mock answers the task ask (call pay, queue bank)
             with the input {"amount":3}
           hint: mock it in the case or the file:
             mocks:
               - task: ask
                 output: {}
           trace, then running
                0ms  ask                  completed
                0ms  outer                completed
                0ms  ask                  goes-on
      ok   not this often (0ms)
      FAIL a workflow (0ms)
           w.test.yaml:8
           no mock answers the run of workflow other, and no file under `with` has it
             with the input {"q":1}
           hint: mock it in the case or the file:
             mocks:
               - workflow: other
                 output: {}
           trace, then waiting
                0ms  ask                  completed
                0ms  outer                completed
                0ms  ask                  completed
                0ms  sub                  goes-on
      FAIL misspelt (0ms)
           w.test.yaml:11
           line 12: no task is named "outer/aks"; did you mean "ask"?
      ok   answered (1h 0m)
    "#);
}

#[test]
fn others_act_meanwhile() {
    let tasks = "  - hear: {listen: {to: {one: {with: {type: paid, data: '${ .order == 7 }'}}}}}
  - pay: {call: task, with: {name: pay, exhausted: park, retry: {limit: {attempt: {count: 1}}}}}
";
    let told = told(
        tasks,
        "mocks: [{call: pay, answers: [{error: {type: broke}}, {output: {ok: true}, delay: PT1M}]}]
cases:
  an event and a second try:
    meanwhile:
      - {after: PT1H, publish: {type: paid, data: {order: 8}}}
      - {after: PT2H, publish: {type: paid, data: {order: 7}}}
      - {after: PT3H, retry: true}
    expect: {output: {ok: true}, trace: [hear: completed, pay: completed]}
  the incident stays:
    meanwhile: [{signal: {name: paid, data: {order: 7}}}]
    expect: {state: incident}
  suspended:
    meanwhile: [{suspend: true}]
    expect: {state: suspended}
  ended at once:
    meanwhile: [{once: hear, terminate: enough}]
    expect: {state: terminated, error: {detail: enough}}
  too late:
    meanwhile: [{terminate: enough}, {after: PT1S, cancel: late}]
    expect: {state: terminated}
  never:
    meanwhile: [{once: pay, suspend: true}]
    expect: {state: waiting}
",
    );
    assert_snapshot!(told, @r#"
    w.test.yaml
      ok   an event and a second try (3h 1m)
      ok   the incident stays (0ms)
      ok   suspended (0ms)
      ok   ended at once (0ms)
      FAIL too late (0ms)
           w.test.yaml:18
           line 19: refused 1s after the start: run 60f2ee71-5142-8078-b02f-3e33be6965cb has ended
           error {"detail":"enough","status":499,"title":"Run Terminated","type":"https://quadrille.dev/errors/terminated"}
           trace, then terminated
                0ms  hear                 cancelled
      FAIL never (0ms)
           w.test.yaml:21
           line 22: this never happened: the task pay was never begun
           trace, then waiting
                0ms  hear                 goes-on
    "#);
}

#[test]
fn a_case_that_never_rests_is_given_up() {
    let tasks = "  - again: {call: loop, with: {while: 'true', max: 1000000, do: [{pause: {wait: PT1S}}]}}\n";
    let told = told(
        tasks,
        "cases:
  for ever: {expect: {state: completed}}
  for a while: {until: PT1M, expect: {state: waiting}}
",
    );
    assert!(told.contains("give the case an `until`"), "{told}");
    assert!(told.contains("ok   for a while (1m 0s)"), "{told}");
}

#[test]
fn as_junit() {
    let played = play(
        "  - a: {set: {x: 1}}\n",
        "cases:\n  \"<ok> & 'so'\": {expect: {output: {x: 1}}}\n  not: {expect: {output: {x: '\"'}}}\n",
    );
    assert_snapshot!(junit::document(&[played]), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="w.test.yaml" tests="2" failures="1" errors="0">
        <testcase classname="w.test.yaml" name="&lt;ok&gt; &amp; 'so'" file="w.test.yaml" line="2"/>
        <testcase classname="w.test.yaml" name="not" file="w.test.yaml" line="3"><failure message="output/x: expected &quot;\&quot;&quot;, got 1">       output/x: expected &quot;\&quot;&quot;, got 1&#10;       output {&quot;x&quot;:1}&#10;       trace, then completed&#10;            0ms  a                    completed&#10;</failure></testcase>
      </testsuite>
    </testsuites>
    "#);
}

/// The guide's example: a workflow, and its test cases.
#[test]
fn the_example_of_the_guide_holds() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/testing.md");
    let guide = fs::read_to_string(guide).unwrap();
    let block = |name: &str| {
        let start = format!("```yaml\n# {name}\n");
        let (_, block) = guide.split_once(&start).expect("the guide has the file");
        block
            .split_once("```")
            .expect("the block ends")
            .0
            .to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["refund.yaml", "refund.test.yaml"] {
        fs::write(folder.path().join(name), block(name)).unwrap();
    }
    let Loaded::Script(script) = load(&folder.path().join("refund.test.yaml")).unwrap() else {
        panic!("the example is sound")
    };
    assert!(script.suite.cases.len() >= 3);
    for case in &script.suite.cases {
        let report = judge(case, perform(&script, case));
        assert!(
            report.is_well(),
            "{}: {:?}",
            report.name,
            report.differences
        );
    }
}
