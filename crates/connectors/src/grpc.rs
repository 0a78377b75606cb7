//! Owns the `grpc` connector: the worker on queue `grpc` that finds a method in its `.proto` file and calls it.
//!
//! Messages are never compiled in: arguments become bytes, and bytes data, by the file alone. Where a call may
//! go is judged as for every other connector.

mod answer;
mod channel;
mod message;
mod proto;
mod service;

use std::sync::Arc;

use sdk::{TaskContext, TaskError, Worker};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::Documents;
use crate::http::RunError;
use crate::outgoing::Outgoing;
use crate::reading::read;
use crate::resource::{Files, Resource};
use channel::Channel;
use proto::{FORMAT, Proto};
use service::Service;

/// Queue and task name of the connector.
pub const QUEUE: &str = "grpc";

/// Calls under way at the same time.
const CONCURRENCY: usize = 64;

/// The input of a task of the connector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    proto: Resource,
    service: Service,
    method: String,
    /// A list of messages where the method takes a stream, else one.
    #[serde(default = "nothing")]
    arguments: Value,
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

/// Does the calls of the server at `url` until `shutdown` ends; then lets those under way end.
///
/// # Errors
/// [`RunError`]; a lost server is no error, it is waited for.
pub async fn run(
    url: String,
    outgoing: Outgoing,
    files: Files,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let calls = Arc::new(Calls::new(&outgoing, files).map_err(RunError::Client)?);
    let worker = Worker::builder(url)
        .name(format!("grpc connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(CONCURRENCY)
        .task(QUEUE, move |context: TaskContext, input: Value| {
            let calls = calls.clone();
            async move {
                let call: Call = read("grpc call", input)?;
                tokio::select! {
                    outcome = calls.made(call, context.idempotency_key()) => outcome,
                    () = context.cancelled() => Err(TaskError::fatal("cancelled", "the call was given up")),
                }
            }
        })
        .build()?;
    Ok(worker.run(shutdown).await?)
}

/// What calls are made with.
struct Calls {
    channel: Channel,
    protos: Documents<Proto>,
}

impl Calls {
    fn new(outgoing: &Outgoing, files: Files) -> reqwest::Result<Calls> {
        let channel = Channel::new(outgoing)?;
        let protos = Documents::new(channel.caller.clone(), files, FORMAT);
        Ok(Calls { channel, protos })
    }

    async fn made(&self, call: Call, idempotency_key: &str) -> Result<Value, TaskError> {
        let base = call.service.base()?;
        let authentication = call.service.authentication()?;
        let proto = self.protos.get(call.proto).await?;
        let method = proto.method(&call.service.name, &call.method)?;
        let url = service::url_of(base, &method);
        let place = channel::place_of(&url);
        let messages = message::requests(&method, &call.arguments)?;
        let request = channel::Request {
            url,
            messages,
            idempotency_key,
        };
        let answers = self.channel.ask(request, authentication.as_ref()).await?;
        // What is large to tell, or wrong in a way that nobody thought of, takes no other call with it.
        tokio::task::spawn_blocking(move || message::answer(&method, answers, &place))
            .await
            .unwrap_or_else(|_| Err(message::unreadable("it cannot be told as data")))
    }
}

#[cfg(test)]
mod tests;
