//! The connector against a small server on a real socket.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::outgoing::AddressPolicy;

/// Answers with what it was asked.
async fn mirror(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> axum::Json<Value> {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    axum::Json(json!({
        "method": method.as_str(),
        "query": uri.query(),
        "body": String::from_utf8_lossy(&body),
        "type": header("content-type"),
        "key": header("idempotency-key"),
        "authorization": header("authorization"),
        "x": header("x"),
    }))
}

/// Asks to be left alone as long as the query says.
async fn busy(uri: Uri) -> impl IntoResponse {
    let query = reqwest::Url::parse(&format!("http://x/?{}", uri.query().unwrap())).unwrap();
    let after = query.query_pairs().next().unwrap().1.into_owned();
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::RETRY_AFTER, after)],
    )
}

async fn endless() -> axum::body::Body {
    struct Zeros;
    impl Iterator for Zeros {
        type Item = Result<Bytes, std::io::Error>;
        fn next(&mut self) -> Option<Self::Item> {
            Some(Ok(Bytes::from_static(&[b'0'; 64 << 10])))
        }
    }
    axum::body::Body::from_stream(tokio_stream::iter(Zeros))
}

/// Starts the server and answers its port.
async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = |content_type: &'static str, text: &'static [u8]| {
        get(move || async move { ([(header::CONTENT_TYPE, content_type)], text) })
    };
    let moved = |host: &str| {
        let to = format!("http://{host}:{port}/text");
        get(move || async move { Redirect::temporary(&to) })
    };
    let status = |code: u16| {
        any(move || async move {
            (StatusCode::from_u16(code).unwrap(), "because ".repeat(1000)).into_response()
        })
    };
    let router = Router::new()
        .route("/mirror", any(mirror))
        .route("/text", text("text/plain", "grün".as_bytes()))
        .route(
            "/bytes",
            text("application/octet-stream", &[0xff, 0x00, 0x7f]),
        )
        .route(
            "/problem",
            text("application/problem+json; charset=utf-8", br#"{"a":[1.5]}"#),
        )
        .route("/half", text("application/json", b"{\"a\":"))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/large", get(|| async { vec![b'0'; (1 << 20) + 1] }))
        .route("/endless", get(endless))
        .route("/never", get(std::future::pending::<()>))
        .route("/circle", get(|| async { Redirect::temporary("/circle") }))
        .route("/to-name", moved("localhost"))
        .route("/to-address", moved("127.0.0.1"))
        .route("/to-mapped", moved("[::ffff:127.0.0.1]"))
        .route(
            "/to-file",
            get(|| async { Redirect::temporary("file:///etc/hostname") }),
        )
        .route("/404", status(404))
        .route("/408", status(408))
        .route("/429", status(429))
        .route("/503", status(503))
        .route("/busy", get(busy));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    port
}

async fn call(addresses: AddressPolicy, port: u16, mut input: Value) -> Result<Value, TaskError> {
    // This name stands for a public one: it does not pass the guard.
    let outgoing = Outgoing {
        addresses,
        resolve: [("public.example".into(), ([127, 0, 0, 1], port).into())].into(),
        ..Outgoing::default()
    };
    let caller = Caller::new(&outgoing).unwrap();
    let endpoint = input["endpoint"]
        .as_str()
        .unwrap()
        .replace("PORT", &port.to_string());
    input["endpoint"] = endpoint.into();
    caller.call(read("http request", input)?, "key-1").await
}

/// Calls a path with further members of the input.
async fn ask(port: u16, path: &str, more: Value) -> Result<Value, TaskError> {
    let mut input = more;
    input["endpoint"] = format!("http://127.0.0.1:PORT{path}").into();
    call(AddressPolicy::Any, port, input).await
}

