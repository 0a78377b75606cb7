//! Runs a partition: batches commands through the kernel, makes them durable, arms timers, hands out
//! tasks, recovers after a crash, and answers questions about runs.
//!
//! [`partition`] is a synchronous machine without clock, disk or threads; [`driver`] is the only place
//! that knows those. What leaves does so after the events it follows from are durable.

mod calendar;
pub mod driver;
pub mod human;
mod metrics;
pub mod partition;
pub mod query;
pub mod rehearsal;
mod secrets;

pub use calendar::ZonedCalendar;
pub use driver::handle::{
    AskError, Engine, FromWorker, TaskOutcome, ToWorker, Watch, WorkerHello, WorkerLink,
    WorkerVoice,
};
pub use driver::{Data, Options, Running, StartFault, start};
pub use metrics::Metrics;
pub use secrets::{NoSecrets, SecretSource};
