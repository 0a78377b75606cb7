//! Owns [`Limits`]: what this machine can do at best, measured in the same run as everything else.
//!
//! A call over gRPC is at least an echo, and what is durable is at least one sync. What a run cannot beat
//! follows from these two and the number of its round trips.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::burst::{Report, Values, add_spent, median, observe};
use super::case::Case;
use super::usage::Usage;
use super::workbench::Workbench;

/// Bursts that a limit is the best of.
const BURSTS: usize = 3;

/// Seconds of a burst of echoes.
const ECHO_SECONDS: u64 = 1;

/// How long the disk may take to be measured.
const DISK_MAX: Duration = Duration::from_secs(120);

/// Measured limits.
pub(super) struct Limits {
    /// Making 4 KiB durable, one after the other.
    pub(super) sync: Values,
    /// Echoes, by concurrency.
    pub(super) echo: Vec<(u32, Values)>,
    /// Milliseconds that the server's binary takes to start and end again when it has nothing to do.
    pub(super) process_ms: f64,
}

impl Limits {
    /// Measures the disk, the start of a process, and echoes at these concurrencies.
    pub(super) fn measure(bench: &Workbench, concurrencies: &[u32]) -> anyhow::Result<Limits> {
        let sync = best(&repeat(|| measure_disk(bench))?);
        let mut echo = Vec::new();
        for &concurrency in concurrencies {
            echo.push((
                concurrency,
                best(&repeat(|| measure_echo(bench, concurrency))?),
            ));
        }
        Ok(Limits {
            sync,
            echo,
            process_ms: measure_process(bench)?,
        })
    }

    /// The limit of a value of a case, if there is one.
    pub(super) fn of(&self, case: Case, value: &str) -> Option<f64> {
        let (_, echo) = self
            .echo
            .iter()
            .find(|(concurrency, _)| *concurrency == case.concurrency)?;
        match value {
            "throughput" | "steps" => echo.get("throughput").copied(),
            "p50" | "p90" | "p99" | "max" => {
                Some(f64::from(case.rounds()) * (echo.get(value)? + self.sync.get(value)?))
            }
            "server-cpu" | "switches" => echo.get(value).copied(),
            "commits" => self.sync.get("throughput").copied(),
            _ => None,
        }
    }
}

fn repeat(measure: impl FnMut() -> anyhow::Result<Values>) -> anyhow::Result<Vec<Values>> {
    std::iter::repeat_with(measure).take(BURSTS).collect()
}

/// The best of each value: a limit is what the machine does when nothing else disturbs it.
fn best(bursts: &[Values]) -> Values {
    let names = bursts.iter().flat_map(Values::keys);
    let of_name = |name: &String| {
        let values = bursts.iter().filter_map(|burst| burst.get(name).copied());
        match name.as_str() {
            "throughput" => values.fold(0.0, f64::max),
            _ => values.fold(f64::INFINITY, f64::min),
        }
    };
    names.map(|name| (name.clone(), of_name(name))).collect()
}

fn measure_disk(bench: &Workbench) -> anyhow::Result<Values> {
    let file = bench.folder.join("limit").display().to_string();
    let disk = bench.start_tool("disk", &["--file", &file, "--seconds", "1"])?;
    Ok(disk.child.hear(DISK_MAX, Report::read)?.values())
}

fn measure_echo(bench: &Workbench, concurrency: u32) -> anyhow::Result<Values> {
    let server = bench.start_tool("echo-server", &[])?;
    let url = format!("http://{}", server.address()?);
    let load = bench.start_load("echo-load", &url, concurrency, ECHO_SECONDS, &[])?;
    let (before, after, report) = observe(&load, Duration::from_secs(ECHO_SECONDS), || {
        Usage::of(server.process)
    })?;
    if let Some(failure) = report.failure() {
        anyhow::bail!("echo: {failure}");
    }
    let mut values = report.values();
    add_spent(&mut values, &after.since(&before), report.count());
    Ok(values)
}

fn measure_process(bench: &Workbench) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let mut command = std::process::Command::new(&bench.server);
        let begun = Instant::now();
        let output = command
            .arg("--version")
            .output()
            .context("cannot start the server")?;
        anyhow::ensure!(
            output.status.success(),
            "the server does not say its version"
        );
        times.push(Values::from([(
            "start".to_owned(),
            begun.elapsed().as_secs_f64() * 1e3,
        )]));
    }
    Ok(median(&times)["start"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::case::CASES;

    #[test]
    fn the_best_of_a_rate_is_the_highest_and_of_a_time_the_lowest() {
        let burst =
            |rate: f64, p50: f64| Values::from([("throughput".into(), rate), ("p50".into(), p50)]);
        assert_eq!(
            best(&[burst(5.0, 2.0), burst(9.0, 1.0), burst(7.0, 3.0)]),
            burst(9.0, 1.0)
        );
    }

    #[test]
    fn a_run_cannot_beat_its_round_trips() {
        let sync = Values::from([("p50".into(), 0.1), ("throughput".into(), 8_000.0)]);
        let echo = Values::from([("p50".into(), 0.2), ("throughput".into(), 50_000.0)]);
        let limits = Limits {
            sync,
            echo: vec![(64, echo)],
            process_ms: 1.0,
        };
        let case = |name| {
            *CASES
                .iter()
                .find(|case| case.name == name && case.concurrency == 64)
                .unwrap()
        };
        let p50 = |name| {
            limits
                .of(case(name), "p50")
                .map(|limit| (limit * 10.0).round())
        };
        assert_eq!(
            (p50("one-step"), p50("three-step"), p50("start")),
            (Some(6.0), Some(12.0), Some(3.0))
        );
        assert_eq!(limits.of(case("start"), "commits"), Some(8_000.0));
        assert_eq!(limits.of(case("start"), "written"), None);
        assert_eq!(
            limits.of(CASES[0], "p50"),
            None,
            "no echo was measured at 1"
        );
    }
}
