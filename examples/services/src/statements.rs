//! Owns the worker of the nightly fan-out: it renders the statement of one account at a time.
//!
//! Invariant: a statement counts once, whatever happens between worker and server, because it is recorded
//! by the key that all attempts of a task share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sdk::{Error, TaskContext, TaskError, Worker};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ledger::{Ledger, Recorded};

/// The queue that the worker takes from.
const QUEUE: &str = "statements";

/// What the task is given.
#[derive(Debug, Deserialize)]
struct Account {
    account: String,
}

/// What the task gives back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose.
    pub account: String,
    /// How long it is.
    pub pages: u64,
    /// How many were being rendered when this one was begun, itself included.
    pub at_once: u32,
}

/// A worker for the server at `url`. Each statement takes at least `latency`.
///
/// # Errors
/// [`Error::Address`] if the URL cannot be used.
pub fn statements_worker(url: &str, latency: Duration, ledger: Ledger) -> Result<Worker, Error> {
    let rendering = Arc::new(AtomicU32::new(0));
    let render = move |context: TaskContext, account: Account| {
        let (ledger, busy) = (ledger.clone(), Busy::begin(&rendering));
        async move {
            tokio::time::sleep(latency).await;
            record(&ledger, &context, account, &busy)
        }
    };
    Worker::builder(url)
        .name("statements")
        .queue(QUEUE)
        .task("render-statement", render)
        .build()
}

fn record(
    ledger: &Ledger,
    context: &TaskContext,
    account: Account,
    busy: &Busy,
) -> Result<Statement, TaskError> {
    let pages = account.account.bytes().map(u64::from).sum::<u64>() % 9 + 1;
    let answer = json!({"pages": pages});
    let key = context.idempotency_key();
    let recorded = ledger.record(("statements", "render"), &account.account, key, answer);
    if let Recorded::New(effect) = recorded? {
        println!(
            "effect {} {} {} {}",
            effect.number, effect.service, effect.action, effect.subject
        );
    }
    Ok(Statement {
        account: account.account,
        pages,
        at_once: busy.at_once,
    })
}

/// One statement being rendered.
struct Busy {
    rendering: Arc<AtomicU32>,
    at_once: u32,
}

impl Busy {
    fn begin(rendering: &Arc<AtomicU32>) -> Busy {
        let at_once = rendering.fetch_add(1, Ordering::SeqCst) + 1;
        Busy {
            rendering: rendering.clone(),
            at_once,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.rendering.fetch_sub(1, Ordering::SeqCst);
    }
}
