//! Work for people, by the command line, over a kill -9 between taking and deciding it.
//!
//! Invariant: what the README of the example says can be done with it is done here.

use quadrille_tests::{Ended, Quadrille, Server, until};
use sdk::RunState;
use serde_json::{Value, json};

use super::{example, example_text};

async fn review(server: &Server) -> String {
    server
        .deploy(&[&example_text("review/workflow.yaml")])
        .await;
    let input: Value = serde_json::from_str(&example_text("review/input.json")).unwrap();
    let client = server.client().await;
    client
        .start("review")
        .input(&input)
        .send()
        .await
        .unwrap()
        .id
}

pub(super) async fn human(server: &Server, words: &[&str]) -> Ended {
    let words: Vec<&str> = ["human"].iter().chain(words).copied().collect();
    server.run(&words).await
}

pub(super) async fn listed(server: &Server, words: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = ["list", "-o", "json"]
        .iter()
        .chain(words)
        .copied()
        .collect();
    let ended = human(server, &words).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("a list is JSON")
}

#[tokio::test]
async fn a_review_is_taken_survives_a_crash_and_is_decided() {
    let mut server = Server::start().await;
    let run = review(&server).await;
    let [task] = &listed(&server, &["--group", "reviewers"]).await[..] else {
        panic!("one task is open")
    };
    let id = task["id"].as_str().unwrap();
    assert_eq!(id, format!("{run}.3"));
    assert_eq!(
        (&task["state"], &task["priority"]),
        (&json!("ready"), &json!(5))
    );
    assert_eq!(
        human(&server, &["claim", id, "--by", "grace"]).await.code,
        0
    );
    let said = human(&server, &["comment", id, "a fine kettle", "--by", "alan"]).await;
    assert_eq!(said.code, 0);

    server.kill().await;
    server.restart().await;

    assert_eq!(
        listed(&server, &["--assignee", "grace", "--state", "claimed"])
            .await
            .len(),
        1
    );
    let taken = human(&server, &["claim", id, "--by", "alan"]).await;
    assert_eq!(taken.code, 1);
    assert!(
        taken.stderr.contains("grace has the human task"),
        "{taken:?}"
    );
    let complete = |data: &'static str| {
        [
            "complete",
            id,
            "--by",
            "grace",
            "--outcome",
            "approve",
            "--data",
            data,
        ]
    };
    let misfit = human(&server, &complete("{\"pays\": \"much\"}")).await;
    assert_eq!(misfit.code, 1);
    assert!(misfit.stderr.contains("/pays must be number"), "{misfit:?}");
    assert_eq!(human(&server, &complete("{\"pays\": 40}")).await.code, 0);
    let again = human(&server, &complete("{\"pays\": 40}")).await;
    assert!(
        again.code == 1 && again.stderr.contains("is closed"),
        "{again:?}"
    );

    server.kill().await;
    server.restart().await;

    let ended = server.client().await.get(&run).await.unwrap();
    assert_eq!(ended.state, RunState::Completed);
    let output: Value = ended.output.decode().unwrap();
    assert_eq!(
        output,
        json!({"employee": "ada", "outcome": "approve", "pays": 40, "by": "grace"})
    );
    assert!(listed(&server, &[]).await.is_empty());
    let closed = listed(&server, &["--run", &run, "--state", "completed"]).await;
    assert_eq!((closed.len(), &closed[0]["assignee"]), (1, &json!("grace")));
    let told = human(&server, &["get", id]).await.stdout;
    assert!(
        told.contains("approve by grace") && told.contains("alan: a fine kettle"),
        "{told}"
    );
}

#[tokio::test]
async fn a_review_that_is_rejected_or_late_takes_its_other_ways() {
    let server = Server::start().await;
    let run = review(&server).await;
    let id = format!("{run}.3");
    let reject = ["reject", &id, "--by", "grace", "--reason", "no receipt"];
    assert_eq!(human(&server, &reject).await.code, 0);
    let ended = server.client().await.get(&run).await.unwrap();
    let output: Value = ended.output.decode().unwrap();
    assert_eq!(
        output,
        json!({"employee": "ada", "outcome": "invalid", "reason": "grace: no receipt"})
    );

    let late = json!({"employee": "ada", "item": "a yacht", "amount": 1e6, "patience": "PT0.01S"});
    let client = server.client().await;
    client.start("review").input(&late).send().await.unwrap();
    let heads = until("the heads to have it", async || {
        listed(&server, &["--group", "heads"]).await.pop()
    });
    let escalated = heads.await;
    assert_eq!(
        (&escalated["priority"], &escalated["groups"]),
        (&json!(8), &json!(["heads"]))
    );
}

#[tokio::test]
async fn without_a_server_a_human_task_is_refused_in_as_many_words() {
    let file = example("review/workflow.yaml");
    let input = format!("@{}", example("review/input.json").display());
    let file = file.display().to_string();
    let ended = Quadrille::new(["exec", &file, "--input", &input])
        .run()
        .await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("needs a server that people can reach"),
        "{ended:?}"
    );
}
