//! Owns a burst: one program that loads, watched from its `begin` to its `end`, and [`Values`] made of it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::program::Program;
use super::usage::Spent;

/// How long a load may take to begin, and to report after its end: it waits for all of its calls.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Measured numbers by name.
pub(super) type Values = BTreeMap<String, f64>;

/// What a load says about itself.
#[derive(Clone, Debug)]
pub(super) struct Report {
    figures: Value,
}

impl Report {
    pub(super) fn read(line: &str) -> Option<Report> {
        let figures = serde_json::from_str(line).ok().filter(Value::is_object)?;
        Some(Report { figures })
    }

    fn number(&self, name: &str) -> f64 {
        self.figures[name].as_f64().unwrap_or_default()
    }

    /// Calls that ended well within the measured time.
    pub(super) fn count(&self) -> f64 {
        self.number("count")
    }

    /// What went wrong, if anything did.
    pub(super) fn failure(&self) -> Option<String> {
        let failures = self.number("failures");
        let first = &self.figures["first_failure"];
        (failures > 0.0).then(|| format!("{failures} calls failed, the first with {first}"))
    }

    /// Calls a second, and latencies in milliseconds.
    pub(super) fn values(&self) -> Values {
        let mut values = Values::new();
        values.insert(
            "throughput".into(),
            self.count() / self.number("seconds").max(f64::EPSILON),
        );
        for quantile in ["p50", "p90", "p99", "max"] {
            values.insert(
                quantile.into(),
                self.number(&format!("{quantile}_us")) / 1e3,
            );
        }
        values
    }
}

/// Adds what a server spent on each of so many calls: microseconds, switches, bytes.
pub(super) fn add_spent(values: &mut Values, spent: &Spent, count: f64) {
    let each = |total: u64| total as f64 / count.max(1.0);
    values.insert("server-cpu".into(), each(spent.cpu_ns_total()) / 1e3);
    values.insert("switches".into(), each(spent.switches));
    values.insert("written".into(), each(spent.written_bytes));
    for (thread, nanos) in &spent.cpu_ns {
        values.insert(format!("thread/{thread}"), each(*nanos) / 1e3);
    }
}

/// Waits for a load and takes a sample at both ends of what it measures.
pub(super) fn observe<S>(
    load: &Program,
    at_most: Duration,
    mut sample: impl FnMut() -> anyhow::Result<S>,
) -> anyhow::Result<(S, S, Report)> {
    load.child
        .hear(WAIT_MAX, |line| (line == "begin").then_some(()))?;
    let before = sample()?;
    load.child
        .hear(at_most + WAIT_MAX, |line| (line == "end").then_some(()))?;
    let after = sample()?;
    let report = load
        .child
        .hear(WAIT_MAX, Report::read)
        .context("the load did not report")?;
    Ok((before, after, report))
}

/// The burst with the highest rate, whole: its latencies and costs belong to that rate.
pub(super) fn best(bursts: &[Values]) -> &Values {
    let best = bursts
        .iter()
        .max_by(|a, b| a["throughput"].total_cmp(&b["throughput"]));
    best.expect("every case is measured at least once")
}

/// The lowest rate of all bursts.
pub(super) fn slowest(bursts: &[Values]) -> f64 {
    let rates = bursts.iter().map(|burst| burst["throughput"]);
    rates.fold(f64::INFINITY, f64::min)
}

/// The median of each value; what a burst does not have counts as 0 in it.
pub(super) fn median(bursts: &[Values]) -> Values {
    let names = bursts.iter().flat_map(Values::keys);
    let of_name = |name: &String| {
        let mut values: Vec<f64> = bursts
            .iter()
            .map(|burst| burst.get(name).copied().unwrap_or_default())
            .collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    names.map(|name| (name.clone(), of_name(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_becomes_rates_and_milliseconds() {
        let line = r#"{"count":100,"seconds":2,"p50_us":1500,"p90_us":0,"p99_us":0,"max_us":9000,"failures":0}"#;
        let report = Report::read(line).unwrap();
        let values = report.values();
        assert_eq!(
            (values["throughput"], values["p50"], values["max"]),
            (50.0, 1.5, 9.0)
        );
        assert_eq!(report.failure(), None);
        assert!(Report::read("begin").is_none());
        let failed = Report::read(r#"{"failures":2,"first_failure":"gone"}"#).unwrap();
        assert_eq!(
            failed.failure().as_deref(),
            Some("2 calls failed, the first with \"gone\"")
        );
    }

    #[test]
    fn the_best_burst_is_taken_whole() {
        let burst =
            |rate: f64, p99: f64| Values::from([("throughput".into(), rate), ("p99".into(), p99)]);
        let bursts = [burst(5.0, 1.0), burst(9.0, 3.0), burst(7.0, 2.0)];
        assert_eq!((best(&bursts), slowest(&bursts)), (&burst(9.0, 3.0), 5.0));
    }

    #[test]
    fn the_median_is_taken_of_each_value_by_itself() {
        let burst = |a: f64, b: f64| Values::from([("a".into(), a), ("b".into(), b)]);
        let medians = median(&[
            burst(1.0, 9.0),
            burst(5.0, 2.0),
            Values::from([("a".into(), 3.0)]),
        ]);
        assert_eq!(medians, burst(3.0, 2.0));
    }
}
