//! Files and messages, and calls of a real server.

use std::convert::Infallible;

use serde_json::json;
use tonic::{Request, Response, Status};

use super::*;
use crate::outgoing::AddressPolicy;

const PROTO: &str = r#"syntax = "proto3"; package a; import "other.proto";
    message Hello { string name = 1; int64 count = 2; Kind kind = 3; optional string nick = 4; enum Kind { NONE = 0; SOME = 1; } }
    service Greeter { option (x.y) = {z {}}; rpc Greet(Hello) returns (Hello); rpc Fail(Hello) returns (Hello); }"#;

#[derive(Clone, PartialEq, prost::Message)]
struct Hello {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone)]
struct Greeter;

impl tonic::server::UnaryService<Hello> for Greeter {
    type Response = Hello;
    type Future = std::future::Ready<Result<Response<Hello>, Status>>;
    fn call(&mut self, request: Request<Hello>) -> Self::Future {
        let said = |name: &str| {
            let value = request.metadata().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (login, key) = (said("authorization"), said("idempotency-key"));
        let name = request.into_inner().name;
        std::future::ready(match name.as_str() {
            "who" => Ok(Response::new(Hello {
                name: format!("{login} {key}"),
            })),
            "busy" => Err(Status::unavailable("come again")),
            "denied" => Err(Status::permission_denied("not you")),
            "large" => Ok(Response::new(Hello {
                name: "x".repeat(2 << 20),
            })),
            _ => Ok(Response::new(Hello {
                name: format!("hello {name}"),
            })),
        })
    }
}

/// Starts the server and answers its port.
async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let greet = |request: axum::extract::Request| async move {
        let codec = tonic_prost::ProstCodec::<Hello, Hello>::default();
        Ok::<_, Infallible>(
            tonic::server::Grpc::new(codec)
                .unary(Greeter, request)
                .await
                .map(axum::body::Body::new),
        )
    };
    let router = axum::Router::new().route(
        "/a.Greeter/Greet",
        axum::routing::post(async move |request: axum::extract::Request| {
            greet(request).await.unwrap()
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

async fn ask(
    addresses: AddressPolicy,
    port: u16,
    method: &str,
    arguments: Value,
) -> Result<Value, TaskError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.proto"), PROTO).unwrap();
    let outgoing = Outgoing {
        addresses,
        ..Outgoing::default()
    };
    let calls = Calls::new(&outgoing, Files(Some(folder.path().to_owned()))).unwrap();
    let call = json!({"proto": {"endpoint": "file://a.proto"}, "method": method, "arguments": arguments,
        "service": {"name": "a.Greeter", "host": "127.0.0.1", "port": port}});
    calls.made(read("grpc call", call)?, "key").await
}

#[tokio::test]
async fn a_method_is_called_by_its_file() {
    let port = serve().await;
    let any = AddressPolicy::Any;
    let answer = ask(any, port, "Greet", json!({"name": "ada"}))
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({"name": "hello ada", "count": "0", "kind": "NONE"})
    );
    for (method, arguments, part) in [
        ("None", json!({}), "it has Greet, Fail"),
        (
            "Greet",
            json!({"nam": 1}),
            "no field \"nam\"; it has name, count, kind, nick",
        ),
        ("Greet", json!({"kind": "X"}), "it has NONE, SOME"),
        ("Greet", json!({"name": 7}), "arguments.name: expected"),
        (
            "Greet",
            json!({"name": "denied"}),
            "PERMISSION_DENIED: not you",
        ),
        ("Greet", json!({"name": "large"}), "more than 1048576 bytes"),
        ("Fail", json!({}), "404"),
    ] {
        let error = ask(any, port, method, arguments).await.unwrap_err();
        assert!(
            error.detail.contains(part) && !error.retryable,
            "{}",
            error.detail
        );
    }
    let error = ask(AddressPolicy::Public, port, "Greet", json!({}))
        .await
        .unwrap_err();
    assert!(error.detail.contains("allow_private"), "{}", error.detail);
}

#[tokio::test]
async fn a_call_says_who_and_which_it_is() {
    let port = serve().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.proto"), PROTO).unwrap();
    let outgoing = Outgoing {
        addresses: AddressPolicy::Any,
        ..Outgoing::default()
    };
    let calls = Calls::new(&outgoing, Files(Some(folder.path().to_owned()))).unwrap();
    let made = async |login: Value| {
        let call = json!({"proto": {"endpoint": "file://a.proto"}, "method": "Greet", "arguments": {"name": "who"},
            "service": {"name": "a.Greeter", "host": "127.0.0.1", "port": port, "authentication": login}});
        calls.made(read("grpc call", call)?, "key-1").await
    };
    let answer = made(json!({"bearer": {"token": "t"}})).await.unwrap();
    assert_eq!(answer["name"], "Bearer t key-1");
    let digest = json!({"digest": {"username": "a", "password": "b"}});
    let error = made(digest).await.unwrap_err();
    assert!(
        error.detail.contains("digest answers a challenge"),
        "{}",
        error.detail
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let port = serve().await;
    let any = AddressPolicy::Any;
    let busy = ask(any, port, "Greet", json!({"name": "busy"}))
        .await
        .unwrap_err();
    assert!(busy.retryable && busy.status == 503, "{}", busy.detail);
    // The port is reserved: nobody listens there.
    let gone = ask(any, 1, "Greet", json!({})).await.unwrap_err();
    assert!(gone.retryable, "{}", gone.detail);
    assert!(
        gone.detail.contains("127.0.0.1:1/a.Greeter/Greet"),
        "{}",
        gone.detail
    );
}

#[test]
fn a_file_that_imports_itself_is_read_without() {
    let text = "syntax=\"proto3\"; import \"proto\"; import \"google/protobuf/empty.proto\"; \
        service S { rpc M(google.protobuf.Empty) returns (google.protobuf.Empty); }";
    let proto = (FORMAT.parse)(text).unwrap();
    assert!(proto.method("S", "M").is_ok());
}

#[test]
fn hostile_files_end_soon() {
    let fields: String = (1..9000).map(|n| format!("int32 f{n}={n};")).collect();
    for text in [
        "message A {".repeat(50_000),
        format!(
            "syntax=\"proto3\"; message {} {{{fields}}}",
            "A".repeat(100_000)
        ),
        "nonsense".to_owned(),
        "syntax=\"proto3\"; message A { B b = 1; }".to_owned(),
    ] {
        assert!((FORMAT.parse)(&text).is_err());
    }
}
