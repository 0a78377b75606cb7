//! Tests of expressions: a table of what jq does, hostile programs on a small stack, and random texts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::thread;

use proptest::prelude::*;

use super::{Budget, ErrorKind, ExprError, NESTING_MAX, Program, SOURCE_BYTES_MAX};
use crate::value::Value;

mod page;

extern crate std;

/// Program, input and output as JSON, separated by tabs; `!failed` is an error.
const TABLE: &str = include_str!("table.tsv");

fn run(source: &str, input: &Value) -> Result<Value, String> {
    let program = Program::compile(source, &[]).map_err(|error| error.to_string())?;
    program
        .run(input, &[], &mut Budget::default())
        .map_err(|error: ExprError| match error.kind {
            ErrorKind::Failed => "!failed".into(),
            ErrorKind::Budget => "!budget".into(),
        })
}

/// Runs on a stack of this size, so that deep recursion would be seen.
fn on_stack<T: Send + 'static>(kib: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new()
        .stack_size(kib * 1024)
        .spawn(work)
        .expect("a thread starts")
        .join()
        .expect("no panic")
}

#[test]
fn programs_give_what_jq_gives() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in TABLE.lines() {
        let [source, input, wanted] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("bad row: {line}")
        };
        let input = Value::from_json(input.as_bytes()).unwrap();
        let got = match run(source, &input) {
            Ok(value) => value.to_json(),
            Err(error) => error,
        };
        let same = got == wanted
            || Value::from_json(wanted.as_bytes()).is_ok_and(|wanted| {
                Value::from_json(got.as_bytes()).is_ok_and(|got| got == wanted)
            });
        if !same {
            wrong.push(format!(
                "{source}\n   on {input}\n   gives {got}\n   not {wanted}"
            ));
        }
        rows += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} of {rows}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows >= 150, "only {rows} rows");
}

/// Programs that would hang, exhaust memory or overflow the stack.
const HOSTILE: &[&str] = &[
    "def f: f; f",
    "def f: 1 + f; f",
    "def f(g): f(g | g); f(.)",
    "def f($n): f($n + 1); f(0)",
    "def f: [f]; f",
    "def f: f, f; f",
    "def f: try f catch f; f",
    "def f: {a: f}; f",
    "def f: reduce 1 as $x (0; f); f",
    "def f: .a |= f; f",
    "def f: label $x | f | f; f",
    "def f: \"\\(f)\"; f",
    "def f: path(f); f",
    "def f: .[f]; f",
    "def f: map(f), f; [1] | f",
    "def f: walk(f); [1] | f",
    "def f: . as [$a] | f | .; [1] | f",
    "def f: if f then f else f end; f",
    "def f: f // f; f",
    "def f: -f; f",
    "def f: sort_by(f); [1, 2] | f",
    "def f: limit(1; f); f",
    "def f: recurse(f); f",
    "def f: foreach (1, 2) as $x (0; f; f); f",
    "def f: (f, f) = 1; f",
    "try (def f: f; f) catch 1",
    "try (def f: 1 + f; f) catch 1",
    "(def f: f; f)? // 1",
    "[repeat(1)]",
    "[.[]?, repeat(.)]",
    "[range(1e12)]",
    "last(range(1e15))",
    "[range(0; 1; 0)]",
    "[range(1e17; 1e18; 0.1)]",
    "\"x\" * 1e9",
    "\"x\" * 1e300",
    "reduce range(100) as $i (\"x\"; . + .)",
    "reduce range(100) as $i ([1]; . + .)",
    "reduce range(100) as $i (1; [., .])",
    "reduce range(90) as $i (1; {a: ., b: .}) | tojson",
    "reduce range(40) as $i ([[1]]; [.[], .[]]) | flatten",
    "reduce range(1e12) as $i (0; .)",
    "reduce range(1e6) as $i (null; [.])",
    "reduce range(1e6) as $i (null; {a: .})",
    "reduce range(1e6) as $i (null; {a: 1} | .b = .)",
    "reduce range(1e6) as $i (1; . as $x | null | setpath([\"a\"]; $x))",
    "reduce range(1e6) as $i (1; [.] | to_entries?)",
    "[limit(1e9; repeat(1))] | length",
    "[until(false; .)]",
    "[while(true; .)]",
    "[recurse]  | [recurse(.)]",
    "[\"a\" * 100000 | test(\"(a*)*b\")]",
    "\"a\" * 5000 | [match(\"(?s)a.*b|a\"; \"g\")] | length",
    "\"a\" | test(\"((a{100}){100}){100}\")",
    "\"a\" | test(\"(\" * 500 + \")\" * 500)",
    "\"a\" | test(\"\\\\w\" * 5000)",
    "[range(1e6) | 65] | implode",
    "reduce range(100) as $i (\"x\"; @base64)",
    "reduce range(100) as $i (\"\\\"\"; tojson)",
    "\"[\" * 5000 + \"]\" * 5000 | fromjson",
    "setpath([1e9]; 1)",
    "setpath([1e300]; 1)",
    ".[1e9] = 1",
    "[limit(1000; repeat(\"a\"))] as $p | setpath($p; 1)",
    "[[range(3000)], [range(3000)]] | .[0] - (.[1] | map(. + 5000))",
    "[range(100)] | [combinations(10)]",
    "[[range(300)], [range(300)], [range(300)]] | [combinations]",
    "[range(300000)] | sort",
    "[1, [2]] | [.[1e18:]] | .[0][1e18] = 1",
    "[range(500)] | [.[] as $a | .[] as $b | .[] as $c | 1] | length",
    "[splits(\"a\")] | until(false; . + .)",
    "[range(1000)] | map(tostring) | until(length > 1e9; [join(\"\")])",
    "[limit(1e5; repeat([range(1000)]))] | transpose | flatten",
    "def f: .[1:] |= f; [range(1000)] | f",
    "\"%c\" * 1e6 | . as $f | 0 | strftime($f)",
    "\"  \" * 1e6 | strptime(.), repeat(0)",
    "[1e18, 1e18, 1e18, 1e18, 1e18, 1e18] | mktime",
    "[20000, -9e11, 9e11, 9e11, 9e11, 9e11] | mktime",
    "reduce range(100) as $i (\"x\"; @base32)",
];

