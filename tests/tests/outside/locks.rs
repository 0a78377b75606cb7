//! What may not go on at once, over a kill -9: locks, and concurrency keys with each of their policies.
//!
//! Invariant: people stand for the work, so that a test sees who is inside, and decides when they leave.

use quadrille_tests::{Ended, Server, until};
use serde_json::Value;

use super::human::{human, listed};

/// A workflow whose runs share what `.door` names. Who is inside waits for a person.
fn text(policy: Option<&str>) -> String {
    let work = "call: human-task, with: {title: '${ .door }'}";
    let (metadata, task) = match policy {
        Some(policy) => (
            format!(", metadata: {{dev.quadrille/concurrency: {{key: .door, policy: {policy}}}}}"),
            format!("{{{work}}}"),
        ),
        None => (
            String::new(),
            format!(
                "{{call: lock, with: {{name: '${{ .door }}', scope: workflow, do: [inside: {{{work}}}]}}}}"
            ),
        ),
    };
    format!(
        "document: {{dsl: '1.0.3', namespace: default, name: doors, version: '1.0.0'{metadata}}}\ndo:\n  - work: {task}\n"
    )
}

async fn started(server: &Server, door: &str) -> Ended {
    let input = format!("{{\"door\": \"{door}\"}}");
    server.run(&["run", "doors", "--input", &input]).await
}

/// Starts a run that is not refused.
async fn enter(server: &Server, door: &str) -> String {
    let ended = started(server, door).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout.trim().to_owned()
}

/// The runs that are inside, in order.
async fn inside(server: &Server) -> Vec<String> {
    let tasks = listed(server, &[]).await;
    let mut runs: Vec<String> = tasks
        .iter()
        .map(|task| task["run"].as_str().unwrap().to_owned())
        .collect();
    runs.sort();
    runs
}

/// Waits until these are inside, and nobody else.
async fn only(server: &Server, runs: &[&String]) {
    let mut runs: Vec<String> = runs.iter().map(|run| (*run).clone()).collect();
    runs.sort();
    let what = format!("{runs:?} to be inside, and nobody else");
    until(&what, async || (inside(server).await == runs).then_some(())).await;
}

/// Lets a run out.
async fn leave(server: &Server, run: &str) {
    let tasks = listed(server, &["--run", run]).await;
    let id = tasks[0]["id"].as_str().unwrap();
    let ended = human(server, &["complete", id, "--by", "ada"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
}

async fn crash(server: &mut Server) {
    server.kill().await;
    server.restart().await;
}

/// One after the other, with a crash while one is inside and again after it has left.
async fn by_turns(policy: Option<&str>) {
    let mut server = Server::start().await;
    server.deploy(&[&text(policy)]).await;
    let first = enter(&server, "red").await;
    only(&server, &[&first]).await;
    let (second, third) = (enter(&server, "red").await, enter(&server, "red").await);
    let other = enter(&server, "blue").await;
    only(&server, &[&first, &other]).await;

    crash(&mut server).await;
    only(&server, &[&first, &other]).await;

    leave(&server, &first).await;
    crash(&mut server).await;
    only(&server, &[&second, &other]).await;

    // Who is cancelled lets go as well.
    let ended = server.run(&["cancel", &second]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    only(&server, &[&third, &other]).await;
    leave(&server, &third).await;
    crash(&mut server).await;
    let next = enter(&server, "red").await;
    only(&server, &[&next, &other]).await;
}

#[tokio::test]
async fn a_lock_is_held_by_one_run_and_is_free_again_after_it() {
    by_turns(None).await;
}

#[tokio::test]
async fn runs_of_one_key_wait_for_their_turn() {
    by_turns(Some("queue")).await;
}

#[tokio::test]
async fn a_run_too_many_is_refused_until_there_is_room() {
    let mut server = Server::start().await;
    server.deploy(&[&text(Some("drop"))]).await;
    let first = enter(&server, "red").await;
    for _ in 0..2 {
        let refused = started(&server, "red").await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("run-dropped"), "{refused:?}");
        crash(&mut server).await;
    }
    only(&server, &[&first]).await;
    leave(&server, &first).await;
    let next = enter(&server, "red").await;
    only(&server, &[&next]).await;
}

#[tokio::test]
async fn a_newer_run_takes_the_place_of_the_oldest() {
    let mut server = Server::start().await;
    server.deploy(&[&text(Some("replace"))]).await;
    let first = enter(&server, "red").await;
    only(&server, &[&first]).await;
    let second = enter(&server, "red").await;
    crash(&mut server).await;
    only(&server, &[&second]).await;
    let told = server.run(&["describe", "run", &first]).await;
    assert!(told.stdout.contains("cancelled"), "{told:?}");
    let told: Value = server
        .run(&["describe", "run", &second, "-o", "json"])
        .await
        .json();
    assert_eq!(told["state"], "waiting", "{told}");
}
