//! Owns the `http` connector: the worker on queue `http` that makes the requests of `call: http`.
//!
//! Everything that a request may take is bounded by a constant in the files below; which addresses it may
//! reach is judged by [`Outgoing`] and nowhere else.

mod caller;
mod outcome;
mod request;

use sdk::{TaskContext, TaskError, Worker};
use serde_json::Value;

use crate::outgoing::Outgoing;
use crate::reading::read;
pub(crate) use caller::Caller;
pub(crate) use outcome::{
    Place, RESPONSE_BYTES_MAX, body, broken, communication, refusal, refused, rejected, root_cause,
    start_of_body, too_large,
};
pub(crate) use request::{
    IDEMPOTENCY_KEY, Input, Output, Prepared, is_json, media_type, scalar, shown,
};

/// Queue and task name of the connector.
pub const QUEUE: &str = "http";

/// Requests under way at the same time if nothing else is said.
const CONCURRENCY_DEFAULT: usize = 64;

/// How the connector works.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How requests reach others.
    pub outgoing: Outgoing,
    /// Requests under way at the same time.
    pub concurrency: usize,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            outgoing: Outgoing::default(),
            concurrency: CONCURRENCY_DEFAULT,
        }
    }
}

/// Why the connector does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The HTTP client could not be made.
    #[error("http client cannot be made: {0}")]
    Client(#[source] reqwest::Error),
    /// The worker could not be made, or the server refused it.
    #[error("worker: {0}")]
    Worker(#[from] sdk::Error),
}

/// Does the requests of the server at `url` until `shutdown` ends; then lets those under way end.
///
/// # Errors
/// [`RunError`]; a lost server is no error, it is waited for.
pub async fn run(
    url: String,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let caller = Caller::new(&options.outgoing).map_err(RunError::Client)?;
    let worker = Worker::builder(url)
        .name(format!("http connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(options.concurrency)
        .task(QUEUE, move |context: TaskContext, input: Value| {
            let caller = caller.clone();
            async move {
                let input: Input = read("http request", input)?;
                tokio::select! {
                    outcome = caller.call(input, context.idempotency_key()) => outcome,
                    () = context.cancelled() => Err(TaskError::fatal("cancelled", "the request was given up")),
                }
            }
        })
        .build()?;
    Ok(worker.run(shutdown).await?)
}

#[cfg(test)]
mod tests;
