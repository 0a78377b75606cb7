//! Owns [`Outgoing`]: where connectors may reach and whom they trust there, and the HTTP clients made of it.
//!
//! Invariant: every connection of every connector is judged by [`AddressPolicy`], except to where the
//! configuration leads a name on purpose.

pub(crate) mod address;
mod trust;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::redirect::Policy;

pub use address::AddressPolicy;
use address::Guard;
pub(crate) use address::Refused;
pub use trust::{Authorities, AuthoritiesFault};

/// How long a connection may take to stand.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Redirects followed for one request.
const REDIRECTS_MAX: usize = 5;
/// Idle connections kept for each host.
const IDLE_PER_HOST_MAX: usize = 32;
/// Header lines that a response may have.
const RESPONSE_HEADERS_MAX: usize = 100;
/// Size of the headers that a response may have over HTTP/2.
const RESPONSE_HEADER_BYTES_MAX: u32 = 64 << 10;

/// How connectors reach others.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Which addresses they may reach.
    pub addresses: AddressPolicy,
    /// Who may vouch for servers that speak TLS, besides those that the system trusts.
    pub authorities: Authorities,
    /// Names that lead to these addresses instead of those that the network says, and are allowed to. The port
    /// counts where an address of a workflow names none; 0 keeps its own.
    pub resolve: BTreeMap<String, SocketAddr>,
}

impl Outgoing {
    /// An HTTP client that follows redirects or leaves them to its user.
    pub(crate) fn client(&self, follows: bool) -> reqwest::Result<reqwest::Client> {
        self.authorities.client(|| {
            self.builder().redirect(match follows {
                true => redirects(self.addresses),
                false => Policy::none(),
            })
        })
    }

    /// A client that speaks HTTP/2 from the first byte, with TLS or without, and follows no redirects.
    pub(crate) fn client_http2(&self) -> reqwest::Result<reqwest::Client> {
        self.authorities.client(|| {
            self.builder()
                .redirect(Policy::none())
                .http2_prior_knowledge()
        })
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("quadrille/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(Guard::new(self))
            .http1_max_headers(RESPONSE_HEADERS_MAX)
            .http2_max_header_list_size(RESPONSE_HEADER_BYTES_MAX)
            // A proxy would connect where we cannot see the address.
            .no_proxy()
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .referer(false)
            .tcp_nodelay(true)
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
