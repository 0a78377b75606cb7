//! Owns the sockets: accepting connections and serving HTTP/1.1 and HTTP/2 on them.
//!
//! Invariants: no more than [`CONNECTIONS_MAX`] connections at once; one that says nothing or is slow to
//! say what it wants is closed; stopping takes no longer than [`SHUTDOWN_MS_MAX`].

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::util::MapRequest;

/// The most connections at once; others wait to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;

/// How long requests in flight may go on after the server was told to stop, in milliseconds.
pub const SHUTDOWN_MS_MAX: u64 = 10_000;

/// Requests, streams included, that one HTTP/2 connection may have at once.
const STREAMS_MAX: u32 = 10_000;

/// How long a connection may take to send its first request, and an HTTP/1.1 connection each next one.
const REQUEST_MS_MAX: u64 = 30_000;

/// How often a silent HTTP/2 connection is asked whether it lives, and how long it may take to answer.
const PING_MS: u64 = 20_000;

/// Bytes a client may send on one HTTP/2 stream before it must be read.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// The same for a whole connection.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// Bytes of all headers of a request.
const HEADER_BYTES_MAX: u32 = 32 << 10;

/// How long to wait when no connection can be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE_MS: u64 = 100;

/// Serves the router until `shutdown` is over, then lets requests in flight end.
///
/// # Errors
/// A listener that is not usable.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.local_addr()?;
    let http = http();
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepting = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let serving =
                    serve_connection(http.clone(), stream, router.clone(), graceful.watcher());
                connections.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let grace = Duration::from_millis(SHUTDOWN_MS_MAX);
    if tokio::time::timeout(grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::info!(
            connections = connections.len(),
            "connections were closed with requests in flight"
        );
    }
    Ok(())
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(REQUEST_MS_MAX));
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(PING_MS))
        .keep_alive_timeout(Duration::from_millis(PING_MS))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX);
    http
}

async fn serve_connection(
    http: auto::Builder<TokioExecutor>,
    stream: TcpStream,
    router: Router,
    watcher: Watcher,
) {
    // Small answers must not wait for more to send; a socket that refuses is gone already.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let noted = asked.clone();
    let service = MapRequest::new(router, move |request: Request<Incoming>| {
        noted.store(true, Ordering::Relaxed);
        request
    });
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(watcher.watch(connection));
    let first_request = tokio::time::sleep(Duration::from_millis(REQUEST_MS_MAX));
    let served = tokio::select! {
        served = &mut connection => served,
        () = first_request => {
            if !asked.load(Ordering::Relaxed) {
                return;
            }
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(error, "a connection broke");
    }
}
