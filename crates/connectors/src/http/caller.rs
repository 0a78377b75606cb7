//! Owns [`Caller`]: the HTTP clients of all connectors that speak HTTP, and the way of one request through
//! them.
//!
//! Invariant: no request leaves before the policy has judged an address in its URL; names are judged when
//! they are resolved.

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, Response, StatusCode};
use sdk::TaskError;
use serde_json::Value;

use super::outcome;
use super::request::{Input, Prepared};
use crate::authentication::{Authentication, Tokens};
use crate::outgoing::{AddressPolicy, Outgoing};
use crate::reading::wrong;

/// Two clients, which differ in what they do about redirects, and the tokens of authorities. Clones share
/// their connections.
#[derive(Clone)]
pub(crate) struct Caller {
    addresses: AddressPolicy,
    plain: reqwest::Client,
    following: reqwest::Client,
    pub(crate) tokens: Arc<Tokens>,
}

impl Caller {
    pub(crate) fn new(outgoing: &Outgoing) -> reqwest::Result<Caller> {
        Ok(Caller {
            addresses: outgoing.addresses,
            plain: outgoing.client(false)?,
            following: outgoing.client(true)?,
            tokens: Arc::default(),
        })
    }

    /// Makes one request and turns its answer into the output of a task, or the task's failure.
    pub(crate) async fn call(
        &self,
        input: Input,
        idempotency_key: &str,
    ) -> Result<Value, TaskError> {
        let redirect = input.redirect;
        let Prepared {
            request,
            output,
            authentication,
        } = input.prepare(idempotency_key)?;
        let place = outcome::Place::of(&request);
        let sent = outcome::sent(&request, output);
        let response = self
            .send(request, redirect, authentication.as_ref())
            .await?;
        let expected = outcome::Expected { output, redirect };
        outcome::of(response, &place, expected, sent).await
    }

    /// Reads what lies at an address, such as a document, perhaps on behalf of someone; the status is left to judge.
    pub(crate) async fn fetch(
        &self,
        request: Request,
        redirect: bool,
        authentication: Option<&Authentication>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Vec<u8>), TaskError> {
        let place = outcome::Place::of(&request);
        // What a policy needs is fetched without one, so this goes round at most once.
        let mut response = Box::pin(self.send(request, redirect, authentication)).await?;
        let body = outcome::body(&mut response, &place, bytes_max).await?;
        Ok((response.status(), body))
    }

    /// Sends a request, and once more if it was refused but an answer to that could help.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        redirect: bool,
        authentication: Option<&Authentication>,
    ) -> Result<Response, TaskError> {
        let place = outcome::Place::of(&request);
        let url = request.url();
        if !url.username().is_empty() || url.password().is_some() {
            let why = "credentials in an address are not sent; use `authentication: {basic: …}`";
            return Err(wrong(&place.0, why));
        }
        self.addresses
            .check_literal(request.url())
            .map_err(|refused| outcome::refused(&refused))?;
        let client = if redirect {
            &self.following
        } else {
            &self.plain
        };
        let once = async |request| {
            client
                .execute(request)
                .await
                .map_err(|error| outcome::broken(&place, &error))
        };
        let Some(authentication) = authentication else {
            return once(request).await;
        };
        let again = request.try_clone();
        if let Some(header) = authentication.header(self).await? {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let response = once(request).await?;
        let (StatusCode::UNAUTHORIZED, Some(again)) = (response.status(), again) else {
            return Ok(response);
        };
        match authentication.again(self, again, &response).await? {
            Some(request) => once(request).await,
            None => Ok(response),
        }
    }
}
