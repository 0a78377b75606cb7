//! Schedules that outlive crashes: one run for each event, and one run after the other.

use std::time::Duration;

use quadrille_tests::{Server, until};
use sdk::{Client, Error, RunFilter, RunState};
use serde_json::json;

use super::workflow;

/// How often the server is killed.
const KILLS: u64 = 5;

/// Events published between two kills.
const EVENTS: u64 = 20;

/// Publishes again and again until it is known to be durable.
async fn publish(client: &Client, number: u64) {
    let event =
        json!({"type": "order.paid", "source": "/shop", "id": number.to_string(), "data": number});
    until("the event to be acknowledged", async || {
        match client.publish(&event, Some(Duration::ZERO)).await {
            Ok(_) => Some(()),
            Err(Error::Unreachable(_)) => None,
            Err(Error::Refused { code, .. }) if code == "overloaded" || code == "stopped" => None,
            Err(error) => panic!("{error}"),
        }
    })
    .await;
}

async fn completed(client: &Client) -> Option<u64> {
    let counted = client.count(RunFilter::default()).await.ok()?;
    let ended = counted.states.get(&RunState::Completed).copied();
    (ended.unwrap_or_default() == counted.count).then_some(counted.count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_starts_one_run_whatever_crashes() {
    let mut server = Server::start().await;
    let text = workflow("paid", "- number: {set: '${ .[0].data }'}")
        + "schedule: {on: {one: {with: {type: order.paid}}}}\n";
    server.deploy(&[&text]).await;
    let client = server.client().await;
    for round in 0..KILLS {
        let numbers = round * EVENTS..(round + 1) * EVENTS;
        let publishing = async {
            for number in numbers.clone() {
                publish(&client, number).await;
            }
        };
        // In the middle of it: some events are published while the server is away, and so perhaps twice.
        let killing = async {
            until("some events to be there", async || {
                let counted = client.count(RunFilter::default()).await.ok()?;
                (counted.count > numbers.start + EVENTS / 3).then_some(())
            })
            .await;
            server.kill().await;
            server.restart().await;
        };
        tokio::join!(publishing, killing);
        // The same once more, after all of them were acknowledged.
        publish(&client, numbers.start).await;
    }
    let runs = until("all runs to end", async || completed(&client).await).await;
    assert_eq!(runs, KILLS * EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_follows_the_end_of_the_one_before_across_crashes() {
    let mut server = Server::start().await;
    let text =
        workflow("often", "- rest: {wait: {milliseconds: 200}}") + "schedule: {after: PT1S}\n";
    server.deploy(&[&text]).await;
    let mut client = server.client().await;
    for round in 1..=3 {
        until("the next run", async || {
            let counted = client.count(RunFilter::default()).await.ok()?;
            (counted.count >= round).then_some(())
        })
        .await;
        server.kill().await;
        server.restart().await;
        client = server.client().await;
    }
    let runs = until("the last run to end", async || completed(&client).await).await;
    assert!((3..=4).contains(&runs), "{runs} runs");
}
