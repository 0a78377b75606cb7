//! Owns [`AddressPolicy`]: which addresses a request may reach, so that a workflow cannot be used to look
//! around inside the network of the server.
//!
//! The addresses judged are those connected to: the [`Guard`] resolves for the client itself and hands on
//! only what is allowed, so a name cannot change its address in between.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Outgoing;

/// Which addresses requests may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Only addresses of the public internet: none that are loopback, private, link-local, shared,
    /// multicast, reserved, or lead to such by translation.
    #[default]
    Public,
    /// All addresses.
    Any,
}

/// An address that the policy does not allow.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} is at {address}, which is not a public address\n  to allow it, set `connectors.http.allow_private: true` in the server's configuration"
)]
pub(crate) struct Refused {
    host: String,
    address: IpAddr,
}

impl AddressPolicy {
    /// Whether requests may reach this address.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match (self, address) {
            (AddressPolicy::Any, _) => true,
            (AddressPolicy::Public, IpAddr::V4(v4)) => is_public_v4(v4),
            (AddressPolicy::Public, IpAddr::V6(v6)) => is_public_v6(v6),
        }
    }

    /// Judges the host of a URL if it is an address; a name passes, for the guard to judge.
    pub(crate) fn check_literal(self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) if !self.allows(address) => Err(Refused {
                host: host.to_owned(),
                address,
            }),
            _ => Ok(()),
        }
    }

    /// The allowed among the addresses of a host.
    fn filter(
        self,
        host: &str,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refused> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found {
            if self.allows(address.ip()) {
                allowed.push(address);
            } else {
                refused = Some(address.ip());
            }
        }
        match refused {
            Some(address) if allowed.is_empty() => Err(Refused {
                host: host.to_owned(),
                address,
            }),
            _ => Ok(allowed),
        }
    }
}

/// Resolves names for clients, under a policy.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    addresses: AddressPolicy,
    resolve: Arc<BTreeMap<String, SocketAddr>>,
}

impl Guard {
    pub(crate) fn new(outgoing: &Outgoing) -> Guard {
        Guard {
            addresses: outgoing.addresses,
            resolve: Arc::new(outgoing.resolve.clone()),
        }
    }

    /// The addresses of a host that may be reached; port 0 stands for the port that is wanted anyway.
    pub(crate) async fn addresses(
        &self,
        host: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        if let Some(address) = self.resolve.get(&host.to_ascii_lowercase()) {
            return Ok(vec![*address]);
        }
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(self.addresses.filter(host, found)?)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let allowed = guard.addresses(name.as_str()).await?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// What the registry of special-purpose addresses leaves for the public.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Global unicast without its special parts; what wraps an IPv4 address is judged by that.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, ..] = address.segments();
    let [.., w, x, y, z] = address.octets();
    let last = Ipv4Addr::new(w, x, y, z);
    match (a, b) {
        (0, 0) => (c, d, e, f) == (0, 0, 0, 0xffff) && is_public_v4(last),
        (0x64, 0xff9b) => (c, d, e, f) == (0, 0, 0, 0) && is_public_v4(last),
        (0x2002, _) => {
            let [_, _, w, x, y, z, ..] = address.octets();
            is_public_v4(Ipv4Addr::new(w, x, y, z))
        }
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        (0x3fff, 0..=0xfff) => false,
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let private = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.169.254 \
            172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 \
            203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 \
            :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 \
            2001::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 3fff::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1";
        let public = "1.1.1.1 8.8.8.8 100.63.0.1 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 223.255.255.255 \
            ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:4860:4860::8888 2002:808:808::1 2606:4700::1111";
        for (list, expected) in [(private, false), (public, true)] {
            for text in list.split_whitespace() {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(AddressPolicy::Public.allows(address), expected, "{text}");
                assert!(AddressPolicy::Any.allows(address), "{text}");
            }
        }
    }

    #[test]
    fn an_address_in_a_url_is_seen_however_it_is_written() {
        let hosts = "127.0.0.1 127.1 0x7f000001 2130706433 017700000001 127.0.0.1. 0 [::1] [::ffff:127.0.0.1] \
            [::ffff:7f00:1] [fe80::1]";
        for host in hosts.split_whitespace() {
            let url: Url = format!("http://{host}:8080/x").parse().unwrap();
            assert!(AddressPolicy::Public.check_literal(&url).is_err(), "{host}");
            assert!(AddressPolicy::Any.check_literal(&url).is_ok(), "{host}");
        }
        let url: Url = "http://example.com/".parse().unwrap();
        assert!(AddressPolicy::Public.check_literal(&url).is_ok());
    }

    #[test]
    fn a_name_keeps_only_its_allowed_addresses() {
        let addresses = |list: &str| -> Vec<SocketAddr> {
            let each = list.split_whitespace();
            each.map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let filter =
            |list: &str| AddressPolicy::Public.filter("a.example", addresses(list).into_iter());
        assert_eq!(
            filter("10.0.0.1 8.8.8.8 ::1").unwrap(),
            addresses("8.8.8.8")
        );
        let error = filter("10.0.0.1").unwrap_err().to_string();
        assert!(
            error.starts_with("a.example is at 10.0.0.1, which is not a public address"),
            "{error}"
        );
        assert!(
            error.contains("connectors.http.allow_private: true"),
            "{error}"
        );
    }
}
