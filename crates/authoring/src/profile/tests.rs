//! Holds the profile against the official schema, against the compiler, and against the published page.

mod coverage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use graph::schema::Schema;
use serde_json::Value;

use super::schema::{schema, shapes, slug};
use super::shape::{Key, Shape, Standing, Takes};
use crate::finding::{Finding, Findings};
use crate::{compile, yaml};

const OFFICIAL: &str =
    include_str!("../../../../tests/conformance/serverless-workflow/schema/workflow.yaml");

const HEAD: &str = "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0'}\n";

/// A YAML text as JSON.
fn read(text: &str) -> Value {
    let tree = yaml::parse(text, &mut Findings::default()).expect("the text is YAML");
    serde_json::from_str(&tree.root().value().to_json()).expect("what is written can be read")
}

/// The properties of a JSON Schema by the place that has them.
fn properties(node: &Value, place: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let Some(members) = node.as_object() else {
        return;
    };
    for (word, inner) in members {
        match (word.as_str(), inner) {
            ("properties", Value::Object(inner)) => {
                for (name, inner) in inner {
                    let of = if place.is_empty() { "(root)" } else { place };
                    found.entry(of.into()).or_default().insert(name.clone());
                    let below = if place.is_empty() {
                        name.clone()
                    } else {
                        format!("{place}.{name}")
                    };
                    properties(inner, &below, found);
                }
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(branches)) => {
                for branch in branches {
                    let title = branch["title"].as_str().filter(|_| place == "callTask");
                    properties(branch, title.unwrap_or(place), found);
                }
            }
            ("items", _) => properties(inner, &format!("{place}[]"), found),
            ("additionalProperties", _) => properties(inner, &format!("{place}{{}}"), found),
            ("$defs", Value::Object(inner)) => {
                inner
                    .iter()
                    .for_each(|(name, inner)| properties(inner, name, found));
            }
            _ => {}
        }
    }
}

#[test]
fn every_property_of_the_language_has_a_row_and_every_row_a_property() {
    let mut official = BTreeMap::new();
    properties(&read(OFFICIAL), "", &mut official);
    let count: usize = official.values().map(BTreeSet::len).sum();
    assert!(count > 250, "only {count} properties were found");
    for (place, names) in &official {
        let rows: BTreeSet<&str> = shapes()
            .filter(|shape| shape.of.contains(&place.as_str()))
            .flat_map(|shape| shape.keys)
            .map(|key| key.name)
            .collect();
        for name in names {
            assert!(
                rows.contains(name.as_str()),
                "{place}.{name} has no row in the profile"
            );
        }
    }
    for shape in shapes() {
        for key in shape.keys {
            let known = shape.of.iter().any(|place| {
                official
                    .get(*place)
                    .is_some_and(|names| names.contains(key.name))
            });
            let foreign = key.standing == Standing::Ours || key.later;
            assert_eq!(known, !foreign, "{}.{}", shape.name, key.name);
        }
    }
}

