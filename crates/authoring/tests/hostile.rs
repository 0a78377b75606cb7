//! Whatever the text, the answer is a graph or findings: never a panic, and soon.

use graph::check::check;
use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quadrille_authoring::{FINDINGS_MAX, Severity, TEXT_BYTES_MAX, compile};

/// The first finding's code, or `compiled`; no more findings than there may be.
fn code(text: &str) -> &'static str {
    match compile(text) {
        Ok(compiled) => {
            assert_eq!(check(&compiled.graph), Ok(()));
            assert!(
                compiled
                    .warnings
                    .iter()
                    .all(|finding| finding.severity == Severity::Warning)
            );
            "compiled"
        }
        Err(findings) => {
            assert!((1..=FINDINGS_MAX).contains(&findings.len()));
            assert_eq!(findings[0].severity, Severity::Error, "{:?}", findings[0]);
            assert!(
                findings
                    .iter()
                    .all(|finding| finding.line >= 1 && finding.column >= 1)
            );
            findings[0].code
        }
    }
}

fn tasks(list: &str) -> String {
    format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo:\n{list}"
    )
}

/// A list of tasks of which each contains the next.
fn nested(depth: usize) -> String {
    tasks(&format!(
        "  {}[]{}",
        "[a: {do: ".repeat(depth),
        "}]".repeat(depth)
    ))
}

/// A document of functions each of which calls the next one `calls` times.
fn cascade(functions: usize, calls: usize) -> String {
    let mut text = String::from(
        "document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}\ndo: [a: {call: f0}]\nuse:\n  functions:\n",
    );
    for function in 0..functions {
        let calls: Vec<String> = (0..calls)
            .map(|call| format!("c{call}: {{call: f{}}}", function + 1))
            .collect();
        text += &format!("    f{function}: {{do: [{}]}}\n", calls.join(", "));
    }
    text + &format!("    f{functions}: {{wait: PT1S}}\n")
}

/// Texts that are small and mean much, or are much.
fn bombs() -> Vec<(&'static str, String)> {
    let laughs = (1..30).fold("a0: &a0 [x, x]\n".to_string(), |text, i| {
        text + &format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1)
    });
    let many_keys = |count: usize| (0..count).map(|i| format!("k{i}: 1\n")).collect::<String>();
    let variables =
        (0..9_000).map(|i| format!("- t{i}: {{for: {{each: v{i}, in: .a}}, do: []}}\n"));
    let variables = tasks(&variables.collect::<String>());
    let wide = (0..30_000)
        .map(|i| format!("- t{i}: {{wait: PT1S}}\n"))
        .collect::<String>();
    let error = format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\nuse: {{errors: {{e: {{type: a, status: 1, detail: {}}}}}}}\ndo:\n",
        "x".repeat(500_000)
    );
    let reuse = error
        + &(0..9_000)
            .map(|i| format!("- t{i}: {{raise: {{error: e}}}}\n"))
            .collect::<String>();
    let jumps = tasks(
        &(0..9_000)
            .map(|i| format!("- task{i}: {{wait: PT1S, then: tusk{i}}}\n"))
            .collect::<String>(),
    );
    let many = |task: &str| {
        let list = (0..4_500).map(|i| format!("- t{i}: {task}\n"));
        tasks(&list.collect::<String>())
    };
    vec![
        (
            "constants without end",
            many("{set: {x: '${ [range(1e18)] | length }'}}"),
        ),
        (
            "constants that are large",
            many("{wait: '${ \"x\" * 1e7 | length }'}"),
        ),
        (
            "tasks that are not reached",
            many("{set: {x: 1}, then: exit}"),
        ),
        (
            "loops without an exit",
            many("{do: [a: {set: {x: 1}, then: a}]}"),
        ),
        ("billion laughs", laughs),
        ("alias to itself", "a: &a [*a]".into()),
        ("alias without anchor", "a: *nosuch".into()),
        ("nesting of lists", "[".repeat(100_000)),
        ("nesting of maps", "{a: ".repeat(100_000)),
        (
            "nesting of blocks",
            (0..500).map(|i| format!("{}a:\n", " ".repeat(i))).collect(),
        ),
        ("nesting of dashes", "- ".repeat(100_000)),
        ("nesting of keys", "? ".repeat(100_000)),
        ("nesting that is fine", nested(19)),
        ("nesting that is not", nested(22)),
        ("10 MB", "a".repeat(10 << 20)),
        ("a million keys", many_keys(1_000_000)),
        ("80,000 keys", many_keys(80_000)),
        ("a large list", format!("a: [{}1]", "1,".repeat(500_000))),
        ("too many tasks", tasks(&wide)),
        ("too many variables", variables),
        ("functions that double", cascade(40, 2)),
        ("functions that call on", cascade(100, 1)),
        ("a large error used often", reuse),
        ("wrong jumps", jumps),
    ]
}

