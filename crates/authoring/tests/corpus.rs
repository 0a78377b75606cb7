//! Hostile documents: each is answered within a second of computing and within bounded memory, with findings that a
//! person can read or with a graph, and the answer is the one that stands here.

#![expect(clippy::too_many_lines, reason = "tables")]

use std::fmt::Write as _;

use insta::assert_snapshot;
use quadrille_authoring::{FINDINGS_MAX, Finding, TEXT_BYTES_MAX, compile};

/// The most computing that one document may cost, even without optimisation, in milliseconds.
const CPU_MS_MAX: u64 = 1_000;

/// The most memory at any moment, in bytes: the larger texts are ten megabytes themselves.
const MEMORY_BYTES_MAX: u64 = 200 << 20;

/// The longest finding, in bytes.
const FINDING_BYTES_MAX: usize = 4_000;

fn tasks(list: &str) -> String {
    format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo:\n{list}\n"
    )
}

/// A document with one harmless task and these lines.
fn root(lines: &str) -> String {
    tasks("- a: {wait: PT1S}") + lines
}

/// A document that computes this.
fn computing(source: &str) -> String {
    let quoted = source.replace('\\', "\\\\").replace('"', "\\\"");
    tasks(&format!("- a: {{set: {{x: \"${{ {quoted} }}\"}}}}"))
}

fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// What this thread has computed so far, in milliseconds.
#[cfg(target_os = "linux")]
fn computed_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<u64>().ok());
    nanoseconds.expect("the system counts time") / 1_000_000
}

/// The most memory since it was last asked, in bytes.
#[cfg(target_os = "linux")]
fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    // What it was before does not count for the next document.
    std::fs::write("/proc/self/clear_refs", "5").expect("the system lets its count be reset");
    kilobytes.expect("the system counts memory") * 1024
}

#[cfg(not(target_os = "linux"))]
fn computed_ms() -> u64 {
    0
}

#[cfg(not(target_os = "linux"))]
fn memory_bytes() -> u64 {
    0
}