fn word(error: &TaskError) -> &str {
    error.kind.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_request_carries_what_the_workflow_says() {
    let port = serve().await;
    let cases = [
        (
            json!({"method": "post", "body": {"a": 1}, "headers": {"X": 7}, "query": {"q": ["a b", 2], "r": true}}),
            json!({"method": "POST", "query": "q=a+b&q=2&r=true", "body": "{\"a\":1}", "type": "application/json",
                "key": "key-1", "authorization": null, "x": "7"}),
        ),
        (
            json!({"method": "PUT", "body": "a,b", "headers": {"Content-Type": "text/csv", "Idempotency-Key": "mine"},
                "authentication": {"basic": {"username": "u", "password": "p"}}}),
            json!({"method": "PUT", "query": null, "body": "a,b", "type": "text/csv", "key": "mine",
                "authorization": "Basic dTpw", "x": null}),
        ),
        (
            json!({"method": "PATCH", "body": "a", "authentication": {"bearer": {"token": "t"}}}),
            json!({"method": "PATCH", "query": null, "body": "\"a\"", "type": "application/json", "key": "key-1",
                "authorization": "Bearer t", "x": null}),
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(ask(port, "/mirror", input).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn credentials_in_an_address_are_refused_and_not_told() {
    let port = serve().await;
    for endpoint in [
        "http://ada:s3cr3t@127.0.0.1:PORT/mirror",
        "http://s3cr3t@127.0.0.1:PORT/mirror",
    ] {
        let input = json!({"endpoint": endpoint});
        let error = call(AddressPolicy::Any, port, input).await.unwrap_err();
        assert_eq!(word(&error), "configuration");
        assert!(
            error.detail.contains("use `authentication") && !error.detail.contains("s3cr3t"),
            "{}",
            error.detail
        );
    }
}

#[tokio::test]
async fn each_output_shows_the_response_its_way() {
    let port = serve().await;
    let cases = [
        ("/text", "content", json!("grün")),
        ("/problem", "content", json!({"a": [1.5]})),
        ("/empty", "content", Value::Null),
        ("/bytes", "raw", json!("/wB/")),
        ("/bytes", "content", json!("/wB/")),
    ];
    for (path, output, expected) in cases {
        let got = ask(port, path, json!({"output": output})).await.unwrap();
        assert_eq!(got, expected, "{path}");
    }
    let input = json!({"output": "response", "headers": {"X": "1"}, "authentication": {"bearer": {"token": "t"}}});
    let mut got = ask(port, "/text", input).await.unwrap();
    assert_eq!(got["headers"]["content-type"], "text/plain");
    got["headers"].take();
    let uri = format!("http://127.0.0.1:{port}/text");
    let headers = json!({"x": "1", "idempotency-key": "key-1"});
    let request = json!({"method": "GET", "uri": uri, "headers": headers});
    let expected =
        json!({"request": request, "statusCode": 200, "headers": null, "content": "grün"});
    assert_eq!(got, expected, "without the credentials");
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn failures_say_what_and_whether_again() {
    let port = serve().await;
    let cases = [
        (
            "/404",
            json!({}),
            "communication",
            404,
            false,
            "/404 answered 404: because ",
        ),
        (
            "/404?secret=1",
            json!({}),
            "communication",
            404,
            false,
            "/404 answered",
        ),
        (
            "/408",
            json!({}),
            "communication",
            408,
            true,
            "answered 408",
        ),
        (
            "/429",
            json!({}),
            "communication",
            429,
            true,
            "answered 429",
        ),
        (
            "/503",
            json!({}),
            "communication",
            503,
            true,
            "answered 503",
        ),
        (
            "/to-name",
            json!({}),
            "communication",
            307,
            false,
            "answered 307",
        ),
        (
            "/circle",
            json!({"redirect": true}),
            "communication",
            500,
            false,
            "more than 5 redirects",
        ),
        (
            "/large",
            json!({}),
            "communication",
            500,
            false,
            "more than 1048576 bytes",
        ),
        (
            "/endless",
            json!({}),
            "communication",
            500,
            false,
            "more than 1048576 bytes",
        ),
        (
            "/half",
            json!({}),
            "communication",
            500,
            false,
            "JSON that is none",
        ),
        (
            "/never",
            json!({"timeoutMs": 30}),
            "timeout",
            408,
            true,
            "not answered in time",
        ),
        (
            "/text",
            json!({"timeoutMs": 0}),
            "configuration",
            400,
            false,
            "timeoutMs: 0",
        ),
        (
            "/text",
            json!({"timeoutMs": 900_001}),
            "configuration",
            400,
            false,
            "900000",
        ),
        (
            "/text",
            json!({"method": "TRACE"}),
            "configuration",
            400,
            false,
            "GET, HEAD",
        ),
        (
            "/text",
            json!({"headers": {"Content-Length": 1}}),
            "configuration",
            400,
            false,
            "leave it out",
        ),
        (
            "/text",
            json!({"headers": {"X": "a\nb"}}),
            "configuration",
            400,
            false,
            "\"X\"",
        ),
        (
            "/text",
            json!({"headers": {"X": "x".repeat(16 << 10)}}),
            "configuration",
            400,
            false,
            "16384",
        ),
        (
            "/text",
            json!({"query": {"q": {}}}),
            "configuration",
            400,
            false,
            "\"q\"",
        ),
    ];
    for (path, input, kind, status, retryable, part) in cases {
        let error = ask(port, path, input).await.unwrap_err();
        let got = (word(&error), error.status, error.retryable);
        assert_eq!(got, (kind, status, retryable), "{path}: {}", error.detail);
        assert!(error.detail.contains(part), "{path}: {}", error.detail);
        assert!(
            error.detail.len() < 1200 && !error.detail.contains("secret"),
            "{path}: {}",
            error.detail
        );
    }
}

#[tokio::test]
async fn no_connection_may_pass_but_no_scheme_does_not() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = ask(port, "/", json!({})).await.unwrap_err();
    assert_eq!((word(&error), error.retryable), ("communication", true));
    assert!(error.detail.contains("refused"), "{}", error.detail);
    for endpoint in ["ftp://example.com/x", "example.com", "http://"] {
        let input = json!({"endpoint": endpoint});
        let error = call(AddressPolicy::Any, port, input).await.unwrap_err();
        assert_eq!(
            (word(&error), error.retryable),
            ("configuration", false),
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_where_addresses_are_allowed() {
    let port = serve().await;
    for path in ["/to-name", "/to-address"] {
        let follow = json!({"redirect": true});
        assert_eq!(ask(port, path, follow).await.unwrap(), "grün");
    }
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_is_an_answer_where_redirects_are_none_to_complain_of() {
    let port = serve().await;
    let follow = json!({"redirect": true, "output": "response"});
    let answer = ask(port, "/to-file", follow).await.unwrap();
    assert_eq!(answer["statusCode"], 307);
    let error = ask(port, "/to-file", json!({})).await.unwrap_err();
    assert_eq!(error.status, 307);
}

#[tokio::test]
async fn a_server_says_how_long_to_leave_it_alone() {
    let port = serve().await;
    let asked = async |text: &str| {
        let input = json!({"query": {"after": text}});
        ask(port, "/busy", input).await.unwrap_err().retry_after
    };
    assert_eq!(asked("120").await, Some(Duration::from_secs(120)));
    assert_eq!(asked("soon").await, None);
    assert_eq!(
        asked("Sun, 06 Nov 1994 08:49:37 GMT").await,
        None,
        "it is over"
    );
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let later = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&later)
        .unwrap();
    let pause = asked(&later).await.unwrap();
    assert!((3500..=3600).contains(&pause.as_secs()), "{pause:?}");
}

#[tokio::test]
async fn a_form_is_sent_as_one() {
    let port = serve().await;
    let input = json!({"method": "POST", "body": {"a": [1, "b c"], "d": null},
        "headers": {"Content-Type": "application/x-www-form-urlencoded"}});
    let answer = ask(port, "/mirror", input).await.unwrap();
    assert_eq!(answer["body"], "a=1&a=b+c");
}

#[tokio::test]
async fn private_addresses_are_refused_by_name_by_address_and_behind_redirects() {
    let port = serve().await;
    let open = json!({"endpoint": "http://public.example:PORT/text"});
    assert_eq!(
        call(AddressPolicy::Public, port, open).await.unwrap(),
        "grün"
    );
    let urls = [
        "http://localhost:PORT/text",
        "http://127.0.0.1:PORT/text",
        "http://2130706433:PORT/text",
        "http://[::1]:PORT/text",
        "http://public.example:PORT/to-name",
        "http://public.example:PORT/to-address",
        "http://public.example:PORT/to-mapped",
    ];
    for url in urls {
        let input = json!({"endpoint": url, "redirect": true});
        let error = call(AddressPolicy::Public, port, input).await.unwrap_err();
        assert_eq!(
            (word(&error), error.retryable),
            ("configuration", false),
            "{url}: {}",
            error.detail
        );
        assert!(
            error.detail.contains("allow_private: true"),
            "{url}: {}",
            error.detail
        );
    }
}

mod tls;
