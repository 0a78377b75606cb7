//! Owns the worker: one stream, and a task function that gives back what it is given.

use sdk::{TaskContext, Worker};
use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::closed_loop::on_one_thread;

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    step: u64,
}

/// Works until killed.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let concurrency = usize::try_from(arguments.number("concurrency", 512)?)?;
    let worker = Worker::builder(arguments.required("url")?)
        .queue(arguments.text("queue", "bench"))
        .concurrency(concurrency)
        .task("step", |_: TaskContext, step: Step| async move { Ok(step) })
        .build()?;
    on_one_thread(async { Ok(worker.run(std::future::pending()).await?) })
}
