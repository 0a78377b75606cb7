//! Owns [`Latencies`]: how long each of many calls took, and the line that reports them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Longest latency told apart, in nanoseconds: ten minutes.
const NANOS_MAX: u64 = 600_000_000_000;

/// Latencies with three significant digits.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Latencies {
        Latencies(Histogram::new_with_bounds(1_000, NANOS_MAX, 3).expect("the bounds are in order"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0
            .saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(NANOS_MAX));
    }

    pub(crate) fn add(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// The figures as JSON, times in microseconds.
    pub(crate) fn report(&self, over: Duration) -> Value {
        let micros = |nanos: u64| nanos as f64 / 1_000.0;
        let at = |quantile: f64| micros(self.0.value_at_quantile(quantile));
        json!({
            "count": self.0.len(),
            "seconds": over.as_secs_f64(),
            "p50_us": at(0.50),
            "p90_us": at(0.90),
            "p99_us": at(0.99),
            "max_us": micros(self.0.max()),
        })
    }
}
