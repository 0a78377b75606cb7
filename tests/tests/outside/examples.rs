//! Each example from its own files, with the services that it needs.
//!
//! Invariant: what the README of an example says can be done with it is done here.

use std::time::Duration;

use example_services::{Ledger, Shop, statements_worker};
use quadrille_tests::{PATIENCE, Quadrille, Server, until};
use sdk::{Run, RunFilter, RunState};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{example, example_text};

/// The server may call services on this machine.
const ALLOW_PRIVATE: (&str, &str) = ("QUADRILLE_CONNECTORS_HTTP_ALLOW_PRIVATE", "true");

fn input(example: &str) -> Value {
    serde_json::from_str(&example_text(&format!("{example}/input.json")))
        .expect("the input is JSON")
}

async fn end_of(server: &Server, workflow: &str, input: &Value) -> Run {
    let start = server
        .client()
        .await
        .start(workflow)
        .input(input)
        .wait(PATIENCE);
    let run = start
        .send()
        .await
        .expect("it starts")
        .run
        .expect("it was waited for");
    assert!(run.state.has_ended(), "{run:?}");
    run
}

fn output(run: &Run) -> Value {
    assert_eq!(run.state, RunState::Completed, "{run:?}");
    run.output.decode().expect("output is JSON")
}

fn error(run: &Run) -> Value {
    assert_eq!(run.state, RunState::Failed, "{run:?}");
    run.error.decode().expect("an error is JSON")
}

#[tokio::test]
async fn an_order_completes_or_takes_back_what_it_did() {
    let ledger = Ledger::in_memory();
    let shop = Shop::open(0, Duration::ZERO, ledger.clone()).await.unwrap();
    let server = Server::start_with(&[ALLOW_PRIVATE]).await;
    server
        .deploy(&[&example_text("order-saga/workflow.yaml")])
        .await;
    let order = |name: &str, change: Value| {
        let mut order = input("order-saga");
        order["order"] = json!(name);
        order["shop"] = shop.addresses();
        for (key, value) in change.as_object().expect("changes are an object") {
            order[key] = value.clone();
        }
        order
    };

    let run = end_of(&server, "order-saga", &order("flaky", json!({}))).await;
    assert_eq!(
        output(&run),
        json!({"order": "flaky", "reservation": "res-flaky", "payment": "pay-flaky", "parcel": "par-flaky"})
    );
    assert_eq!(run.attributes["amount"].decode::<u32>().unwrap(), 42);
    assert_eq!(ledger.actions("flaky"), ["reserve", "charge", "ship"]);

    let cases = [
        ("no-stock", json!({"item": "sold-out"}), 409, &[][..]),
        (
            "no-money",
            json!({"card": "declined"}),
            402,
            &["reserve", "release"],
        ),
        (
            "no-way",
            json!({"delivery": "impossible"}),
            422,
            &["reserve", "charge", "refund", "release"],
        ),
    ];
    for (name, change, status, effects) in cases {
        let run = end_of(&server, "order-saga", &order(name, change)).await;
        assert_eq!(error(&run)["status"], status, "{run:?}");
        assert_eq!(ledger.actions(name), effects, "{name}");
    }
    assert!(
        ledger.effects().iter().all(|effect| effect.repeats == 0),
        "{:?}",
        ledger.effects()
    );
}

#[tokio::test]
async fn an_approval_is_decided_by_a_signal() {
    let server = Server::start().await;
    server
        .deploy(&[&example_text("approval/workflow.yaml")])
        .await;
    let client = server.client().await;
    for (approved, outcome) in [(true, "approved"), (false, "rejected")] {
        let id = client
            .start("approval")
            .input(&input("approval"))
            .send()
            .await
            .unwrap()
            .id;
        until("the run to wait", async || {
            (client.get(&id).await.unwrap().state == RunState::Waiting).then_some(())
        })
        .await;
        let decision = json!({"approved": approved, "by": "ada", "reason": "tea is important"});
        let signalled = server
            .run(&["signal", &id, "decision", "--data", &decision.to_string()])
            .await;
        assert_eq!(signalled.code, 0, "{signalled:?}");
        let run = client.wait(&id, PATIENCE).await.unwrap();
        assert_eq!(
            output(&run),
            json!({"subject": "a teapot for the office", "outcome": outcome, "by": "ada", "reason": "tea is important"})
        );
    }
}

#[tokio::test]
async fn an_approval_that_nobody_decides_is_rejected_in_time_and_not_before() {
    let server = Server::start().await;
    server
        .deploy(&[&example_text("approval/workflow.yaml")])
        .await;
    let run = end_of(
        &server,
        "approval",
        &json!({"subject": "a yacht", "patience": "PT0.3S"}),
    )
    .await;
    assert_eq!(
        output(&run),
        json!({"subject": "a yacht", "outcome": "rejected", "by": "nobody", "reason": "no decision within PT0.3S"})
    );
    let took_ms = run.ended_at_ms.expect("it has ended") - run.started_at_ms;
    assert!(took_ms >= 300, "ended after {took_ms} ms");
}

