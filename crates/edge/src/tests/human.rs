//! Human tasks over REST and gRPC: what one protocol changes the other shows.
//!
//! Invariant: every answer that is no success has a code.

use api::v1;
use api::v1::human_tasks_client::HumanTasksClient;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::tests::fixture::Server;

const REVIEW: &str = r#"
document: { dsl: '1.0.3', namespace: shop, name: review, version: '1.0.0' }
do:
  - look:
      call: human-task
      with:
        title: '${ "Review order \(.id)" }'
        description: Look at **it**.
        group: reviewers
        form: { schema: { type: object } }
        outcomes: [approve, refuse]
        due: PT48H
        escalate: { to: { group: heads } }
"#;

async fn started(server: &Server) -> String {
    let (status, told) = server.call("POST", "/api/v1/workflows", REVIEW).await;
    assert!(status.is_success(), "{told}");
    let body = json!({ "workflow": "shop/review", "input": { "id": 7 } }).to_string();
    let (_, run) = server.call("POST", "/api/v1/runs", &body).await;
    run["id"].as_str().unwrap().to_owned()
}

async fn act(server: &Server, id: &str, act: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/api/v1/human-tasks/{id}/{act}");
    server.call("POST", &path, &body.to_string()).await
}

async fn listed(server: &Server, query: &str) -> Vec<String> {
    let path = format!("/api/v1/human-tasks?{query}");
    let (status, page) = server.call("GET", &path, "").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let tasks = page["human_tasks"].as_array().unwrap().iter();
    tasks
        .map(|task| task["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn open_tasks_are_listed_and_the_run_waits() {
    let server = Server::start().await;
    let run = started(&server).await;
    for (query, count) in [
        ("", 1),
        (
            "state=ready,claimed&group=reviewers&workflow=shop/review",
            1,
        ),
        ("state=claimed", 0),
        ("group=heads", 0),
        ("assignee=alice", 0),
        ("state=completed&run=", 0),
    ] {
        let query = query.replace("run=", &format!("run={run}"));
        assert_eq!(listed(&server, &query).await.len(), count, "{query}");
    }
    let (_, run_now) = server.call("GET", &format!("/api/v1/runs/{run}"), "").await;
    assert_eq!(run_now["state"], "waiting");
    assert_eq!(run_now["steps"][0]["kind"], "human");
    assert_eq!(
        run_now["steps"][0]["detail"],
        "Review order 7: for reviewers to take"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_person_takes_talks_about_and_completes_a_task() {
    let server = Server::start().await;
    let run = started(&server).await;
    let id = format!("{run}.1");
    let by = |name: &str| json!({ "by": name });
    let told = act(&server, &id, "claim", by("alice")).await;
    assert_eq!(told, (StatusCode::NO_CONTENT, Value::Null));
    let (status, problem) = act(&server, &id, "claim", by("bob")).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("human-task-taken"))
    );
    assert!(
        problem["detail"].as_str().unwrap().starts_with("alice has"),
        "{problem}"
    );
    let text = json!({ "by": "bob", "text": "hm" });
    assert_eq!(
        act(&server, &id, "comment", text).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        listed(&server, "assignee=alice&state=claimed").await,
        std::slice::from_ref(&id)
    );

    let path = format!("/api/v1/human-tasks/{id}");
    let (_, open) = server.call("GET", &path, "").await;
    assert_eq!(open["state"], "claimed");
    assert_eq!(open["title"], "Review order 7");
    assert_eq!(open["form"], json!({ "type": "object" }));
    assert_eq!(open["data"], json!({ "id": 7 }));
    assert_eq!(open["comments"][0]["text"], "hm");
    assert_eq!(
        (&open["decision"], &open["closed_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(open["due_at"], open["escalates_at"]);

    let done = json!({ "by": "alice", "outcome": "approve", "data": { "amount": 5 } });
    assert_eq!(
        act(&server, &id, "complete", done.clone()).await.0,
        StatusCode::NO_CONTENT
    );
    let (status, problem) = act(&server, &id, "complete", done).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("human-task-closed"))
    );
    let (_, closed) = server.call("GET", &path, "").await;
    assert_eq!(closed["state"], "completed");
    assert_eq!(closed["decision"]["outcome"], "approve");
    let (_, ended) = server.call("GET", &format!("/api/v1/runs/{run}"), "").await;
    assert_eq!(
        ended["output"],
        json!({ "outcome": "approve", "data": { "amount": 5 }, "by": "alice" })
    );
    assert_eq!(
        listed(&server, &format!("run={run}&state=completed")).await,
        [id]
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_asked_amiss_is_refused() {
    let server = Server::start().await;
    let run = started(&server).await;
    let id = format!("{run}.1");
    for (id, name, body, code) in [
        (&*id, "claim", json!({}), "invalid-argument"),
        (&*id, "claim", json!({ "by": "" }), "invalid"),
        (
            &*id,
            "claim",
            json!({ "by": "a", "as": "b" }),
            "invalid-argument",
        ),
        (&*run, "claim", json!({ "by": "a" }), "invalid-argument"),
        (
            &format!("{run}.9"),
            "claim",
            json!({ "by": "a" }),
            "human-task-missing",
        ),
        (
            &*id,
            "complete",
            json!({ "by": "a", "outcome": "maybe" }),
            "invalid",
        ),
        (&*id, "comment", json!({ "by": "a", "text": "" }), "invalid"),
    ] {
        let (_, problem) = act(&server, id, name, body.clone()).await;
        assert_eq!(problem["code"], code, "{name} {body}: {problem}");
    }
    for (query, code) in [
        ("state=done", "invalid-argument"),
        ("state=completed", "invalid"),
        ("page_token=x", "invalid-argument"),
        ("run=x", "invalid-argument"),
        ("colour=red", "invalid-argument"),
    ] {
        let path = format!("/api/v1/human-tasks?{query}");
        let (_, problem) = server.call("GET", &path, "").await;
        assert_eq!(problem["code"], code, "{query}: {problem}");
    }
    server.stop().await;
}

#[tokio::test]
async fn grpc_does_the_same() {
    let server = Server::start().await;
    let run = started(&server).await;
    let (id, by) = (format!("{run}.1"), "alice".to_owned());
    let mut tasks = HumanTasksClient::new(server.router.clone());
    let asking = v1::HumanTaskRequest {
        id: id.clone(),
        by: by.clone(),
    };
    tasks.claim(asking.clone()).await.unwrap();
    tasks.release(asking).await.unwrap();
    let assign = v1::AssignHumanTaskRequest {
        id: id.clone(),
        by: by.clone(),
        assignee: "bob".to_owned(),
        groups: Some(v1::HumanTaskGroups {
            names: vec!["heads".to_owned()],
        }),
    };
    tasks.assign(assign).await.unwrap();
    let wanted = v1::ListHumanTasksRequest {
        group: "heads".to_owned(),
        assignee: "bob".to_owned(),
        ..Default::default()
    };
    let page = tasks.list(wanted).await.unwrap().into_inner();
    assert_eq!(page.human_tasks.len(), 1);
    assert_eq!(page.human_tasks[0].state, "claimed");
    let reject = v1::RejectHumanTaskRequest {
        id: id.clone(),
        by: "bob".to_owned(),
        reason: "too expensive".to_owned(),
    };
    tasks.reject(reject.clone()).await.unwrap();
    let again = tasks.reject(reject).await.unwrap_err();
    assert_eq!(
        again.metadata().get("quadrille-code").unwrap(),
        "human-task-closed"
    );
    let closed = tasks
        .get(v1::GetHumanTaskRequest { id })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((&*closed.state, &*closed.assignee), ("rejected", "bob"));
    assert_eq!(closed.decision.unwrap().comment, "too expensive");
    let (_, ended) = server.call("GET", &format!("/api/v1/runs/{run}"), "").await;
    assert_eq!(ended["state"], "failed");
    assert_eq!(
        ended["error"]["type"],
        "https://quadrille.dev/errors/rejected"
    );
    assert_eq!(ended["error"]["detail"], "bob: too expensive");
    server.stop().await;
}