#[test]
fn shapes_are_named_once_and_names_lead_to_shapes() {
    let mut names = BTreeSet::new();
    for shape in shapes() {
        assert!(
            names.insert(shape.name),
            "{} is described twice",
            shape.name
        );
    }
    fn referred(takes: Takes, found: &mut Vec<&'static str>) {
        match takes {
            Takes::Shape(name) => found.push(name),
            Takes::Named(inner) | Takes::List(inner) | Takes::Map(inner) => referred(*inner, found),
            Takes::Either(kinds) => kinds.iter().for_each(|kind| referred(*kind, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    shapes()
        .flat_map(|shape| shape.keys)
        .for_each(|key| referred(key.takes, &mut found));
    for name in found {
        assert!(names.contains(name), "nothing is described as {name}");
    }
}

#[test]
fn every_function_of_the_catalogue_is_described() {
    for function in crate::task::call::CATALOGUE {
        let name = format!("call: {function}");
        assert!(
            shapes().any(|shape| shape.name == name),
            "{function} has no row in the profile"
        );
    }
}

/// A document in which the map of a shape has what it needs and this.
fn document(shape: &Shape, name: &str, sample: &str) -> String {
    let mut members = vec![format!("{name}: {sample}")];
    let required = shape
        .keys
        .iter()
        .filter(|key| key.required && key.name != name);
    members.extend(required.map(|key| format!("{}: {}", key.name, key.sample)));
    let accepted = |name: &&&str| {
        let key = shape.keys.iter().find(|key| key.name == **name);
        key.is_some_and(|key| key.standing != Standing::Refused)
    };
    if !shape.one_of.contains(&name)
        && let Some(choice) = shape.one_of.iter().find(accepted)
        && let Some(key) = shape.keys.iter().find(|key| key.name == *choice)
    {
        members.push(format!("{}: {}", key.name, key.sample));
    }
    if shape.name == "task" {
        members.push("wait: PT1S".into());
    }
    let text = shape
        .frame
        .replace('@', &format!("{{{}}}", members.join(", ")));
    let headless = shape.frame.starts_with("document") || shape.frame == "@";
    format!("{}{text}", if headless { "" } else { HEAD })
}

fn errors(text: &str) -> Vec<Finding> {
    compile(text).err().unwrap_or_default()
}

#[test]
fn every_row_compiles_or_is_refused_as_it_says() {
    for shape in shapes() {
        if shape.refused {
            let found = errors(&format!("{HEAD}{}", shape.frame));
            assert!(
                found.iter().any(|finding| finding.code == "unsupported"),
                "{}: {found:?}",
                shape.name
            );
            continue;
        }
        for key in shape.keys {
            let text = document(shape, key.name, key.sample);
            let found = errors(&text);
            if key.standing == Standing::Refused {
                let refused = found.iter().any(|finding| finding.code == "unsupported");
                assert!(
                    refused,
                    "{}.{} is refused: {text}\n{found:?}",
                    shape.name, key.name
                );
            } else {
                assert!(
                    found.is_empty(),
                    "{}.{}: {text}\n{found:?}",
                    shape.name,
                    key.name
                );
            }
        }
    }
}

/// The keys that the compiler says it would take instead of one that nobody knows.
fn allowed(text: &str) -> BTreeSet<String> {
    let found = errors(text);
    let listed = found
        .iter()
        .find(|finding| finding.code == "unknown-key")
        .and_then(|finding| finding.message.split_once("; allowed here: "));
    let Some((_, names)) = listed else {
        panic!("{text}\n{found:?}");
    };
    names.split(", ").map(String::from).collect()
}

#[test]
fn the_compiler_takes_the_keys_of_the_profile_and_no_others() {
    const STRANGE: &str = "qqqqqqqqqqqqqqqqqqqqqqqqqqq";
    // What only comes out has no place to be written in.
    for shape in shapes()
        .filter(|shape| shape.frame.contains('@'))
        .filter(|shape| !shape.refused && !shape.open)
    {
        if matches!(shape.name, "duration") || shape.keys.is_empty() {
            continue;
        }
        let mut taken = allowed(&document(shape, STRANGE, "1"));
        for choice in shape.one_of {
            let key = shape.keys.iter().find(|key| key.name == *choice);
            let with = key
                .map(|key| format!("1, {}: {}", key.name, key.sample))
                .unwrap_or_default();
            let bare = Shape {
                one_of: &[],
                ..*shape
            };
            taken.extend(allowed(&document(&bare, STRANGE, &with)));
        }
        let inherited: &[Key] = if shape.task { super::task::COMMON } else { &[] };
        let keys: Vec<&Key> = shape.keys.iter().chain(inherited).collect();
        for key in &keys {
            let missing = key.standing != Standing::Refused && !taken.contains(key.name);
            assert!(
                !missing,
                "the compiler does not know {}.{}",
                shape.name, key.name
            );
        }
        let names: BTreeSet<&str> = keys.iter().map(|key| key.name).collect();
        for name in taken
            .iter()
            .filter(|name| shape.name != "task" || *name != "wait")
        {
            assert!(
                names.contains(name.as_str()),
                "{}.{name} has no row in the profile",
                shape.name
            );
        }
    }
}

/// What editors are given, as something that judges.
fn judge() -> Schema {
    compiled(&schema())
}

fn compiled(schema: &Value) -> Schema {
    Schema::compile(&data(schema)).expect("the schema compiles")
}

fn data(json: &Value) -> graph::Value {
    graph::Value::from_json(json.to_string().as_bytes()).expect("JSON is data")
}

/// What is wrong with a document by a schema.
fn misfit(schema: &Schema, text: &str) -> Option<String> {
    schema
        .check(&data(&read(text)))
        .err()
        .map(|misfits| misfits.to_string())
}

#[test]
fn the_schema_takes_what_compiles_and_refuses_what_the_profile_refuses() {
    let judge = judge();
    for shape in shapes().filter(|shape| !shape.refused) {
        for key in shape.keys {
            let text = document(shape, key.name, key.sample);
            let verdict = misfit(&judge, &text);
            let refused = key.standing == Standing::Refused;
            assert_eq!(
                verdict.is_some(),
                refused,
                "{}.{}: {text}\n{verdict:?}",
                shape.name,
                key.name
            );
        }
        if !shape.open && shape.frame.contains('@') {
            let text = document(shape, "strange", "1");
            assert!(misfit(&judge, &text).is_some(), "{}: {text}", shape.name);
        }
    }
    let slip = format!(
        "{}do: []",
        HEAD.replace("'1.0.0'", "'1.0.0', metadata: {dev.quadrille/label: {}}")
    );
    assert!(misfit(&judge, &slip).is_some() && !errors(&slip).is_empty());
}

#[test]
fn samples_of_the_language_are_valid_by_its_own_schema() {
    let mut wrong = Vec::new();
    // Our patterns have no look-around; what it looks around for does not matter to the samples.
    let text = OFFICIAL.replace("(?!$)", "").replace(r"(?=\d)", "");
    let official = compiled(&read(&text));
    for shape in shapes().filter(|shape| !shape.refused) {
        let lax = shape
            .keys
            .iter()
            .any(|key| key.standing == Standing::Differs);
        for key in shape.keys {
            let strict = key.standing == Standing::Supported && !key.later && !lax;
            let text = document(shape, key.name, key.sample);
            if let (true, Some(error)) = (strict, misfit(&official, &text)) {
                wrong.push(format!("{}.{}: {text}\n{error}\n", shape.name, key.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// The workflows of a folder and of those below it.
fn workflows(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            workflows(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn examples_are_valid_and_tell_editors_by_what() {
    let judge = judge();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    workflows(&root.join("examples"), &mut files);
    assert!(files.len() >= 6);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a text");
        // The graph form has no schema for editors.
        if !text.contains("\ndocument:") || text.contains("\ngraph:") {
            continue;
        }
        let schema = text
            .strip_prefix("# yaml-language-server: $schema=")
            .and_then(|rest| rest.lines().next());
        let schema = schema.unwrap_or_else(|| panic!("{} names no schema", file.display()));
        let named = file.parent().expect("a folder").join(schema).canonicalize();
        let published = root.join("contracts/workflow.schema.json").canonicalize();
        assert_eq!(named.ok(), published.ok(), "{}", file.display());
        if let Some(error) = misfit(&judge, &text) {
            panic!("{}: {error}", file.display());
        }
    }
}

/// The file of the repository holds exactly this; with `UPDATE_CONTRACTS` it is written.
fn same(file: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        std::fs::write(&path, text).expect("the repository is writable");
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == text,
        "{file} is out of date: run the tests with UPDATE_CONTRACTS=1 and look at the difference"
    );
}

#[test]
fn the_schema_is_the_published_one() {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    same("contracts/workflow.schema.json", &(text + "\n"));
}

#[test]
fn the_page_is_the_published_one() {
    const PAGE: &str = "docs/reference/workflow-language.md";
    const MARK: &str = "<!-- generated by the tests: UPDATE_CONTRACTS=1 -->\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PAGE);
    let held = std::fs::read_to_string(path).expect("the page exists");
    let (above, _) = held.split_once(MARK).expect("the page has the mark");
    same(PAGE, &format!("{above}{MARK}{}{}", tables(), examples()));
}

/// What becomes of the examples of the specification. None is refused but for what is not supported.
fn examples() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow/examples");
    let files = std::fs::read_dir(folder).expect("the examples are there");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "yaml"));
    files.sort();
    let mut rows = String::new();
    let (mut count, total) = (0, files.len());
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let found = errors(&std::fs::read_to_string(&file).expect("a text"));
        let foreign = found.iter().find(|finding| finding.code != "unsupported");
        assert!(foreign.is_none(), "{name}: {foreign:?}");
        if let Some(first) = found.first() {
            count += 1;
            let message = first.message.replace('|', "\\|");
            let _ = writeln!(rows, "| `{name}` | `{}` | {message} |", first.path);
        }
    }
    format!(
        "\n## The examples of the specification\n\nOf the {total} examples {} pass the check. The others are refused:\n\n| example | where | why |\n|---|---|---|\n{rows}",
        total - count
    )
}

/// All tables of the page.
fn tables() -> String {
    let mut out = String::new();
    for shape in shapes() {
        let _ = write!(out, "\n### {}\n\n", shape.name);
        if !shape.says.is_empty() {
            let _ = write!(out, "{}\n\n", shape.says);
        }
        if shape.refused {
            let names: Vec<String> = shape
                .keys
                .iter()
                .map(|key| format!("`{}`", key.name))
                .collect();
            let _ = writeln!(out, "Refused, with all that it has: {}.", names.join(", "));
            continue;
        }
        out.push_str("| key | takes | here | meaning |\n|---|---|---|---|\n");
        for key in shape.keys {
            let _ = writeln!(
                out,
                "| `{}`{} | {} | {} | {} |",
                key.name,
                if key.required { " (required)" } else { "" },
                words(key.takes),
                standing(key),
                key.says.replace('|', "\\|")
            );
        }
    }
    out
}

fn standing(key: &Key) -> &'static str {
    match (key.standing, key.later) {
        (Standing::Supported, false) => "yes",
        (Standing::Supported, true) => "yes, from a later text",
        (Standing::Differs, _) => "differs",
        (Standing::Refused, _) => "refused",
        (Standing::Ours, _) => "added",
    }
}

/// What a key takes, in words.
fn words(takes: Takes) -> String {
    match takes {
        Takes::Text => "text".into(),
        Takes::Expression => "expression".into(),
        Takes::Value => "any value".into(),
        Takes::Values => "map of values, or expression".into(),
        Takes::Flag => "true or false".into(),
        Takes::Number(_, i64::MAX) => "whole number".into(),
        Takes::Number(min, max) => format!("{min} to {max}"),
        Takes::Words(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(" "),
        Takes::Except(_) => "name".into(),
        Takes::Shape(name) => format!("[{name}](#{})", slug(name).to_lowercase()),
        Takes::Task => "task".into(),
        Takes::Named(inner) => format!("named {}", words(*inner)),
        Takes::List(Takes::Named(Takes::Task)) => "tasks".into(),
        Takes::List(inner) => format!("list of {}", words(*inner)),
        Takes::Map(inner) => format!("map of {}", words(*inner)),
        Takes::Empty => "`{}`".into(),
        Takes::Either(kinds) => kinds
            .iter()
            .map(|kind| words(*kind))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}
