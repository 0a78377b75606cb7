//! What an author is told about a text that does not compile: where, what is wrong and how to fix it.
//!
//! Each document is as small as the mistake allows; what follows it is the whole answer.

use insta::assert_snapshot;
use quadrille_authoring::compile;

/// The findings of a text, one a line.
fn findings(text: &str) -> String {
    let list = match compile(text) {
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    };
    list.iter()
        .map(|finding| format!("{finding}\n    at {:?}\n", finding.path))
        .collect()
}

/// The findings of a document with these tasks, of which the first is in line 3.
fn tasks(list: &str) -> String {
    findings(&format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo:\n{list}"
    ))
}

/// The findings of a document with one harmless task and these lines, of which the first is line 3.
fn root(lines: &str) -> String {
    findings(&format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo: [a: {{wait: PT1S}}]\n{lines}"
    ))
}

#[test]
fn text() {
    assert_snapshot!(findings(""), @r#"
    1:1: error: the text is empty; a workflow has at least `document` and `do` [yaml-syntax]
        at ""
    "#);
    assert_snapshot!(findings("- 1"), @r#"
    1:1: error: the text must be a map, not a list [bad-type]
        at ""
    "#);
    assert_snapshot!(findings("document: [1, 2"), @r#"
    1:11: error: not readable as YAML or JSON: unclosed bracket '[' [yaml-syntax]
        at "/document"
    "#);
    assert_snapshot!(findings("a: 1\n\tb: 2"), @r#"
    1:4: error: not readable as YAML or JSON: while scanning a plain scalar, found a tab; indent with spaces [yaml-syntax]
        at ""
    "#);
    assert_snapshot!(tasks("- a: {set: {x: ${ .x }}}"), @r#"
    3:17: error: not readable as YAML or JSON: while parsing a flow mapping, did not find expected ',' or '}'; quote the expression: '${ … }' [yaml-syntax]
        at "/do/0/a/set"
    "#);
    assert_snapshot!(root("timeout: {after: PT1S}\ntimeout: {after: PT2S}"), @r#"
    4:1: error: the key "timeout" stands twice in this map; keep one of them [duplicate-key]
        at ""
    "#);
    assert_snapshot!(tasks("- &x a: {set: {b: !!str 1}}\n- c: *x"), @r#"
    3:6: error: anchors and aliases are not read; write the value out where it is needed [yaml-feature]
        at "/do/0"
    3:25: error: tags such as `!!str` are not read; quote a value to make it text [yaml-feature]
        at "/do/0/a/set"
    4:6: error: `c` must be a map that says what to do, such as {set: {…}}, not nothing [bad-type]
        at "/do/1/c"
    4:6: error: anchors and aliases are not read; write the value out where it is needed [yaml-feature]
        at "/do/1"
    "#);
    assert_snapshot!(root("---\ndocument: {}"), @r#"
    3:1: error: a second document starts here; keep one workflow in a text [yaml-feature]
        at ""
    "#);
    assert_snapshot!(tasks("- a: {set: {x: .inf}}"), @r#"
    3:16: error: the number ".inf" is out of range; quote it if text is meant [bad-value]
        at "/do/0/a/set"
    "#);
}

#[test]
fn document() {
    assert_snapshot!(findings("documant: {dsl: 1.0.3}\nfoo: 1\ndo: []"), @r#"
    1:1: error: `document` is missing; add it here [missing-key]
        at ""
    1:1: error: unknown key "documant"; did you mean "document"? [unknown-key]
        at "/documant"
    2:1: error: unknown key "foo"; allowed here: document, input, use, do, timeout, output, schedule, evaluate [unknown-key]
        at "/foo"
    "#);
    assert_snapshot!(findings("document: {dsl: 0.8.0, namespace: my_space, name: -x, version: 1.0, tags: [a]}\ndo: []"), @r#"
    1:17: error: the DSL version "0.8.0" is not read here; write the document for 1.0.x, for example dsl: '1.0.3' [bad-dsl]
        at "/document/dsl"
    1:35: error: "my_space" cannot be a `namespace`; use 1 to 63 letters, digits and -, with no - at either end [bad-name]
        at "/document/namespace"
    1:51: error: "-x" cannot be a `name`; use 1 to 63 letters, digits and -, with no - at either end [bad-name]
        at "/document/name"
    1:64: error: `version` must be text, not a number; quote the value [bad-type]
        at "/document/version"
    1:75: error: `tags` must be a map of text, not a list [bad-type]
        at "/document/tags"
    "#);
    assert_snapshot!(findings("document: {dsl: 1.0.0, namespace: a, name: b, version: v1, metadata: {retention: P1M, attributes: {total: {type: string, form: .a}}}}\ndo: {}"), @r#"
    1:56: error: "v1" is not a semantic version; write three numbers such as '1.0.0' [bad-version]
        at "/document/version"
    1:82: error: "P1M" counts years or months, whose length depends on the calendar; use days [bad-duration]
        at "/document/metadata/retention"
    1:100: error: `from` is missing; add it here [missing-key]
        at "/document/metadata/attributes/total"
    1:114: error: "string" is not a word that `type` knows; use one of text, number, bool, time [bad-value]
        at "/document/metadata/attributes/total/type"
    1:122: error: unknown key "form"; did you mean "from"? [unknown-key]
        at "/document/metadata/attributes/total/form"
    2:5: error: `do` must be a list, not a map [bad-type]
        at "/do"
    "#);
}

#[test]
fn sections() {
    assert_snapshot!(root("timeout: {after: PT5}"), @r#"
    3:18: error: "PT5" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
        at "/timeout/after"
    "#);
    assert_snapshot!(root("timeout: long\nuse: {timeouts: {longer: {after: PT5M}}}"), @r#"
    3:10: error: `use.timeouts` has no "long"; declare it under `use.timeouts` [unknown-name]
        at "/timeout"
    4:26: warning: "longer" is never used, and so was not checked; use it or remove it [unused]
        at "/use/timeouts/longer"
    "#);
    assert_snapshot!(root("schedule: {cron: '61 * * * *'}"), @r#"
    3:18: error: "61 * * * *" is not a cron expression: Number out of bounds; write for example '0 6 * * MON-FRI' [bad-cron]
        at "/schedule/cron"
    "#);
    assert_snapshot!(root("schedule: {on: {one: {with: {type: '${ .x }'}}, any: []}, after: PT1S}"), @r#"
    3:1: error: a schedule needs exactly one of `every`, `cron`, `after`, `on` [bad-value]
        at "/schedule"
    "#);
    assert_snapshot!(root("schedule: {every: {fortnights: 1}}"), @r#"
    3:19: error: unknown unit of time "fortnights"; use days, hours, minutes, seconds or milliseconds [bad-duration]
        at "/schedule/every"
    "#);
    assert_snapshot!(root("schedule: {cron: '0 0 30 2 *'}"), @r#"
    3:18: error: "0 0 30 2 *" never comes: no date fits all of its fields; write for example '0 6 * * MON-FRI' [bad-cron]
        at "/schedule/cron"
    "#);
    assert_snapshot!(root("schedule: {every: PT1H, cron: '0 * * * *'}"), @r#"
    3:1: error: a schedule needs exactly one of `every`, `cron`, `after`, `on` [bad-value]
        at "/schedule"
    "#);
    assert_snapshot!(root("use: {secrets: [a], extensions: [], catalogs: {}}"), @r#"
    3:37: error: `catalogs` is not supported yet; copy the functions that you need into `use.functions` [unsupported]
        at "/use/catalogs"
    "#);
    assert_snapshot!(root("evaluate: {language: js}"), @r#"
    3:12: error: another `language` than jq is not supported yet; write language: jq or leave it out [unsupported]
        at "/evaluate/language"
    "#);
}

#[test]
fn task_shape() {
    assert_snapshot!(tasks("- a:\n  wait: PT1S"), @r#"
    3:3: error: this item has 2 keys, but needs one: its name, with everything else indented below; indent what follows "a" further, or start a new item with - [bad-item]
        at "/do/0"
    "#);
    assert_snapshot!(tasks("- wait"), @r#"
    3:3: error: an item is a name with a definition below, such as `- greet: {set: {…}}`, not text [bad-item]
        at "/do/0"
    "#);
    assert_snapshot!(tasks("- a: {cal: http}\n- b: {}\n- c: {then: end}"), @r#"
    3:3: error: the task "a" does not say what to do; did you mean "call" where it says "cal"? [unknown-task]
        at "/do/0/a"
    4:3: error: the task "b" does not say what to do; add one of call, emit, for, fork, listen, raise, run, set, switch, try, wait, do [unknown-task]
        at "/do/1/b"
    5:3: error: the task "c" does not say what to do; add one of call, emit, for, fork, listen, raise, run, set, switch, try, wait, do [unknown-task]
        at "/do/2/c"
    "#);
    assert_snapshot!(tasks("- a: {set: {x: 1}, wait: PT1S}"), @r#"
    3:3: error: the task "a" has both `set` and `wait`, but a task does one thing; make two tasks of it [unknown-task]
        at "/do/0/a"
    "#);
    assert_snapshot!(tasks("- a: {set: {x: 1}, whne: .x, compensate: []}"), @r#"
    3:20: error: unknown key "whne"; allowed here: set, if, input, output, export, timeout, then, metadata, compensate [unknown-key]
        at "/do/0/a/whne"
    3:30: error: `compensate` works only on tasks of a saga; put this task into the `do` of a `call: saga`, or catch the failure with `try` [compensate-outside-saga]
        at "/do/0/a/compensate"
    "#);
    assert_snapshot!(tasks("- end: {wait: PT1S}\n- a: {wait: PT1S}\n- a: {wait: PT1S}"), @r#"
    3:3: error: "end" says where to go and cannot name a task; choose another name [bad-name]
        at "/do/0/end"
    5:3: error: two tasks of this list are named "a"; rename one, so that they can be told apart [duplicate-name]
        at "/do/2/a"
    "#);
    assert_snapshot!(tasks("- a: {wait: PT1S, if: true, metadata: 1, timeout: 5}"), @r#"
    3:23: error: `if` must be text with an expression, not true or false; quote the value [bad-type]
        at "/do/0/a/if"
    3:39: error: `metadata` must be a map, not a number [bad-type]
        at "/do/0/a/metadata"
    3:51: error: `timeout` must be a map, not a number [bad-type]
        at "/do/0/a/timeout"
    "#);
}

#[test]
fn flow() {
    assert_snapshot!(tasks("- first: {wait: PT1S, then: secnd}\n- second: {do: [inner: {wait: PT1S, then: first}]}"), @r#"
    3:29: error: no task of this list is named "secnd"; did you mean "second"? [unknown-jump]
        at "/do/0/first/then"
    4:43: error: no task of this list is named "first"; `then` reaches only tasks of its own list, or continue, exit, end [unknown-jump]
        at "/do/1/second/do/0/inner/then"
    "#);
    assert_snapshot!(tasks("- a: {wait: PT1S, then: exit}\n- b: {wait: PT1S}"), @r#"
    4:3: error: the task "b" can never be reached; let a `then` or an edge lead to it, or remove it [unsound]
        at "/do/1/b"
    "#);
    assert_snapshot!(tasks("- a: {switch: [x: {then: end}, y: {then: exit}, z: {when: .z}]}"), @r#"
    3:32: error: a second case without `when`: only one can be the default; give this one a condition or remove it [two-defaults]
        at "/do/0/a/switch/1/y"
    3:49: error: `then` is missing; add it here [missing-key]
        at "/do/0/a/switch/2/z"
    "#);
    assert_snapshot!(tasks("- a: {switch: []}"), @r#"
    3:15: error: a switch needs at least one case [empty-list]
        at "/do/0/a/switch"
    "#);
    assert_snapshot!(tasks("- a: {for: {each: $x, on: .list}, do: []}"), @r#"
    3:7: error: `in` is missing; add it here [missing-key]
        at "/do/0/a/for"
    3:19: error: "$x" is not a name for a variable; use letters, digits and _, without $ [bad-name]
        at "/do/0/a/for/each"
    3:23: error: unknown key "on"; allowed here: each, in, at [unknown-key]
        at "/do/0/a/for/on"
    "#);
    assert_snapshot!(tasks("- a: {for: {each: input, in: .list}}"), @r#"
    3:3: error: `do` is missing; add it here [missing-key]
        at "/do/0/a"
    3:19: error: $input exists already with a meaning of its own; choose another name [bad-name]
        at "/do/0/a/for/each"
    "#);
    assert_snapshot!(tasks("- a: {fork: {branches: [x: {wait: PT1S}, x: {wait: PT1S, then: y}]}}"), @r#"
    3:42: error: two tasks of this list are named "x"; rename one, so that they can be told apart [duplicate-name]
        at "/do/0/a/fork/branches/1/x"
    3:64: error: no task of this list is named "y"; `then` reaches only tasks of its own list, or continue, exit, end [unknown-jump]
        at "/do/0/a/fork/branches/1/x/then"
    "#);
    assert_snapshot!(tasks("- a: {fork: {branches: [], compete: maybe}}"), @r#"
    3:24: error: there are 0 branches; give from 1 to 1000 [bad-value]
        at "/do/0/a/fork/branches"
    3:37: error: `compete` must be true or false, not text [bad-type]
        at "/do/0/a/fork/compete"
    "#);
}

#[test]
fn expressions() {
    assert_snapshot!(tasks("- a: {set: .x}"), @r#"
    3:12: error: `set` must be a map or one expression wrapped in ${ }, not text [bad-type]
        at "/do/0/a/set"
    "#);
    assert_snapshot!(tasks("- a: {set: {x: .order.total, y: 'Hello ${ .name }', z: '$HOME/bin'}}"), @r#"
    3:16: warning: this is the plain text ".order.total"; write ${ .order.total } if the data is meant [text-not-expression]
        at "/do/0/a/set/x"
    3:33: warning: this is plain text: only a value that is ${ … } as a whole is computed; write ${ "…\(.name)…" } to put data into text [text-not-expression]
        at "/do/0/a/set/y"
    "#);
    assert_snapshot!(tasks("- a: {set: {x: '${ }'}}"), @r#"
    3:16: error: the expression is empty; write . for the data as it comes [bad-expression]
        at "/do/0/a/set/x"
    "#);
    assert_snapshot!(tasks("- a: {set: {x: '${ .a } and ${ .b }'}}"), @r#"
    3:23: error: ".a } and ${ .b" is not one expression; write one ${ } around the whole, and \( ) inside of text [bad-expression]
        at "/do/0/a/set/x"
    "#);
    assert_snapshot!(tasks("- a:\n    if: .a ==\n    set: {x: \"${ .b | nosuch }\"}"), @r#"
    4:14: error: the expression ".a ==" is wrong: expected an expression, found the end [bad-expression]
        at "/do/0/a/if"
    5:23: error: the expression ".b | nosuch" is wrong: there is no function `nosuch`; text stands in double quotes, a member is written `.nosuch` [bad-expression]
        at "/do/0/a/set/x"
    "#);
    assert_snapshot!(tasks("- a: {for: {each: pet, in: .pets}, do: [b: {set: {x: '${ $pet }'}}]}\n- c: {set: {x: '${ $pet }', y: '${ $secrets.a }'}}"), @r#"
    4:20: error: the expression "$pet" is wrong: `$pet` is not defined; these exist: $context, $input, $output, $task, $workflow, $runtime [bad-expression]
        at "/do/1/c/set/x"
    4:32: error: $secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run [misplaced-secret]
        at "/do/1/c/set/y"
    "#);
}

#[test]
fn names_of_variables() {
    assert_snapshot!(tasks("- a: {for: {each: x, at: x, in: .x}, do: []}\n- b: {call: map, with: {each: index, in: .x, do: []}}\n- c: {listen: {to: {any: []}}, foreach: {at: item}}\n- d: {for: {each: secrets, in: .x}, do: []}"), @r#"
    3:26: error: the element and its place would both be $x; give `each` and `at` different names [bad-name]
        at "/do/0/a/for/at"
    4:31: error: the element and its place would both be $index; give `each` and `at` different names [bad-name]
        at "/do/1/b/with/each"
    5:46: error: the element and its place would both be $item; give `item` and `at` different names [bad-name]
        at "/do/2/c/foreach/at"
    6:19: error: $secrets exists already with a meaning of its own; choose another name [bad-name]
        at "/do/3/d/for/each"
    "#);
}

#[test]
fn what_is_too_large_for_one_expression() {
    let list = vec!["1"; 10_000].join(",");
    assert_snapshot!(tasks(&format!("- a: {{for: {{in: [{list}]}}, do: []}}")), @r#"
    3:17: error: a list that stands here is one expression, and this one has 20001 bytes, more than 16384; put it into the data by a `set` before, or start the run with it [too-large]
        at "/do/0/a/for/in"
    "#);
    let large = format!(
        "- a: {{set: {{x: {}}}}}\nuse: {{extensions: [e: {{extend: set, before: [b: {{set: '${{ $task.name }}'}}]}}]}}",
        "x".repeat(9_000)
    );
    assert_snapshot!(tasks(&large), @r#"
    3:3: error: the task "a" is too large to be `$task` of the extension "e": with all that it says an expression would have 18098 bytes, more than 16384; move tasks out of it, or leave `$task` out of the extension [too-large]
        at "/do/0/a"
    "#);
    assert_snapshot!(tasks("- a: {for: {in: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}, do: []}"), @r#"
    3:3: error: the expression that starts with "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]" is wrong: the expression nests deeper than 32 levels; name parts with `def` or `as` [unsound]
        at "/do/0/a"
    "#);
}

#[test]
fn failures() {
    assert_snapshot!(tasks("- a: {try: [], catch: {errors: {with: {type: '${ .x }', statos: 1, status: '503'}}, retry: twice}}"), @r#"
    3:46: error: errors are filtered by fixed values; put the expression into `catch.when`, where the error is $error [not-literal]
        at "/do/0/a/catch/errors/with/type"
    3:57: error: unknown key "statos"; did you mean "status"? [unknown-key]
        at "/do/0/a/catch/errors/with/statos"
    3:76: error: `status` must be a whole number such as 503, not text [bad-type]
        at "/do/0/a/catch/errors/with/status"
    3:92: error: `use.retries` has no "twice"; declare it under `use.retries` [unknown-name]
        at "/do/0/a/catch/retry"
    "#);
    assert_eq!(
        tasks("- a: {call: task, with: {name: x, retry: {delay: '${ $error.status }'}}}"),
        ""
    );
    assert_snapshot!(tasks("- a: {try: []}"), @r#"
    3:3: error: `catch` is missing; add it here [missing-key]
        at "/do/0/a"
    "#);
    assert_snapshot!(tasks("- a: {try: [], catch: {retry: {backoff: {exponential: {factor: 3}}, limit: {attempt: {count: 0, duration: PT1S}}, jitter: {from: PT2S, to: PT1S}}}}"), @r#"
    3:56: error: unknown key "factor"; this map must be empty [unknown-key]
        at "/do/0/a/catch/retry/backoff/exponential/factor"
    3:94: error: `count` must be from 1 to 1000000, not 0 [bad-value]
        at "/do/0/a/catch/retry/limit/attempt/count"
    3:123: error: jitter goes from the shorter to the longer time; swap `from` and `to` [bad-value]
        at "/do/0/a/catch/retry/jitter"
    "#);
    assert_snapshot!(tasks("- a: {try: [], catch: {retry: {limit: {attempt: {count: 1e30}}}}}"), @r#"
    3:57: error: `count` must be a whole number, not 1e30 [bad-type]
        at "/do/0/a/catch/retry/limit/attempt/count"
    "#);
    assert_snapshot!(tasks("- a: {raise: {error: {type: x, status: bad}}}\n- b: {raise: {error: {title: x}}}\n- c: {raise: {error: gone}}"), @r#"
    3:40: error: `status` must be a whole number such as 500, or an expression wrapped in ${ }, not text [bad-type]
        at "/do/0/a/raise/error/status"
    4:15: error: `type` is missing; add it here [missing-key]
        at "/do/1/b/raise/error"
    4:15: error: `status` is missing; add it here [missing-key]
        at "/do/1/b/raise/error"
    5:22: error: `use.errors` has no "gone"; declare it under `use.errors` [unknown-name]
        at "/do/2/c/raise/error"
    "#);
}

#[test]
fn events() {
    assert_snapshot!(tasks("- a: {listen: {to: {one: {with: {}}, until: false}, read: bytes}}"), @r#"
    3:33: error: the filter says nothing of the event; add its `type`, or write `any: []` to take every event [missing-key]
        at "/do/0/a/listen/to/one/with"
    3:59: error: "bytes" is not a word that `read` knows; use one of data, envelope, raw [bad-value]
        at "/do/0/a/listen/read"
    3:45: warning: `until` counts with `any` only; `one` and `all` end by themselves, so remove it [unused]
        at "/do/0/a/listen/to/until"
    "#);
    assert_snapshot!(tasks("- a: {listen: {to: {any: [], until: {any: [], until: x}}}, foreach: {item: context, of: 1}}"), @r#"
    3:47: error: unknown key "until"; allowed here: one, any, all [unknown-key]
        at "/do/0/a/listen/to/until/until"
    3:76: error: $context exists already with a meaning of its own; choose another name [bad-name]
        at "/do/0/a/foreach/item"
    3:85: error: unknown key "of"; allowed here: item, at, do, output, export [unknown-key]
        at "/do/0/a/foreach/of"
    "#);
    assert_snapshot!(tasks("- a: {listen: {to: {one: {with: {type: '${ .t }'}, correlate: {id: {from: .id}}}, all: []}}}"), @r#"
    3:16: error: `to` needs exactly one of `one`, `any`, `all` [bad-value]
        at "/do/0/a/listen/to"
    "#);
    assert_snapshot!(tasks("- a: {emit: {event: {type: x}}}\n- b: {emit: {event: {with: {data: 1}}}}"), @r#"
    3:14: error: `with` is missing; add it here [missing-key]
        at "/do/0/a/emit/event"
    3:22: error: unknown key "type"; allowed here: with [unknown-key]
        at "/do/0/a/emit/event/type"
    4:22: error: `type` is missing; add it here [missing-key]
        at "/do/1/b/emit/event/with"
    "#);
}

#[test]
fn calls() {
    assert_snapshot!(tasks("- a: {call: htp, with: {}}\n- b: {call: nosuch}\n- c: {call: 'task:2.0.0@default', with: {}}\n- d: {call: 'x:1.0.0@elsewhere'}"), @r#"
    3:13: error: there is no function "htp"; did you mean "http"? [unknown-function]
        at "/do/0/a/call"
    4:13: error: there is no function "nosuch"; declare it in `use.functions`, or call one of http, openapi, grpc, asyncapi, mcp, a2a, task, human-task, map, race, lock, saga, finally, loop, wait-until, child [unknown-function]
        at "/do/1/b/call"
    5:13: error: the catalogue has no "task:2.0.0@default"; write task or task:1.0.0@default [unknown-function]
        at "/do/2/c/call"
    6:7: error: the catalogue "elsewhere" is not supported yet; copy the function's definition into `use.functions` [unsupported]
        at "/do/3/d/call"
    "#);
    assert_snapshot!(tasks("- a: {call: http}\n- b: {call: http, with: {method: fetch, endpoint: 'example.com/{a.b}'}}\n- c: {call: http, with: {method: get, endpoint: 'https://x/{}', query: {x: {}}, output: json}}"), @r#"
    3:3: error: `with` is missing; add it here [missing-key]
        at "/do/0/a"
    4:34: error: "fetch" is not an HTTP method; use one of get, post, put, patch, delete, head, options [bad-value]
        at "/do/1/b/with/method"
    4:51: error: the endpoint "example.com/{a.b}" must start with http:// or https://, or be one expression wrapped in ${ } [bad-endpoint]
        at "/do/1/b/with/endpoint"
    5:49: error: {} is not the name of a member of the data; for more, write ${ "…\(.order.id)…" } [bad-endpoint]
        at "/do/2/c/with/endpoint"
    5:76: error: `x` must be text, a number, true, false or a list of these, not a map [bad-type]
        at "/do/2/c/with/query/x"
    5:89: error: "json" is not a word that `output` knows; use one of raw, content, response [bad-value]
        at "/do/2/c/with/output"
    "#);
    assert_snapshot!(tasks("- a: {call: http, with: {method: get, endpoint: {uri: 'https://x', authentication: {oauth2: {}}}}}\n- b: {call: http, with: {method: get, endpoint: {uri: 'https://x', authentication: {basic: {username: a}}}}}"), @r#"
    3:85: error: `authority` is missing; add it here [missing-key]
        at "/do/0/a/with/endpoint/authentication/oauth2"
    4:85: error: `password` is missing; add it here [missing-key]
        at "/do/1/b/with/endpoint/authentication/basic"
    "#);
    assert_snapshot!(tasks("- c: {run: {workflow: {}}}"), @r#"
    3:13: error: `name` is missing; add it here [missing-key]
        at "/do/0/c/run/workflow"
    "#);
    assert_snapshot!(root("use: {functions: {f: {call: g}, g: {do: [x: {call: f}]}, h: {wait: PT1S}}}\noutput: {as: .a}"), @r#"
    3:22: warning: "f" is never used, and so was not checked; use it or remove it [unused]
        at "/use/functions/f"
    3:36: warning: "g" is never used, and so was not checked; use it or remove it [unused]
        at "/use/functions/g"
    3:61: warning: "h" is never used, and so was not checked; use it or remove it [unused]
        at "/use/functions/h"
    "#);
    assert_snapshot!(findings("document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}\nuse: {functions: {f: {call: g}, g: {do: [x: {call: f}]}}}\ndo: [a: {call: f}]"), @r#"
    2:52: error: the function "f" calls itself; use `call: loop`, or a workflow that runs itself with `run.workflow` [function-cycle]
        at "/use/functions/g/do/0/x/call"
    "#);
}

#[test]
fn catalogue() {
    assert_snapshot!(tasks("- a: {call: task, with: {qeue: x, input: 1, timeouts: {run: 5 minutes}, retry: {maxDelay: '${ .x }'}, exhausted: stop}}"), @r#"
    3:19: error: `name` is missing; add it here [missing-key]
        at "/do/0/a/with"
    3:26: error: unknown key "qeue"; did you mean "queue"? [unknown-key]
        at "/do/0/a/with/qeue"
    3:61: error: "5 minutes" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
        at "/do/0/a/with/timeouts/run"
    3:91: error: `maxDelay` must be a fixed duration; write it without ${ } [not-literal]
        at "/do/0/a/with/retry/maxDelay"
    3:114: error: "stop" is not a word that `exhausted` knows; use one of fail, park [bad-value]
        at "/do/0/a/with/exhausted"
    "#);
    assert_snapshot!(tasks("- a: {call: map, with: {in: .x, concurrency: 5000, do: []}}\n- b: {call: race, with: {branches: [x: {wait: PT1S}], need: 2}}"), @r#"
    3:46: error: `concurrency` must be from 1 to 1000, not 5000 [bad-value]
        at "/do/0/a/with/concurrency"
    4:61: error: `need` must be from 1 to 1, not 2 [bad-value]
        at "/do/1/b/with/need"
    "#);
    assert_snapshot!(tasks("- a: {call: loop, with: {do: []}}\n- b: {call: wait-until, with: {at: tomorrow}}\n- c: {call: child, with: {await: no}}"), @r#"
    3:19: error: a loop needs `while` (checked before each round) or `until` (checked after it) [missing-key]
        at "/do/0/a/with"
    4:36: error: "tomorrow" is not an instant; write for example 2030-01-31T09:00:00Z, or an expression wrapped in ${ } [bad-instant]
        at "/do/1/b/with/at"
    5:20: error: `workflow` is missing; add it here [missing-key]
        at "/do/2/c/with"
    5:34: error: `await` must be true or false, and this is text as of YAML 1.2; write false [bad-type]
        at "/do/2/c/with/await"
    "#);
    assert_snapshot!(tasks("- a: {call: saga, with: {do: [b: {wait: PT1S, compensate: [c: {wait: PT1S, compensate: []}]}]}}"), @r#"
    3:76: error: `compensate` works only on tasks of a saga; put this task into the `do` of a `call: saga`, or catch the failure with `try` [compensate-outside-saga]
        at "/do/0/a/with/do/0/b/compensate/0/c/compensate"
    "#);
}

#[test]
fn schemas() {
    assert_snapshot!(
        root("input:\n  schema:\n    format: xml\n    document:\n      type: object\n      properties:\n        age: {type: number, minimum: young}\n      allOf: [{$ref: 'other.json'}]"),
        @r#"
    5:13: error: only schemas of format json are read; write the schema as JSON Schema [bad-value]
        at "/input/schema/format"
    9:38: error: `minimum` must be a number [bad-schema]
        at "/input/schema/document/properties/age/minimum"
    10:22: error: "other.json" leads to nothing in this schema; refer to a place such as #/$defs/name, and copy there what stands elsewhere [bad-schema]
        at "/input/schema/document/allOf/0/$ref"
    "#
    );
    assert_snapshot!(
        tasks("- a:\n    wait: PT1S\n    output: {schema: {resource: {endpoint: 'https://example.org/s'}}}\n    export: {schema: {format: json}}"),
        @r#"
    5:23: error: a schema from elsewhere is not supported yet; put the schema here as `document`, so that a version of a workflow never changes its meaning [unsupported]
        at "/do/0/a/output/schema/resource"
    6:14: error: `document` is missing; add it here [missing-key]
        at "/do/0/a/export/schema"
    "#
    );
    assert_snapshot!(findings("document:\n  {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', metadata: {dev.quadrille/variables: {initial: {n: x}, schema: {properties: {n: {type: number}}}}}}\ndo: [a: {wait: PT1S}]"), @r#"
    2:114: error: what `$context` is at first does not fit its schema: /n must be number, not string (rule /properties/n/type) [bad-value]
        at "/document/metadata/dev.quadrille~1variables/initial"
    "#);
}

#[test]
fn a_schedule_is_no_faster_than_the_engine_starts_runs() {
    assert_snapshot!(root("schedule: {every: PT0.9S}"), @r#"
    3:19: error: `every` must be a second at least [bad-duration]
        at "/schedule/every"
    "#);
}

#[test]
fn what_can_be_known_beforehand() {
    let known = |list: &str| {
        tasks(list)
            .lines()
            .step_by(2)
            .collect::<Vec<_>>()
            .join("\n")
            + "\n"
    };
    assert_snapshot!(known("- a: {for: {in: '${ 1 }'}, do: []}"), @r#"
    3:17: error: the expression "1" gives number where array is needed; let it lead to a list, or wrap it in [ ] [bad-type]
    "#);
    assert_snapshot!(known("- a: {for: {in: .a == 1}, do: []}\n- b: {call: map, with: {in: '{a: 1}', do: []}}"), @r#"
    3:17: error: the expression ".a == 1" gives boolean where array is needed; let it lead to a list, or wrap it in [ ] [bad-type]
    4:29: error: the expression "{a: 1}" gives object where array is needed; let it lead to a list, or wrap it in [ ] [bad-type]
    "#);
    assert_snapshot!(known("- a: {wait: '${ .a > 3 }'}\n- b: {wait: '${ [1] }'}\n- c: {wait: PT1S, timeout: {after: '${ .a and .b }'}}"), @r#"
    3:13: error: the expression ".a > 3" gives boolean where string or number or object is needed; let it give one of these [bad-type]
    4:13: error: the expression "[1]" gives array where string or number or object is needed; let it give one of these [bad-type]
    5:36: error: the expression ".a and .b" gives boolean where string or number or object is needed; let it give one of these [bad-type]
    "#);
    assert_snapshot!(known("- a: {call: task, with: {name: '${ {a: 1} }', queue: '${ .x | 5 }'}}"), @r#"
    3:32: error: the expression "{a: 1}" gives object where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    3:54: error: the expression ".x | 5" gives number where string is needed; convert it with `tostring`, or write it in double quotes [bad-type]
    "#);
    assert_snapshot!(known("- a: {wait: {seconds: -1}}\n- b: {wait: -PT1S}\n- c: {wait: {minutes: 1.5}}\n- d: {wait: {}}"), @r#"
    3:13: error: seconds must be a whole number that is not negative, not -1 [bad-duration]
    4:13: error: "-PT1S" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
    5:13: error: minutes must be a whole number that is not negative, not 1.5 [bad-duration]
    6:13: error: the duration is empty; write for example {minutes: 5} [bad-duration]
    "#);
    assert_snapshot!(known("- a: {set: {x: yes, y: 'no', z: off, w: \"on\"}}\n- b: {fork: {compete: yes, branches: [c: {wait: PT1S}]}}"), @r#"
    4:23: error: `compete` must be true or false, and this is text as of YAML 1.2; write true [bad-type]
    3:16: warning: this is the text "yes", as of YAML 1.2; write true, or quote it if text is meant [text-not-bool]
    3:33: warning: this is the text "off", as of YAML 1.2; write false, or quote it if text is meant [text-not-bool]
    "#);
    assert_snapshot!(known("- a: {wait: PT1S}\n- b: {wait: PT1S, then: a}"), @r#"
    3:3: warning: from "a" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    assert_snapshot!(known("- a: {wait: PT1S}\n- b: {switch: [c: {when: .x, then: a}, d: {then: b}]}\n- e: {wait: PT1S}"), @r#"
    5:3: error: the task "e" can never be reached; let a `then` or an edge lead to it, or remove it [unsound]
    3:3: warning: from "a" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
    assert_snapshot!(known("- a: {do: [b: {wait: PT1S}, c: {switch: [d: {when: .x, then: end}, e: {then: b}]}], then: a}"), @"");
    assert_snapshot!(known("- a: {try: [b: {wait: PT1S, then: b}], catch: {}}\n- c: {do: [d: {raise: {error: {type: a, status: 1}}}], then: c}"), @r#"
    3:13: warning: from "b" no way leads out of this list: it goes round until it fails or is cancelled; let a `switch` leave it with `exit` [endless]
    "#);
}

#[test]
fn own_metadata() {
    assert_snapshot!(findings("document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', metadata: {dev.quadrille/label: {a: b}, dev.quadrille/colour: 1, owner: a, dev.quadrille/labels: {a: [1]}, dev.quadrille/retention: -1}}\ndo: []"), @r#"
    1:87: error: unknown key "dev.quadrille/label"; did you mean "dev.quadrille/labels"? [unknown-key]
        at "/document/metadata/dev.quadrille~1label"
    1:116: error: unknown key "dev.quadrille/colour"; there are dev.quadrille/attributes, dev.quadrille/concurrency, dev.quadrille/labels, dev.quadrille/priority, dev.quadrille/retention, dev.quadrille/schedule, dev.quadrille/variables [unknown-key]
        at "/document/metadata/dev.quadrille~1colour"
    1:177: error: `a` must be text, not a list [bad-type]
        at "/document/metadata/dev.quadrille~1labels/a"
    1:208: error: a duration must be a whole number of milliseconds that is not negative, not -1 [bad-duration]
        at "/document/metadata/dev.quadrille~1retention"
    "#);
    assert_snapshot!(findings("document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', tags: {a: x}, metadata: {dev.quadrille/labels: {a: y}, attributes: {b: {type: text, from: .}}, dev.quadrille/attributes: {b: {type: text, from: .}}}}\ndo: []"), @r#"
    1:124: error: "a" stands in another place of the document already; keep one of them [duplicate-name]
        at "/document/metadata/dev.quadrille~1labels/a"
    1:198: error: "b" stands in another place of the document already; keep one of them [duplicate-name]
        at "/document/metadata/dev.quadrille~1attributes/b"
    "#);
}

#[test]
fn extensions() {
    assert_snapshot!(root("use: {extensions: [a: {extend: switch}, b: {extnd: all}, c: {extend: calls}, d: {extend: listen}, e: {extend: wait, when: '$task.x ==', before: [f: {sett: {}}]}]}"), @r#"
    3:24: error: `extend: switch` is not supported yet; put the tasks into the list, ahead of the switch [unsupported]
        at "/use/extensions/0/a/extend"
    3:41: error: `extend` is missing; add it here [missing-key]
        at "/use/extensions/1/b"
    3:45: error: unknown key "extnd"; did you mean "extend"? [unknown-key]
        at "/use/extensions/1/b/extnd"
    3:70: error: "calls" is not a word that `extend` knows; did you mean "call"? [bad-value]
        at "/use/extensions/2/c/extend"
    3:134: error: the expression "$task.x ==" is wrong: expected an expression, found the end [bad-expression]
        at "/use/extensions/4/e/when"
    3:146: error: the task "f" does not say what to do; did you mean "set" where it says "sett"? [unknown-task]
        at "/use/extensions/4/e/before/0/f"
    3:81: warning: no task is extended by "d", and so it was not checked; remove it [unused]
        at "/use/extensions/3/d"
    "#);
}

#[test]
fn human_tasks() {
    assert_snapshot!(tasks(
        r#"
- a:
    call: human-task
    with:
      group: 5
      form: {schema: {type: object, required: 5}, ui: {}}
      priority: 10
      due: soon
      remind: PT1H
      escalate: {to: {}}
      outcomes: [a, a, {}]
      assignees: [bob]
"#
    ), @r#"
    6:5: error: `title` is missing; add it here [missing-key]
        at "/do/0/a/with"
    7:14: error: `group` must be the name of a group or a list of names, not a number [bad-type]
        at "/do/0/a/with/group"
    8:47: error: this must be a list of names [bad-schema]
        at "/do/0/a/with/form/schema/required"
    8:51: error: unknown key "ui"; allowed here: schema [unknown-key]
        at "/do/0/a/with/form/ui"
    9:17: error: `priority` must be a whole number from 0 to 9, the most urgent, not 10 [bad-value]
        at "/do/0/a/with/priority"
    10:12: error: "soon" is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H [bad-duration]
        at "/do/0/a/with/due"
    11:15: error: `remind` must be a list, not text [bad-type]
        at "/do/0/a/with/remind"
    12:7: error: `escalate` needs `after`, or the task a time at which it is `due` [missing-key]
        at "/do/0/a/with/escalate"
    12:18: error: `to` needs an `assignee` or a `group` [missing-key]
        at "/do/0/a/with/escalate/to"
    13:21: error: the outcome "a" is there already [duplicate-name]
        at "/do/0/a/with/outcomes/1"
    13:24: error: this must be text, not a map [bad-type]
        at "/do/0/a/with/outcomes/2"
    14:7: error: unknown key "assignees"; did you mean "assignee"? [unknown-key]
        at "/do/0/a/with/assignees"
    "#);
    assert_snapshot!(tasks("- a: {call: human-task, with: {title: t, group: [a, 5, '${ .b }']}}"), @r#"
    3:53: error: this must be text with the name of a group, not a number; quote the value [bad-type]
        at "/do/0/a/with/group/1"
    "#);
    let many = vec!["PT1S"; 33].join(", ");
    assert_snapshot!(tasks(&format!(
        "- a:\n    call: human-task\n    with: {{title: t, remind: [{many}], escalate: {{to: {{user: bob}}}}}}"
    )), @r#"
    5:30: error: `remind` has 33 elements; use at most 32 [bad-value]
        at "/do/0/a/with/remind"
    5:230: error: `escalate` needs `after`, or the task a time at which it is `due` [missing-key]
        at "/do/0/a/with/escalate"
    5:241: error: `to` needs an `assignee` or a `group` [missing-key]
        at "/do/0/a/with/escalate/to"
    5:246: error: unknown key "user"; allowed here: assignee, group [unknown-key]
        at "/do/0/a/with/escalate/to/user"
    "#);
}

#[test]
fn parts_of_a_list_and_critical_sections() {
    assert_snapshot!(tasks("- a: {call: map, with: {in: .x, do: [], losers: leave}}"), @r#"
    3:18: error: without `need` or `until` no element is left over; add one of them, or leave `losers` out [bad-value]
        at "/do/0/a/with"
    "#);
    assert_snapshot!(tasks("- a: {call: map, with: {in: .x, do: [], need: 0, losers: leave, more: {max: 20000}}}\n- b: {call: lock, with: {scope: world, limit: 0, do: []}}\n- c: {call: task, with: {name: x, priority: 10}}"), @r#"
    3:47: error: `need` must be from 1 to 100000, not 0 [bad-value]
        at "/do/0/a/with/need"
    3:65: error: `with` is missing; add it here [missing-key]
        at "/do/0/a/with/more"
    3:77: error: `max` must be from 1 to 10000, not 20000 [bad-value]
        at "/do/0/a/with/more/max"
    4:19: error: `name` is missing; add it here [missing-key]
        at "/do/1/b/with"
    4:33: error: "world" is not a word that `scope` knows; use one of run, workflow, server [bad-value]
        at "/do/1/b/with/scope"
    4:47: error: `limit` must be from 1 to 1000, not 0 [bad-value]
        at "/do/1/b/with/limit"
    5:45: error: a priority is a number from 0 (last) to 9 (first), not 10 [bad-value]
        at "/do/2/c/with/priority"
    "#);
    assert_snapshot!(findings("document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', metadata: {dev.quadrille/concurrency: {keys: .x, limit: 0, policy: wait}, dev.quadrille/priority: -1}}\ndo: []"), @r#"
    1:115: error: unknown key "keys"; did you mean "key"? [unknown-key]
        at "/document/metadata/dev.quadrille~1concurrency/keys"
    1:132: error: `limit` must be from 1 to 1000, not 0 [bad-value]
        at "/document/metadata/dev.quadrille~1concurrency/limit"
    1:143: error: "wait" is not a word that `policy` knows; use one of queue, drop, replace [bad-value]
        at "/document/metadata/dev.quadrille~1concurrency/policy"
    1:174: error: a priority is a number from 0 (last) to 9 (first), not -1 [bad-value]
        at "/document/metadata/dev.quadrille~1priority"
    "#);
}
