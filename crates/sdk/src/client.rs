//! Owns [`Client`]: one connection for all calls, opened when needed and again when lost.
//!
//! Each call is one request and one answer, bounded in time; the methods sit beside their types in the
//! files of their nouns. Nothing is retried here: whether repeating is safe, the caller knows.

pub(crate) mod human;
pub(crate) mod raw;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod starts;
pub(crate) mod watch;
pub(crate) mod workflow;

use std::time::Duration;

use serde::Serialize;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::error::Error;
use crate::json::Json;
use raw::Raw;

/// How long a new connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take beyond the time that the server was asked to wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a silent connection is asked whether it lives.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long it may take to answer that.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How much may be under way on one connection before the server acknowledges it.
const WINDOW_BYTES: u32 = 4 << 20;

/// A client of one server. Cloning is cheap and shares the connection.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:8080`. The connection is made by the
    /// first call and made again when it was lost, so the server need not be there yet.
    ///
    /// # Errors
    /// [`Error::Address`] if the URL cannot be used.
    // Async although nothing is awaited: the connection needs the runtime that only an async function has.
    pub async fn connect(url: impl Into<String>) -> Result<Client, Error> {
        let channel = endpoint(&url.into())?.connect_lazy();
        Ok(Client { channel })
    }

    /// The generated clients, for what this one does not say.
    #[must_use]
    pub fn raw(&self) -> Raw {
        Raw::new(self.channel.clone())
    }

    /// Offers an event to every run that waits for it, and answers how many did. With 0 it is kept for
    /// `ttl`, or for the server's default of a day. An event is an object with at least `type`.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::Refused`], [`Error::Unreachable`].
    pub async fn publish<T: Serialize + ?Sized>(
        &self,
        event: &T,
        ttl: Option<Duration>,
    ) -> Result<u32, Error> {
        let event = Json::encode(event)?.into_bytes();
        let ttl_ms = ttl.map_or(0, millis);
        let request = api::v1::PublishRequest { event, ttl_ms };
        let answer = self
            .raw()
            .events()
            .publish(bounded(request, Duration::ZERO))
            .await?;
        Ok(answer.into_inner().receivers)
    }
}

/// A request that ends with an error once `wait` and the usual time of a call are over.
fn bounded<T>(message: T, wait: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(
        wait.saturating_add(CALL_TIMEOUT)
            .min(Duration::from_secs(u64::from(u32::MAX))),
    );
    request
}

/// Milliseconds of a duration, as the contract counts them; a part of one counts as a whole one, because
/// 0 has a meaning of its own.
fn millis(duration: Duration) -> u64 {
    let rounded_up = duration
        .saturating_add(Duration::from_nanos(999_999))
        .as_millis();
    u64::try_from(rounded_up).unwrap_or(u64::MAX)
}

pub(crate) fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let wrong = |message: String| Error::Address {
        url: url.to_owned(),
        message,
    };
    let endpoint =
        Endpoint::from_shared(url.to_owned()).map_err(|error| wrong(error.to_string()))?;
    match endpoint.uri().scheme_str() {
        Some("http") => {}
        Some("https") => return Err(wrong("TLS is not supported yet".to_owned())),
        _ => return Err(wrong("the scheme must be http".to_owned())),
    }
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true))
}
