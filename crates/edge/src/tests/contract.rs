//! The published contracts against the code: error codes and the OpenAPI document.
//!
//! Invariant: `contracts` says what the code does, so neither can change without the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use engine::AskError;
use kernel::{Rejection, RunId, StepId, StepRef};
use serde_json::{Map, Value};

use crate::grpc::{grpc_code, status};
use crate::refusal::Refusal;
use crate::rest::http_status;

const CONTRACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts");

/// One refusal of each code.
fn refusals() -> Vec<Refusal> {
    let run = RunId([0; 16]);
    let step = StepRef {
        run,
        step: StepId(1),
    };
    let rejections = [
        Rejection::RunMissing(run),
        Rejection::RunEnded(run),
        Rejection::WorkflowMissing("w".into()),
        Rejection::VersionExists("w".into()),
        Rejection::WorkflowUnsound(String::new()),
        Rejection::ClaimStale,
        Rejection::TaskUnavailable,
        Rejection::NothingParked(run),
        Rejection::LimitReached("x", 1),
        Rejection::Invalid(String::new()),
        Rejection::ScheduleMissing("s".into()),
        Rejection::RunDropped("k".into(), 1),
        Rejection::NotDue,
        Rejection::HumanTaskMissing(step),
        Rejection::HumanTaskClosed(step),
        Rejection::HumanTaskTaken("alice".into()),
    ];
    let mut refusals: Vec<_> = rejections
        .map(|rejection| Refusal::Engine(rejection.into()))
        .into();
    refusals.extend([
        Refusal::Engine(AskError::Overloaded(1)),
        Refusal::Engine(AskError::Stopped),
        Refusal::Engine(AskError::Fault("disk full".into())),
        Refusal::InvalidJson {
            field: "input".into(),
            why: String::new(),
        },
        Refusal::argument("id", ""),
        Refusal::InvalidWorkflow(Vec::new()),
        Refusal::TooLarge(1),
        Refusal::BodyBroken(String::new()),
        Refusal::RouteMissing(String::new()),
        Refusal::MethodRefused {
            method: String::new(),
            path: String::new(),
        },
        Refusal::HostRefused(String::new()),
        Refusal::OriginRefused(String::new()),
    ]);
    refusals
}

#[test]
fn every_code_is_listed_with_its_statuses_and_no_other() {
    let text = std::fs::read_to_string(Path::new(CONTRACTS).join("errors.md")).unwrap();
    let listed: BTreeMap<String, (String, String)> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect();
            (cells[1].clone(), (cells[2].clone(), cells[3].clone()))
        })
        .collect();
    let meant: BTreeMap<String, (String, String)> = refusals()
        .iter()
        .map(|refusal| {
            let statuses = (
                format!("{:?}", grpc_code(refusal)),
                http_status(refusal).as_u16().to_string(),
            );
            (refusal.code().to_owned(), statuses)
        })
        .collect();
    assert_eq!(listed, meant);
}

#[test]
fn a_status_stays_small_enough_for_a_header() {
    let source = "x".repeat(100_000);
    let refusal = Refusal::argument("label", source.clone());
    assert!(status(&refusal).message().len() < 2_000);
    let finding = authoring::Finding {
        line: 1,
        column: 1,
        path: String::new(),
        severity: authoring::Severity::Error,
        code: "x",
        message: source[..500].to_owned(),
    };
    let status = status(&Refusal::InvalidWorkflow(vec![finding; 100]));
    let findings = status
        .metadata()
        .get_bin("quadrille-findings-bin")
        .unwrap()
        .to_bytes()
        .unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&findings).unwrap();
    assert!((1..10).contains(&findings.len()), "{}", findings.len());
}

#[test]
fn the_openapi_document_is_the_published_one() {
    let path = Path::new(CONTRACTS).join("openapi.json");
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        std::fs::write(&path, crate::openapi_json()).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == crate::openapi_json(),
        "{} is out of date; run the tests with UPDATE_CONTRACTS=1",
        path.display()
    );
}

/// Every object of a JSON document with its place.
fn objects<'d>(place: &str, node: &'d Value, found: &mut Vec<(String, &'d Map<String, Value>)>) {
    match node {
        Value::Object(members) => {
            found.push((place.to_owned(), members));
            for (key, below) in members {
                objects(&format!("{place}/{key}"), below, found);
            }
        }
        Value::Array(elements) => {
            for (index, below) in elements.iter().enumerate() {
                objects(&format!("{place}/{index}"), below, found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_machine_can_make_a_client_of_the_openapi_document() {
    let document: Value = serde_json::from_str(crate::openapi_json()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    objects("", &document, &mut found);
    let mut used = BTreeSet::from(["#/components/schemas/Problem"]);
    for (place, object) in &found {
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            let pointer = target.strip_prefix('#').expect("it stays in the document");
            assert!(document.pointer(pointer).is_some(), "{place}: {target}");
            used.insert(target);
        }
        let Some(properties) = object.get("properties").and_then(Value::as_object) else {
            continue;
        };
        let required = object.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten() {
            let name = name.as_str().unwrap();
            assert!(properties.contains_key(name), "{place}: no property {name}");
        }
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let target = format!("#/components/schemas/{name}");
        assert!(used.contains(&*target), "nothing uses {name}");
    }
}

#[test]
fn every_operation_of_the_openapi_document_is_told_in_full() {
    let document: Value = serde_json::from_str(crate::openapi_json()).unwrap();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().collect();
    let tags: Vec<_> = tags.iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            let id = operation["operationId"].as_str().expect(&place);
            assert!(ids.insert(id), "{place}: {id} is taken");
            assert!(operation["summary"].is_string(), "{place}");
            assert!(tags.contains(&&operation["tags"][0]), "{place}");
            let mut named: Vec<_> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .collect();
            named.retain(|parameter| parameter["in"] == "path");
            assert_eq!(named.len(), path.matches('{').count(), "{place}");
            for parameter in named {
                let name = parameter["name"].as_str().unwrap();
                assert!(path.contains(&format!("{{{name}}}")), "{place}: {name}");
                assert_eq!(parameter["required"], true, "{place}: {name}");
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{place}"
            );
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(
                problem["schema"]["$ref"] == "#/components/schemas/Problem",
                !["/healthz", "/metrics"].contains(&&**path),
                "{place}"
            );
        }
    }
}
