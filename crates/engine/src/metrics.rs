//! Owns the counters and gauges of an engine, and their Prometheus text.
//!
//! Invariant: no label is ever taken from users' data, so the number of series is fixed.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters and gauges.
pub struct Metrics {
    registry: Registry,
    ready: AtomicBool,
    /// Commands accepted.
    pub commands: Counter<u64, AtomicU64>,
    /// Commands refused.
    pub rejections: Counter<u64, AtomicU64>,
    /// Requests refused because too many waited.
    pub overloads: Counter<u64, AtomicU64>,
    /// Runs begun.
    pub runs_started: Counter<u64, AtomicU64>,
    /// Runs ended, however.
    pub runs_ended: Counter<u64, AtomicU64>,
    /// Tasks given to workers.
    pub tasks_delivered: Counter<u64, AtomicU64>,
    /// Timers that came due.
    pub timers_fired: Counter<u64, AtomicU64>,
    /// Group commits: one write and one sync each.
    pub commits: Counter<u64, AtomicU64>,
    /// Bytes of records given to the journal.
    pub journal_bytes: Counter<u64, AtomicU64>,
    /// Checkpoints taken.
    pub checkpoints: Counter<u64, AtomicU64>,
    /// Runs that go on.
    pub runs_live: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Timers armed.
    pub timers_pending: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Tasks that wait for a worker.
    pub tasks_queued: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Workers connected.
    pub workers: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Human tasks that are open.
    pub human_tasks: Gauge<i64, std::sync::atomic::AtomicI64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("quadrille");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let commands = counter("commands", "Commands accepted");
        let rejections = counter("rejections", "Commands refused");
        let overloads = counter("overloads", "Requests refused because too many waited");
        let runs_started = counter("runs_started", "Runs begun");
        let runs_ended = counter("runs_ended", "Runs ended, however");
        let tasks_delivered = counter("tasks_delivered", "Tasks given to workers");
        let timers_fired = counter("timers_fired", "Timers that came due");
        let commits = counter("commits", "Group commits, one write and one sync each");
        let journal_bytes = counter("journal_bytes", "Bytes of records given to the journal");
        let checkpoints = counter("checkpoints", "Checkpoints taken");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let runs_live = gauge("runs_live", "Runs that go on");
        let timers_pending = gauge("timers_pending", "Timers armed");
        let tasks_queued = gauge("tasks_queued", "Tasks that wait for a worker");
        let workers = gauge("workers", "Workers connected");
        let human_tasks = gauge("human_tasks", "Human tasks that are open");
        Metrics {
            registry,
            ready: AtomicBool::new(false),
            commands,
            rejections,
            overloads,
            runs_started,
            runs_ended,
            tasks_delivered,
            timers_fired,
            commits,
            journal_bytes,
            checkpoints,
            runs_live,
            timers_pending,
            tasks_queued,
            workers,
            human_tasks,
        }
    }
}

impl Metrics {
    /// The Prometheus text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Whether commands are being accepted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }
}
