//! Owns the `openapi` connector: the worker on queue `openapi` that finds an operation in its document and
//! calls it as the `http` connector would.
//!
//! Documents are read as plain data, Swagger 2.0 and OpenAPI 3 alike, and kept for a while.

mod operation;

use std::collections::BTreeMap;
use std::sync::Arc;

use sdk::{TaskContext, TaskError, Worker};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{Documents, Format};
use crate::http::{Caller, Input, Output, RunError};
use crate::outgoing::Outgoing;
use crate::reading::read;
use crate::resource::{Files, Resource};
use operation::Operation;

/// Queue and task name of the connector.
pub const QUEUE: &str = "openapi";

/// Calls under way at the same time.
const CONCURRENCY: usize = 64;

const FORMAT: Format<Value> = Format {
    name: "the OpenAPI document",
    bytes_max: 8 << 20,
    parse,
};

/// The input of a task of the connector.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Call {
    document: Resource,
    operation_id: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    authentication: Option<Value>,
    #[serde(default)]
    output: Output,
    #[serde(default)]
    redirect: bool,
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
    let caller = Caller::new(&outgoing).map_err(RunError::Client)?;
    let documents = Arc::new(Documents::new(caller.clone(), files, FORMAT));
    let worker = Worker::builder(url)
        .name(format!("openapi connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(CONCURRENCY)
        .task(QUEUE, move |context: TaskContext, input: Value| {
            let (caller, documents) = (caller.clone(), documents.clone());
            async move {
                let call: Call = read("openapi call", input)?;
                tokio::select! {
                    outcome = made(&caller, &documents, call, context.idempotency_key()) => outcome,
                    () = context.cancelled() => Err(TaskError::fatal("cancelled", "the call was given up")),
                }
            }
        })
        .build()?;
    Ok(worker.run(shutdown).await?)
}

async fn made(
    caller: &Caller,
    documents: &Documents<Value>,
    call: Call,
    idempotency_key: &str,
) -> Result<Value, TaskError> {
    let place = call.document.endpoint.clone();
    let document = documents.get(call.document).await?;
    let operation = Operation::find(&document, &place, &call.operation_id)?;
    let request = operation.request(call.parameters)?;
    let input = Input {
        method: Some(request.method),
        endpoint: request.url,
        headers: request.headers,
        query: BTreeMap::new(),
        body: request.body,
        output: call.output,
        redirect: call.redirect,
        authentication: call.authentication,
        timeout_ms: None,
    };
    caller.call(input, idempotency_key).await
}

/// A text in JSON or YAML as data.
fn parse(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{')
        && let Ok(document) = serde_json::from_str(text)
    {
        return Ok(document);
    }
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| format!("it is neither JSON nor YAML: {error}"))
}

#[cfg(test)]
mod tests;
