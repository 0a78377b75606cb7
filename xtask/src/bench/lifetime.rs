//! Owns what is measured over the life of a server: size, start, memory and disk, and what comes after
//! kill -9.

use std::time::Duration;

use anyhow::Context as _;

use super::burst::{Values, add_spent, median, observe};
use super::course::{Findings, progress};
use super::figure::Figure;
use super::limits::Limits;
use super::server::Server;
use super::usage::{self, Usage};
use super::workbench::{Workbench, look_until};

const MIB: f64 = (1 << 20) as f64;

/// Runs of the footprint.
const RUNS: u64 = 100_000;
/// Runs of the long journal, those of the footprint included.
const RUNS_LONG: u64 = 1_000_000;
/// Longest time to spend on the runs of the footprint: a slow server is measured after fewer.
const RUNS_SECONDS_MAX: u64 = 60;
/// The same for the long journal.
const RUNS_LONG_SECONDS_MAX: u64 = 240;
/// Starts that are under way at the same time meanwhile.
const CONCURRENCY: u32 = 64;
/// How long a server is left alone before it counts as idle.
const IDLE: Duration = Duration::from_secs(1);
/// Starts that the time to be ready is the median of.
const STARTS: usize = 5;

/// Size of the binary, and time from the start on empty data to being ready.
pub(super) fn ready(
    bench: &Workbench,
    limits: &Limits,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let size = std::fs::metadata(&bench.server)
        .context("the server was not built")?
        .len();
    findings.add(Figure::new("binary/size", size as f64 / 1e6, "MB"));
    let mut starts = Vec::new();
    for number in 0..STARTS {
        let (_, awake) = Server::start(bench, &format!("empty-{number}"))?;
        let values = [("listening", awake.listening), ("ready", awake.ready)];
        starts.push(
            values
                .map(|(name, time)| (name.to_owned(), millis(time)))
                .into_iter()
                .collect::<Values>(),
        );
    }
    let median = median(&starts);
    let process = Some(limits.process_ms);
    findings.add(Figure {
        limit: process,
        ..Figure::new("ready/listening", median["listening"], "ms")
    });
    findings.add(Figure {
        limit: process,
        ..Figure::new("ready/empty", median["ready"], "ms")
    });
    Ok(())
}

/// Memory and disk, before and after many runs; then how soon a killed server is back.
pub(super) fn footprint(
    bench: &Workbench,
    limits: &Limits,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let (server, _) = Server::start(bench, "footprint")?;
    let _: Option<()> = look_until(IDLE, || None);
    let (idle, _) = usage::memory(server.process())?;
    findings.add(Figure::new("memory/idle", idle as f64 / MIB, "MiB"));
    findings.add(Figure::new(
        "disk/empty",
        server.data_bytes() as f64 / MIB,
        "MiB",
    ));
    let worker = bench.start_tool("worker", &["--url", &server.url()])?;
    let mut server = fill(bench, server, RUNS, RUNS_SECONDS_MAX, findings)?;
    if bench.options.wants("recovery") {
        server = recover(bench, server, limits, findings)?;
        if !bench.options.quick {
            server = fill(
                bench,
                server,
                RUNS_LONG - RUNS,
                RUNS_LONG_SECONDS_MAX,
                findings,
            )?;
            server = recover(bench, server, limits, findings)?;
        }
    }
    drop((worker, server));
    Ok(())
}

/// Runs so many one-step runs, or as many as there is time for, and says what they left behind.
fn fill(
    bench: &Workbench,
    server: Server,
    runs: u64,
    seconds: u64,
    findings: &mut Findings,
) -> anyhow::Result<Server> {
    progress(&format!("{runs} runs"));
    let (bytes_before, completed_before, ended_before) = (
        server.data_bytes(),
        server.find_completed(0)?,
        server.runs()?.ended,
    );
    let more = ["--warmup-ms", "0", "--count", &runs.to_string()];
    let load = bench.start_load("load", &server.url(), CONCURRENCY, seconds, &more)?;
    let sample = || Usage::of(server.process());
    let (begin, end, report) = observe(&load, Duration::from_secs(seconds), sample)?;
    if let Some(failure) = report.failure() {
        findings.fail(format!("{runs} runs: {failure}"));
    }
    let ended = completed_before + server.drain()?.ended - ended_before;
    let found = server.find_completed(ended)?;
    if found < ended {
        findings.fail(format!(
            "{ended} runs have ended, {found} are found as completed"
        ));
    }
    let mut values = report.values();
    add_spent(&mut values, &end.since(&begin), report.count());
    let after = format!("after-{}", thousands(found));
    let (now, highest) = usage::memory(server.process())?;
    let disk = server.data_bytes();
    findings.add(Figure::new(
        format!("memory/{after}"),
        now as f64 / MIB,
        "MiB",
    ));
    findings.add(Figure::new(
        format!("memory/peak-{after}"),
        highest as f64 / MIB,
        "MiB",
    ));
    findings.add(Figure::new(
        format!("disk/{after}"),
        disk as f64 / MIB,
        "MiB",
    ));
    let grown = disk.saturating_sub(bytes_before) as f64 / report.count().max(1.0);
    findings.add(Figure::new(format!("disk/each-{after}"), grown, "B/run"));
    for name in ["throughput", "server-cpu", "p99"] {
        findings.add(Figure::of_value(
            &format!("footprint/{after}"),
            name,
            values[name],
            None,
        ));
    }
    Ok(server)
}

/// Kills the server, starts it again, and looks whether every run that had ended is still there.
fn recover(
    bench: &Workbench,
    server: Server,
    limits: &Limits,
    findings: &mut Findings,
) -> anyhow::Result<Server> {
    progress("kill -9 and restart");
    let ended = server.find_completed(0)?;
    let runs = thousands(ended);
    let (server, awake, accepting) = server.crash(bench)?;
    let times = [
        ("listening", awake.listening),
        ("ready", awake.ready),
        ("accepting", accepting),
    ];
    for (name, time) in times {
        let figure = Figure::new(format!("recovery/{runs}/{name}"), millis(time), "ms");
        findings.add(Figure {
            limit: Some(limits.process_ms),
            ..figure
        });
    }
    let found = server.find_completed(ended)?;
    if found < ended {
        findings.fail(format!(
            "{ended} runs had completed before the kill, {found} are found after it"
        ));
    }
    let (now, _) = usage::memory(server.process())?;
    findings.add(Figure::new(
        format!("memory/recovered-{runs}"),
        now as f64 / MIB,
        "MiB",
    ));
    Ok(server)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn thousands(runs: u64) -> String {
    format!("{}k", runs / 1_000)
}