/// One line for each text: what it is and what it is answered.
fn answers(texts: Vec<(&'static str, String)>) -> String {
    texts
        .into_iter()
        .map(|(what, text)| format!("{what}: {}\n", code(&text)))
        .collect()
}

#[test]
fn bombs_are_answered() {
    assert_snapshot!(answers(bombs()), @r#"
    constants without end: compiled
    constants that are large: compiled
    tasks that are not reached: unsound
    loops without an exit: endless
    billion laughs: unknown-key
    alias to itself: missing-key
    alias without anchor: yaml-syntax
    nesting of lists: too-deep
    nesting of maps: too-deep
    nesting of blocks: too-deep
    nesting of dashes: too-deep
    nesting of keys: yaml-feature
    nesting that is fine: compiled
    nesting that is not: too-deep
    10 MB: too-large
    a million keys: too-large
    80,000 keys: unknown-key
    a large list: too-large
    too many tasks: too-large
    too many variables: unsound
    functions that double: too-large
    functions that call on: too-deep
    a large error used often: too-large
    wrong jumps: unknown-jump
    "#);
}

#[test]
fn oddities_are_answered() {
    let table = vec![
        ("NUL", "document: \0".into()),
        ("NUL in quotation marks", "document: \"\\0\"".into()),
        ("half a surrogate pair", r#"{"document": "\ud800"}"#.into()),
        (
            "a surrogate pair",
            tasks(r#"- a: {set: {x: "\ud83d\ude00"}}"#),
        ),
        ("tabs", "\tdocument:\n\t\tdsl: 1".into()),
        ("byte order mark", format!("\u{feff}{}", nested(1))),
        ("long key", format!("{}: 1", "k".repeat(100_000))),
        (
            "long name",
            tasks(&format!("- {}: {{wait: PT1S}}", "n".repeat(300))),
        ),
        (
            "long expression",
            tasks(&format!(
                "- a: {{if: '{}', wait: PT1S}}",
                ".a + ".repeat(100_000)
            )),
        ),
        (
            "deep expression",
            tasks(&format!(
                "- a: {{if: '{}', wait: PT1S}}",
                "(".repeat(100_000)
            )),
        ),
        (
            "long literal block",
            tasks(&format!(
                "- a:\n    set:\n      x: |\n{}",
                "        y\n".repeat(80_000)
            )),
        ),
        (
            "numbers",
            tasks(
                "- a: {set: {a: 99999999999999999999, b: 1e400, c: 0x, d: -, e: .5.5, f: 1_000, g: +}}",
            ),
        ),
        (
            "long duration",
            tasks("- a: {wait: PT99999999999H}\n- b: {wait: {days: 9223372036854775807}}"),
        ),
        ("comments", "# nothing\n".repeat(50_000)),
    ];
    assert_snapshot!(answers(table), @r#"
    NUL: yaml-syntax
    NUL in quotation marks: missing-key
    half a surrogate pair: yaml-syntax
    a surrogate pair: compiled
    tabs: yaml-syntax
    byte order mark: compiled
    long key: yaml-syntax
    long name: bad-name
    long expression: bad-expression
    deep expression: bad-expression
    long literal block: compiled
    numbers: bad-value
    long duration: bad-duration
    comments: yaml-syntax
    "#);
}

#[test]
fn limit_of_size_is_exact() {
    let document = nested(1);
    let padded = |bytes: usize| format!("{document}\n#{}", "x".repeat(bytes - document.len() - 2));
    assert_eq!(code(&padded(TEXT_BYTES_MAX)), "compiled");
    assert_eq!(code(&padded(TEXT_BYTES_MAX + 1)), "too-large");
}

/// What a line of a document is changed into.
const REPLACEMENTS: [&str; 24] = [
    "",
    "x",
    ": ",
    "- ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\n",
    "\t",
    "|",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "? ",
    "#",
    "${",
    "\u{0}",
    "null",
    "\u{1F600}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn changed_documents_are_answered(
        document in proptest::sample::select(&DOCUMENTS[..]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..12, proptest::sample::select(&REPLACEMENTS[..])), 1..5),
    ) {
        let mut letters: Vec<char> = document.chars().collect();
        for (place, cut, replacement) in changes {
            let start = place.index(letters.len() + 1);
            let end = (start + cut).min(letters.len());
            letters.splice(start..end, replacement.chars());
        }
        code(&letters.into_iter().collect::<String>());
    }

    #[test]
    fn any_text_is_answered(text in "[ \\-:{}\\[\\]a-c'\"#&*!|>%@`\n\t,?~0-9.$]{0,200}") {
        code(&text);
    }
}

/// The documents of `tests/data`.
const DOCUMENTS: [&str; 25] = [
    include_str!("data/approval.yaml"),
    include_str!("data/authentication.yaml"),
    include_str!("data/compete.yaml"),
    include_str!("data/conditional.yaml"),
    include_str!("data/cycle.yaml"),
    include_str!("data/data-flow.yaml"),
    include_str!("data/finally.yaml"),
    include_str!("data/for.yaml"),
    include_str!("data/fork.yaml"),
    include_str!("data/functions.yaml"),
    include_str!("data/hello.yaml"),
    include_str!("data/interval.yaml"),
    include_str!("data/json.json"),
    include_str!("data/listen.yaml"),
    include_str!("data/nested-for.yaml"),
    include_str!("data/nested-try.yaml"),
    include_str!("data/nightly.yaml"),
    include_str!("data/parent.yaml"),
    include_str!("data/polling.yaml"),
    include_str!("data/race.yaml"),
    include_str!("data/retries.yaml"),
    include_str!("data/reuse.yaml"),
    include_str!("data/saga.yaml"),
    include_str!("data/switch.yaml"),
    include_str!("data/wait.yaml"),
];

#[test]
fn documents_compile() {
    for document in DOCUMENTS {
        assert_eq!(
            compile(document).map(|compiled| compiled.warnings),
            Ok(vec![]),
            "{document}"
        );
    }
}

#[test]
fn a_document_that_asks_for_itself_is_kept() {
    for (source, is_kept) in [
        ("$task.definition", true),
        ("$task[\"definition\"]", true),
        ("$task.name", false),
    ] {
        let text = tasks(&format!("- a: {{set: {{x: '${{ {source} }}'}}}}"));
        let definition = compile(&text).map(|compiled| compiled.graph.definition);
        assert_eq!(
            definition.map(|kept| kept.is_some()),
            Ok(is_kept),
            "{source}"
        );
    }
}

#[test]
fn json_and_yaml_say_the_same() {
    let yaml = tasks("- a: {set: {x: [1, '2', null, true, 1.5]}, if: '.go'}");
    let json = r#"{
	"document": {"dsl": "1.0.3", "namespace": "default", "name": "test", "version": "1.0.0"},
	"do": [{"a": {"set": {"x": [1, "2", null, true, 1.5]}, "if": ".go"}}]
}"#;
    assert_eq!(compile(&yaml), compile(json));
    assert_eq!(code(json), "compiled");
}