#[tokio::test]
async fn a_fan_out_works_on_at_most_four_at_once() {
    let ledger = Ledger::in_memory();
    let server = Server::start().await;
    server
        .deploy(&[&example_text("nightly-fan-out/workflow.yaml")])
        .await;
    let worker =
        statements_worker(server.url(), Duration::from_millis(20), ledger.clone()).unwrap();
    let stop = CancellationToken::new();
    let working = AbortOnDropHandle::new(tokio::spawn(worker.run(stop.clone().cancelled_owned())));

    let run = end_of(&server, "nightly-fan-out", &input("nightly-fan-out")).await;
    let summary = output(&run);
    assert_eq!(summary["statements"], 8);
    let at_once = summary["at_once"].as_u64().unwrap();
    assert!((2..=4).contains(&at_once), "{at_once} at once");
    let mut accounts: Vec<_> = ledger
        .effects()
        .into_iter()
        .map(|effect| effect.subject)
        .collect();
    accounts.sort();
    assert_eq!(json!(accounts), input("nightly-fan-out")["accounts"]);

    let at_night = end_of(&server, "nightly-fan-out", &json!({})).await;
    assert_eq!(output(&at_night)["statements"], 12);
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_fan_out_starts_by_itself_at_night() {
    let server = Server::start().await;
    server
        .deploy(&[&example_text("nightly-fan-out/workflow.yaml")])
        .await;
    let schedules = server.client().await.schedules().await.unwrap();
    let found: Vec<_> = schedules
        .iter()
        .map(|schedule| schedule.workflow.as_str())
        .collect();
    assert_eq!(found, ["nightly-fan-out"], "{schedules:?}");
}

#[tokio::test]
async fn a_parent_waits_for_two_children_and_lets_one_go() {
    let server = Server::start().await;
    let files = ["leg.yaml", "itinerary.yaml", "workflow.yaml"]
        .map(|file| example_text(&format!("parent-children/{file}")));
    server.deploy(&files.each_ref().map(String::as_str)).await;
    let run = end_of(&server, "trip", &input("parent-children")).await;
    let output = output(&run);
    assert_eq!(output["seats"], json!(["London-Turin", "Turin-London"]));
    let client = server.client().await;
    let itinerary = client
        .wait(output["itinerary"].as_str().unwrap(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(
        self::output(&itinerary),
        json!({"to": "ada", "text": "London-Turin, Turin-London"})
    );
    let filter = RunFilter {
        parent: Some(run.id.clone()),
        ..RunFilter::default()
    };
    let children = until("all children to be listed", async || {
        let page = client.list(filter.clone(), 0, None).await.unwrap();
        (page.runs.len() == 3).then_some(page.runs)
    })
    .await;
    let mut workflows: Vec<_> = children
        .iter()
        .map(|child| child.workflow.as_str())
        .collect();
    workflows.sort_unstable();
    assert_eq!(workflows, ["itinerary", "leg", "leg"]);
}

#[tokio::test]
async fn examples_run_without_a_server() {
    let folder = example("parent-children");
    let path = |file: &str| {
        folder
            .join(file)
            .to_str()
            .expect("the path is text")
            .to_owned()
    };
    let ended = Quadrille::new([
        "exec",
        &path("workflow.yaml"),
        "--with",
        &path("leg.yaml"),
        "--with",
        &path("itinerary.yaml"),
        "--input",
        &format!("@{}", path("input.json")),
    ])
    .run()
    .await;
    assert_eq!(
        ended.json()["seats"],
        json!(["London-Turin", "Turin-London"])
    );

    let shop = Shop::open(0, Duration::ZERO, Ledger::in_memory())
        .await
        .unwrap();
    let mut order = input("order-saga");
    order["shop"] = shop.addresses();
    let workflow = example("order-saga/workflow.yaml");
    let ended = Quadrille::new([
        "exec",
        workflow.to_str().unwrap(),
        "--input",
        &order.to_string(),
    ])
    .run()
    .await;
    assert_eq!(ended.json()["parcel"], "par-order-1");
}

#[tokio::test]
async fn the_test_cases_of_every_example_hold() {
    let folder = example("");
    let ended = Quadrille::new(["test", folder.to_str().unwrap(), "-o", "json"])
        .run()
        .await;
    let told = ended.json();
    assert_eq!(told["failed"], 0, "{told}");
    let tested = told["files"].as_array().unwrap().len();
    let workflows = std::fs::read_dir(&folder).unwrap();
    let examples = workflows.filter(|entry| {
        let path = entry.as_ref().unwrap().path();
        path.join("workflow.yaml").exists()
    });
    assert_eq!(tested, examples.count(), "{told}");
}

#[tokio::test]
async fn test_cases_that_do_not_hold_end_with_a_code_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let path = folder.path().to_str().unwrap();
    let test = async |arguments: &[&str]| {
        Quadrille::new(["test", path].iter().chain(arguments))
            .run()
            .await
    };
    assert_eq!(test(&[]).await.code, 2, "there are no tests");
    write(
        "w.yaml",
        "document: {dsl: 1.0.3, namespace: n, name: w, version: 1.0.0}\ndo: [{a: {set: {x: 1}}}]\n",
    );
    write(
        "w.test.yaml",
        "cases:\n  good: {expect: {output: {x: 1}}}\n  bad: {expect: {output: {x: 2}}}\n",
    );
    let ended = test(&[]).await;
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("output/x: expected 2, got 1"),
        "{}",
        ended.stdout
    );
    assert_eq!(test(&["--filter", "good"]).await.code, 0);
    assert_eq!(test(&["--filter", "ugly"]).await.code, 2);
    let ended = test(&["-o", "junit"]).await;
    assert!(
        ended.stdout.contains("tests=\"2\" failures=\"1\""),
        "{}",
        ended.stdout
    );
    write("v.test.yaml", "workflow: w.yaml\ncasses: {}\n");
    let ended = test(&[]).await;
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("v.test.yaml:2:1"), "{}", ended.stderr);
}
