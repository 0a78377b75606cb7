//! Owns [`Http`]: the transport "Streamable HTTP", where every message is a request and an answer may be a stream of
//! events.
//!
//! Invariant: a session that a server has opened is closed, also when the call is given up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::Value;

use super::Wire;
use super::events::{Events, TooLong};
use super::message::{
    Allowance, Answer, Heard, MESSAGE_BYTES_MAX, Question, cancelled, foreign, missing,
};
use crate::authentication::Authentication;
use crate::http::{
    Caller, IDEMPOTENCY_KEY, Input, Place, Prepared, body, broken, is_json, media_type, refusal,
    too_large,
};

/// How long a server may take to end a session.
const ENDING_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a stream that broke off is read on.
const RESUMPTIONS_MAX: usize = 32;
/// The pause before that if the server asks for none, and the longest that it may ask for.
const PAUSE_DEFAULT: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The longest name of a session.
const SESSION_BYTES_MAX: usize = 1 << 10;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const EITHER: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// What a workflow says about a server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    endpoint: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    authentication: Option<Value>,
}

/// A session with a server.
pub(super) struct Http {
    line: Arc<Line>,
    place: Place,
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
    /// The request whose answer is waited for.
    asked: Option<u64>,
    allowance: Allowance,
}

/// What every request of a session is made of.
struct Line {
    caller: Arc<Caller>,
    prototype: Request,
    key: Option<HeaderValue>,
    authentication: Option<Authentication>,
}

impl Http {
    /// A session that is not open yet. A key goes with the request of the method.
    pub(super) fn new(
        caller: Arc<Caller>,
        server: Server,
        key: Option<&str>,
    ) -> Result<Http, TaskError> {
        let input = Input {
            method: Some("POST".to_owned()),
            endpoint: server.endpoint,
            headers: server.headers,
            authentication: server.authentication,
            ..Input::default()
        };
        let Prepared {
            mut request,
            authentication,
            ..
        } = input.prepare(key.unwrap_or_default())?;
        // The call has a time of its own.
        *request.timeout_mut() = None;
        let key = request.headers_mut().remove(IDEMPOTENCY_KEY);
        Ok(Http {
            place: Place::of(&request),
            line: Arc::new(Line {
                caller,
                prototype: request,
                key,
                authentication,
            }),
            session: None,
            version: None,
            asked: None,
            allowance: Allowance::default(),
        })
    }

    /// A request of this session.
    fn request(&self, method: Method) -> Request {
        let mut request = self.line.prototype.try_clone().expect("it has no body");
        *request.method_mut() = method;
        let own = [(SESSION, &self.session), (VERSION, &self.version)];
        for (name, value) in own {
            request.headers_mut().remove(&name);
            if let Some(value) = value {
                request.headers_mut().insert(name, value.clone());
            }
        }
        request
    }

    fn post(&self, message: &Value) -> Request {
        let mut request = self.request(Method::POST);
        request.headers_mut().insert(ACCEPT, EITHER);
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        *request.body_mut() = Some(message.to_string().into());
        request
    }

