//! Owns [`Service`]: whom a call is for, and the address that this makes.
//!
//! TLS is spoken where the host begins with `https://`, and else on port 443 alone, which is the port if none
//! is given.

use prost_reflect::MethodDescriptor;
use reqwest::Url;
use sdk::TaskError;
use serde::Deserialize;
use serde_json::Value;

use super::proto::wrong;
use crate::authentication::Authentication;

/// The port where none is given.
const PORT_DEFAULT: u16 = 443;
/// The longest host.
const HOST_BYTES_MAX: usize = 1 << 10;

/// Whom a call is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    /// With its package, as in `shop.v1.Orders`.
    pub(super) name: String,
    pub(super) host: String,
    #[serde(default)]
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) authentication: Option<Value>,
}

impl Service {
    /// Its policy, if there is one that can be used here.
    pub(super) fn authentication(&self) -> Result<Option<Authentication>, TaskError> {
        let policy = self.authentication.clone();
        let policy = policy.map(Authentication::read).transpose()?;
        if let Some(Authentication::Digest(_)) = policy {
            let why = "authentication: digest answers a challenge, which gRPC does not make; use basic, bearer, oauth2 or oidc";
            return Err(wrong(why));
        }
        Ok(policy)
    }

    /// Its address, without the path of a method.
    pub(super) fn base(&self) -> Result<Url, TaskError> {
        // The host may hold a secret, so it is not shown.
        let unfit = || {
            wrong(
                "service.host: this is no host; write a name or an address, such as api.example or https://api.example",
            )
        };
        let (scheme, host) = match self.host.split_once("://") {
            Some((scheme @ ("http" | "https"), host)) => (Some(scheme), host),
            Some(_) => {
                return Err(wrong(
                    "service.host: the scheme must be http or https, or be left out",
                ));
            }
            None => (None, self.host.as_str()),
        };
        let bytes = host.len();
        if bytes > HOST_BYTES_MAX
            || host.contains(|c: char| c.is_control() || "/?#@\\ ".contains(c))
        {
            return Err(unfit());
        }
        // A scheme that nobody knows keeps its port even if it is the usual one.
        let named = Url::parse(&format!("grpc://{host}"))
            .map_err(|_| unfit())?
            .port();
        let port = match (self.port, named) {
            (Some(0), _) | (_, Some(0)) => {
                return Err(wrong("service.port: it must be from 1 to 65535"));
            }
            (Some(port), Some(named)) if port != named => {
                return Err(wrong(
                    "service.port: `host` names another port; leave one of them out",
                ));
            }
            (given, named) => given.or(named),
        };
        let scheme = match (scheme, port.unwrap_or(PORT_DEFAULT)) {
            (Some(scheme), _) => scheme,
            (None, PORT_DEFAULT) => "https",
            (None, _) => "http",
        };
        let mut url = Url::parse(&format!("{scheme}://{host}")).map_err(|_| unfit())?;
        if port.is_some() {
            url.set_port(port).map_err(|()| unfit())?;
        }
        Ok(url)
    }
}

/// The address of a method.
pub(super) fn url_of(mut base: Url, method: &MethodDescriptor) -> Url {
    let service = method.parent_service();
    base.set_path(&format!("/{}/{}", service.full_name(), method.name()));
    base
}
