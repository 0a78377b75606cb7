//! Owns the assembly: every protocol behind one router.
//!
//! Invariant: no request reaches a protocol before the guard has looked at where it comes from.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use engine::Engine;

use crate::guard::Guard;
use crate::refusal::Refusal;
use crate::{dashboard, grpc, rest};

/// What the person who runs the server decides about its borders.
#[derive(Clone, Debug, Default)]
pub struct EdgeOptions {
    /// Names that browsers may reach this server by, and hosts whose pages may call it, besides loopback
    /// and plain addresses; `*` allows any.
    pub allowed_hosts: Vec<String>,
}

/// All protocols on one router: gRPC by the paths of its services, REST under `/api`, and `/healthz`,
/// `/readyz` and `/metrics`; the dashboard at what is left.
pub fn router(engine: Engine, options: EdgeOptions) -> Router {
    grpc::routes(&engine)
        .merge(rest::routes(engine))
        .fallback(elsewhere)
        .layer(axum::middleware::from_fn_with_state(
            Guard::new(options.allowed_hosts),
            crate::guard::check,
        ))
}

/// What no protocol has a path for.
async fn elsewhere(request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map(HeaderValue::as_bytes).unwrap_or_default();
    let missing = || Refusal::RouteMissing(request.uri().path().to_owned());
    if kind.starts_with(b"application/grpc") {
        return tonic::Status::unimplemented(missing().to_string()).into_http::<Body>();
    }
    dashboard::answer(&request).unwrap_or_else(|| missing().into_response())
}
