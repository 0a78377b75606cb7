//! The REST interface against a real engine, without a socket.
//!
//! Invariant: every answer that is no success is a problem with a code.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::intake::REQUEST_BYTES_MAX;
use crate::tests::fixture::{HELLO, Server};

#[tokio::test]
async fn a_run_is_started_waited_for_and_found() {
    let server = Server::start().await;
    let body = json!({
        "workflow": "hello", "key": "k1", "input": { "name": "Ada" },
        "labels": { "team": "a" }, "attributes": { "amount": 5 },
    });
    let (status, first) = server
        .call("POST", "/api/v1/runs?wait=10s", &body.to_string())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(first["run"]["state"], "completed");
    assert_eq!(first["run"]["output"], json!({ "greeting": "Hello, Ada!" }));
    let (status, again) = server
        .call("POST", "/api/v1/runs?wait=10s", &body.to_string())
        .await;
    assert_eq!(
        (status, &again["id"], &again["created"]),
        (StatusCode::OK, &first["id"], &json!(false))
    );

    let id = first["id"].as_str().unwrap();
    let (_, run) = server
        .call("GET", &format!("/api/v1/runs/{id}?wait=1s"), "")
        .await;
    assert_eq!(run["key"], "k1");
    assert_eq!(run["steps"], json!([]));
    assert_eq!(run["children"], json!([]));
    assert!(run["started_at"].as_str().unwrap().ends_with('Z'), "{run}");
    for (query, count) in [
        ("", 1),
        ("workflow=hello&state=completed,failed", 1),
        ("label=team=a&attribute=amount=5", 1),
        ("label=team=b", 0),
        ("attribute=amount=6", 0),
        ("state=running&state=waiting", 0),
        ("started_before=1980-01-01T00:00:00Z", 0),
        ("started_after=1980-01-01T00:00:00Z", 1),
    ] {
        let (status, listed) = server
            .call("GET", &format!("/api/v1/runs?{query}"), "")
            .await;
        assert_eq!(
            (status, listed["runs"].as_array().unwrap().len()),
            (StatusCode::OK, count),
            "{query}"
        );
        let (_, counted) = server
            .call("GET", &format!("/api/v1/runs/count?{query}"), "")
            .await;
        assert_eq!(counted["count"], count, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_neither_repeat_nor_miss() {
    let server = Server::start().await;
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(server.run("wait").await);
    }
    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let (status, page) = server
            .call("GET", &format!("/api/v1/runs?limit=2{token}"), "")
            .await;
        assert_eq!(status, StatusCode::OK, "{page}");
        listed.extend(
            page["runs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| run["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_page_token"].as_str() else {
            break;
        };
        token = format!("&page_token={next}");
    }
    listed.sort();
    started.sort();
    assert_eq!(listed, started);
    server.stop().await;
}

#[tokio::test]
async fn a_run_is_changed() {
    let server = Server::start().await;
    let id = server.run("wait").await;
    let state = async || {
        server
            .call("GET", &format!("/api/v1/runs/{id}"), "")
            .await
            .1["state"]
            .clone()
    };
    assert_eq!(state().await, "waiting");
    for (action, body, state_after) in [
        ("suspend", "", "suspended"),
        ("resume", "", "waiting"),
        ("signal", r#"{"name": "hurry", "data": [1]}"#, "waiting"),
        ("cancel", r#"{"reason": "not needed"}"#, "cancelled"),
    ] {
        let (status, answer) = server
            .call("POST", &format!("/api/v1/runs/{id}/{action}"), body)
            .await;
        assert_eq!(
            (status, &answer),
            (StatusCode::NO_CONTENT, &Value::Null),
            "{action}"
        );
        assert_eq!(state().await, state_after, "{action}");
    }
    for action in ["cancel", "terminate", "retry", "suspend"] {
        let (status, problem) = server
            .call("POST", &format!("/api/v1/runs/{id}/{action}"), "")
            .await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!("run-ended")),
            "{action}"
        );
    }
    let (_, history) = server
        .call("GET", &format!("/api/v1/runs/{id}/history?limit=2"), "")
        .await;
    assert_eq!(history["events"][0]["kind"], "Started");
    assert_eq!(history["events"][1]["number"], 1);
    assert_eq!(history["next"], 2);
    server.stop().await;
}

#[tokio::test]
async fn an_event_meets_those_who_wait() {
    let server = Server::start().await;
    let id = server.run("wait").await;
    let publish = async || {
        server
            .call("POST", "/api/v1/events?ttl_ms=60000", r#"{"type": "paid"}"#)
            .await
    };
    assert_eq!(publish().await, (StatusCode::OK, json!({ "receivers": 1 })));
    assert_eq!(publish().await, (StatusCode::OK, json!({ "receivers": 0 })));
    let (_, run) = server
        .call("GET", &format!("/api/v1/runs/{id}?wait=10s"), "")
        .await;
    assert_eq!(run["state"], "completed");
    server.stop().await;
}

#[tokio::test]
async fn events_of_a_run_are_streamed_to_its_end_and_resumed() {
    let server = Server::start().await;
    let id = server.run("wait").await;
    let path = format!("/api/v1/runs/{id}/events");
    let watching = server
        .send(Request::get(&path).body(Body::empty()).unwrap())
        .await;
    assert_eq!(
        watching.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    server
        .call("POST", "/api/v1/events", r#"{"type": "paid"}"#)
        .await;
    let text = axum::body::to_bytes(watching.into_body(), usize::MAX)
        .await
        .unwrap();
    let text = String::from_utf8(text.into()).unwrap();
    let ids: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
        .collect();
    assert_eq!(ids, (0..ids.len() as u64).collect::<Vec<_>>(), "{text}");
    assert!(
        text.contains(r#""kind":"Ended""#) && text.contains("event: end"),
        "{text}"
    );

    let last = ids.len() - 1;
    let resume = Request::get(&path)
        .header("last-event-id", last - 1)
        .body(Body::empty())
        .unwrap();
    let text = axum::body::to_bytes(server.send(resume).await.into_body(), usize::MAX)
        .await
        .unwrap();
    let text = String::from_utf8(text.into()).unwrap();
    assert_eq!(text.matches("id: ").count(), 1, "{text}");
    server.stop().await;
}

#[tokio::test]
async fn workflows_are_deployed_checked_and_shown() {
    let server = Server::start().await;
    let (status, again) = server.call("POST", "/api/v1/workflows", HELLO).await;
    assert_eq!((status, &again["created"]), (StatusCode::OK, &json!(false)));
    let changed = HELLO.replace("Hello", "Goodbye");
    let (status, problem) = server.call("POST", "/api/v1/workflows", &changed).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("version-exists"))
    );
    let (status, problem) = server
        .call("POST", "/api/v1/workflows", "document: 1")
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid-workflow"))
    );
    assert_eq!(problem["findings"][0]["severity"], "error");
    let (status, checked) = server
        .call("POST", "/api/v1/workflows/check", "document: 1")
        .await;
    assert_eq!(
        (status, &checked["findings"]),
        (StatusCode::OK, &problem["findings"])
    );

    let (_, listed) = server.call("GET", "/api/v1/workflows", "").await;
    assert_eq!(listed["workflows"].as_array().unwrap().len(), 3);
    let (status, shown) = server
        .call("GET", "/api/v1/workflows/shop%2Fwork?version=1.0.0", "")
        .await;
    assert_eq!(
        (status, &shown["workflow"], &shown["latest"]),
        (StatusCode::OK, &json!("shop/work"), &json!(true))
    );
    assert!(shown["source"].as_str().unwrap().contains("parcels"));
    assert_eq!(shown["graph"]["version"], "1.0.0");
    let (status, _) = server
        .call("GET", "/api/v1/workflows/shop%2Fwork?version=2", "")
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn schedules_are_kept() {
    let server = Server::start().await;
    let body = r#"{"workflow": "hello", "cron": "0 6 * * *", "time_zone": "Europe/Berlin", "overlap": "queue"}"#;
    let (status, answer) = server.call("PUT", "/api/v1/schedules/a%2Fb", body).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    let (status, _) = server
        .call("POST", "/api/v1/schedules/a%2Fb/pause", "")
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, shown) = server.call("GET", "/api/v1/schedules/a%2Fb", "").await;
    assert_eq!(
        (&shown["paused"], &shown["overlap"], &shown["next_at"]),
        (&json!(true), &json!("queue"), &Value::Null)
    );
    server
        .call("POST", "/api/v1/schedules/a%2Fb/resume", "")
        .await;
    let (_, listed) = server.call("GET", "/api/v1/schedules", "").await;
    let next_at = listed["schedules"][0]["next_at"].as_str().unwrap();
    assert!(next_at.ends_with(":00.000Z"), "{next_at}");
    let (status, _) = server.call("DELETE", "/api/v1/schedules/a%2Fb", "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = server.call("GET", "/api/v1/schedules/a%2Fb", "").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("schedule-missing"))
    );
    server.stop().await;
}

#[tokio::test]
async fn the_schedule_of_a_workflow_follows_its_newest_version() {
    let server = Server::start().await;
    let text = |version: &str, schedule: &str| {
        HELLO
            .replace("name: hello", "name: often")
            .replace("1.0.0", version)
            .replace("do:", &format!("{schedule}\ndo:"))
    };
    let hourly = "schedule: { every: { hours: 1 } }";
    let daily = "schedule: { cron: '0 6 * * *' }";
    let deploy = async |version: &str, schedule: &str| {
        let text = text(version, schedule);
        let (status, answer) = server.call("POST", "/api/v1/workflows", &text).await;
        (status.as_u16(), answer["schedule"].clone())
    };
    let shown = async || server.call("GET", "/api/v1/schedules/often", "").await.1;

    assert_eq!(deploy("1.0.0", hourly).await, (201, json!("created")));
    assert_eq!(shown().await["every_ms"], 3_600_000);
    assert_eq!(deploy("1.0.0", hourly).await, (200, json!("unchanged")));
    // Another schedule is another text, which needs another version.
    assert_eq!(deploy("1.0.0", daily).await, (409, Value::Null));
    assert_eq!(deploy("1.0.0", "").await, (409, Value::Null));

    // What the text does not say stays: it rests, and keeps its input.
    let by_hand = r#"{"workflow": "default/often", "every_ms": 5000, "input": [1], "overlap": "queue", "paused": true}"#;
    server.call("PUT", "/api/v1/schedules/often", by_hand).await;
    assert_eq!(deploy("1.1.0", daily).await, (201, json!("changed")));
    let schedule = shown().await;
    assert_eq!(
        [
            &schedule["cron"],
            &schedule["every_ms"],
            &schedule["time_zone"]
        ],
        [&json!("0 6 * * *"), &Value::Null, &json!("UTC")]
    );
    assert_eq!(
        [
            &schedule["paused"],
            &schedule["input"],
            &schedule["overlap"]
        ],
        [&json!(true), &json!([1]), &json!("queue")]
    );

    // An older version has no say.
    assert_eq!(deploy("1.0.0", hourly).await, (200, Value::Null));
    assert_eq!(shown().await["cron"], "0 6 * * *");
    assert_eq!(deploy("1.2.0", "").await, (201, json!("removed")));
    assert_eq!(shown().await["code"], "schedule-missing");

    // One that no version asked for was made by hand.
    server.call("PUT", "/api/v1/schedules/often", by_hand).await;
    assert_eq!(deploy("1.3.0", "").await, (201, Value::Null));
    assert_eq!(shown().await["every_ms"], 5_000);
    server.stop().await;
}

#[tokio::test]
async fn the_default_namespace_may_be_named() {
    let server = Server::start().await;
    let body = r#"{"workflow": "default/hello", "key": "k", "input": {"name": "Ada"}}"#;
    let (_, first) = server.call("POST", "/api/v1/runs", body).await;
    let body = body.replace("default/", "");
    let (_, second) = server.call("POST", "/api/v1/runs", &body).await;
    assert_eq!(first["id"], second["id"], "{first} {second}");
    let (_, shown) = server
        .call("GET", "/api/v1/workflows/default%2Fhello", "")
        .await;
    assert_eq!(shown["workflow"], "hello");
    let (_, counted) = server
        .call("GET", "/api/v1/runs/count?workflow=default/hello", "")
        .await;
    assert_eq!(counted["count"], 1);
    server.stop().await;
}

/// Method, path, body; status, code, and a part of what is said.
#[rustfmt::skip]
const BAD: &[(&str, &str, &str, u16, &str, &str)] = &[
    ("POST", "/api/v1/runs", "{", 400, "invalid-json", "line 1"),
    ("POST", "/api/v1/runs", "{}", 400, "invalid-argument", "workflow"),
    ("POST", "/api/v1/runs", r#"{"workflow": ""}"#, 400, "invalid-argument", "workflow"),
    ("POST", "/api/v1/runs", r#"{"workflow": "hello", "colour": 1}"#, 400, "invalid-argument", "colour"),
    ("POST", "/api/v1/runs", r#"{"workflow": "none"}"#, 404, "workflow-missing", "none"),
    ("POST", "/api/v1/runs?wait=soon", r#"{"workflow": "hello"}"#, 400, "invalid-argument", "soon"),
    ("POST", "/api/v1/runs?colour=red", r#"{"workflow": "hello"}"#, 400, "invalid-argument", "colour"),
    ("GET", "/api/v1/runs/7", "", 400, "invalid-argument", "run id"),
    ("GET", "/api/v1/runs/%FF", "", 400, "invalid-argument", "UTF-8"),
    ("GET", "/api/v1/runs/00000000-0000-0000-0000-000000000000", "", 404, "run-missing", "no run"),
    ("GET", "/api/v1/runs?state=gone", "", 400, "invalid-argument", "gone"),
    ("GET", "/api/v1/runs?limit=1001", "", 400, "invalid-argument", "1000"),
    ("GET", "/api/v1/runs?limit=-1", "", 400, "invalid-argument", "-1"),
    ("GET", "/api/v1/runs?page_token=1", "", 400, "invalid-argument", "page_token"),
    ("GET", "/api/v1/runs?started_after=now", "", 400, "invalid-argument", "now"),
    ("POST", "/api/v1/events", "[1", 400, "invalid-json", "column"),
    ("POST", "/api/v1/events", "[1]", 400, "invalid", "type"),
    ("PUT", "/api/v1/schedules/s", r#"{"workflow": "hello"}"#, 400, "invalid", "interval"),
    ("PUT", "/api/v1/schedules/s", r#"{"workflow": "hello", "cron": "x"}"#, 400, "invalid", "x"),
    ("PUT", "/api/v1/schedules/s", r#"{"workflow": "hello", "overlap": "x"}"#, 400, "invalid-argument", "queue"),
    ("PUT", "/api/v1/schedules/s", r#"{"workflow": "hello", "cron": "0 0 30 2 *"}"#, 400, "invalid", "never comes"),
    ("PUT", "/api/v1/schedules/s", r#"{"workflow": "hello", "every_ms": 9000, "time_zone": "UTC"}"#, 400, "invalid-argument", "time_zone"),
    ("DELETE", "/api/v1/runs", "", 405, "method-refused", "DELETE"),
    ("GET", "/api/v1/nothing", "", 404, "route-missing", "/api/v1/nothing"),
    ("GET", "/nothing", "", 404, "route-missing", "/nothing"),
];

#[tokio::test]
async fn bad_requests_are_refused_clearly() {
    let server = Server::start().await;
    let large = "x".repeat(REQUEST_BYTES_MAX + 1);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let computed = [
        ("POST", "/api/v1/runs", &*large, 413, "too-large", "4194304"),
        (
            "POST",
            "/api/v1/workflows",
            &*large,
            413,
            "too-large",
            "4194304",
        ),
        (
            "POST",
            "/api/v1/events",
            &*deep,
            400,
            "invalid-json",
            "recursion",
        ),
    ];
    for (method, path, body, status, code, said) in BAD.iter().copied().chain(computed) {
        let shown = &body[..body.len().min(60)];
        let request = Request::builder().method(method).uri(path);
        let response = server
            .send(request.body(Body::from(body.to_owned())).unwrap())
            .await;
        assert_eq!(response.status(), status, "{method} {path} {shown}");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json",
            "{method} {path}"
        );
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(problem["code"], code, "{method} {path} {shown}: {problem}");
        assert_eq!(
            problem["type"],
            format!("https://quadrille.dev/errors/{code}")
        );
        assert_eq!(problem["status"], status);
        assert!(
            problem["detail"].as_str().unwrap().contains(said),
            "{method} {path} {shown}: {problem}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_of_strangers_are_refused() {
    let server = Server::start().await;
    for (host, origin, status) in [
        ("localhost:8080", None, StatusCode::OK),
        (
            "localhost:8080",
            Some("http://localhost:8080"),
            StatusCode::OK,
        ),
        (
            "localhost:8080",
            Some("https://evil.example"),
            StatusCode::FORBIDDEN,
        ),
        ("evil.example", None, StatusCode::FORBIDDEN),
    ] {
        let mut request = Request::get("/api/v1/runs").header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let response = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), status, "{host} {origin:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn machines_can_look_after_the_server() {
    let server = Server::start().await;
    for (path, said) in [
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/metrics", "quadrille_"),
    ] {
        let (status, text) = server.call("GET", path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(text.as_str().unwrap().contains(said), "{path}: {text}");
    }
    let (status, document) = server.call("GET", "/api/openapi.json", "").await;
    assert_eq!(
        (status, &document["info"]["title"]),
        (StatusCode::OK, &json!("Quadrille"))
    );
    server.stop().await;
}
