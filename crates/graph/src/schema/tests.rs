//! What schemas mean, what is told, and that no schema costs more than its budget.

use std::string::ToString;
use std::vec::Vec;

use super::Schema;
use crate::value::Value;

extern crate std;

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).unwrap()
}

/// What is told of data; empty if it fits.
fn told(schema: &str, data: &str) -> std::string::String {
    let schema = Schema::compile(&json(schema)).expect("the schema compiles");
    schema.check(&json(data)).map_or_else(
        |misfits| misfits.to_string(),
        |()| std::string::String::new(),
    )
}

fn flaws(schema: &str) -> Vec<std::string::String> {
    let flaws = Schema::compile(&json(schema)).expect_err("the schema is flawed");
    flaws.iter().map(ToString::to_string).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_keyword_tells_the_place_and_the_rule() {
    for (schema, data, expected) in [
        (r#"{"type":"integer"}"#, "3.0", ""),
        (
            r#"{"type":["string","number"]}"#,
            "null",
            "must be number or string, not null (rule /type)",
        ),
        (
            r#"{"enum":["a",1]}"#,
            r#""b""#,
            r#"must be one of "a", 1 (rule /enum)"#,
        ),
        (r#"{"const":1}"#, "1.0", ""),
        (
            r#"{"minimum":18}"#,
            "17",
            "must be at least 18, not 17 (rule /minimum)",
        ),
        (
            r#"{"exclusiveMaximum":1}"#,
            "1",
            "must be less than 1, not 1 (rule /exclusiveMaximum)",
        ),
        (r#"{"multipleOf":0.01}"#, "19.99", ""),
        (
            r#"{"maxLength":2}"#,
            r#""äöü""#,
            "has 3 characters, more than 2 (rule /maxLength)",
        ),
        (
            r#"{"pattern":"^a+$"}"#,
            r#""ab""#,
            r#"does not match "^a+$" (rule /pattern)"#,
        ),
        (
            r#"{"format":"date"}"#,
            r#""2030-02-29""#,
            "is not a date such as 2030-01-31 (rule /format)",
        ),
        (
            r#"{"format":"date-time"}"#,
            r#""2028-02-29T08:00:00.5+01:00""#,
            "",
        ),
        (r#"{"format":"email"}"#, r#""ann@example""#, ""),
        (
            r#"{"format":"uri"}"#,
            r#""no scheme""#,
            "is not a URI such as https://example.org/a (rule /format)",
        ),
        (r#"{"format":"hostname"}"#, r#""!""#, ""),
        (
            r#"{"required":["a","b"]}"#,
            r#"{"a":1}"#,
            r#"lacks "b" (rule /required)"#,
        ),
        (
            r#"{"uniqueItems":true}"#,
            r#"[1,{"a":1},1.0]"#,
            "has 1 twice (rule /uniqueItems)",
        ),
        (
            r#"{"properties":{"a/b":{"type":"string"}},"additionalProperties":false}"#,
            r#"{"a/b":1,"c":2}"#,
            "/a~1b must be string, not number (rule /properties/a~1b/type); /c must not be there (rule /additionalProperties)",
        ),
        (
            r##"{"items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number"}}}"##,
            r#"[1,"2"]"#,
            "/1 must be number, not string (rule /$defs/n/type)",
        ),
        (
            r#"{"items":[{"type":"number"}],"additionalItems":false}"#,
            "[1,2]",
            "/1 must not be there (rule /additionalItems)",
        ),
        (
            r#"{"contains":{"type":"number"},"minContains":2}"#,
            r#"[1,"a"]"#,
            "has 1 items that fit `contains`, but needs at least 2 (rule /contains)",
        ),
        (
            r#"{"oneOf":[{"type":"number"},{"minimum":2}]}"#,
            "3",
            "fits several schemas, but must fit just one (rule /oneOf)",
        ),
        (
            r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
            "3",
            "fits none of the 2 schemas (rule /anyOf)",
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            r#"{"a":1}"#,
            r#"lacks "b" (rule /then/required)"#,
        ),
        (
            r#"{"dependencies":{"a":["b"]}}"#,
            r#"{"a":1}"#,
            r#"lacks "b" (rule /dependentRequired)"#,
        ),
        (
            r#"{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}"#,
            r#"{"a":1,"b":2}"#,
            "/b must not be there (rule /unevaluatedProperties)",
        ),
    ] {
        assert_eq!(told(schema, data), expected, "{schema} {data}");
    }
}

#[test]
fn a_flawed_schema_says_where_and_how() {
    for (schema, expected) in [
        (
            r#"{"type":"text"}"#,
            "/type: \"text\" is not a type; use null, boolean, number, integer, string, array or object",
        ),
        (
            r#"{"properties":{"a":3}}"#,
            "/properties/a: a schema is a map, or true or false, not number",
        ),
        (
            r#"{"pattern":"(?=a)"}"#,
            "/pattern: \"(?=a)\" is not a pattern: look-around, including look-ahead and look-behind, is not supported",
        ),
        (
            r#"{"minLength":-1}"#,
            "/minLength: `minLength` must be a whole number from 0",
        ),
        (
            r#"{"multipleOf":0}"#,
            "/multipleOf: `multipleOf` must be a number above 0",
        ),
        (
            r#"{"exclusiveMinimum":true}"#,
            "/exclusiveMinimum: `exclusiveMinimum` must be a number",
        ),
        (
            r#"{"$ref":"https://example.org/a"}"#,
            "/$ref: \"https://example.org/a\" leads to nothing in this schema; refer to a place such as #/$defs/name, and copy there what stands elsewhere",
        ),
        (
            r##"{"allOf":[{"$ref":"#"}]}"##,
            ": the schema leads back to itself without going into the data; put the reference below `properties` or `items`",
        ),
    ] {
        assert_eq!(flaws(schema), [expected], "{schema}");
    }
    assert_eq!(flaws(r#"{"type":1,"items":2,"enum":3}"#).len(), 3);
}

#[test]
fn no_schema_takes_longer_than_its_budget() {
    // Each step asks the next one twice: 2^40 questions if nothing stopped it.
    let mut doubling: Vec<std::string::String> = (0..40)
        .map(|n| {
            std::format!(
                r##""a{n}":{{"allOf":[{{"$ref":"#/$defs/a{0}"}},{{"$ref":"#/$defs/a{0}"}}]}}"##,
                n + 1
            )
        })
        .collect();
    doubling.push(r#""a40":{"type":"number"}"#.into());
    let doubling = std::format!(
        r##"{{"$ref":"#/$defs/a0","$defs":{{{}}}}}"##,
        doubling.join(",")
    );
    let many: Vec<std::string::String> = (0..50_000).map(|n| n.to_string()).collect();
    let many = std::format!("[{}]", many.join(","));
    let wide = std::format!(r#"{{"items":{{"enum":{many}}}}}"#);
    let slow = "takes too long to check; make the schema simpler or the data smaller (rule /)";
    assert_eq!(told(&doubling, "1"), slow);
    assert_eq!(told(&wide, &many), slow);
    assert_eq!(
        told(r#"{"uniqueItems":true,"items":{"type":"integer"}}"#, &many),
        ""
    );
}

#[test]
fn the_deepest_check_fits_a_small_stack() {
    let tree = r##"{"properties":{"c":{"items":{"allOf":[{"$ref":"#/$defs/n"}]}}},"$defs":{"n":{"$ref":"#"}}}"##;
    let data = std::format!("{}1{}", r#"{"c":["#.repeat(50), "]}".repeat(50));
    let check = move || told(tree, &data);
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    assert_eq!(thread.spawn(check).unwrap().join().unwrap(), "");
}