#[test]
fn hostile_programs_end() {
    on_stack(512, || {
        let mut harmless = Vec::new();
        for source in HOSTILE {
            match run(source, &Value::Null) {
                Err(error) if error == "!failed" || error == "!budget" => {}
                other => harmless.push(format!(
                    "{source} gives {}",
                    other.map_or_else(|e| e, |v| v.kind().into())
                )),
            }
        }
        assert!(harmless.is_empty(), "{}", harmless.join("\n"));
    });
}

#[test]
fn a_spent_budget_is_not_caught() {
    for source in [
        "[try repeat(.) catch 1]",
        "[repeat(.)? // 1]",
        "[.[]?, (try [range(1e9)] catch 2)]",
    ] {
        assert_eq!(run(source, &Value::Null), Err("!budget".into()), "{source}");
    }
}

#[test]
fn deep_sources_are_refused_or_run() {
    on_stack(512, || {
        let repeated = |before: &str, times: usize, middle: &str, after: &str| {
            format!("{}{middle}{}", before.repeat(times), after.repeat(times))
        };
        for (source, fits) in [
            (repeated("(", 5000, "1", ")"), false),
            (repeated("[", 5000, "1", "]"), false),
            (repeated("{a:", 2000, "1", "}"), false),
            (repeated("-", 5000, "1", ""), false),
            (repeated(".a", 5000, "", ""), true),
            (repeated("1+", 5000, "1", ""), true),
            (repeated(".+", 5000, "1", ""), false),
            (repeated(".|", 5000, "1", ""), false),
            (repeated("1,", 5000, "1", ""), false),
            (repeated("if . then ", 1000, "1", " end"), false),
            (
                format!("if 1 then 2 {} end", "elif 1 then 2 ".repeat(1000)),
                false,
            ),
            (repeated("1 as $x|", 1000, "1", ""), false),
            (repeated("def f: ", 1000, "1", "; f"), false),
            (repeated("def f: 1; ", 1000, "f", ""), true),
            (repeated("\"\\(", 1000, "1", ")\""), false),
            (repeated("try ", 3000, "1", ""), false),
            (repeated("1", 1, "", &"?".repeat(5000)), true),
            (repeated("label $x|", 1000, "1", ""), false),
            (repeated("reduce ", 1000, "1", " as $x (0; .)"), false),
            (repeated("1 as [", 1000, "$x", "]|1"), false),
            (repeated("1 as {a:", 1000, "$x", "}|1"), false),
            (repeated("map(", 1000, ".", ")"), false),
            (repeated(".[", 3000, "0", "]"), false),
            (repeated("null//", 2000, "1", ""), false),
            (repeated(".=", 2000, "1", ""), false),
            ("a".repeat(SOURCE_BYTES_MAX + 1), false),
            (repeated("[", NESTING_MAX - 2, "1", "]"), true),
            (repeated("(1+", NESTING_MAX / 2 - 2, "1", ")"), true),
        ] {
            let result = run(&source, &Value::Null);
            assert_eq!(
                result.is_ok(),
                fits,
                "{}… gives {result:?}",
                &source[..source.len().min(20)]
            );
        }
    });
}

#[test]
fn deep_values_fit_the_stack() {
    on_stack(512, || {
        let deep =
            Value::from_json(format!("{}1{}", "[".repeat(99), "]".repeat(99)).as_bytes()).unwrap();
        for source in [
            "tojson | fromjson",
            "[..] | length",
            "flatten",
            ". == (. | tojson | fromjson)",
            "[paths] | length",
            "{a: .}",
        ] {
            assert!(run(source, &deep).is_ok(), "{source}");
        }
        assert_eq!(run("[[.]]", &deep), Err("!failed".into()));
        assert_eq!(run("walk(.)", &deep).map(drop), Ok(()));
    });
}

