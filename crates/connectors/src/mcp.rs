//! Owns the `mcp` connector: the worker on queue `mcp` that calls methods of MCP servers over HTTP, and the same
//! conversation with servers that the `process` connector starts.
//!
//! Each call is a session of its own that ends with it. The client is ours, because the official crate reads lines of
//! any length and keeps sessions in tasks of its own, out of reach of our bounds, policies and ends of calls.

mod events;
mod http;
mod message;
mod outcome;
mod stdio;
mod wish;

use std::sync::Arc;

use sdk::{TaskContext, TaskError, Worker};
use serde_json::{Value, json};

use crate::http::{Caller, RunError, communication, shown};
use crate::outgoing::Outgoing;
use crate::process::Job;
use http::{Http, Server};
use message::{Answer, Question, notification};
use wish::VERSIONS;
pub(crate) use wish::Wish;

/// Queue of calls over HTTP, and name of all tasks.
pub const QUEUE: &str = "mcp";

/// Calls over HTTP under way at the same time.
const CONCURRENCY: usize = 64;
/// Pages of one list.
const PAGES_MAX: usize = 64;
/// The largest list, as text.
const LIST_BYTES_MAX: usize = 1 << 20;

/// Does the calls of the server at `url` until `shutdown` ends; then lets those under way end.
///
/// # Errors
/// [`RunError`]; a lost server is no error, it is waited for.
pub async fn run(
    url: String,
    outgoing: Outgoing,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let caller = Arc::new(Caller::new(&outgoing).map_err(RunError::Client)?);
    let worker = Worker::builder(url)
        .name(format!("mcp connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(CONCURRENCY)
        .task(QUEUE, move |context: TaskContext, input: Value| {
            let caller = caller.clone();
            async move {
                tokio::select! {
                    outcome = over_http(&caller, input, context.idempotency_key()) => outcome,
                    () = context.cancelled() => Err(TaskError::fatal("cancelled", "the call was given up")),
                }
            }
        })
        .build()?;
    Ok(worker.run(shutdown).await?)
}

async fn over_http(
    caller: &Arc<Caller>,
    input: Value,
    idempotency_key: &str,
) -> Result<Value, TaskError> {
    let (wish, server): (_, Server) = Wish::read(input)?;
    // A page is another question than the one before.
    let key = wish.list.is_none().then_some(idempotency_key);
    made(Http::new(caller.clone(), server, key)?, &wish).await
}

/// Makes a call of a server that is a process.
pub(crate) async fn over_stdio(job: &Job, wish: &Wish) -> Result<Value, TaskError> {
    made(stdio::Stdio::start(job).await?, wish).await
}

/// What carries messages to a server and back.
trait Wire {
    /// Whom it leads to, for messages.
    fn place(&self) -> &str;

    /// Asks, and waits for the answer; answers in between what the server asks.
    async fn ask(&mut self, question: &Question) -> Result<Answer, TaskError>;

    /// Says what nobody answers.
    async fn tell(&mut self, message: &Value) -> Result<(), TaskError>;

    /// The version that both speak from now on.
    fn agreed(&mut self, version: &str);

    /// Ends the session.
    async fn end(self);
}

/// A call from its beginning to its end.
async fn made<W: Wire>(mut wire: W, wish: &Wish) -> Result<Value, TaskError> {
    let outcome = tokio::time::timeout(wish.timeout, conversation(&mut wire, wish)).await;
    let outcome = outcome.unwrap_or_else(|_| {
        let (place, ms) = (wire.place(), wish.timeout.as_millis());
        let late = TaskError::retryable(
            TaskError::well_known("timeout"),
            format!("{place} did not answer within {ms} ms"),
        );
        Err(late.with_status(408).with_title("The call took too long"))
    });
    wire.end().await;
    outcome
}

async fn conversation<W: Wire>(wire: &mut W, wish: &Wish) -> Result<Value, TaskError> {
    let hello =
        json!({"protocolVersion": wish.version, "capabilities": {}, "clientInfo": wish.client});
    let hello = Question::new(1, "initialize", hello);
    let welcome = wire.ask(&hello).await?.result(wire.place())?;
    let spoken = welcome["protocolVersion"].as_str().unwrap_or_default();
    let Some(version) = VERSIONS.into_iter().find(|version| *version == spoken) else {
        let (place, spoken, ours) = (wire.place(), shown(spoken), VERSIONS.join(", "));
        return Err(communication(
            format!(
                "{place} speaks version {spoken:?} of the protocol, and here are spoken {ours}"
            ),
            "No version of the protocol is spoken by both",
        ));
    };
    wire.agreed(version);
    wire.tell(&notification("notifications/initialized"))
        .await?;
    match wish.list {
        Some(list) if !wish.parameters.contains_key("cursor") => pages(wire, wish, list).await,
        _ => {
            let question = Question::new(2, wish.method, wish.parameters.clone().into());
            let result = wire.ask(&question).await?.result(wire.place())?;
            outcome::judged(result, wish, wire.place())
        }
    }
}

/// A list to its end. Cursors hold for a session only, so nobody else could read on.
async fn pages<W: Wire>(wire: &mut W, wish: &Wish, list: &str) -> Result<Value, TaskError> {
    let mut parameters = wish.parameters.clone();
    let (mut elements, mut bytes) = (Vec::new(), 0);
    for page in 0..PAGES_MAX {
        let number = 2 + page as u64;
        let question = Question::new(number, wish.method, parameters.clone().into());
        let mut result = wire.ask(&question).await?.result(wire.place())?;
        bytes += result.to_string().len();
        if bytes > LIST_BYTES_MAX {
            return Err(endless(
                wire.place(),
                &format!("more than {LIST_BYTES_MAX} bytes"),
            ));
        }
        let Some(Value::Array(found)) = result.get_mut(list).map(Value::take) else {
            return Err(message::foreign(
                wire.place(),
                &format!("a result without {list:?}"),
            ));
        };
        elements.extend(found);
        match result.get("nextCursor") {
            Some(Value::String(cursor)) => {
                parameters.insert("cursor".to_owned(), cursor.clone().into());
            }
            _ => {
                result[list] = elements.into();
                return Ok(result);
            }
        }
    }
    Err(endless(
        wire.place(),
        &format!("more than {PAGES_MAX} pages"),
    ))
}

fn endless(place: &str, what: &str) -> TaskError {
    communication(
        format!(
            "{place} answered a list of {what}; give `parameters` a `cursor` (\"\" for the first page) to get one page"
        ),
        "The list is too long",
    )
}

#[cfg(test)]
mod tests;
