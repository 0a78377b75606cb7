//! Owns the `http` connector: the worker on queue `http` that makes the requests of `call: http`.
//!
//! Everything that a request may take is bounded by a constant here or in the files below; which
//! addresses it may reach is judged in [`address`] and nowhere else.

mod address;
mod outcome;
mod request;
mod trust;

use std::time::Duration;

use reqwest::redirect::Policy;
use sdk::{TaskContext, TaskError, Worker};
use serde_json::Value;

pub use address::AddressPolicy;
use address::{Guard, Refused};
use request::{Input, Prepared};
pub use trust::{Authorities, AuthoritiesFault};

/// Queue and task name of the connector.
pub const QUEUE: &str = "http";

/// Requests under way at the same time if nothing else is said.
const CONCURRENCY_DEFAULT: usize = 64;
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Redirects followed for one request.
const REDIRECTS_MAX: usize = 5;
/// Idle connections kept for each host.
const IDLE_PER_HOST_MAX: usize = 32;
/// Header lines that a response may have.
const RESPONSE_HEADERS_MAX: usize = 100;
/// Size of the headers that a response may have over HTTP/2.
const RESPONSE_HEADER_BYTES_MAX: u32 = 64 << 10;

/// How the connector works.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Which addresses requests may reach.
    pub addresses: AddressPolicy,
    /// Who may vouch for HTTPS servers, besides those that the system trusts.
    pub authorities: Authorities,
    /// Requests under way at the same time.
    pub concurrency: usize,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            addresses: AddressPolicy::Public,
            authorities: Authorities::default(),
            concurrency: CONCURRENCY_DEFAULT,
        }
    }
}

/// Why the connector does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The HTTP client could not be made.
    #[error("http client cannot be made: {0}")]
    Client(#[source] reqwest::Error),
    /// The worker could not be made, or the server refused it.
    #[error("http connector: {0}")]
    Worker(#[from] sdk::Error),
}

/// Does the requests of the server at `url` until `shutdown` ends; then lets those under way end.
///
/// # Errors
/// [`RunError`]; a lost server is no error, it is waited for.
pub async fn run(
    url: String,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let caller = Caller::new(&options, reqwest::Client::builder).map_err(RunError::Client)?;
    let worker = Worker::builder(url)
        .name(format!("http connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(options.concurrency)
        .task(QUEUE, move |context: TaskContext, input: Input| {
            let caller = caller.clone();
            async move {
                tokio::select! {
                    outcome = caller.call(input, context.idempotency_key()) => outcome,
                    () = context.cancelled() => Err(TaskError::fatal("cancelled", "the request was given up")),
                }
            }
        })
        .build()?;
    Ok(worker.run(shutdown).await?)
}

/// The two clients, which differ in what they do about redirects. Each keeps its own connections.
#[derive(Clone, Debug)]
struct Caller {
    addresses: AddressPolicy,
    plain: reqwest::Client,
    following: reqwest::Client,
}

impl Caller {
    fn new(
        options: &HttpOptions,
        builder: impl Fn() -> reqwest::ClientBuilder,
    ) -> reqwest::Result<Caller> {
        let addresses = options.addresses;
        let client = |redirects: fn(AddressPolicy) -> Policy| {
            options.authorities.client(|| {
                builder()
                    .user_agent(concat!("quadrille/", env!("CARGO_PKG_VERSION")))
                    .connect_timeout(CONNECT_TIMEOUT)
                    .dns_resolver(Guard(addresses))
                    .http1_max_headers(RESPONSE_HEADERS_MAX)
                    .http2_max_header_list_size(RESPONSE_HEADER_BYTES_MAX)
                    // A proxy would connect where we cannot see the address.
                    .no_proxy()
                    .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
                    .redirect(redirects(addresses))
                    .referer(false)
                    .tcp_nodelay(true)
            })
        };
        Ok(Caller {
            addresses,
            plain: client(|_| Policy::none())?,
            following: client(redirects)?,
        })
    }

    /// Makes one request and turns its answer into the output of a task, or the task's failure.
    async fn call(&self, input: Input, idempotency_key: &str) -> Result<Value, TaskError> {
        let redirect = input.redirect;
        let Prepared { request, output } = input.prepare(idempotency_key)?;
        let place = outcome::Place::of(&request);
        self.addresses
            .check_literal(request.url())
            .map_err(|refused| outcome::refused(&refused))?;
        let sent = outcome::sent(&request, output);
        let client = if redirect {
            &self.following
        } else {
            &self.plain
        };
        let response = client
            .execute(request)
            .await
            .map_err(|error| outcome::broken(&place, &error))?;
        outcome::of(response, &place, output, sent).await
    }
}

/// Follows a few redirects. Names are judged when they are resolved; an address in the URL is never
/// resolved, so it is judged here.
fn redirects(addresses: AddressPolicy) -> Policy {
    Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS_MAX {
            return attempt.error(TooManyRedirects);
        }
        match addresses.check_literal(attempt.url()) {
            Ok(()) => attempt.follow(),
            Err(refused) => attempt.error(refused),
        }
    })
}

#[derive(Debug, thiserror::Error)]
#[error("more than {REDIRECTS_MAX} redirects")]
struct TooManyRedirects;

#[cfg(test)]
mod tests;