#[test]
fn variables_are_resolved_by_name_and_used_by_index() {
    let program = Program::compile("$b.x + 1", &["a", "b"]).unwrap();
    let variables = [Value::Null, Value::from([("x", Value::Int(2))])];
    assert_eq!(
        program
            .run(&Value::Null, &variables, &mut Budget::default())
            .unwrap(),
        Value::Int(3)
    );
    assert_eq!(
        (program.uses(0), program.uses(1), program.uses(2)),
        (false, true, false)
    );
    assert!(
        program
            .run(&Value::Null, &[], &mut Budget::default())
            .is_err()
    );
}

#[test]
fn syntax_errors_say_how_to_fix_it() {
    let message = |source: &str| {
        Program::compile(source, &["order"])
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(
        [
            "",
            "$ordr",
            "now",
            "halt",
            "$ENV.x",
            "foo",
            "split",
            ".a.",
            "if . then 1",
            "{a b}",
            "[1",
            "\"a",
            "'a'",
            ". as $x | $y",
            "1 == 1 == 1",
            "break $x",
            ".[] as [$a] ?// $a | $a",
            "import \"a\" as b;"
        ]
        .map(|source| format!("{source:24} {}", message(source).replace('\n', " / ")))
        .join("\n"),
        @r#"
                             at byte 0: the expression is empty / write `.` for the input as it is
    $ordr                    at byte 0: `$ordr` is not defined / these exist: $order
    now                      at byte 0: `now` is refused: time is an input here: the result must not depend on when and where it is computed
    halt                     at byte 0: `halt` is refused: an expression cannot stop the program it runs in; use `error`
    $ENV.x                   at byte 0: `$ENV` is refused: an expression sees only its input and its variables, not the machine it runs on
    foo                      at byte 0: there is no function `foo` / text stands in double quotes, a member is written `.foo`
    split                    at byte 0: `split` does not take 0 arguments / it takes 1 or 2
    .a.                      at byte 3: expected a key after `.`, found the end
    if . then 1              at byte 11: expected `elif`, `else` or `end`, found the end
    {a b}                    at byte 3: expected `}`, found `b`
    [1                       at byte 2: expected `]`, found the end
    "a                       at byte 2: the string is not closed / add the missing `"`
    'a'                      at byte 0: character '\'' has no meaning here / text stands in double quotes
    . as $x | $y             at byte 10: `$y` is not defined / these exist: $x, $order
    1 == 1 == 1              at byte 7: `==` cannot be chained / use brackets
    break $x                 at byte 6: there is no label `$x` around this `break`
    .[] as [$a] ?// $a | $a  at byte 12: `?//` is not supported / bind with `as $x` and use `if` on its type
    import "a" as b;         at byte 0: there are no modules here; use `def`
    "#
    );
}

#[test]
fn raised_values_are_kept() {
    let program = Program::compile("error({code: 7, message: \"no stock\"})", &[]).unwrap();
    let error = program
        .run(&Value::Null, &[], &mut Budget::default())
        .unwrap_err();
    assert_eq!(
        (error.kind, &*error.message),
        (ErrorKind::Failed, "no stock")
    );
    assert_eq!(error.value.get("code"), Some(&Value::Int(7)));
}

const WORDS: &[&str] = &[
    ".",
    "..",
    ".a",
    ".b",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "|",
    ",",
    ":",
    ";",
    "?",
    "//",
    "=",
    "|=",
    "+=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "<",
    "and",
    "or",
    "not",
    "if",
    "then",
    "else",
    "elif",
    "end",
    "try",
    "catch",
    "reduce",
    "foreach",
    "as",
    "$x",
    "$__loc__",
    "def",
    "f",
    "label",
    "break",
    "1",
    "0.5",
    "\"a\"",
    "\"\\(",
    "\"",
    "@base64",
    "empty",
    "error",
    "map(",
    "select(",
    "range(",
    "recurse",
    "limit(",
    "path(",
    "del(",
    "first",
    "last",
    "keys",
    "add",
    "length",
    "test(",
    "gsub(",
    "tojson",
    "fromjson",
    "sort_by(",
    "group_by(",
    "to_entries",
    "with_entries(",
    "splits(",
    "null",
    "true",
    "walk(",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(source in "\\PC{0,60}") {
        let _ = run(&source, &Value::Null);
    }

    #[test]
    fn random_words_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 1..25)) {
        let source = words.join(" ");
        if let Ok(program) = Program::compile(&source, &[]) {
            let input = Value::from_json(br#"{"a": [1, "x", null, {"b": 2.5}], "b": {"a": []}}"#).unwrap();
            let _ = program.run(&input, &[], &mut Budget::new(2_000, 1 << 20));
        }
    }
}
