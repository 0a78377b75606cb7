//! Calls of a real server over HTTP; those of real processes are in `stdio`, and what goes wrong in `failures`.

mod failures;
mod stdio;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::*;
use crate::outgoing::AddressPolicy;

/// What the server was asked.
struct Seen {
    /// The method of HTTP, and the one of MCP if there is one.
    what: String,
    headers: HeaderMap,
    message: Value,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// A server that does what all do, and answers the rest as it is told: its port, and what it is asked.
async fn serve(
    answer: impl Fn(&str, &Value) -> Option<Response> + Send + Sync + 'static,
) -> (u16, UnboundedReceiver<Seen>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (say, seen) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    let router = axum::Router::new().fallback(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let method = message["method"].as_str().unwrap_or_default();
        let what = format!("{} {method}", parts.method);
        let response = answer(what.trim(), &message);
        let _ = say.send(Seen {
            what: what.trim().to_owned(),
            headers: parts.headers,
            message: message.clone(),
        });
        response.unwrap_or_else(|| match method {
            "initialize" => ([("mcp-session-id", "s-1")], welcome(&message)).into_response(),
            _ => StatusCode::ACCEPTED.into_response(),
        })
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (port, seen)
}

fn welcome(message: &Value) -> axum::Json<Value> {
    let version = &message["params"]["protocolVersion"];
    result(
        message,
        json!({"protocolVersion": version, "capabilities": {}}),
    )
}

fn result(message: &Value, result: impl Into<Value>) -> axum::Json<Value> {
    axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result.into()}))
}

fn events(text: String) -> Response {
    ([("content-type", "text/event-stream; charset=utf-8")], text).into_response()
}

fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

/// A call of the server at this port, with these members besides.
async fn call(port: u16, more: Value) -> Result<Value, TaskError> {
    let outgoing = Outgoing {
        addresses: AddressPolicy::Any,
        ..Outgoing::default()
    };
    let caller = Arc::new(Caller::new(&outgoing).unwrap());
    let mut input = json!({"method": "tools/call", "parameters": {"name": "add"},
        "transport": {"endpoint": format!("http://127.0.0.1:{port}/mcp?key=s3cr3t")}});
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Object(inner) if key == "transport" => {
                let transport = input[key].as_object_mut().unwrap();
                transport.extend(inner.clone());
            }
            value => input[key] = value.clone(),
        }
    }
    over_http(&caller, input, "key-1").await
}

async fn next(seen: &mut UnboundedReceiver<Seen>) -> Seen {
    let next = tokio::time::timeout(Duration::from_secs(30), seen.recv());
    next.await.expect("the server is asked").unwrap()
}

#[tokio::test]
async fn a_call_is_a_session_of_its_own() {
    let (port, mut seen) = serve(|what, message| {
        let sum =
            json!({"content": [{"type": "text", "text": "3"}], "structuredContent": {"sum": 3}});
        (what == "POST tools/call").then(|| result(message, sum).into_response())
    })
    .await;
    let more = json!({"parameters": {"name": "add", "arguments": {"a": 1}}, "protocolVersion": "2025-11-25",
        "client": {"name": "me", "version": "7"},
        "transport": {"headers": {"X": "x", "Accept": "text/plain", "Mcp-Session-Id": "another"}, "authentication": {"bearer": {"token": "t"}}}});
    let answer = call(port, more).await.unwrap();
    assert_eq!(answer["structuredContent"], json!({"sum": 3}));
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(next(&mut seen).await);
    }
    let whats: Vec<&str> = all.iter().map(|seen| &*seen.what).collect();
    assert_eq!(
        whats,
        [
            "POST initialize",
            "POST notifications/initialized",
            "POST tools/call",
            "DELETE"
        ]
    );
    let of = |name: &str| {
        all.iter()
            .map(|seen| seen.header(name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("mcp-session-id"), ["", "s-1", "s-1", "s-1"]);
    assert_eq!(
        of("mcp-protocol-version"),
        ["", "2025-11-25", "2025-11-25", "2025-11-25"]
    );
    assert_eq!(of("idempotency-key"), ["", "", "key-1", ""]);
    assert_eq!(of("authorization"), ["Bearer t"; 4]);
    assert_eq!(of("x"), ["x"; 4]);
    assert_eq!(
        all[2].header("accept"),
        "application/json, text/event-stream"
    );
    assert_eq!(
        all[0].message["params"],
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "me", "version": "7"}})
    );
    assert_eq!(
        all[2].message["params"],
        json!({"name": "add", "arguments": {"a": 1}})
    );
}

