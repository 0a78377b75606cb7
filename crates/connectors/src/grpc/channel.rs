//! Owns [`Channel`]: a call as HTTP/2 carries it, from the bytes of its messages to those of its answers.
//!
//! Invariant: no request leaves before the policy has judged an address in its URL, and no answer is kept
//! beyond its bound.

use std::error::Error;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use reqwest::{Method, Response, Url};
use sdk::TaskError;

use super::answer::{self, Status};
use super::proto::wrong;
use crate::authentication::Authentication;
use crate::http::{Caller, Place, RESPONSE_BYTES_MAX, broken, communication, refused, too_large};
use crate::outgoing::{AddressPolicy, Outgoing};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What comes before each message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

const CONTENT: HeaderValue = HeaderValue::from_static("application/grpc+proto");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client that speaks HTTP/2, and what logins need.
pub(super) struct Channel {
    pub(super) caller: Caller,
    client: reqwest::Client,
    addresses: AddressPolicy,
}

/// A call that can be made.
pub(super) struct Request<'k> {
    pub(super) url: Url,
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) idempotency_key: &'k str,
}

/// Method and place of a call, for messages.
pub(super) fn place_of(url: &Url) -> Place {
    Place(format!("gRPC {url}"))
}

impl Channel {
    pub(super) fn new(outgoing: &Outgoing) -> reqwest::Result<Channel> {
        Ok(Channel {
            caller: Caller::new(outgoing)?,
            client: outgoing.client_http2()?,
            addresses: outgoing.addresses,
        })
    }

    /// Makes a call, and once more if its token was refused but there is another.
    pub(super) async fn ask(
        &self,
        request: Request<'_>,
        authentication: Option<&Authentication>,
    ) -> Result<Vec<Bytes>, TaskError> {
        let place = place_of(&request.url);
        self.addresses
            .check_literal(&request.url)
            .map_err(|error| refused(&error))?;
        let http = request.written()?;
        let once = async |authorization: Option<HeaderValue>| {
            let mut http = http.try_clone().expect("the body is bytes");
            if let Some(authorization) = authorization {
                http.headers_mut().insert(AUTHORIZATION, authorization);
            }
            let response = self.client.execute(http).await;
            answers(response.map_err(|error| broken(&place, &error))?, &place).await
        };
        let Some(authentication) = authentication else {
            return Ok(once(None).await??);
        };
        let outcome = once(authentication.header(&self.caller).await?).await?;
        if let Err(Status::UNAUTHENTICATED) = outcome.as_ref().map_err(|status| status.code)
            && let Some(mut header) = authentication.renewed(&self.caller).await?
        {
            header.set_sensitive(true);
            return Ok(once(Some(header)).await??);
        }
        Ok(outcome?)
    }
}

impl Request<'_> {
    fn written(&self) -> Result<reqwest::Request, TaskError> {
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        *request.timeout_mut() = Some(TIMEOUT);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, CONTENT);
        headers.insert(TE, TRAILERS);
        headers.insert(ACCEPT_ENCODING, IDENTITY);
        let timeout = format!("{}m", TIMEOUT.as_millis());
        let timeout = HeaderValue::from_str(&timeout).expect("digits and a letter");
        headers.insert(GRPC_TIMEOUT, timeout);
        if !self.idempotency_key.is_empty() {
            let key = HeaderValue::from_str(self.idempotency_key);
            let key = key.map_err(|error| wrong(&format!("the idempotency key: {error}")))?;
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        *request.body_mut() = Some(framed(&self.messages)?.into());
        Ok(request)
    }
}

/// Messages as they are sent.
fn framed(messages: &[Vec<u8>]) -> Result<Vec<u8>, TaskError> {
    let bytes = messages.iter().map(|message| PREFIX_BYTES + message.len());
    let mut framed = Vec::with_capacity(bytes.sum());
    for message in messages {
        let bytes = u32::try_from(message.len()).map_err(|_| wrong("the message is too large"))?;
        framed.push(0);
        framed.extend_from_slice(&bytes.to_be_bytes());
        framed.extend_from_slice(message);
    }
    Ok(framed)
}

/// The messages of a response, or the status that it ended with; a failure if it is no answer of gRPC.
async fn answers(
    mut response: Response,
    place: &Place,
) -> Result<Result<Vec<Bytes>, Status>, TaskError> {
    if let Some(status) = Status::of(response.headers(), place) {
        // It ended before it began.
        return Ok(status.checked().map(|()| Vec::new()));
    }
    let content = response.headers().get(CONTENT_TYPE);
    let is_grpc = content.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if !response.status().is_success() || !is_grpc {
        return answer::foreign(&mut response, place).await.map(Err);
    }
    let body = http::Response::from(response).into_body();
    let collected = Limited::new(body, RESPONSE_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| cut_short(error.as_ref(), place))?;
    let nothing = HeaderMap::new();
    let trailers = collected.trailers().unwrap_or(&nothing);
    let Some(status) = Status::of(trailers, place) else {
        let Place(place) = place;
        let failure = communication(
            format!("{place}: the answer ended without a status"),
            "The answer is incomplete",
        );
        return Err(TaskError {
            retryable: true,
            ..failure
        });
    };
    if let Err(status) = status.checked() {
        return Ok(Err(status));
    }
    unframed(collected.to_bytes()).map(Ok).map_err(|why| {
        let Place(place) = place;
        communication(format!("{place}: {why}"), "The answer cannot be read")
    })
}

/// The failure of an answer that did not come to its end.
fn cut_short(error: &(dyn Error + Send + Sync + 'static), place: &Place) -> TaskError {
    if error.is::<LengthLimitError>() {
        return too_large(place, RESPONSE_BYTES_MAX);
    }
    match error.downcast_ref() {
        Some(error) => broken(place, error),
        None => communication(
            format!("{}: {error}", place.0),
            "The request was not answered",
        ),
    }
}

/// The messages in a body.
fn unframed(mut body: Bytes) -> Result<Vec<Bytes>, &'static str> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        if body.len() < PREFIX_BYTES {
            return Err("the answer ends within a message");
        }
        if body.get_u8() != 0 {
            return Err("the answer is compressed, which was not asked for");
        }
        let bytes = body.get_u32() as usize;
        if body.len() < bytes {
            return Err("the answer ends within a message");
        }
        messages.push(body.split_to(bytes));
    }
    Ok(messages)
}
