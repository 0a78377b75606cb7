//! Holds the scenarios of `tests/conformance` against the profile: every row of the language is played by one.
//!
//! Invariant: what is not played is listed by name; a row leaves the list as soon as a scenario plays it.

use std::collections::BTreeSet;
use std::path::Path;

use gherkin::{Feature, GherkinEnv};
use serde_json::{Map, Value};

use super::super::schema::shapes;
use super::super::shape::{Key, Shape, Standing, Takes};
use super::super::task;
use crate::finding::Findings;
use crate::yaml;

/// Rows that no scenario plays, and why.
const UNPLAYED: &[(&str, &[&str])] = &[
    (
        "no scenario is written yet",
        &[
            "attempt limit.duration",
            "concurrency.limit",
            "concurrency.policy",
            "critical section.limit",
            "error filter.details",
            "external resource.name",
            "metadata.dev.quadrille/priority",
            "metadata.dev.quadrille/retention",
            "metadata.retention",
            "more elements.correlate",
            "openapi request.redirect",
            "script.source",
            "task timeouts.heartbeat",
        ],
    ),
    (
        "the stand-ins have no authority that gives tokens; the tests of the connector play it",
        &[
            "authentication.digest",
            "authentication.oauth2",
            "authentication.oidc",
            "oauth2 client.assertion",
            "oauth2 client.authentication",
            "oauth2 client.id",
            "oauth2 client.secret",
            "oauth2 endpoints.introspection",
            "oauth2 endpoints.revocation",
            "oauth2 endpoints.token",
            "oauth2 request.encoding",
            "oauth2 token.token",
            "oauth2 token.type",
            "oauth2.actor",
            "oauth2.audiences",
            "oauth2.authority",
            "oauth2.client",
            "oauth2.endpoints",
            "oauth2.grant",
            "oauth2.issuers",
            "oauth2.password",
            "oauth2.request",
            "oauth2.scopes",
            "oauth2.subject",
            "oauth2.username",
            "openapi request.authentication",
        ],
    ),
    (
        "there is no stand-in that speaks gRPC; tests/outside/connectors.rs plays it",
        &[
            "call: grpc.call",
            "call: grpc.with",
            "grpc request.arguments",
            "grpc request.method",
            "grpc request.proto",
            "grpc request.service",
            "grpc service.authentication",
            "grpc service.host",
            "grpc service.name",
            "grpc service.port",
        ],
    ),
    (
        "it needs a container runtime; the tests of the connector look at its command lines",
        &[
            "container lifetime.after",
            "container lifetime.cleanup",
            "container.arguments",
            "container.command",
            "container.environment",
            "container.image",
            "container.lifetime",
            "container.name",
            "container.ports",
            "container.pullPolicy",
            "container.stdin",
            "container.volumes",
            "process.container",
        ],
    ),
    (
        "the vocabulary has no words for whose a task is; tests/outside/human.rs plays it",
        &[
            "escalation.after",
            "escalation.to",
            "human work.assignee",
            "human work.data",
            "human work.description",
            "human work.due",
            "human work.escalate",
            "human work.group",
            "human work.priority",
            "human work.remind",
            "whom.assignee",
            "whom.group",
        ],
    ),
    (
        "the tests of the connector and of the real binary play it",
        &[
            "mcp client.description",
            "mcp client.name",
            "mcp client.version",
            "mcp request.client",
            "mcp request.protocolVersion",
            "mcp request.timeout",
            "mcp stdio.arguments",
            "mcp stdio.environment",
        ],
    ),
    (
        "a shape of what comes out, not of a document",
        &[
            "process result.code",
            "process result.stderr",
            "process result.stdout",
        ],
    ),
    (
        "the server of a scenario has no secrets; tests/outside plays them",
        &["secret.use", "use.secrets"],
    ),
];

/// Rows that are there, each as `shape.key`.
type Rows = BTreeSet<String>;

fn row(shape: &str, key: &Key) -> String {
    format!("{shape}.{}", key.name)
}

/// Rows that can be played: what is refused has its own test.
fn playable() -> Rows {
    let accepted = shapes().filter(|shape| !shape.refused);
    let keys = accepted.flat_map(|shape| shape.keys.iter().map(move |key| (shape, key)));
    keys.filter(|(_, key)| key.standing != Standing::Refused)
        .map(|(shape, key)| row(shape.name, key))
        .collect()
}

