//! Owns the execution of one task: from its input to exactly one result, whatever the function does.
//!
//! A panic, a timeout, an input or output of the wrong shape and a cancelled function that does not end
//! all become failures here; none of them reaches the stream.

use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use api::v1::{self, task_result::Outcome};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::context::{Claim, TaskContext};
use super::task_error::TaskError;
use crate::json::Json;

/// The largest output that is sent; the server accepts no larger data anywhere.
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// How long a cancelled function may take to end before it is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// The longest time between two heartbeats of a task that has to beat.
const BEAT_INTERVAL_MAX: Duration = Duration::from_secs(3600);

/// What a task tells the stream.
#[derive(Debug)]
pub(super) enum Note {
    /// It is done.
    Done(v1::TaskResult),
    /// It goes on.
    Beat(Bytes),
}

type Outputs = Pin<Box<dyn Future<Output = Result<Bytes, TaskError>> + Send>>;

/// A task function without its types.
pub(super) type Function = Arc<dyn Fn(TaskContext, Bytes) -> Outputs + Send + Sync>;

/// The task functions of a worker, by task name.
pub(super) type Functions = Arc<HashMap<String, Function>>;

/// Takes the types off a task function.
pub(super) fn untyped<F, I, O, Fut>(function: F) -> Function
where
    F: Fn(TaskContext, I) -> Fut + Send + Sync + 'static,
    I: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
{
    Arc::new(move |context, input| match Json::from(input).decode() {
        Err(error) => {
            let detail = format!("the input does not fit the task function: {error}");
            let failure =
                TaskError::fatal(TaskError::well_known("validation"), detail).with_status(400);
            Box::pin(std::future::ready(Err(failure)))
        }
        Ok(input) => {
            let work = function(context, input);
            Box::pin(async move { encode(&work.await?) })
        }
    })
}

fn encode<O: Serialize>(output: &O) -> Result<Bytes, TaskError> {
    let failed = |detail: String| {
        TaskError::fatal(TaskError::well_known("runtime"), detail).with_status(500)
    };
    let text = serde_json::to_vec(output)
        .map_err(|error| failed(format!("the output cannot be written as JSON: {error}")))?;
    if text.len() > OUTPUT_BYTES_MAX {
        let bytes = text.len();
        return Err(failed(format!(
            "the output has {bytes} bytes, more than {OUTPUT_BYTES_MAX}; return a reference to large data instead"
        )));
    }
    Ok(text.into())
}

/// Makes the future that does a task and reports its result as a note.
pub(super) fn execution(
    task: v1::Task,
    functions: &Functions,
    cancel: CancellationToken,
    notes: mpsc::Sender<Note>,
) -> impl Future<Output = ()> + Send + 'static {
    let function = functions.get(&task.name).cloned();
    let input = task.input;
    let timing = Timing {
        run_timeout_ms: task.run_timeout_ms,
        heartbeat_timeout_ms: task.heartbeat_timeout_ms,
    };
    let claim = Arc::new(Claim {
        token: task.token,
        name: task.name,
        queue: task.queue,
        run: task.run,
        workflow: task.workflow,
        attempt: task.attempt,
        idempotency_key: task.idempotency_key,
        cancel,
        notes,
    });
    async move {
        let outcome = match function {
            Some(function) => outcome(&claim, &function, input, timing).await,
            None => Err(unknown(&claim)),
        };
        let outcome = match outcome {
            Ok(output) => Outcome::Output(output),
            Err(error) => Outcome::Failure(error.into_failure()),
        };
        let result = v1::TaskResult {
            token: claim.token.clone(),
            outcome: Some(outcome),
        };
        // Nobody listens any more if the worker was dropped; then the server offers the task again.
        let _ = claim.notes.send(Note::Done(result)).await;
    }
}

struct Timing {
    run_timeout_ms: u64,
    heartbeat_timeout_ms: u64,
}

async fn outcome(
    claim: &Arc<Claim>,
    function: &Function,
    input: Bytes,
    timing: Timing,
) -> Result<Bytes, TaskError> {
    let context = TaskContext {
        claim: claim.clone(),
    };
    let work = guarded(|| function(context, input));
    if timing.run_timeout_ms == 0 && timing.heartbeat_timeout_ms == 0 {
        return tokio::select! {
            biased;
            outcome = work => outcome,
            error = cut_off(claim) => Err(error),
        };
    }
    tokio::select! {
        biased;
        outcome = work => outcome,
        error = cut_off(claim) => Err(error),
        error = timed_out(timing.run_timeout_ms) => Err(error),
        never = beat(claim, timing.heartbeat_timeout_ms) => match never {},
    }
}

/// Runs what a function returns and turns a panic, of the function or of its future, into a failure.
async fn guarded(begin: impl FnOnce() -> Outputs) -> Result<Bytes, TaskError> {
    let mut work = match catch_unwind(AssertUnwindSafe(begin)) {
        Ok(work) => work,
        Err(panic) => return Err(panicked(panic.as_ref())),
    };
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(panic.as_ref()))),
        },
    )
    .await
}

fn panicked(panic: &(dyn Any + Send)) -> TaskError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let detail = format!(
        "the task function panicked: {}",
        text.unwrap_or("no message")
    );
    TaskError::retryable(TaskError::well_known("runtime"), detail).with_status(500)
}

fn unknown(claim: &Claim) -> TaskError {
    let detail = format!(
        "the worker on queue {:?} has no function for task {:?}; add one, or let the workflow use another queue",
        claim.queue, claim.name
    );
    TaskError::fatal(TaskError::well_known("configuration"), detail).with_status(400)
}

async fn cut_off(claim: &Claim) -> TaskError {
    claim.cancel.cancelled().await;
    tokio::time::sleep(CANCEL_GRACE).await;
    TaskError::fatal(
        "cancelled",
        "the function did not end when its task was cancelled",
    )
}

async fn timed_out(run_timeout_ms: u64) -> TaskError {
    if run_timeout_ms == 0 {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(run_timeout_ms)).await;
    let detail = format!("the task took longer than {run_timeout_ms} ms");
    TaskError::retryable(TaskError::well_known("timeout"), detail).with_status(408)
}

/// Beats for ever, each third of the time after which the server gives up, so that one may get lost.
async fn beat(claim: &Arc<Claim>, heartbeat_timeout_ms: u64) -> Infallible {
    if heartbeat_timeout_ms == 0 {
        return std::future::pending().await;
    }
    let context = TaskContext {
        claim: claim.clone(),
    };
    let every = Duration::from_millis(heartbeat_timeout_ms.div_ceil(3)).min(BEAT_INTERVAL_MAX);
    loop {
        tokio::time::sleep(every).await;
        context.heartbeat();
    }
}

#[cfg(test)]
mod tests;