/// Texts that are no honest YAML.
fn texts() -> Vec<(&'static str, String)> {
    let laughs = (1..30).fold("a0: &a0 [x, x]\n".to_string(), |text, level| {
        text + &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)
    });
    vec![
        ("billion laughs", laughs),
        (
            "quadratic blow-up",
            format!(
                "a: &a {}\nb: [{}]",
                "x".repeat(100_000),
                "*a, ".repeat(20_000)
            ),
        ),
        ("alias to itself", "a: &a [*a]".into()),
        ("alias without anchor", "a: *nosuch".into()),
        ("anchor twice", "a: &x 1\nb: &x 2".into()),
        ("merge key", root("timeout: {<<: {after: PT1S}}")),
        ("merge of an alias", "a: &a {b: 1}\nc: {<<: *a}".into()),
        ("binary tag", root("x: !!binary aGVsbG8=")),
        ("object tag", "!!python/object/apply:os.system [ls]".into()),
        (
            "tag directive",
            "%TAG ! tag:example.com,2000:\n---\na: !x 1".into(),
        ),
        ("unknown directive", "%YAML 9.9\n---\na: 1".into()),
        ("two documents", root("---\na: 1")),
        ("document end", root("...\nb: 1")),
        ("lists without end", "[".repeat(100_000)),
        ("maps without end", "{a: ".repeat(100_000)),
        ("dashes", "- ".repeat(100_000)),
        ("question marks", "? ".repeat(100_000)),
        ("colons", ": ".repeat(100_000)),
        (
            "indentation",
            many(2_000, |depth| format!("{}a:\n", " ".repeat(depth))),
        ),
        ("a map as key", "{a: 1}: 2".into()),
        ("a list as key", "? [1, 2]\n: 3".into()),
        ("no key", ": 1".into()),
        ("a key of null", "null: 1".into()),
        (
            "a key that is true",
            root("schedule: {true: {one: {with: {type: a}}}}"),
        ),
        ("keys twice", root("timeout: {after: PT1S, after: PT2S}")),
        (
            "keys twice, escaped",
            root("timeout: {after: PT1S, \"a\\u0066ter\": PT2S}"),
        ),
        ("tab", "\ta: 1".into()),
        ("tab after text", "a: 1\n\tb: 2".into()),
        ("byte order mark", format!("\u{feff}{}", root(""))),
        ("byte order mark inside", root("x\u{feff}: 1")),
        ("NUL", "a: \0".into()),
        ("NUL escaped", root("x: \"\\0\"")),
        ("control letters", "a: \u{1}\u{7f}\u{9b}".into()),
        ("half a pair", r#"{"a": "\ud800"}"#.into()),
        ("letters beyond Unicode", r#"{"a": "\U00110000"}"#.into()),
        ("carriage returns", root("").replace('\n', "\r")),
        ("line separators", root("").replace('\n', "\u{2028}")),
        ("only space", " ".repeat(500_000)),
        ("only comments", "# x\n".repeat(200_000)),
        (
            "a million keys",
            many(1_000_000, |key| format!("k{key}: 1\n")),
        ),
        ("80,000 keys", many(80_000, |key| format!("k{key}: 1\n"))),
        (
            "a million elements",
            format!("a: [{}1]", "1,".repeat(1_000_000)),
        ),
        (
            "half a million elements",
            format!("a: [{}1]", "1,".repeat(500_000)),
        ),
        ("ten megabytes", "a".repeat(10 << 20)),
        (
            "one byte too many",
            format!(
                "{}#{}",
                root(""),
                "x".repeat(TEXT_BYTES_MAX - root("").len())
            ),
        ),
        (
            "an open quotation mark",
            format!("a: \"{}", "x".repeat(500_000)),
        ),
        (
            "a folded text",
            root(&format!("x: >\n{}", "  y\n\n".repeat(100_000))),
        ),
        (
            "huge numbers",
            root("x: [1e400, -1e400, 99999999999999999999, 0x1FFFFFFFFFFFFFFFFF, .inf, .nan]"),
        ),
        (
            "a long number",
            root(&format!("x: {}", "9".repeat(500_000))),
        ),
    ]
}

/// Documents that are YAML, and hostile to who reads them.
fn documents() -> Vec<(&'static str, String)> {
    let cascade = |calls: usize, depth: usize| {
        let functions = many(depth, |function| {
            let calls = many(calls, |call| {
                format!("c{call}: {{call: f{}}}, ", function + 1)
            });
            let calls = calls.trim_end_matches(", ").replace(", c", "}, {c");
            format!("    f{function}: {{do: [{{{calls}}}]}}\n")
        });
        format!(
            "{}use:\n  functions:\n{functions}    f{depth}: {{wait: PT1S}}\n",
            tasks("- a: {call: f0}")
        )
    };
    let extensions = many(40, |index| {
        format!("  - e{index}: {{extend: all, before: [b: {{set: {{x: '${{ $task.name }}'}}}}]}}\n")
    });
    let schema = many(2_000, |index| {
        format!(
            "      d{index}: {{allOf: [{{$ref: '#/$defs/d{0}'}}, {{$ref: '#/$defs/d{0}'}}]}}\n",
            (index + 1) % 2_000
        )
    });
    vec![
        (
            "markup in names",
            tasks("- \"<script>alert(1)</script>\": {wait: PT1S, then: \"<b>\"}"),
        ),
        (
            "letters that turn the line around",
            tasks("- \"a\\u202eb\\u2066c\": {sett: 1}"),
        ),
        (
            "letters without width",
            tasks("- \"a\\u200bb\": {wait: PT1S}\n- ab: {wait: PT1S, then: \"ab\\u200b\"}"),
        ),
        (
            "letters that look alike",
            tasks("- а: {wait: PT1S}\n- b: {wait: PT1S, then: a}"),
        ),
        (
            "escapes for terminals",
            tasks("- \"\\e[31mred\\a\": {sett: 1}"),
        ),
        (
            "lines in a name",
            tasks("- \"a\\nb\\r\\nerror: c\": {sett: 1}"),
        ),
        ("slashes in names", tasks("- \"a/b~c\": {sett: 1}")),
        ("an empty name", tasks("- '': {wait: PT1S}")),
        (
            "a long name",
            tasks(&format!("- {}: {{sett: 1}}", "n".repeat(900))),
        ),
        (
            "a name of combining letters",
            tasks(&format!("- \"a{}\": {{sett: 1}}", "\u{301}".repeat(400))),
        ),
        (
            "a path out of the folder",
            root("use: {timeouts: {../../etc/passwd: {after: PT1S}}}\ntimeout: ../../etc/passwd"),
        ),
        (
            "tasks within tasks",
            tasks(&format!(
                "  {}[]{}",
                "[a: {do: ".repeat(30),
                "}]".repeat(30)
            )),
        ),
        (
            "30,000 tasks",
            tasks(&many(30_000, |task| format!("- t{task}: {{wait: PT1S}}\n"))),
        ),
        (
            "9,000 wrong jumps",
            tasks(&many(9_000, |task| {
                format!("- task{task}: {{wait: PT1S, then: tusk{task}}}\n")
            })),
        ),
        (
            "9,000 tasks of one name",
            tasks(&many(9_000, |_| "- a: {wait: PT1S}\n".into())),
        ),
        (
            "9,000 variables",
            tasks(&many(9_000, |task| {
                format!("- t{task}: {{for: {{each: v{task}, in: .a}}, do: []}}\n")
            })),
        ),
        (
            "2,000 branches",
            tasks(&format!(
                "- a: {{fork: {{branches: [{}]}}}}",
                many(2_000, |branch| format!("{{b{branch}: {{wait: PT1S}}}}, "))
            )),
        ),
        (
            "5,000 cases",
            tasks(&format!(
                "- a: {{switch: [{}]}}",
                many(5_000, |case| format!(
                    "{{c{case}: {{when: .a, then: end}}}}, "
                ))
            )),
        ),
        (
            "6,000 tasks that nothing leads to",
            tasks(&format!(
                "- a: {{wait: PT1S, then: end}}\n{}",
                many(6_000, |task| format!("- t{task}: {{wait: PT1S}}\n"))
            )),
        ),
        (
            "4,000 circles",
            tasks(&many(4_000, |task| {
                format!("- t{task}: {{do: [a: {{wait: PT1S, then: a}}]}}\n")
            })),
        ),
        (
            "7,000 unknown functions among 20,000",
            format!(
                "{}use:\n  functions:\n{}",
                tasks(&many(7_000, |task| format!("- t{task}: {{call: f}}\n"))),
                many(20_000, |function| format!("    g{function}: {{}}\n"))
            ),
        ),
        (
            "10,000 extensions of 9,000 tasks",
            format!(
                "{}use:\n  extensions:\n{}",
                tasks(&many(9_000, |task| format!("- t{task}: {{wait: PT1S}}\n"))),
                many(10_000, |index| format!("  - e{index}: {{extend: emit}}\n"))
            ),
        ),
        (
            "a list of 40,000 to go through",
            tasks(&format!(
                "- a: {{for: {{in: [{}1]}}, do: []}}",
                "1,".repeat(40_000)
            )),
        ),
        (
            "6,000 withdrawals",
            format!(
                "graph: '1.0'\ndocument: {{namespace: default, name: test, version: '1.0.0'}}\nnodes:\n  w: {{wait: PT1S}}\n{}edges:\n{}  - {{from: w, to: w0}}\n",
                many(6_000, |node| format!(
                    "  w{node}: {{withdraw: {{nodes: [w]}}}}\n"
                )),
                many(5_999, |node| format!(
                    "  - {{from: w{node}, to: w{}}}\n",
                    node + 1
                ))
            ),
        ),
        (
            "50,000 secrets",
            tasks(&format!(
                "- a: {{set: {{x: '${{ {} }}'}}}}",
                many(50_000, |secret| format!("$secrets.s{secret} + "))
            )),
        ),
        (
            "60,000 outcomes",
            tasks(&format!(
                "- a: {{call: human-task, with: {{title: t, outcomes: [{}]}}}}",
                many(60_000, |outcome| format!("o{outcome}, "))
            )),
        ),
        (
            "a schema of 20,000 flaws",
            root(&format!(
                "input: {{schema: {{document: {{properties: {{{}}}}}}}}}",
                many(20_000, |member| format!("m{member}: {{type: t}}, "))
            )),
        ),
        (
            "an address of 100,000 names",
            tasks(&format!(
                "- a: {{call: http, with: {{method: get, endpoint: 'http://x/{}'}}}}",
                "{a}/".repeat(100_000)
            )),
        ),
        ("functions that double", cascade(2, 40)),
        ("functions one in another", cascade(1, 100)),
        (
            "a function that calls itself",
            format!(
                "{}use: {{functions: {{f: {{call: f}}}}}}",
                tasks("- a: {call: f}")
            ),
        ),
        (
            "functions that call each other",
            format!(
                "{}use: {{functions: {{f: {{call: g}}, g: {{call: f}}}}}}",
                tasks("- a: {call: f}")
            ),
        ),
        (
            "extensions around each other",
            format!(
                "{}use:\n  extensions:\n{extensions}",
                tasks(&many(500, |task| format!("- t{task}: {{wait: PT1S}}\n")))
            ),
        ),
        (
            "an extension of itself",
            root(
                "use: {extensions: [e: {extend: all, before: [b: {call: f}]}], functions: {f: {wait: PT1S}}}",
            ),
        ),
        (
            "a large error used often",
            format!(
                "{}use: {{errors: {{e: {{type: a, status: 1, detail: {}}}}}}}",
                tasks(&many(9_000, |task| format!(
                    "- t{task}: {{raise: {{error: e}}}}\n"
                ))),
                "x".repeat(500_000)
            ),
        ),
        (
            "schemas that refer to each other",
            root(&format!(
                "input:\n  schema:\n    document:\n      $ref: '#/$defs/d0'\n      $defs:\n{}",
                schema.replace("      d", "        d")
            )),
        ),
        (
            "a schema of another machine",
            root("input: {schema: {document: {$ref: 'file:///etc/passwd'}}}"),
        ),
        (
            "a schema from elsewhere",
            root("input: {schema: {resource: {endpoint: 'http://169.254.169.254/'}}}"),
        ),
        (
            "a pattern that backtracks",
            root("input: {schema: {document: {type: string, pattern: '(a+)+$(?!b)'}}}"),
        ),
        (
            "a large repetition",
            root("input: {schema: {document: {pattern: '((a{1000}){1000}){1000}'}}}"),
        ),
        (
            "a duration of ages",
            tasks("- a: {wait: {days: 9223372036854775807}}"),
        ),
        (
            "a duration below nothing",
            tasks("- a: {wait: {seconds: -1}}"),
        ),
        (
            "an ISO duration of ages",
            tasks(&format!("- a: {{wait: PT{}H}}", "9".repeat(10_000))),
        ),
        (
            "a cron that never comes",
            root("schedule: {cron: '0 0 30 2 *'}"),
        ),
        (
            "a cron of many fields",
            root(&format!("schedule: {{cron: '{}'}}", "* ".repeat(100_000))),
        ),
        (
            "an instant beyond time",
            tasks("- a: {call: wait-until, with: {at: '999999-01-01T00:00:00Z'}}"),
        ),
        (
            "a file as address",
            tasks("- a: {call: http, with: {method: get, endpoint: 'file:///etc/passwd'}}"),
        ),
        (
            "an address full of braces",
            tasks(&format!(
                "- a: {{call: http, with: {{method: get, endpoint: 'http://x/{}'}}}}",
                "{a".repeat(10_000)
            )),
        ),
        (
            "a method with lines",
            tasks("- a: {call: http, with: {method: \"get\\r\\nHost: x\", endpoint: 'http://x'}}"),
        ),
        (
            "a function from an address",
            tasks("- a: {call: 'http://169.254.169.254/f.yaml'}"),
        ),
    ]
}

/// Expressions that would not end, or be much.
fn expressions() -> Vec<(&'static str, String)> {
    let sources: Vec<(&str, String)> = vec![
        ("halt", "halt".into()),
        ("halt_error", "halt_error".into()),
        ("env", "env".into()),
        ("$ENV", "$ENV.PATH".into()),
        ("$__loc__", "$__loc__".into()),
        ("input", "[inputs]".into()),
        ("now", "now".into()),
        ("a module", "import \"a\" as a; .".into()),
        ("include", "include \"a\"; .".into()),
        ("getpath of a file", "@text \"\\(input_filename)\"".into()),
        ("debug", "debug".into()),
        ("our variable", "$__in".into()),
        ("parentheses", "(".repeat(50_000)),
        (
            "closed parentheses",
            format!("{}.{}", "(".repeat(20_000), ")".repeat(20_000)),
        ),
        ("brackets", "[".repeat(50_000)),
        ("minuses", format!("{}1", "-".repeat(50_000))),
        ("pipes", vec!["."; 20_000].join("|")),
        ("sums", vec!["."; 20_000].join("+")),
        ("commas", vec!["."; 20_000].join(",")),
        (
            "ifs",
            format!(
                "{}.{}",
                "if . then ".repeat(5_000),
                " else . end".repeat(5_000)
            ),
        ),
        (
            "functions in functions",
            format!("{}.{}", "def f: ".repeat(5_000), "; f".repeat(5_000)),
        ),
        (
            "interpolation in interpolation",
            format!("{}.{}", "\"\\(".repeat(2_000), ")\"".repeat(2_000)),
        ),
        ("a text without end", "\"aaaa".into()),
        ("a number without end", "9".repeat(50_000)),
        ("a long expression", ".a + ".repeat(100_000)),
        ("a pattern that backtracks", "test(\"(a+)+$(?=b)\")".into()),
        (
            "ten thousand variables",
            many(10_000, |index| format!(". as $v{index} | ")) + ".",
        ),
    ];
    sources
        .into_iter()
        .map(|(what, source)| (what, computing(&source)))
        .collect()
}

/// What a document is answered, in a word.
fn answer(what: &str, text: &str) -> &'static str {
    memory_bytes();
    let before = computed_ms();
    let findings: Vec<Finding> = match compile(text) {
        Ok(_) => Vec::new(),
        Err(findings) => findings,
    };
    let (cost, memory) = (computed_ms() - before, memory_bytes());
    assert!(cost <= CPU_MS_MAX, "{what}: {cost} ms");
    assert!(memory <= MEMORY_BYTES_MAX, "{what}: {memory} bytes");
    assert!(findings.len() <= FINDINGS_MAX, "{what}: {}", findings.len());
    for finding in &findings {
        let told = finding.to_string();
        assert!(
            told.len() <= FINDING_BYTES_MAX,
            "{what}: {} bytes",
            told.len()
        );
        let visible = |letter: char| {
            !letter.is_control()
                && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        assert!(told.chars().all(visible), "{what}: {told:?}");
        assert!(finding.line >= 1 && finding.column >= 1, "{what}: {told}");
    }
    findings.first().map_or("compiles", |finding| finding.code)
}

#[test]
fn hostile_documents_are_answered() {
    let corpus = [texts(), documents(), expressions()];
    assert!(corpus.iter().map(Vec::len).sum::<usize>() >= 60);
    let mut answers = String::new();
    for (what, text) in corpus.into_iter().flatten() {
        let _ = writeln!(answers, "{what}: {}", answer(what, &text));
    }
    assert_snapshot!(answers, @r#"
    billion laughs: unknown-key
    quadratic blow-up: yaml-feature
    alias to itself: missing-key
    alias without anchor: yaml-syntax
    anchor twice: missing-key
    merge key: missing-key
    merge of an alias: missing-key
    binary tag: unknown-key
    object tag: bad-type
    tag directive: missing-key
    unknown directive: yaml-syntax
    two documents: yaml-feature
    document end: yaml-feature
    lists without end: too-deep
    maps without end: too-deep
    dashes: too-deep
    question marks: yaml-feature
    colons: too-deep
    indentation: too-large
    a map as key: yaml-feature
    a list as key: yaml-feature
    no key: missing-key
    a key of null: missing-key
    a key that is true: bad-value
    keys twice: duplicate-key
    keys twice, escaped: duplicate-key
    tab: missing-key
    tab after text: yaml-syntax
    byte order mark: compiles
    byte order mark inside: unknown-key
    NUL: yaml-syntax
    NUL escaped: unknown-key
    control letters: yaml-syntax
    half a pair: yaml-syntax
    letters beyond Unicode: yaml-syntax
    carriage returns: compiles
    line separators: yaml-syntax
    only space: yaml-syntax
    only comments: yaml-syntax
    a million keys: too-large
    80,000 keys: unknown-key
    a million elements: too-large
    half a million elements: too-large
    ten megabytes: too-large
    one byte too many: too-large
    an open quotation mark: yaml-syntax
    a folded text: unknown-key
    huge numbers: unknown-key
    a long number: unknown-key
    markup in names: unknown-jump
    letters that turn the line around: unknown-task
    letters without width: unknown-jump
    letters that look alike: unknown-jump
    escapes for terminals: unknown-task
    lines in a name: unknown-task
    slashes in names: unknown-task
    an empty name: bad-name
    a long name: unknown-task
    a name of combining letters: unknown-task
    a path out of the folder: compiles
    tasks within tasks: too-deep
    30,000 tasks: too-large
    9,000 wrong jumps: unknown-jump
    9,000 tasks of one name: duplicate-name
    9,000 variables: unsound
    2,000 branches: bad-value
    5,000 cases: unsound
    6,000 tasks that nothing leads to: unsound
    4,000 circles: compiles
    7,000 unknown functions among 20,000: unknown-function
    10,000 extensions of 9,000 tasks: too-large
    a list of 40,000 to go through: too-large
    6,000 withdrawals: compiles
    50,000 secrets: misplaced-secret
    60,000 outcomes: bad-value
    a schema of 20,000 flaws: bad-schema
    an address of 100,000 names: bad-endpoint
    functions that double: too-large
    functions one in another: too-deep
    a function that calls itself: function-cycle
    functions that call each other: function-cycle
    extensions around each other: too-large
    an extension of itself: compiles
    a large error used often: too-large
    schemas that refer to each other: bad-schema
    a schema of another machine: bad-schema
    a schema from elsewhere: unsupported
    a pattern that backtracks: bad-schema
    a large repetition: bad-schema
    a duration of ages: bad-duration
    a duration below nothing: bad-duration
    an ISO duration of ages: bad-duration
    a cron that never comes: bad-cron
    a cron of many fields: bad-cron
    an instant beyond time: bad-instant
    a file as address: bad-endpoint
    an address full of braces: bad-endpoint
    a method with lines: bad-value
    a function from an address: unsupported
    halt: bad-expression
    halt_error: bad-expression
    env: bad-expression
    $ENV: bad-expression
    $__loc__: compiles
    input: bad-expression
    now: bad-expression
    a module: bad-expression
    include: bad-expression
    getpath of a file: bad-expression
    debug: bad-expression
    our variable: bad-expression
    parentheses: bad-expression
    closed parentheses: bad-expression
    brackets: bad-expression
    minuses: bad-expression
    pipes: bad-expression
    sums: bad-expression
    commas: bad-expression
    ifs: bad-expression
    functions in functions: bad-expression
    interpolation in interpolation: bad-expression
    a text without end: bad-expression
    a number without end: bad-expression
    a long expression: bad-expression
    a pattern that backtracks: compiles
    ten thousand variables: bad-expression
    "#);
}
