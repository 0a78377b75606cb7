//! Owns [`Server`]: the server under test on its data, and what it says about itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::http;
use super::program::Program;
use super::workbench::{Workbench, bytes_on_disk, look_until};

/// How long the server may take to become ready, whatever it has to recover.
const READY_MAX: Duration = Duration::from_secs(120);

/// How long started runs may take to end once nobody starts more.
const DRAIN_MAX: Duration = Duration::from_secs(120);

/// A start that asks for nothing but to be accepted.
const START: &str = r#"{"workflow":"one-step"}"#;

pub(super) struct Server {
    program: Program,
    data: PathBuf,
    pub(super) address: String,
}

/// When a server that was started reached what.
pub(super) struct Awake {
    /// It said where it listens.
    pub(super) listening: Duration,
    /// It said that it is ready.
    pub(super) ready: Duration,
}

/// How many runs there were and are.
#[derive(Debug)]
pub(super) struct Runs {
    pub(super) started: u64,
    pub(super) ended: u64,
}

impl Server {
    /// Starts a server on a folder of this name, and waits until it is ready.
    pub(super) fn start(bench: &Workbench, data: &str) -> anyhow::Result<(Server, Awake)> {
        Server::start_at(bench, bench.folder.join(data), "0", Instant::now())
    }

    fn start_at(
        bench: &Workbench,
        data: PathBuf,
        port: &str,
        since: Instant,
    ) -> anyhow::Result<(Server, Awake)> {
        let folder = data.display().to_string();
        let program = bench.start_server(&["server", "--data", &folder, "--port", port])?;
        let address = program.address()?;
        let listening = since.elapsed();
        look_until(READY_MAX, || http::get(&address, "/readyz").ok())
            .context("the server did not become ready")?;
        let awake = Awake {
            listening,
            ready: since.elapsed(),
        };
        Ok((
            Server {
                program,
                data,
                address,
            },
            awake,
        ))
    }

    /// Kills it with SIGKILL and starts it again on the same data and port. The times count from the kill.
    pub(super) fn crash(mut self, bench: &Workbench) -> anyhow::Result<(Server, Awake, Duration)> {
        let port = self
            .address
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let killed = Instant::now();
        self.program.child.kill()?;
        let (server, awake) = Server::start_at(bench, self.data, &port, killed)?;
        let accepted = look_until(READY_MAX, || {
            http::post(&server.address, "/api/v1/runs", START).ok()
        });
        accepted.context("the server did not accept a run after the kill")?;
        let accepting = killed.elapsed();
        Ok((server, awake, accepting))
    }

    pub(super) fn process(&self) -> u32 {
        self.program.process
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes of its data on the disk.
    pub(super) fn data_bytes(&self) -> u64 {
        bytes_on_disk(&self.data)
    }

    /// Group commits since it started, and the bytes of their records.
    pub(super) fn commits(&self) -> anyhow::Result<(u64, u64)> {
        let metrics = http::get(&self.address, "/metrics")?;
        let commits = counter(&metrics, "quadrille_commits_total")?;
        Ok((commits, counter(&metrics, "quadrille_journal_bytes_total")?))
    }

    /// Runs since it started.
    pub(super) fn runs(&self) -> anyhow::Result<Runs> {
        let metrics = http::get(&self.address, "/metrics")?;
        let started = counter(&metrics, "quadrille_runs_started_total")?;
        Ok(Runs {
            started,
            ended: counter(&metrics, "quadrille_runs_ended_total")?,
        })
    }

    /// Waits until every run that was started has ended.
    pub(super) fn drain(&self) -> anyhow::Result<Runs> {
        let drained = look_until(DRAIN_MAX, || match self.runs() {
            Ok(runs) if runs.started > runs.ended => None,
            runs => Some(runs),
        });
        drained.unwrap_or_else(|| {
            anyhow::bail!("runs do not end: {:?} after {DRAIN_MAX:?}", self.runs())
        })
    }

    /// Waits until so many runs are found as completed; says how many are if they never are.
    pub(super) fn find_completed(&self, wanted: u64) -> anyhow::Result<u64> {
        let count = || -> anyhow::Result<u64> {
            let text = http::get(&self.address, "/api/v1/runs/count?state=completed")?;
            let count: Value = serde_json::from_str(&text)?;
            count["count"]
                .as_u64()
                .with_context(|| format!("a count without a count: {text}"))
        };
        let found = look_until(DRAIN_MAX, || match count() {
            Ok(found) if found < wanted => None,
            found => Some(found),
        });
        found.unwrap_or_else(count)
    }
}

/// The value of a counter in the text of /metrics.
fn counter(metrics: &str, name: &str) -> anyhow::Result<u64> {
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value
        .and_then(|value| value.trim().parse().ok())
        .with_context(|| format!("/metrics has no {name}"))
}
