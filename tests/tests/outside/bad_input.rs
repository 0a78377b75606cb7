//! Malformed and hostile input by every way in: each refused with a message, and the server serves on.
//!
//! Invariant: nothing here ends, blocks or fills a server, and what is refused says why.

use std::time::Duration;

use api::v1;
use quadrille_tests::{PATIENCE, Quadrille, Server};
use reqwest::header::CONTENT_TYPE;
use sdk::{Error, RunState};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::workflow;

/// Deeper than any parser should go.
const DEPTH: usize = 100_000;
/// Larger than any value may be.
const BYTES: usize = 3 << 20;

fn nested(open: &str, close: &str) -> String {
    open.repeat(DEPTH) + &close.repeat(DEPTH)
}

/// Names that stand for ten of the name before, nine times.
fn bomb() -> String {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..10 {
        let names = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{names}]\n");
    }
    text
}

fn hostile_texts() -> Vec<(&'static str, String)> {
    vec![
        ("nothing", String::new()),
        ("no map", "- just a list".into()),
        ("broken", "do: [".into()),
        ("tabs", "do:\n\t- a: 1".into()),
        ("control letters", "do: \"\u{0}\u{1}\"".into()),
        ("deep lists", nested("[", "]")),
        ("deep maps", nested("{a: ", "}")),
        ("deep JSON", nested("{\"a\":", "}")),
        ("a bomb", bomb()),
        ("a key twice", workflow("twice", "- a: {set: {a: 1, a: 2}}")),
        (
            "an alias",
            workflow("alias", "- a: {set: {a: &a 1, b: *a}}"),
        ),
        (
            "letters that turn the line around",
            workflow("bidi", "- \"a\\u202eb\": {sett: {a: 1}}"),
        ),
        (
            "half a letter",
            workflow("half", r#"- a: {set: {a: "\ud800"}}"#),
        ),
        (
            "numbers beyond all bounds",
            workflow("numbers", "- a: {set: {a: 1e999}}"),
        ),
        (
            "a cron that never comes",
            workflow("never", "- a: {set: {a: 1}}") + "schedule: {cron: '0 0 30 2 *'}\n",
        ),
        ("itself", "a: &a [*a]".into()),
        ("large", format!("x: {}", "y".repeat(BYTES))),
        (
            "many tasks",
            workflow("many", &"- a: {set: {a: 1}}\n".repeat(20_000)),
        ),
        (
            "a deep expression",
            workflow(
                "deep",
                &format!("- a: {{set: {{a: '${{ {} }}'}}}}", nested("(", ")")),
            ),
        ),
        (
            "an open expression",
            workflow("open", "- a: {set: {a: '${ .a | }'}}"),
        ),
        (
            "a name from elsewhere",
            workflow("../../etc/passwd", "- a: {set: {a: 1}}"),
        ),
    ]
}

#[tokio::test]
async fn workflows() {
    let server = Server::start().await;
    let client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.yaml");
    for (what, text) in hostile_texts() {
        match client.deploy(text.as_str()).await {
            Err(Error::Refused { code, message }) => {
                assert!(!code.is_empty() && !message.is_empty(), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
        let answer = reqwest::Client::new()
            .post(format!("{}/api/v1/workflows", server.url()))
            .body(text.clone())
            .send()
            .await
            .unwrap();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["title"], "invalid workflow", "{what}: {problem}");
        for finding in problem["findings"].as_array().unwrap() {
            let (line, message) = (&finding["line"], finding["message"].as_str().unwrap());
            assert!(
                line.as_u64() > Some(0) && !message.is_empty(),
                "{what}: {finding}"
            );
            assert!(!message.contains(['\u{202e}', '\0']), "{what}: {finding}");
        }
        std::fs::write(&file, &text).unwrap();
        let checked = Quadrille::new(["check", file.to_str().unwrap()])
            .run()
            .await;
        assert!(
            checked.code == 4
                && !checked.stdout.is_empty()
                && !checked.stdout.contains(['\u{202e}', '\0']),
            "{what}: {checked:?}"
        );
        let executed = Quadrille::new(["exec", file.to_str().unwrap()]).run().await;
        assert!(
            executed.code == 4 && !executed.stderr.is_empty(),
            "{what}: {executed:?}"
        );
    }
    server.demand_service().await;
}

#[tokio::test]
async fn expressions() {
    let server = Server::start().await;
    let client = server.client().await;
    let expressions = [
        ("an endless list", "[range(1e18)]"),
        ("an endless loop", "[limit(1; repeat(.) | select(false))]"),
        ("endless calls", "def f: f; f"),
        (
            "deep calls",
            "def f(n): if n == 0 then 0 else f(n - 1) + 1 end; f(1e9)",
        ),
        ("a large text", "\"x\" * 1e12"),
        ("growing text", "reduce range(100) as $n (\"x\"; . + .)"),
        ("growing lists", "reduce range(100) as $n ([1]; . + .)"),
        (
            "a slow pattern",
            "(\"a\" * 60 + \"b\") | test(\"^(a+)+$\") | if . then 1 else error(\"no\") end",
        ),
        ("a failure", "error(\"on purpose\")"),
        ("a wrong type", "{} + 1"),
    ];
    for (number, (what, expression)) in expressions.into_iter().enumerate() {
        let name = format!("expression-{number}");
        let tasks = format!(
            "- a: {{set: {{a: {}}}}}",
            json!(format!("${{ {expression} }}"))
        );
        // What is refused at once is as good as what fails when it is tried.
        if let Err(error) = client.deploy(workflow(&name, &tasks)).await {
            assert!(matches!(error, Error::Refused { .. }), "{what}: {error}");
            continue;
        }
        let started = client
            .start(name.as_str())
            .wait(PATIENCE)
            .send()
            .await
            .unwrap();
        let run = started.run.unwrap();
        assert_eq!(run.state, RunState::Failed, "{what}: {run:?}");
        let error: Value = run.error.decode().unwrap();
        assert!(error["detail"].is_string(), "{what}: {error}");
    }
    server.demand_service().await;
}

fn hostile_starts() -> Vec<(&'static str, v1::StartRunRequest)> {
    let start = || v1::StartRunRequest {
        workflow: "echo".into(),
        ..Default::default()
    };
    let input = |bytes: Vec<u8>| v1::StartRunRequest {
        input: bytes.into(),
        ..start()
    };
    let labels = |names: Vec<String>| v1::StartRunRequest {
        labels: names.into_iter().map(|name| (name, "v".into())).collect(),
        ..start()
    };
    let attribute = |bytes: &[u8]| v1::StartRunRequest {
        attributes: [("a".into(), bytes.to_vec().into())].into(),
        ..start()
    };
    vec![
        ("no workflow", v1::StartRunRequest::default()),
        (
            "an unknown workflow",
            v1::StartRunRequest {
                workflow: "nobody".into(),
                ..start()
            },
        ),
        (
            "an unknown version",
            v1::StartRunRequest {
                version: "9.9.9".into(),
                ..start()
            },
        ),
        (
            "a long key",
            v1::StartRunRequest {
                key: "k".repeat(10_000),
                ..start()
            },
        ),
        ("no JSON", input(b"{".to_vec())),
        ("more than JSON", input(b"{} {}".to_vec())),
        ("no text", input(vec![0xff, 0xfe])),
        ("deep input", input(nested("[", "]").into_bytes())),
        (
            "large input",
            input(format!("\"{}\"", "x".repeat(BYTES)).into_bytes()),
        ),
        ("a long label", labels(vec!["l".repeat(10_000)])),
        (
            "many labels",
            labels((0..1_000).map(|number| number.to_string()).collect()),
        ),
        ("an attribute that is no JSON", attribute(b"{")),
    ]
}

#[tokio::test]
async fn starts_by_grpc() {
    let server = Server::start().await;
    server.demand_service().await;
    let client = server.client().await;
    for (what, request) in hostile_starts() {
        let status = client.raw().runs().start(request).await.expect_err(what);
        assert!(!status.message().is_empty(), "{what}: {status:?}");
        assert!(
            status.metadata().contains_key("quadrille-code"),
            "{what}: {status:?}"
        );
    }
    for id in [
        "",
        "x",
        "../..",
        "01j00000000000000000000000",
        &"9".repeat(100_000),
    ] {
        let error = client.get(id).await.expect_err("there is no such run");
        assert!(matches!(error, Error::Refused { .. }), "{id:.40}: {error}");
    }
    server.demand_service().await;
}

#[tokio::test]
async fn worker_streams() {
    let server = Server::start().await;
    let client = server.client().await;
    let hello = |queues: Vec<String>| v1::WorkerFrame {
        hello: Some(v1::Hello {
            worker: "w".into(),
            queues,
            ..Default::default()
        }),
        ..Default::default()
    };
    let garbage = vec![0xab_u8; 100];
    let firsts = [
        ("no hello", v1::WorkerFrame::default()),
        ("no queue", hello(Vec::new())),
        (
            "many queues",
            hello((0..100_000).map(|number| number.to_string()).collect()),
        ),
        ("a long queue", hello(vec!["q".repeat(100_000)])),
    ];
    for (what, first) in firsts {
        let refused = async {
            let answer = client
                .raw()
                .workers()
                .work(tokio_stream::iter([first]))
                .await?;
            let mut frames = answer.into_inner();
            while frames.message().await?.is_some() {}
            Ok::<_, tonic::Status>(())
        };
        let refused = timeout(PATIENCE, refused).await.expect("the stream ends");
        let status = refused.expect_err(what);
        assert!(!status.message().is_empty(), "{what}: {status:?}");
    }
    // Claims that nobody gave are answered, or end the stream; they change nothing.
    let outcome = Some(v1::task_result::Outcome::Output(b"{}".to_vec().into()));
    let forged = v1::WorkerFrame {
        credits: u32::MAX,
        results: vec![v1::TaskResult {
            token: garbage.clone().into(),
            outcome,
        }],
        heartbeats: vec![garbage.clone().into()],
        returned: vec![garbage.into()],
        ..Default::default()
    };
    let frames =
        tokio_stream::iter([hello(vec!["q".into()]), forged]).chain(tokio_stream::pending());
    let forging = async {
        let mut frames = client.raw().workers().work(frames).await?.into_inner();
        while let Some(frame) = frames.message().await? {
            if frame.receipts.iter().any(|receipt| !receipt.accepted) {
                break;
            }
        }
        Ok::<_, tonic::Status>(())
    };
    // Refused by a receipt or by a status, either is well.
    let _ = timeout(PATIENCE, forging)
        .await
        .expect("a forged result is answered");
    server.demand_service().await;
}

#[tokio::test]
async fn frames_that_are_no_protobuf() {
    let server = Server::start().await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let framed = |bytes: &[u8]| {
        let mut frame = vec![0];
        frame.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        frame.extend(bytes);
        frame
    };
    let bodies: [(&str, Vec<u8>); 5] = [
        ("nothing", Vec::new()),
        ("garbage", framed(&[0xff; 1_000])),
        ("an open field", framed(&[0x0a, 0x7f, b'x'])),
        ("half a frame", vec![0, 0, 0, 1, 0, b'x']),
        ("a length beyond all", vec![0, 0xff, 0xff, 0xff, 0xff, b'x']),
    ];
    for path in [
        "Runs/Start",
        "Workflows/Deploy",
        "Events/Publish",
        "Workers/Work",
        "Nobody/Nothing",
    ] {
        for (what, body) in &bodies {
            let request = client
                .post(format!("{}/quadrille.v1.{path}", server.url()))
                .header(CONTENT_TYPE, "application/grpc")
                .header("te", "trailers")
                .timeout(PATIENCE)
                .body(body.clone());
            let answer = request
                .send()
                .await
                .unwrap_or_else(|error| panic!("{path}, {what}: {error:?}"));
            let told = answer.headers().get("grpc-status").cloned();
            // Without the header the status is in the trailers, which a plain client does not show.
            assert!(told.is_none_or(|status| status != "0"), "{path}, {what}");
            let _ = answer.bytes().await;
        }
    }
    server.demand_service().await;
}

/// Bodies that are posted: what, where, and the statuses that are right.
fn hostile_bodies() -> Vec<(&'static str, &'static str, String, &'static [u16])> {
    let start = "/api/v1/runs";
    let deep = format!(r#"{{"workflow": "echo", "input": {}}}"#, nested("[", "]"));
    let large = json!({"workflow": "echo", "input": "x".repeat(BYTES)}).to_string();
    let long_key = json!({"workflow": "echo", "key": "k".repeat(10_000)}).to_string();
    vec![
        ("no JSON", start, "{".into(), &[400]),
        ("no object", start, "[]".into(), &[400]),
        ("no workflow", start, "{}".into(), &[400]),
        (
            "an unknown member",
            start,
            r#"{"workflow": "echo", "inptu": {}}"#.into(),
            &[400],
        ),
        ("a wrong type", start, r#"{"workflow": 7}"#.into(), &[400]),
        (
            "an unknown workflow",
            start,
            r#"{"workflow": "nobody"}"#.into(),
            &[404],
        ),
        ("deep input", start, deep, &[400]),
        ("large input", start, large, &[413, 422]),
        ("a huge body", start, "x".repeat(64 << 20), &[413]),
        ("a long key", start, long_key, &[400]),
        ("nothing there", "/api/v1/nothing", "{}".into(), &[404]),
        (
            "no such run",
            "/api/v1/runs/x/cancel",
            "{}".into(),
            &[400, 404],
        ),
    ]
}

#[tokio::test]
async fn bodies_by_rest() {
    let server = Server::start().await;
    server.demand_service().await;
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    for (what, path, body, statuses) in hostile_bodies() {
        let request = client.post(format!("{}{path}", server.url()));
        let sent = request
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            // Whoever refuses to read on may close before the body is through.
            Err(_) if what == "a huge body" => continue,
            Err(error) => panic!("{what}: {error:?}"),
        };
        let status = answer.status().as_u16();
        assert!(statuses.contains(&status), "{what}: {status}");
        assert_eq!(
            answer.headers()[CONTENT_TYPE],
            "application/problem+json",
            "{what}"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "{what}: {problem}");
        assert!(
            problem["code"].is_string() && problem["detail"].is_string(),
            "{what}: {problem}"
        );
    }
    server.demand_service().await;
}

#[tokio::test]
async fn heads_by_rest() {
    let server = Server::start().await;
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let runs = format!("{}/api/v1/runs", server.url());
    for query in ["limit=x", "limit=-1", "nonsense=1", "page_token=%ff"] {
        let answer = client.get(format!("{runs}?{query}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{query}");
    }
    let wrong_method = client.delete(&runs).send().await.unwrap();
    assert_eq!(wrong_method.status().as_u16(), 405);
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let answer = client.get(&runs).header(name, value).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{name}: {answer:?}");
    }
    server.demand_service().await;
}

#[tokio::test]
async fn what_is_no_request_at_all() {
    let server = Server::start().await;
    let openings: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"POST /api/v1/runs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
    ];
    for opening in openings {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(opening).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        // A reset is an answer too; silence is not.
        let _ = read.unwrap_or_else(|_| panic!("{opening:?} is left open"));
    }
    // Many who connect and say nothing do not keep others out.
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(server.address()).await.unwrap());
    }
    timeout(Duration::from_secs(20), server.demand_service())
        .await
        .expect("it serves beside silent ones");
}

#[tokio::test]
async fn calls_to_this_machine_are_refused_unless_allowed() {
    let server = Server::start().await;
    let client = server.client().await;
    let addresses = [
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://169.254.169.254/x",
        "http://10.0.0.1/x",
    ];
    for (number, address) in addresses.into_iter().enumerate() {
        let name = format!("inward-{number}");
        let tasks = format!("- ask: {{call: http, with: {{method: get, endpoint: '{address}'}}}}");
        client.deploy(workflow(&name, &tasks)).await.unwrap();
        let run = client
            .start(name)
            .wait(PATIENCE)
            .send()
            .await
            .unwrap()
            .run
            .unwrap();
        assert_eq!(run.state, RunState::Failed, "{address}: {run:?}");
        let error: Value = run.error.decode().unwrap();
        assert!(
            error["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("allow_private")),
            "{address}: {error}"
        );
    }
}
