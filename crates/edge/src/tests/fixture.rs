//! An engine in memory behind the router, and short ways to call it.
//!
//! Invariant: tests share nothing; each has a server of its own.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use engine::{Data, Engine, Options, Running};
use serde_json::Value;
use tower::ServiceExt;

use crate::EdgeOptions;

/// Ends at once with a greeting.
pub(super) const HELLO: &str = r#"
document: { dsl: '1.0.3', namespace: default, name: hello, version: '1.0.0' }
do:
  - greet: { set: { greeting: '${ "Hello, \(.name)!" }' } }
"#;

/// Waits for a worker, in another namespace.
pub(super) const WORK: &str = r#"
document: { dsl: '1.0.3', namespace: shop, name: work, version: '1.0.0' }
do:
  - ship: { call: task, with: { queue: parcels, name: ship, input: '${ { order: .order } }' } }
"#;

/// Waits for an event.
pub(super) const WAIT: &str = r#"
document: { dsl: '1.0.3', namespace: default, name: wait, version: '1.0.0' }
do:
  - paid: { listen: { to: { one: { with: { type: paid } } } } }
"#;

/// Waits for an event and then does more than anyone keeps for a slow listener.
pub(super) const MANY: &str = r#"
document: { dsl: '1.0.3', namespace: default, name: many, version: '1.0.0' }
do:
  - paid: { listen: { to: { one: { with: { type: paid } } } } }
  - each:
      for: { each: item, in: '${ [range(3000)] }' }
      do:
        - note: { set: { item: '${ $item }' } }
"#;

/// A server in memory.
pub(super) struct Server {
    pub(super) router: Router,
    running: Running,
}

impl Server {
    /// One that knows the workflows above.
    pub(super) async fn start() -> Server {
        let (engine, running): (Engine, Running) = engine::start(Options {
            data: Data::Memory,
            ..Options::default()
        })
        .unwrap();
        let server = Server {
            router: crate::router(engine, EdgeOptions::default()),
            running,
        };
        for text in [HELLO, WORK, WAIT] {
            let (status, answer) = server.call("POST", "/api/v1/workflows", text).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
        }
        server
    }

    /// Sends a request and gives back status and body as JSON; null for an empty body.
    pub(super) async fn call(&self, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.send(request).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let text = String::from_utf8(bytes.into()).unwrap();
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::from(text))
        };
        (status, value)
    }

    /// Sends any request.
    pub(super) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Starts a run and gives back its id.
    pub(super) async fn run(&self, workflow: &str) -> String {
        let body = format!(r#"{{"workflow": "{workflow}"}}"#);
        let (status, answer) = self.call("POST", "/api/v1/runs", &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }
}
