//! Owns the messages of JSON-RPC 2.0: those that are sent, and what those mean that come.
//!
//! Invariant: whatever a server says in one call is bounded by its [`Allowance`].

use sdk::TaskError;
use serde_json::{Value, json};

use super::outcome;
use crate::http::{Place, communication, shown, too_large};

/// The longest message.
pub(super) const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// All that a server may say in one call, with notices of progress.
const HEARD_BYTES_MAX: usize = 8 << 20;
/// Messages that a server may say in one call.
const MESSAGES_MAX: usize = 10_000;
/// Questions of a server that are answered in one call.
const REPLIES_MAX: usize = 32;

/// JSON-RPC: there is no such method.
const METHOD_NOT_FOUND: i64 = -32601;

/// A request of ours.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: u64,
    pub(super) method: &'static str,
    parameters: Value,
}

impl Question {
    pub(super) fn new(id: u64, method: &'static str, parameters: Value) -> Question {
        Question {
            id,
            method,
            parameters,
        }
    }

    pub(super) fn message(&self) -> Value {
        json!({"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.parameters})
    }
}

/// A message that is not answered.
pub(super) fn notification(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": method})
}

/// The notification that nobody waits for an answer any more.
pub(super) fn cancelled(id: u64) -> Value {
    let mut message = notification("notifications/cancelled");
    message["params"] = json!({"requestId": id, "reason": "the call was given up"});
    message
}

/// What came back for a request.
#[derive(Debug)]
pub(super) enum Answer {
    Result(Value),
    Error(Value),
}

impl Answer {
    /// The result, which is an object.
    pub(super) fn result(self, place: &str) -> Result<Value, TaskError> {
        match self {
            Answer::Result(result @ Value::Object(_)) => Ok(result),
            Answer::Result(_) => Err(foreign(place, "a result that is no object")),
            Answer::Error(error) => Err(outcome::error(&error, place)),
        }
    }
}

/// What a message of a server is.
#[derive(Debug)]
pub(super) enum Heard {
    /// The answer that is waited for.
    Answer(Answer),
    /// A question, with the reply to it.
    Question(Value),
    /// Nothing that matters here.
    Nothing,
}

impl Heard {
    /// What a message is to somebody who waits for the answer to this request.
    pub(super) fn of(mut message: Value, id: u64) -> Heard {
        let of = message.get("id").cloned();
        if let Some(method) = message.get("method") {
            return match of {
                None | Some(Value::Null) => Heard::Nothing,
                Some(of) => Heard::Question(reply(&of, method.as_str() == Some("ping"))),
            };
        }
        let ours = of.as_ref().and_then(Value::as_u64) == Some(id);
        let nobodys = matches!(of, None | Some(Value::Null));
        match message.get_mut("error").map(Value::take) {
            // A server that could not read a request does not know whose error this is.
            Some(error) if ours || nobodys => Heard::Answer(Answer::Error(error)),
            None if ours => match message.get_mut("result").map(Value::take) {
                Some(result) => Heard::Answer(Answer::Result(result)),
                None => Heard::Nothing,
            },
            _ => Heard::Nothing,
        }
    }

    /// The messages in a text, of which older versions allow several at once.
    pub(super) fn each(text: &[u8], place: &str) -> Result<Vec<Value>, TaskError> {
        match serde_json::from_slice(text) {
            Ok(Value::Array(messages)) => Ok(messages),
            Ok(message) => Ok(vec![message]),
            Err(error) => Err(foreign(place, &format!("JSON that is none: {error}"))),
        }
    }
}

/// What is said to a server that asks: it is alive here, and nothing else is offered.
fn reply(id: &Value, is_ping: bool) -> Value {
    if is_ping {
        return json!({"jsonrpc": "2.0", "id": id, "result": {}});
    }
    let error =
        json!({"code": METHOD_NOT_FOUND, "message": "a workflow does not answer questions"});
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

/// What a server may still say in this call.
#[derive(Debug)]
pub(super) struct Allowance {
    bytes: usize,
    messages: usize,
    replies: usize,
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance {
            bytes: HEARD_BYTES_MAX,
            messages: MESSAGES_MAX,
            replies: REPLIES_MAX,
        }
    }
}

impl Allowance {
    pub(super) fn bytes(&mut self, count: usize, place: &Place) -> Result<(), TaskError> {
        let left = self.bytes.checked_sub(count);
        self.bytes = left.ok_or_else(|| too_large(place, HEARD_BYTES_MAX))?;
        Ok(())
    }

    pub(super) fn message(&mut self, Place(place): &Place) -> Result<(), TaskError> {
        let left = self.messages.checked_sub(1);
        self.messages = left.ok_or_else(|| talkative(place, MESSAGES_MAX, "messages"))?;
        Ok(())
    }

    pub(super) fn reply(&mut self, Place(place): &Place) -> Result<(), TaskError> {
        let left = self.replies.checked_sub(1);
        self.replies = left.ok_or_else(|| talkative(place, REPLIES_MAX, "questions"))?;
        Ok(())
    }
}

fn talkative(place: &str, max: usize, what: &str) -> TaskError {
    communication(
        format!("{place} said more than {max} {what} instead of its answer"),
        "There is no answer",
    )
}

/// The failure of an answer that is none of the protocol.
pub(super) fn foreign(place: &str, what: &str) -> TaskError {
    communication(
        format!("{place} answered {}", shown(what)),
        "This is no answer of MCP",
    )
}

/// The failure of an answer that did not come, which may come another time.
pub(super) fn missing(detail: String) -> TaskError {
    TaskError {
        retryable: true,
        ..communication(detail, "The request was not answered")
    }
}