    async fn sent(&self, request: Request) -> Result<Response, TaskError> {
        let mut response = self.line.sent(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let failure = refusal(&mut response, &self.place).await;
        let kind = match status {
            StatusCode::UNAUTHORIZED => TaskError::well_known("authentication"),
            StatusCode::FORBIDDEN => TaskError::well_known("authorization"),
            _ => failure.kind,
        };
        // A server may forget a session whenever it likes; the next attempt has another.
        let is_forgotten = status == StatusCode::NOT_FOUND && self.session.is_some();
        Err(TaskError {
            kind,
            retryable: failure.retryable || is_forgotten,
            ..failure
        })
    }

    /// Begins the session that the answer to the first request names.
    fn begin(&mut self, response: &Response) -> Result<(), TaskError> {
        let session = response.headers().get(SESSION);
        if self.version.is_some() || session.is_none() {
            return Ok(());
        }
        let fits = |session: &HeaderValue| session.len() <= SESSION_BYTES_MAX;
        let mut session = session.cloned();
        if !session.as_ref().is_some_and(fits) {
            let what = format!("a session with a name of more than {SESSION_BYTES_MAX} bytes");
            return Err(foreign(&self.place.0, &what));
        }
        session
            .iter_mut()
            .for_each(|session| session.set_sensitive(true));
        self.session = session;
        Ok(())
    }

    /// What a text says to somebody who waits for this answer.
    async fn heard(&mut self, text: &[u8], id: u64) -> Result<Option<Answer>, TaskError> {
        for message in Heard::each(text, &self.place.0)? {
            self.allowance.message(&self.place)?;
            match Heard::of(message, id) {
                Heard::Answer(answer) => return Ok(Some(answer)),
                Heard::Question(reply) => {
                    self.allowance.reply(&self.place)?;
                    // Whether it wants to know is its own affair: it has asked what nobody offered.
                    let _ = self.tell(&reply).await;
                }
                Heard::Nothing => {}
            }
        }
        Ok(None)
    }

    fn demand_events(&self, response: &Response) -> Result<(), TaskError> {
        let kind = response.headers().get(CONTENT_TYPE).map(media_type);
        if kind.as_deref() == Some("text/event-stream") {
            return Ok(());
        }
        let code = response.status().as_u16();
        let kind = kind.unwrap_or_else(|| "no content type".to_owned());
        let what = format!("{code} with {kind} instead of JSON or events");
        Err(foreign(&self.place.0, &what))
    }

    /// The answer in a stream, which may break off and go on.
    async fn streamed(&mut self, mut response: Response, id: u64) -> Result<Answer, TaskError> {
        let mut events = Events::default();
        for _ in 0..=RESUMPTIONS_MAX {
            self.demand_events(&response)?;
            let broke = loop {
                let chunk = match response.chunk().await {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                };
                self.allowance.bytes(chunk.len(), &self.place)?;
                for byte in chunk {
                    let data = events
                        .byte(byte)
                        .map_err(|TooLong| too_large(&self.place, MESSAGE_BYTES_MAX))?;
                    if let Some(data) = data
                        && let Some(answer) = self.heard(&data, id).await?
                    {
                        return Ok(answer);
                    }
                }
            };
            let Some(last) = events.last.clone() else {
                return Err(match broke {
                    Some(error) => broken(&self.place, &error),
                    None => missing(format!(
                        "{}: the stream ended without the answer",
                        self.place.0
                    )),
                });
            };
            tokio::time::sleep(events.pause.unwrap_or(PAUSE_DEFAULT).min(PAUSE_MAX)).await;
            let mut request = self.request(Method::GET);
            request.headers_mut().insert(ACCEPT, EVENTS);
            request.headers_mut().insert(LAST_EVENT, last);
            response = self.sent(request).await?;
            events = events.resumed();
        }
        let place = &self.place.0;
        let detail = format!("{place}: the stream broke off more than {RESUMPTIONS_MAX} times");
        Err(missing(detail))
    }

    /// What is still to be said to the server: that nobody waits any more, and that the session is over.
    fn farewell(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        // The first request may not be taken back.
        let asked = self.asked.take().filter(|_| self.version.is_some());
        let mut requests: Vec<_> = asked
            .map(|id| self.post(&cancelled(id)))
            .into_iter()
            .collect();
        if self.session.is_some() {
            requests.push(self.request(Method::DELETE));
        }
        self.session = None;
        if requests.is_empty() {
            return None;
        }
        let line = self.line.clone();
        Some(async move {
            let said = async {
                for request in requests {
                    // A server need not let itself be told.
                    let _ = line.sent(request).await;
                }
            };
            let _ = tokio::time::timeout(ENDING_TIMEOUT, said).await;
        })
    }
}

impl Line {
    async fn sent(&self, request: Request) -> Result<Response, TaskError> {
        let policy = self.authentication.as_ref();
        self.caller.send(request, false, policy).await
    }
}

impl Wire for Http {
    fn place(&self) -> &str {
        &self.place.0
    }

    async fn ask(&mut self, question: &Question) -> Result<Answer, TaskError> {
        let mut request = self.post(&question.message());
        if let (Some(key), Some(_)) = (&self.line.key, &self.version) {
            request.headers_mut().insert(IDEMPOTENCY_KEY, key.clone());
        }
        self.asked = Some(question.id);
        let mut response = self.sent(request).await?;
        self.begin(&response)?;
        let kind = response.headers().get(CONTENT_TYPE);
        let answer = if kind.is_some_and(is_json) {
            let body = body(&mut response, &self.place, MESSAGE_BYTES_MAX).await?;
            self.allowance.bytes(body.len(), &self.place)?;
            let answer = self.heard(&body, question.id).await?;
            answer.ok_or_else(|| {
                let what = "JSON without a result or an error for the request";
                foreign(&self.place.0, what)
            })?
        } else {
            self.streamed(response, question.id).await?
        };
        self.asked = None;
        Ok(answer)
    }

    async fn tell(&mut self, message: &Value) -> Result<(), TaskError> {
        self.sent(self.post(message)).await.map(drop)
    }

    fn agreed(&mut self, version: &str) {
        let version = HeaderValue::from_str(version);
        self.version = Some(version.expect("our versions are digits and dashes"));
    }

    async fn end(mut self) {
        if let Some(farewell) = self.farewell() {
            farewell.await;
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        if let Some(farewell) = self.farewell() {
            tokio::spawn(farewell);
        }
    }
}
