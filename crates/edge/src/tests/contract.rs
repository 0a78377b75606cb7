//! The published contracts against the code: error codes and the OpenAPI document.
//!
//! Invariant: `contracts` says what the code does, so neither can change without the other.

use std::collections::BTreeMap;
use std::path::Path;

use engine::AskError;
use kernel::{Rejection, RunId};

use crate::grpc::{grpc_code, status};
use crate::refusal::Refusal;
use crate::rest::http_status;

const CONTRACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts");

/// One refusal of each code.
fn refusals() -> Vec<Refusal> {
    let run = RunId([0; 16]);
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
        Rejection::NotDue,
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
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&findings).unwrap();
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
