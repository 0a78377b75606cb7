//! Owns the guard against web pages: a browser on the same machine must not become a way in.
//!
//! Invariants: a page may call this server only if it was served by it, from loopback or from an allowed
//! host; the REST interface answers only for names that a stranger cannot point at this machine
//! (addresses, loopback, bare names, allowed hosts). Programs that are not browsers pass.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::refusal::Refusal;

/// Which hosts are trusted.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Arc<[String]>,
}

/// Lets a request pass or refuses it.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.judge(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl Guard {
    pub(crate) fn new(allowed: Vec<String>) -> Guard {
        Guard {
            allowed: allowed.into(),
        }
    }

    fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let origin = headers.get(header::ORIGIN);
        if origin.is_none() && !uri.path().starts_with("/api/") {
            return Ok(());
        }
        let named = uri
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        let named = named
            .or_else(|| headers.get(header::HOST).map(HeaderValue::as_bytes))
            .unwrap_or_default();
        let authority =
            std::str::from_utf8(named).map_err(|_| Refusal::HostRefused("?".to_owned()))?;
        if !self.is_trusted(host_of(authority)) {
            return Err(Refusal::HostRefused(authority.to_owned()));
        }
        let Some(origin) = origin else { return Ok(()) };
        let origin = origin
            .to_str()
            .map_err(|_| Refusal::OriginRefused("?".to_owned()))?;
        let caller = origin
            .split_once("://")
            .map_or("", |(_, authority)| authority);
        let host = host_of(caller);
        if caller.eq_ignore_ascii_case(authority) && !caller.is_empty()
            || is_loopback(host)
            || self.is_allowed(host)
        {
            Ok(())
        } else {
            Err(Refusal::OriginRefused(origin.to_owned()))
        }
    }

    /// Whether no stranger can make this name mean our machine.
    fn is_trusted(&self, host: &str) -> bool {
        !host.contains('.')
            || host.parse::<IpAddr>().is_ok()
            || is_loopback(host)
            || self.is_allowed(host)
    }

    fn is_allowed(&self, host: &str) -> bool {
        self.allowed
            .iter()
            .any(|allowed| allowed == "*" || !host.is_empty() && allowed.eq_ignore_ascii_case(host))
    }
}

/// The host of an authority, without port and brackets.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_hosts_and_origins() {
        let guard = Guard::new(vec!["Flows.example.com".to_owned()]);
        let any = Guard::new(vec!["*".to_owned()]);
        for (guard, host, origin, verdict) in [
            (&guard, "localhost:8080", None, "ok"),
            (&guard, "[::1]:8080", None, "ok"),
            (&guard, "10.1.2.3:8080", None, "ok"),
            (&guard, "quadrille:8080", None, "ok"),
            (&guard, "flows.example.com", None, "ok"),
            (&guard, "", None, "ok"),
            (&guard, "evil.example", None, "host-refused"),
            (&any, "evil.example", None, "ok"),
            (
                &guard,
                "evil.example",
                Some("http://evil.example"),
                "host-refused",
            ),
            (
                &guard,
                "localhost:8080",
                Some("http://evil.example"),
                "origin-refused",
            ),
            (&guard, "localhost:8080", Some("null"), "origin-refused"),
            (&guard, "", Some("null"), "origin-refused"),
            (
                &guard,
                "localhost:8080",
                Some("http://localhost:5173"),
                "ok",
            ),
            (&guard, "localhost:8080", Some("http://[::1]:5173"), "ok"),
            (&guard, "10.1.2.3:8080", Some("http://10.1.2.3:8080"), "ok"),
            (
                &guard,
                "10.1.2.3:8080",
                Some("http://10.9.9.9:8080"),
                "origin-refused",
            ),
            (
                &guard,
                "10.1.2.3:8080",
                Some("https://flows.example.com"),
                "ok",
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
            let judged = guard.judge(&Uri::from_static("/api/v1/runs"), &headers);
            assert_eq!(
                judged.map_or_else(|refusal| refusal.code(), |()| "ok"),
                verdict,
                "{host} {origin:?}"
            );
        }
    }

    #[test]
    fn other_paths_are_open_to_programs_but_not_to_pages() {
        let guard = Guard::new(Vec::new());
        let uri = Uri::from_static("http://flows.example.com/quadrille.v1.Runs/Start");
        let mut headers = HeaderMap::new();
        assert!(guard.judge(&uri, &headers).is_ok());
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://flows.example.com"),
        );
        assert!(guard.judge(&uri, &headers).is_err());
    }
}
