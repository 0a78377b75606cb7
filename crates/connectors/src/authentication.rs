//! Owns [`Authentication`]: how a request proves on whose behalf it is made.
//!
//! Invariant: no value of a policy is ever part of a message.

mod digest;
mod oauth2;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::Value;

use crate::http::Caller;
use crate::reading::{read, wrong};
use oauth2::OAuth2;
pub(crate) use oauth2::Tokens;

/// A policy of the workflow, filled in.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Authentication {
    /// RFC 7617.
    Basic(Login),
    /// RFC 6750.
    Bearer { token: String },
    /// RFC 7616.
    Digest(Login),
    /// A token of an authority, RFC 6749.
    OAuth2(Box<OAuth2>),
    /// The same from an authority that says itself where it issues tokens.
    Oidc(Box<OAuth2>),
}

/// A name and its password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    username: String,
    password: String,
}

impl Authentication {
    /// Reads a policy.
    pub(crate) fn read(policy: Value) -> Result<Authentication, TaskError> {
        read("authentication", policy)
    }

    /// The value of the `Authorization` header to begin with; none for a policy that answers a challenge.
    pub(crate) async fn header(&self, caller: &Caller) -> Result<Option<HeaderValue>, TaskError> {
        let text = match self {
            Authentication::Basic(login) => basic(&login.username, &login.password),
            Authentication::Bearer { token } => format!("Bearer {token}"),
            Authentication::Digest(_) => return Ok(None),
            Authentication::OAuth2(policy) => caller.tokens.get(caller, policy, false).await?,
            Authentication::Oidc(policy) => caller.tokens.get(caller, policy, true).await?,
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            wrong(
                "authentication",
                "the credentials have characters that a header cannot carry",
            )
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// What to send once more when a request was refused with 401; none if that would not help.
    pub(crate) async fn again(
        &self,
        caller: &Caller,
        mut request: Request,
        refused: &Response,
    ) -> Result<Option<Request>, TaskError> {
        let header = match self {
            Authentication::Digest(login) => digest::answer(login, &request, refused)?,
            _ => self.renewed(caller).await?,
        };
        Ok(header.map(|mut header| {
            header.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, header);
            request
        }))
    }

    /// The header with a new token after the one before was refused; none if there is no other.
    pub(crate) async fn renewed(&self, caller: &Caller) -> Result<Option<HeaderValue>, TaskError> {
        match self {
            Authentication::OAuth2(policy) => caller.renewed(policy, false).await,
            Authentication::Oidc(policy) => caller.renewed(policy, true).await,
            _ => Ok(None),
        }
    }
}

/// The value of an `Authorization` header of the basic scheme.
fn basic(username: &str, password: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    )
}

#[cfg(test)]
mod tests;
