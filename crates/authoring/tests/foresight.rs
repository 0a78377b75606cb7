//! What an author is told of a workflow that would not do what it says, before any run of it does so.
//!
//! Each document is as small as the mistake allows; what follows it is the whole answer.

use insta::assert_snapshot;
use quadrille_authoring::compile;

/// The findings of a document with these tasks, of which the first is in line 3, one a line.
fn tasks(list: &str) -> String {
    let text = format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo:\n{list}"
    );
    let list = match compile(&text) {
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    };
    list.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn conditions() {
    assert_snapshot!(tasks("- a: {set: {x: 1}, if: '${ \"no\" }'}\n- b: {set: {x: 1}, if: '.items | length'}\n- c: {set: {x: 1}, if: .state = \"open\"}\n- d: {set: {x: 1}, if: 'null'}"), @r#"
    3:24: error: the expression "\"no\"" gives string where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    4:24: error: the expression ".items | length" gives number where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    5:24: error: the expression ".state = \"open\"" gives object where boolean is needed; `=` changes data, so compare with `==` [bad-type]
    6:24: error: the expression "null" gives null where boolean is needed; compare it, as in .a == null [bad-type]
    "#);
    assert_snapshot!(tasks("- a: {switch: [b: {when: 'true', then: end}, c: {when: '1 > 2', then: end}, d: {when: .n | tostring == 5, then: end}]}\n- e: {for: {in: .x}, while: 'true', do: []}"), @r#"
    3:26: warning: the condition "true" always holds; leave it out, or let it look at the data [constant]
    3:56: warning: the condition "1 > 2" never holds; remove what it guards, or let it look at the data [constant]
    3:87: warning: the expression ".n | tostring == 5" compares string with number, which always gives the same; convert one side with `tostring` or `tonumber` [constant]
    4:29: warning: the condition "true" always holds; leave it out, or let it look at the data [constant]
    "#);
    assert_snapshot!(tasks("- a: {try: [], catch: {when: '[$error.status]', exceptWhen: 1, retry: {when: $error.status | tonumber}}}\n- b: {call: loop, with: {until: .n | floor, do: []}}\n- c: {listen: {to: {any: [], until: '${ 5 }'}}}"), @r#"
    3:30: error: the expression "[$error.status]" gives array where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    3:61: error: `exceptWhen` must be text with an expression, not a number; quote the value [bad-type]
    3:78: error: the expression "$error.status | tonumber" gives number where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    4:33: error: the expression ".n | floor" gives number where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    5:37: error: the expression "5" gives number where boolean is needed; compare it, as in .count > 0, because it would always hold [bad-type]
    "#);
}

#[test]
fn arithmetic() {
    assert_snapshot!(tasks("- a: {set: {x: '${ \"total: \" + (.items | length) }', y: '${ 1 + \"a\" }', z: '${ .n - \"1\" }', ok: '${ .a + \"b\" }'}}\n- b: {set: {x: '${ 1 / 0 }', y: '${ [1, 2][] }', z: '${ \"a\" | fromjson }', ok: '${ try (\"a\" - 1) catch 0 }'}}\n- c: {set: {x: '${ [range(1e9)] | length }'}, output: {as: '{n: -(.x | tostring)}'}}"), @r#"
    3:16: error: the expression "\"total: \" + (.items | length)" cannot add string and number; convert with `tostring` or `tonumber`, or write "…\(.name)…" to put data into text [bad-type]
    3:57: error: the expression "1 + \"a\"" cannot add number and string; convert with `tostring` or `tonumber`, or write "…\(.name)…" to put data into text [bad-type]
    3:76: error: the expression ".n - \"1\"" cannot subtract string from something; convert with `tostring` or `tonumber`, or write "…\(.name)…" to put data into text [bad-type]
    4:16: error: the expression "1 / 0" always fails: cannot divide number 1 by number 0; correct it [bad-type]
    4:33: error: the expression "[1, 2][]" always fails: the expression gives several results, one is needed; wrap it in `[…]` or in `first(…)`; correct it [bad-type]
    4:53: error: the expression "\"a\" | fromjson" always fails: string "a" is not JSON: expected value at line 1 column 1; correct it [bad-type]
    5:60: error: the expression "{n: -(.x | tostring)}" cannot negate string; convert with `tostring` or `tonumber`, or write "…\(.name)…" to put data into text [bad-type]
    "#);
}

#[test]
fn values_of_calls() {
    assert_snapshot!(tasks("- a: {wait: '${ \"5 minutes\" }'}\n- b: {wait: {seconds: '${ \"5\" }'}}\n- c: {wait: '${ -1 }'}\n- d: {call: wait-until, with: {at: '${ \"tomorrow\" }'}}\n- e: {call: wait-until, with: {at: '${ .at | length }'}}\n- f: {wait: '${ {seconds: 5} }'}"), @r#"
    3:13: error: "5 minutes" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
    4:23: error: the expression "\"5\"" gives string where number is needed; convert it with `tonumber` [bad-type]
    5:13: error: a duration must be a whole number of milliseconds that is not negative, not -1 [bad-duration]
    6:36: error: "tomorrow" is not an instant; write for example 2030-01-31T09:00:00Z, or an expression wrapped in ${ } [bad-instant]
    "#);
    assert_snapshot!(tasks("- a: {call: http, with: {method: get, endpoint: '${ {uri: .x} }', headers: {x: '${ [1] }'}, query: {y: '${ {a: 1} }', z: '${ [1] }'}}}\n- b: {call: http, with: {method: '${ 5 }', endpoint: 'http://x', headers: '${ [1] }'}}"), @r#"
    3:49: error: the expression "{uri: .x}" gives object where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    3:80: error: the expression "[1]" gives array where string or number or boolean is needed; let it give one of these [bad-type]
    3:104: error: the expression "{a: 1}" gives object where string or number or boolean or null or array is needed; let it give one of these [bad-type]
    4:34: error: the expression "5" gives number where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    4:75: error: the expression "[1]" gives array where object is needed; let it lead to a map, or write {name: value} [bad-type]
    "#);
    assert_snapshot!(tasks("- a: {call: task, with: {name: x, priority: '${ \"high\" }'}}\n- b: {call: human-task, with: {title: '${ 5 }', group: '${ {a: 1} }', priority: '${ \"high\" }'}}\n- c: {raise: {error: {type: x, status: '${ \"404\" }'}}}\n- d: {raise: {error: {type: x, status: '${ 404 }'}}}\n- e: {run: {workflow: {name: '${ 1 }'}}}"), @r#"
    3:45: error: the expression "\"high\"" gives string where number is needed; convert it with `tonumber` [bad-type]
    4:39: error: the expression "5" gives number where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    4:56: error: the expression "{a: 1}" gives object where string or array or null is needed; let it give one of these [bad-type]
    4:81: error: the expression "\"high\"" gives string where number is needed; convert it with `tonumber` [bad-type]
    5:40: error: the expression "\"404\"" gives string where number is needed; convert it with `tonumber` [bad-type]
    7:30: error: `name` must be plain text, because it is read before a run exists; write it without ${ } [not-literal]
    "#);
}

#[test]
fn values_of_events_and_attributes() {
    assert_snapshot!(tasks("- a: {emit: {event: {with: {type: x, source: '${ 5 }', id: '${ .a | length }', data: '${ 5 }'}}}}"), @r#"
    3:46: error: the expression "5" gives number where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    3:60: error: the expression ".a | length" gives number where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    "#);
    let head = "document:\n  {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', metadata: {attributes: {n: {type: number, from: '.a | tostring'}, t: {type: text, from: .a}, at: {type: time, from: .x > 1}}}}\ndo: [a: {wait: PT1S}]";
    let findings = compile(head).unwrap_err();
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_snapshot!(findings.join("\n"), @r#"
    2:116: error: the expression ".a | tostring" gives string where number or null is needed; let it give one of these [bad-type]
    2:184: error: the expression ".x > 1" gives boolean where string or number or null is needed; let it give one of these [bad-type]
    "#);
}

#[test]
fn loops_without_an_exit() {
    assert_snapshot!(tasks("- a: {set: {x: 1}}\n- b: {switch: [c: {when: .x, then: a}, d: {then: b}]}"), @r#"
    3:3: error: from "a" no way leads out of this list, and nothing in it takes time: it goes round until the run fails; let a `switch` leave it with `exit`, or go through it with `for` [endless]
    "#);
    assert_snapshot!(tasks("- a: {do: [b: {emit: {event: {with: {type: x}}}}], then: a}"), @r#"
    3:3: error: from "a" no way leads out of this list, and nothing in it takes time: it goes round until the run fails; let a `switch` leave it with `exit`, or go through it with `for` [endless]
    "#);
    // It waits, is limited, is caught, or somebody else may end it: that may be meant.
    assert_snapshot!(tasks("- a: {do: [b: {wait: PT1S}], then: a}"), @r#"
    3:3: warning: from "a" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    assert_snapshot!(tasks("- a: {timeout: {after: PT1S}, do: [b: {set: {x: 1}, then: b}]}"), @r#"
    3:36: warning: from "b" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    assert_snapshot!(tasks("- a: {try: [b: {set: '${ .n + 1 }', then: b}], catch: {}}"), @r#"
    3:13: warning: from "b" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    assert_snapshot!(tasks("- a: {fork: {compete: true, branches: [b: {wait: PT1S}, c: {do: [d: {set: {x: 1}, then: d}]}]}}"), @r#"
    3:66: warning: from "d" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    // A way out, also by an error of its own.
    assert_snapshot!(tasks("- a: {set: {x: 1}, if: .more, then: a}\n- b: {set: {x: 1}}"), @"");
    assert_snapshot!(tasks("- a: {do: [b: {if: .n > 9, raise: {error: {type: x, status: 500}}}], then: a}"), @"");
}

#[test]
fn flow_is_told_beside_other_findings() {
    assert_snapshot!(tasks("- a: {set: {x: '${ .x + }'}, then: exit}\n- b: {wait: soon}\n- c: {set: {x: 1}, then: c}"), @r#"
    3:24: error: the expression ".x +" is wrong: expected an expression, found the end [bad-expression]
    4:3: error: the task "b" can never be reached; let a `then` or an edge lead to it, or remove it [unsound]
    4:13: error: "soon" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
    5:3: error: from "c" no way leads out of this list, and nothing in it takes time: it goes round until the run fails; let a `switch` leave it with `exit`, or go through it with `for` [endless]
    5:3: error: the task "c" can never be reached; let a `then` or an edge lead to it, or remove it [unsound]
    "#);
    assert_snapshot!(tasks("- a: {sett: {}, then: end}\n- b: {do: [c: {set: {x: 1}, then: c}]}"), @r#"
    3:3: error: the task "a" does not say what to do; did you mean "set" where it says "sett"? [unknown-task]
    4:3: error: the task "b" can never be reached; let a `then` or an edge lead to it, or remove it [unsound]
    4:12: error: from "c" no way leads out of this list, and nothing in it takes time: it goes round until the run fails; let a `switch` leave it with `exit`, or go through it with `for` [endless]
    "#);
    // Where a jump is not known, nothing is said of what it may have meant.
    assert_snapshot!(tasks("- a: {set: {x: 1}, then: cc}\n- b: {set: {x: 1}, then: b}\n- c: {set: {x: 1}}"), @r#"
    3:26: error: no task of this list is named "cc"; `then` reaches only tasks of its own list, or continue, exit, end [unknown-jump]
    "#);
    assert_snapshot!(tasks("- a: {switch: [x: {when: .a ==, then: exit}]}\n- b: {set: {x: 1}}"), @r#"
    3:31: error: the expression ".a ==" is wrong: expected an expression, found the end [bad-expression]
    "#);
    assert_snapshot!(tasks("- a: {set: {x: 1}, if: .a ==, then: end}\n- b: {set: {x: 1}}"), @r#"
    3:29: error: the expression ".a ==" is wrong: expected an expression, found the end [bad-expression]
    "#);
    assert_snapshot!(tasks("- a: {do: [b: {raise: {eror: {}}}], then: a}"), @r#"
    3:16: error: `error` is missing; add it here [missing-key]
    3:24: error: unknown key "eror"; did you mean "error"? [unknown-key]
    "#);
}
