//! Owns [`Service`]: the services that scenarios call, at addresses of this machine.
//!
//! Invariant: it answers for the hosts it stands in for and no others, over HTTPS with a certificate of an
//! authority made for it alone; what it was asked is kept.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::services;

/// The host whose answers a scenario gives.
pub(crate) const HOST: &str = "service.example";

/// Hosts that are reached by HTTPS.
const HOSTS_SECURE: [&str; 2] = ["petstore.swagger.io", "httpbin.org"];

/// A host where nobody answers.
const HOST_ABSENT: &str = "absent.example";

/// The longest body that is read.
const BODY_BYTES_MAX: usize = 4 << 20;

/// The services. Cloning is cheap and shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    /// By method and path; the last of them stays.
    answers: HashMap<String, Vec<Answer>>,
    /// What was asked, by method and path.
    asked: Vec<(String, Value)>,
}

/// What a request gets.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// An answer with `status`, `headers` and `body`.
    With(Value),
    /// Nothing, for as long as the caller waits.
    Never,
}

impl Service {
    /// Adds an answer to a method and path.
    pub(crate) fn answer(&self, request: &str, answer: Answer) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.answers
            .entry(request.to_owned())
            .or_default()
            .push(answer);
    }

    /// What it was asked with a method and path, the oldest first.
    pub(crate) fn asked(&self, request: &str) -> Vec<Value> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = book.asked.iter().filter(|(name, _)| name == request);
        asked.map(|(_, what)| what.clone()).collect()
    }

    /// Opens it, and says with which settings a server finds it.
    pub(crate) async fn open(&self, folder: &Path) -> Result<Vec<(String, String)>> {
        let plain = self.listen(None).await?;
        let file = folder.join("authority.pem");
        let secure = self.listen(Some(acceptor(&file)?)).await?;
        // Nobody listens on the first port of this machine.
        let resolve: Vec<String> = [(HOST, plain), (HOST_ABSENT, 1)]
            .into_iter()
            .chain(HOSTS_SECURE.map(|host| (host, secure)))
            .map(|(host, port)| format!("{host}=127.0.0.1:{port}"))
            .collect();
        Ok(vec![
            (
                "QUADRILLE_CONNECTORS_HTTP_RESOLVE".into(),
                resolve.join(","),
            ),
            (
                "QUADRILLE_CONNECTORS_HTTP_CA_FILE".into(),
                file.display().to_string(),
            ),
        ])
    }

    async fn listen(&self, acceptor: Option<TlsAcceptor>) -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router = Router::new().fallback(serve).with_state(self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (router, acceptor) = (router.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => connection(stream, router).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                connection(stream, router).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(port)
    }

    fn next(&self, request: &str, what: Value) -> Option<Answer> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.asked.push((request.to_owned(), what));
        let answers = book.answers.get_mut(request)?;
        Some(if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers.first()?.clone()
        })
    }
}

/// A certificate for all secure hosts, and the file of its authority.
fn acceptor(file: &Path) -> Result<TlsAcceptor> {
    let mut of_authority = CertificateParams::new(Vec::new())?;
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(of_authority, KeyPair::generate()?)?;
    std::fs::write(file, authority.pem())?;
    let key = KeyPair::generate()?;
    let hosts: Vec<String> = HOSTS_SECURE.map(Into::into).into();
    let certificate = CertificateParams::new(hosts)?.signed_by(&key, &authority)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    // A caller that goes away is none of our business.
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
}

async fn serve(State(service): State<Service>, request: Request) -> Response {
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .map(|host| host.split(':').next().unwrap_or(host).to_owned())
        .unwrap_or_default();
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    let query = request.uri().query().unwrap_or_default().to_owned();
    match host.as_str() {
        "petstore.swagger.io" => services::petstore(&method, &path, &query),
        "httpbin.org" => services::httpbin(&method, &path, request.headers()),
        HOST => {
            let name = format!("{method} {path}");
            let asked = asked(&query, request).await;
            match asked.map(|asked| service.next(&name, asked)) {
                Ok(Some(Answer::With(answer))) => {
                    given(&answer).unwrap_or_else(|error| broken(&error))
                }
                Ok(Some(Answer::Never)) => std::future::pending().await,
                Ok(None) => (StatusCode::NOT_FOUND, format!("no answer to {name}")).into_response(),
                Err(error) => broken(&error),
            }
        }
        other => (
            StatusCode::MISDIRECTED_REQUEST,
            format!("nobody is {other}"),
        )
            .into_response(),
    }
}

fn broken(error: &anyhow::Error) -> Response {
    (StatusCode::NOT_IMPLEMENTED, error.to_string()).into_response()
}

/// What a request says, as a value.
async fn asked(query: &str, request: Request) -> Result<Value> {
    let headers: Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect();
    let query: Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let body = to_bytes(request.into_body(), BODY_BYTES_MAX).await?;
    let body: Value = serde_json::from_slice(&body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
    Ok(json!({"headers": headers, "query": query, "body": body}))
}

/// The answer that a scenario gave: `status`, `headers`, and a `body` of text or JSON.
fn given(answer: &Value) -> Result<Response> {
    let status = answer["status"].as_u64().unwrap_or(200);
    let mut response = Response::new(match &answer["body"] {
        Value::Null => Body::empty(),
        Value::String(text) => Body::from(text.clone()),
        body => Body::from(body.to_string()),
    });
    *response.status_mut() = StatusCode::from_u16(u16::try_from(status)?)?;
    let mut headers = HeaderMap::new();
    let kind = match &answer["body"] {
        Value::String(_) => "text/plain",
        _ => "application/json",
    };
    headers.insert("content-type", kind.parse()?);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().context("a header is a text")?;
        headers.insert(
            axum::http::HeaderName::from_bytes(name.as_bytes())?,
            value.parse()?,
        );
    }
    *response.headers_mut() = headers;
    Ok(response)
}
