//! What servers fail with, and what hostile ones do.

use super::*;

/// What a server answers to the method, and what of it is found in the failure.
type Hostile = (fn(&Value) -> Response, &'static str);

/// An error code, a status of HTTP or nothing; then type, status and whether it is tried again; a part of the detail.
const FAILURES: [(i64, &str, u16, bool, &str); 12] = [
    (-32602, "communication", 400, false, ": why ({\"a\":1})"),
    (-32601, "communication", 501, false, "error -32601"),
    (-32603, "communication", 500, true, "error -32603"),
    (-32002, "communication", 404, false, "error -32002"),
    (7, "communication", 500, false, "error 7"),
    (0, "runtime", 500, false, "\"add\" of POST http://127.0."),
    (401, "authentication", 401, false, "answered 401"),
    (403, "authorization", 403, false, "answered 403"),
    (404, "communication", 404, true, "answered 404"),
    (429, "communication", 429, true, "answered 429"),
    (503, "communication", 503, true, "answered 503"),
    (307, "communication", 307, false, "answered 307"),
];

const EVENTS: &str = "text/event-stream";

const HOSTILE: [Hostile; 11] = [
    (
        |_| endless("data: 0000000", EVENTS),
        "more than 1048576 bytes",
    ),
    (
        |_| endless("data: {\"method\":\"a\"}\n\n", EVENTS),
        "more than 10000 messages",
    ),
    (
        |_| endless(": a long remark, and again\n", EVENTS),
        "more than 8388608 bytes",
    ),
    (|_| endless(PING, EVENTS), "more than 32 questions"),
    (
        |_| endless("[[[[[[[", "application/json"),
        "more than 1048576 bytes",
    ),
    (
        |_| events("data: nonsense\n\n".to_owned()),
        "JSON that is none",
    ),
    (
        |_| events("data: {}\n\n".to_owned()),
        "ended without the answer",
    ),
    (
        |_| events("id: 1\nretry: 0\n\n".to_owned()),
        "202 with no content type",
    ),
    (|message| result(message, 7).into_response(), "no object"),
    (
        |_| axum::Json(json!([])).into_response(),
        "without a result",
    ),
    (|_| "hello".into_response(), "text/plain instead of JSON"),
];

const PING: &str = "data: {\"id\": 1, \"method\": \"ping\"}\n\n";

const HOSTILE_GREETINGS: [Hostile; 2] = [
    (
        |message| result(message, json!({"protocolVersion": "1999-01-01"})).into_response(),
        "\"1999-01-01\" of the protocol",
    ),
    (
        |message| ([("mcp-session-id", "s".repeat(2000))], welcome(message)).into_response(),
        "more than 1024 bytes",
    ),
];

fn endless(piece: &'static str, kind: &'static str) -> Response {
    let pieces = std::iter::repeat_with(move || Ok::<_, std::io::Error>(piece));
    let body = Body::from_stream(tokio_stream::iter(pieces));
    ([("content-type", kind)], body).into_response()
}

/// Calls a server that answers a method so.
async fn answered(method: &'static str, answer: fn(&Value) -> Response) -> TaskError {
    let (port, _seen) =
        serve(move |what, message| what.ends_with(method).then(|| answer(message))).await;
    call(port, json!({})).await.unwrap_err()
}

#[tokio::test]
async fn failures_say_what_they_are() {
    let (port, _seen) = serve(|what, message| {
        let code = message["params"]["arguments"]["code"].as_i64();
        let content = json!([{"type": "text", "text": "no such city"}]);
        let error = json!({"code": code, "message": "why", "data": {"a": 1}});
        (what == "POST tools/call").then(|| match code.unwrap() {
            0 => result(message, json!({"isError": true, "content": content})).into_response(),
            status @ 100.. => {
                let status = u16::try_from(status).unwrap();
                StatusCode::from_u16(status).unwrap().into_response()
            }
            _ => axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "error": error}))
                .into_response(),
        })
    })
    .await;
    for (code, kind, status, retryable, part) in FAILURES {
        let parameters = json!({"name": "add", "arguments": {"code": code}});
        let failed = call(port, json!({"parameters": parameters})).await;
        let error = failed.unwrap_err();
        assert!(error.kind.ends_with(kind), "{error:?}");
        let said = (error.status, error.retryable);
        assert_eq!(said, (status, retryable), "{error:?}");
        assert!(error.detail.contains(part), "{error:?}");
        assert!(!error.detail.contains("s3cr3t"), "{error:?}");
    }
    let gone = call(1, json!({})).await.unwrap_err();
    assert!(gone.retryable, "{gone:?}");
    assert!(gone.detail.contains("127.0.0.1:1/mcp"), "{gone:?}");
}

#[tokio::test]
async fn hostile_answers_end_soon() {
    for (answer, part) in HOSTILE {
        let error = answered("tools/call", answer).await;
        assert!(error.detail.contains(part), "{part}: {}", error.detail);
    }
    for (answer, part) in HOSTILE_GREETINGS {
        let error = answered("initialize", answer).await;
        assert!(error.detail.contains(part), "{part}: {}", error.detail);
        assert!(!error.retryable);
    }
}

#[tokio::test]
async fn a_stream_is_read_on_only_so_often() {
    let (port, _seen) = serve(|what, _| {
        let broken = matches!(what, "POST tools/call" | "GET");
        broken.then(|| events("id: 1\nretry: 0\n\n".to_owned()))
    })
    .await;
    let error = call(port, json!({})).await.unwrap_err();
    let part = "broke off more than 32 times";
    assert!(error.retryable && error.detail.contains(part), "{error:?}");
}