#[tokio::test]
async fn an_answer_may_come_as_events_after_questions() {
    let (port, mut seen) = serve(|what, message| {
        (what == "POST tools/call").then(|| {
            events([
                event(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}})),
                event(&json!({"jsonrpc": "2.0", "id": "p", "method": "ping"})),
                event(&json!({"jsonrpc": "2.0", "id": 2, "method": "sampling/createMessage"})),
                event(&json!({"jsonrpc": "2.0", "id": 99, "result": {}})),
                event(&result(message, json!({"content": []})).0),
                "data: never read".to_owned(),
            ].concat())
        })
    })
    .await;
    assert_eq!(call(port, json!({})).await.unwrap(), json!({"content": []}));
    for _ in 0..3 {
        next(&mut seen).await;
    }
    assert_eq!(
        next(&mut seen).await.message,
        json!({"jsonrpc": "2.0", "id": "p", "result": {}})
    );
    let refused = next(&mut seen).await.message;
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!(2), &json!(-32601))
    );
    assert_eq!(next(&mut seen).await.what, "DELETE");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_read_on() {
    let (port, mut seen) = serve(|what, _| match what {
        "POST tools/call" => Some(events(
            "id: e1\nretry: 1\ndata:\n\nid: e2\ndata: cut sho".to_owned(),
        )),
        "GET" => Some(events(event(
            &json!({"jsonrpc": "2.0", "id": 2, "result": {"a": 1}}),
        ))),
        _ => None,
    })
    .await;
    assert_eq!(call(port, json!({})).await.unwrap(), json!({"a": 1}));
    for _ in 0..3 {
        next(&mut seen).await;
    }
    let resumed = next(&mut seen).await;
    let said = (
        &*resumed.what,
        resumed.header("last-event-id"),
        resumed.header("mcp-session-id"),
    );
    assert_eq!(said, ("GET", "e1", "s-1"));
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let (port, mut seen) = serve(|what, message| {
        let cursor = message["params"]["cursor"].as_str();
        let page = match (what, cursor) {
            ("POST tools/list", None) => json!({"tools": [{"name": "a"}], "nextCursor": "1"}),
            ("POST tools/list", _) => json!({"tools": [{"name": "b"}], "_meta": {}}),
            ("POST resources/templates/list", _) => {
                json!({"resourceTemplates": [0], "nextCursor": "on"})
            }
            ("POST prompts/list", _) => {
                json!({"prompts": ["x".repeat(100_000)], "nextCursor": "on"})
            }
            ("POST resources/list", _) => json!({"tools": []}),
            _ => return None,
        };
        Some(result(message, page).into_response())
    })
    .await;
    let list = async |method: &str, parameters: Value| {
        call(port, json!({"method": method, "parameters": parameters})).await
    };
    let all = list("tools/list", json!({})).await.unwrap();
    assert_eq!(
        all,
        json!({"tools": [{"name": "a"}, {"name": "b"}], "_meta": {}})
    );
    assert!(
        std::iter::from_fn(|| seen.try_recv().ok())
            .all(|seen| seen.header("idempotency-key").is_empty())
    );
    let one = list("resources/templates/list", json!({"cursor": ""}))
        .await
        .unwrap();
    assert_eq!(one["nextCursor"], "on");
    for (method, part) in [
        ("resources/templates/list", "more than 64 pages"),
        ("prompts/list", "more than 1048576 bytes"),
        ("resources/list", "without \"resources\""),
    ] {
        let error = list(method, json!({})).await.unwrap_err();
        assert!(
            error.detail.contains(part) && !error.retryable,
            "{}",
            error.detail
        );
    }
}

#[tokio::test]
async fn a_call_that_is_late_or_given_up_is_taken_back() {
    let (port, mut seen) = serve(|what, _| {
        let never = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
        (what == "POST tools/call")
            .then(|| ([("content-type", "text/event-stream")], never).into_response())
    })
    .await;
    let late = call(port, json!({"timeoutMs": 1500})).await.unwrap_err();
    assert!(late.retryable && late.status == 408, "{late:?}");
    assert!(late.detail.contains("within 1500 ms"), "{late:?}");
    let goodbye = async |seen: &mut UnboundedReceiver<Seen>| {
        while next(seen).await.what != "POST tools/call" {}
        let taken = next(seen).await;
        assert_eq!(
            (&*taken.what, &taken.message["params"]["requestId"]),
            ("POST notifications/cancelled", &json!(2))
        );
        assert_eq!(next(seen).await.what, "DELETE");
    };
    goodbye(&mut seen).await;
    let given_up = tokio::spawn(call(port, json!({})));
    while next(&mut seen).await.what != "POST notifications/initialized" {}
    let asked = next(&mut seen).await;
    assert_eq!(asked.what, "POST tools/call");
    given_up.abort();
    assert_eq!(next(&mut seen).await.what, "POST notifications/cancelled");
    assert_eq!(next(&mut seen).await.what, "DELETE");
}

#[tokio::test]
async fn what_cannot_be_called_is_told_before() {
    for (more, part) in [
        (
            json!({"method": "logging/setLevel"}),
            "method: it must be one of tools/list",
        ),
        (
            json!({"protocolVersion": "2024-10-07"}),
            "protocolVersion: it must be one of 2025-11-25",
        ),
        (json!({"timeoutMs": 0}), "timeoutMs: 0 is not"),
        (json!({"parameters": [1]}), "parameters: expected a map"),
        (
            json!({"transport": {"command": "x"}}),
            "unknown field `command`",
        ),
        (
            json!({"transport": {"endpoint": "file:///x"}}),
            "must be http or https",
        ),
        (
            json!({"transport": {"headers": {"Upgrade": "x"}}}),
            "belongs to the connection",
        ),
    ] {
        let error = call(1, more).await.unwrap_err();
        assert!(
            error.kind.ends_with("configuration") && error.detail.contains(part),
            "{error:?}"
        );
    }
    let caller = Arc::new(Caller::new(&Outgoing::default()).unwrap());
    let input =
        json!({"method": "tools/list", "transport": {"endpoint": "http://127.0.0.1:1/mcp"}});
    let error = over_http(&caller, input, "").await.unwrap_err();
    assert!(error.detail.contains("allow_private"), "{error:?}");
}
