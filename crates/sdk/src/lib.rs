//! Rust client and worker of a Quadrille server.
//!
//! [`Client`] starts, finds and steers runs; [`Worker`] does their tasks. Both speak the gRPC contract
//! `quadrille.v1`; what the generated types say in strings and zeros is said here in Rust types.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use quadrille_sdk::{Client, TaskContext, TaskError, Worker};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Charge {
//!     amount: u64,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Receipt {
//!     number: String,
//! }
//!
//! # async fn example() -> Result<(), quadrille_sdk::Error> {
//! let worker = Worker::builder("http://127.0.0.1:8080")
//!     .queue("payments")
//!     .concurrency(64)
//!     .task("charge-card", |ctx: TaskContext, charge: Charge| async move {
//!         if charge.amount == 0 {
//!             return Err(TaskError::fatal("nothing-to-pay", "the amount is 0"));
//!         }
//!         Ok(Receipt { number: ctx.idempotency_key().to_owned() })
//!     })
//!     .build()?;
//! let stop = tokio_util::sync::CancellationToken::new();
//! tokio::spawn(worker.run(stop.clone().cancelled_owned()));
//!
//! let client = Client::connect("http://127.0.0.1:8080").await?;
//! let started = client
//!     .start("order")
//!     .key("order-4711")
//!     .input(&Charge { amount: 12 })
//!     .wait(Duration::from_secs(10))
//!     .send()
//!     .await?;
//! if let Some(run) = started.run {
//!     let receipt: Receipt = run.output.decode()?;
//!     println!("{} ended as {}: {}", run.id, run.state, receipt.number);
//! }
//! stop.cancel();
//! # Ok(())
//! # }
//! ```

mod client;
mod error;
mod json;
mod worker;

pub use client::Client;
pub use client::human::{
    HumanComment, HumanDecision, HumanFilter, HumanPage, HumanTask, HumanWork,
};
pub use client::raw::Raw;
pub use client::run::{Page, Run, RunCount, RunFilter, RunState, Start, Started, Step};
pub use client::schedule::{CatchUp, Overlap, Schedule, Timing};
pub use client::starts::StartStream;
pub use client::watch::{HistoryEvent, HistoryPage, Lifecycle, LifecycleEvent, Watch};
pub use client::workflow::{Deployment, Finding, Workflow};
pub use error::Error;
pub use json::Json;
pub use worker::context::TaskContext;
pub use worker::task_error::TaskError;
pub use worker::{Worker, WorkerBuilder};
