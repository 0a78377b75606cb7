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
fn people_decide() {
    let tasks = "  - note: {set: {x: 1}}
  - ask: {call: human-task, with: {title: Pay?, assignee: ada, outcomes: [yes, no], form: {schema: {required: [sum]}}}, output: {as: '${ .data + {by, outcome} }'}}
";
    let told = told(
        tasks,
        "cases:
  when it is open:
    meanwhile:
      - {after: P2D, human: {task: ask, complete: {sum: 5}, outcome: yes}}
    expect: {output: {sum: 5, by: ada, outcome: yes}}
  rejected:
    meanwhile: [{human: {task: ask, by: ada, reject: too dear}}]
    expect: {error: {type: rejected, detail: 'ada: too dear'}}
  once it goes on:
    meanwhile: [{suspend: true}, {human: {task: ask, reject: true}}, {after: PT1H, resume: true}]
    expect: {error: {type: rejected}}
  not as the form wants:
    meanwhile: [{human: {task: ask, complete: {total: 5}, outcome: yes}}]
    expect: {state: waiting}
  somebody else:
    meanwhile: [{human: {task: ask, by: bob, reject: true}}]
    expect: {state: waiting}
  twice:
    meanwhile: [{human: {task: ask, reject: true}}, {human: {task: ask, reject: true}}]
    expect: {error: {type: rejected}}
  nobody is asked:
    meanwhile: [{human: {task: note, reject: true}}, {human: {task: aks, reject: true}}]
    expect: {error: {type: rejected}}
",
    );
    assert_snapshot!(told, @r#"
    w.test.yaml
      ok   when it is open (2d 0h)
      ok   rejected (0ms)
      ok   once it goes on (1h 0m)
      FAIL not as the form wants (0ms)
           w.test.yaml:12
           line 13: refused 0ms after the start: the data does not fit its schema: lacks "sum" (rule /required)
           trace, then waiting
                0ms  note                 completed
                0ms  ask                  goes-on
      FAIL somebody else (0ms)
           w.test.yaml:15
           line 16: refused 0ms after the start: ada has the human task; let them release it, or assign it to someone else
           trace, then waiting
                0ms  note                 completed
                0ms  ask                  goes-on
      FAIL twice (0ms)
           w.test.yaml:18
           line 19: this never happened: no human task ask was open then
           error {"detail":"ada rejected the task","instance":"/do/1/ask","status":422,"title":"Rejected by a Person","type":"https://quadrille.dev/errors/rejected"}
           trace, then failed
                0ms  note                 completed
                0ms  ask                  failed, rejected 422: ada rejected the task
      FAIL nobody is asked (0ms)
           w.test.yaml:21
           line 22: no task is named "aks"; did you mean "ask"?
           line 22: the task note is not for people; mock it, or name a `call: human-task`
    "#);
}

#[test]
fn events_are_expected() {
    let event = "{emit: {event: {with: {type: TYPE, id: '1', source: /here, time: '2026-01-01T00:00:00Z', data: {a: 1, b: 2}}}}, output: {as: '${ {} }'}}";
    let tasks = ["one", "two"].map(|name| format!("  - {name}: {}\n", event.replace("TYPE", name)));
    let told = told(
        &tasks.concat(),
        "cases:
  as they are:
    meanwhile: [{publish: {type: three}}]
    expect: {emitted: [one, {type: two, data: {b: 2}}], emittedIncludes: [two]}
  others:
    expect: {emitted: [{type: one, data: {a: 2}}], emittedIncludes: [two, one]}
  fewer:
    expect: {emitted: [one, two, {type: two, data: 3}]}
  none:
    expect: {emitted: []}
",
    );
    assert_snapshot!(told, @r#"
    w.test.yaml
      ok   as they are (0ms)
      FAIL others (0ms)
           w.test.yaml:5
           emitted/0/data/a: expected 2, got 1
           emitted: number 2 is not expected: {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"two"}
           emitted: expected {"type":"one"} after {"type":"two"}, got no such
           output {}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"one"}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"two"}
           trace, then completed
                0ms  one                  completed
                0ms  two                  completed
      FAIL fewer (0ms)
           w.test.yaml:7
           emitted: expected {"data":3,"type":"two"} as number 3, got nothing
           output {}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"one"}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"two"}
           trace, then completed
                0ms  one                  completed
                0ms  two                  completed
      FAIL none (0ms)
           w.test.yaml:9
           emitted: number 1 is not expected: {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"one"}
           output {}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"one"}
           emitted {"data":{"a":1,"b":2},"id":"1","source":"/here","specversion":"1.0","time":"2026-01-01T00:00:00Z","type":"two"}
           trace, then completed
                0ms  one                  completed
                0ms  two                  completed
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

/// The guide's examples: workflows, and their test cases.
#[test]
fn the_examples_of_the_guide_hold() {
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
    for (workflow, cases, count) in [
        ("refund.yaml", "refund.test.yaml", 3),
        ("expense.yaml", "expense.test.yaml", 2),
    ] {
        for name in [workflow, cases] {
            fs::write(folder.path().join(name), block(name)).unwrap();
        }
        let Loaded::Script(script) = load(&folder.path().join(cases)).unwrap() else {
            panic!("the example is sound")
        };
        assert_eq!(script.suite.cases.len(), count);
        for case in &script.suite.cases {
            let report = judge(case, perform(&script, case));
            let (name, differences) = (report.name, report.differences);
            assert!(differences.is_empty(), "{name}: {differences:?}");
        }
    }
}