/// Notes the rows that a value uses where this is taken.
fn note(takes: Takes, value: &Value, used: &mut Rows) {
    match (takes, value) {
        (Takes::Shape(name), Value::Object(members)) => {
            let named = shapes().filter(|shape| shape.name == name);
            named.for_each(|shape| note_keys(shape.name, shape.keys, members, used));
        }
        (Takes::Task, Value::Object(members)) => {
            for shape in shapes().filter(|shape| is_this(shape, members)) {
                note_keys(shape.name, shape.keys, members, used);
            }
            note_keys("task", task::COMMON, members, used);
        }
        (Takes::Named(inner) | Takes::Map(inner), Value::Object(members)) => {
            members.values().for_each(|value| note(*inner, value, used));
        }
        (Takes::List(inner), Value::Array(elements)) => {
            elements.iter().for_each(|value| note(*inner, value, used));
        }
        (Takes::Either(kinds), _) => kinds.iter().for_each(|kind| note(*kind, value, used)),
        _ => {}
    }
}

fn note_keys(shape: &str, keys: &[Key], members: &Map<String, Value>, used: &mut Rows) {
    for key in keys {
        if let Some(value) = members.get(key.name) {
            used.insert(row(shape, key));
            note(key.takes, value, used);
        }
    }
}

/// Whether a task is of this kind: it has the keys that the kind needs, with the words that it needs.
fn is_this(shape: &Shape, members: &Map<String, Value>) -> bool {
    let mut needed = shape.keys.iter().filter(|key| key.required);
    let is_kind = shape.task && !shape.refused && shape.name != "task";
    is_kind
        && needed.all(|key| match (key.takes, members.get(key.name)) {
            (Takes::Words(words), Some(Value::String(word))) => words.contains(&word.as_str()),
            (Takes::Except(words), Some(Value::String(word))) => !words.contains(&word.as_str()),
            (_, value) => value.is_some(),
        })
}

/// The workflows of a scenario, with each row of its tables filled in.
fn workflows(feature: &Feature) -> Vec<Value> {
    let mut found = Vec::new();
    for scenario in &feature.scenarios {
        let texts = scenario
            .steps
            .iter()
            .filter_map(|step| step.docstring.as_deref());
        for text in texts {
            let tables = scenario
                .examples
                .iter()
                .filter_map(|examples| examples.table.as_ref());
            let mut filled: Vec<String> = tables
                .filter_map(|table| table.rows.split_first())
                .flat_map(|(head, rows)| rows.iter().map(move |row| head.iter().zip(row)))
                .map(|cells| {
                    cells.fold(text.to_owned(), |text, (name, cell)| {
                        text.replace(&format!("<{name}>"), cell)
                    })
                })
                .collect();
            if filled.is_empty() {
                filled.push(text.to_owned());
            }
            found.extend(filled.iter().filter_map(|text| workflow(text)));
        }
    }
    found
}

/// A text, if it is a workflow. The reader of features leaves the name of the text's language in its first line.
fn workflow(text: &str) -> Option<Value> {
    let text = text.trim_start().strip_prefix("yaml").unwrap_or(text);
    let tree = yaml::parse(text, &mut Findings::default())?;
    let value: Value = serde_json::from_str(&tree.root().value().to_json()).ok()?;
    value.get("document")?.is_object().then_some(value)
}

#[test]
fn every_row_is_played_by_a_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let mut used = Rows::new();
    let mut count = 0;
    for suite in ["serverless-workflow/features", "quadrille"] {
        for entry in std::fs::read_dir(folder.join(suite)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "feature") {
                continue;
            }
            let feature = Feature::parse_path(&path, GherkinEnv::default()).unwrap();
            for workflow in workflows(&feature) {
                count += 1;
                note(Takes::Shape("workflow"), &workflow, &mut used);
            }
        }
    }
    assert!(count > 250, "only {count} workflows were found");
    let unplayed: Rows = playable().difference(&used).cloned().collect();
    let listed = UNPLAYED.iter().flat_map(|(_, rows)| *rows);
    let listed: Rows = listed.map(|row| (*row).to_owned()).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (
        unplayed.difference(&listed).collect(),
        listed.difference(&unplayed).collect(),
    );
    assert!(
        new.is_empty(),
        "no scenario plays {new:#?}; write one in tests/conformance/quadrille"
    );
    assert!(
        gone.is_empty(),
        "these are played, or are no rows; take them off the list: {gone:#?}"
    );
}
