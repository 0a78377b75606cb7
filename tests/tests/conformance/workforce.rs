//! Owns [`Workforce`]: the worker that does the tasks of scenarios, as they say that it does.
//!
//! Invariant: the answers to one task are given in the order of the scenario, and the last of them stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use sdk::{TaskError, Worker};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

/// The queues that it takes tasks from.
const QUEUES: [&str; 2] = ["default", "payments"];

/// What a task gets.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// This output.
    Output(Value),
    /// Its own input as output.
    Input,
    /// A failure with `type`, `status`, `title`, `detail` and `retryable`.
    Failure(Value),
    /// Nothing, until it is cancelled.
    Never,
}

/// The worker and what it does.
#[derive(Debug, Default)]
pub(crate) struct Workforce {
    outcomes: BTreeMap<String, Vec<Outcome>>,
    given: Arc<Mutex<Vec<(String, Value)>>>,
    working: Option<AbortOnDropHandle<()>>,
}

impl Workforce {
    /// Adds an outcome of a task, so many times.
    pub(crate) fn does(&mut self, task: &str, outcome: &Outcome, times: u64) {
        let outcomes = self.outcomes.entry(task.to_owned()).or_default();
        outcomes.extend((0..times).map(|_| outcome.clone()));
    }

    /// The inputs of a task, one for each attempt.
    pub(crate) fn given(&self, task: &str) -> Vec<Value> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = given.iter().filter(|(name, _)| name == task);
        inputs.map(|(_, input)| input.clone()).collect()
    }

    /// The names of all tasks in the order in which they came.
    pub(crate) fn names(&self) -> Vec<String> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Goes to work, if there is any.
    pub(crate) fn start(&mut self, url: &str) -> Result<()> {
        if self.outcomes.is_empty() || self.working.is_some() {
            return Ok(());
        }
        let mut worker = Worker::builder(url);
        for queue in QUEUES {
            worker = worker.queue(queue);
        }
        for (task, outcomes) in &self.outcomes {
            let outcomes = Arc::new(Mutex::new(outcomes.clone()));
            let (task, given) = (task.clone(), Arc::clone(&self.given));
            worker = worker.task(
                task.clone(),
                move |context: sdk::TaskContext, input: Value| {
                    let mut book = given.lock().unwrap_or_else(PoisonError::into_inner);
                    book.push((task.clone(), input.clone()));
                    drop(book);
                    let outcome = next(&outcomes);
                    async move {
                        match outcome {
                            Outcome::Output(output) => Ok(output),
                            Outcome::Input => Ok(input),
                            Outcome::Failure(error) => Err(failure(&error)),
                            Outcome::Never => {
                                context.cancelled().await;
                                Ok(Value::Null)
                            }
                        }
                    }
                },
            );
        }
        let worker = worker.build().context("the worker can be made")?;
        self.working = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            // It works until the scenario is over, so it never ends well.
            let _ = worker.run(std::future::pending()).await;
        })));
        Ok(())
    }
}

fn next(outcomes: &Mutex<Vec<Outcome>>) -> Outcome {
    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    if outcomes.len() > 1 {
        outcomes.remove(0)
    } else {
        outcomes.first().cloned().unwrap_or(Outcome::Never)
    }
}

fn failure(error: &Value) -> TaskError {
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    TaskError {
        kind: text("type").into(),
        status: error["status"]
            .as_u64()
            .and_then(|status| status.try_into().ok())
            .unwrap_or(500),
        title: text("title"),
        detail: text("detail"),
        retryable: error["retryable"].as_bool().unwrap_or(true),
        retry_after: None,
    }
}
