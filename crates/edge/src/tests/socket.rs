//! Both protocols on one real socket.
//!
//! Invariant: one port serves HTTP/1.1 and HTTP/2, and is free again after stopping.

use std::time::Duration;

use api::v1;
use api::v1::runs_client::RunsClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::tests::fixture::Server;

#[tokio::test]
async fn one_port_speaks_both_and_stops_on_request() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(crate::serve(listener, server.router.clone(), async {
        let _ = stopped.await;
    }));

    let mut runs = RunsClient::connect(format!("http://{address}"))
        .await
        .unwrap();
    let request = v1::StartRunRequest {
        workflow: "hello".into(),
        wait_ms: 10_000,
        ..v1::StartRunRequest::default()
    };
    let started = runs.start(request).await.unwrap().into_inner();
    assert_eq!(started.run.unwrap().state, "completed");

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/runs/{} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n",
        started.id
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(r#""state":"completed""#),
        "{answer}"
    );

    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_millis(crate::SHUTDOWN_MS_MAX * 2), serving)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    server.stop().await;
}
