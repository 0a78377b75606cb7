//! Lifecycle events through both protocols.

use api::v1;
use api::v1::runs_client::RunsClient;
use axum::body::Body;
use axum::http::Request;
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::fixture::Server;

/// Passes a task, skips one, waits for an event, tries something twice, and fails.
const LIFE: &str = r#"
document: { dsl: '1.0.3', namespace: shop, name: life, version: '1.2.0' }
do:
  - first: { set: { a: 1 } }
  - skipped: { if: '${ false }', set: { a: 2 } }
  - paid: { listen: { to: { one: { with: { type: paid } } } } }
  - attempt:
      try:
        - bad: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime', status: 500 } } }
      catch: { retry: { limit: { attempt: { count: 2 } }, delay: { milliseconds: 1 } } }
"#;

/// What the language has to be told of it.
const EXPECTED: [&str; 20] = [
    "workflow.started",
    "task.created /do/0/first",
    "task.started /do/0/first",
    "task.completed /do/0/first",
    "task.created /do/2/paid",
    "task.started /do/2/paid",
    "workflow.correlation-started",
    "workflow.suspended",
    "workflow.resumed",
    "workflow.correlation-completed",
    "task.completed /do/2/paid",
    "task.created /do/3/attempt",
    "task.started /do/3/attempt",
    "task.created /do/3/attempt/try/0/bad",
    "task.faulted /do/3/attempt/try/0/bad",
    "task.retried /do/3/attempt",
    "task.created /do/3/attempt/try/0/bad",
    "task.faulted /do/3/attempt/try/0/bad",
    "task.faulted /do/3/attempt",
    "workflow.faulted",
];

/// What is told of a run: for each event the end of its type, and its task.
fn told(events: &[Value]) -> Vec<String> {
    let each = events.iter().map(|event| {
        let kind = event["type"].as_str().unwrap();
        let kind = kind.strip_prefix("io.serverlessworkflow.").unwrap();
        let task = event["data"]["task"].as_str().unwrap_or_default();
        format!("{} {task}", kind.strip_suffix(".v1").unwrap())
            .trim_end()
            .to_owned()
    });
    each.collect()
}

/// Plays the workflow to its end, as REST tells it live.
async fn played(server: &Server) -> (String, Vec<Value>) {
    server.call("POST", "/api/v1/workflows", LIFE).await;
    let id = server.run("shop/life").await;
    for action in ["suspend", "resume"] {
        server
            .call("POST", &format!("/api/v1/runs/{id}/{action}"), "")
            .await;
    }
    let path = format!("/api/v1/runs/{id}/lifecycle/events");
    let live = server
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await;
    let paid = json!({"id": "1", "source": "/t", "type": "paid", "data": {}}).to_string();
    server.call("POST", "/api/v1/events", &paid).await;
    let bytes = axum::body::to_bytes(live.into_body(), usize::MAX)
        .await
        .unwrap();
    let text = String::from_utf8(bytes.into()).unwrap();
    assert!(text.ends_with("event: end\ndata: {}\n\n"), "{text}");
    let data = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: {\""));
    let events = data.map(|line| serde_json::from_str(&format!("{{\"{line}")).unwrap());
    (id, events.collect())
}

#[tokio::test]
async fn a_life_is_told_in_the_words_of_the_language() {
    let server = Server::start().await;
    let (id, events) = played(&server).await;
    assert_eq!(told(&events), EXPECTED);
    let first = &events[0];
    assert_eq!(first["specversion"], "1.0");
    assert_eq!(first["source"], format!("/api/v1/runs/{id}"));
    assert_eq!(first["data"]["name"], format!("life-{id}.shop"));
    assert_eq!(
        first["data"]["definition"],
        json!({"name": "life", "namespace": "shop", "version": "1.2.0"})
    );
    assert_eq!(first["data"]["startedAt"], first["time"]);
    let last = &events.last().unwrap()["data"];
    assert_eq!(last["error"]["status"], 500);
    assert_eq!(last["error"]["instance"], "/do/3/attempt/try/0/bad");
    let mut ids: Vec<_> = events
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), events.len());
    server.stop().await;
}

#[tokio::test]
async fn work_for_a_worker_begins_when_one_takes_it() {
    let server = Server::start().await;
    let id = server.run("shop/work").await;
    let cancel = format!("/api/v1/runs/{id}/cancel");
    server.call("POST", &cancel, "").await;
    let path = format!("/api/v1/runs/{id}/lifecycle");
    let (_, page) = server.call("GET", &path, "").await;
    let expected = [
        "workflow.started",
        "task.created /do/0/ship",
        "task.cancelled /do/0/ship",
        "workflow.cancelled",
    ];
    assert_eq!(told(page["events"].as_array().unwrap()), expected);
    assert_eq!(page["next"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn pages_and_streams_tell_the_same() {
    let server = Server::start().await;
    let (id, live) = played(&server).await;
    let (mut from, mut paged) = (0, Vec::new());
    loop {
        let path = format!("/api/v1/runs/{id}/lifecycle?from={from}&limit=3");
        let (_, page) = server.call("GET", &path, "").await;
        paged.extend(page["events"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_u64() else {
            break;
        };
        from = next;
    }
    assert_eq!(paged, live);
    for follow in [true, false] {
        let request = v1::LifecycleRequest {
            id: id.clone(),
            from: 0,
            follow,
        };
        let stream = RunsClient::new(server.router.clone())
            .lifecycle(request)
            .await;
        let events: Vec<v1::LifecycleEvent> =
            stream.unwrap().into_inner().try_collect().await.unwrap();
        let events = events
            .iter()
            .map(|event| serde_json::from_slice(&event.event).unwrap());
        assert_eq!(events.collect::<Vec<Value>>(), live);
    }
    let (status, problem) = server
        .call(
            "GET",
            &format!("/api/v1/runs/{}/lifecycle", uuid::Uuid::nil()),
            "",
        )
        .await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (404, &json!("run-missing"))
    );
    server.stop().await;
}
