//! Owns the assembly: every protocol behind one router.
//!
//! Invariant: no request reaches a protocol before the guard has looked at where it comes from.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use engine::Engine;

use crate::guard::Guard;
use crate::refusal::Refusal;
use crate::{grpc, rest};

/// What the person who runs the server decides about its borders.
#[derive(Clone, Debug, Default)]
pub struct EdgeOptions {
    /// Names that browsers may reach this server by, and hosts whose pages may call it, besides loopback
    /// and plain addresses; `*` allows any.
    pub allowed_hosts: Vec<String>,
}

/// All protocols on one router: gRPC by the paths of its services, REST under `/api`, and `/healthz`,
/// `/readyz` and `/metrics`.
pub fn router(engine: Engine, options: EdgeOptions) -> Router {
    grpc::routes(&engine)
        .merge(rest::routes(engine))
        .fallback(missing)
        .layer(axum::middleware::from_fn_with_state(
            Guard::new(options.allowed_hosts),
            crate::guard::check,
        ))
}

async fn missing(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let refusal = Refusal::RouteMissing(path);
    match request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
    {
        Some(kind) if kind.starts_with(b"application/grpc") => {
            tonic::Status::unimplemented(refusal.to_string()).into_http::<axum::body::Body>()
        }
        _ => refusal.into_response(),
    }
}
