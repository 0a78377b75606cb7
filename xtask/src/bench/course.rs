//! Owns the course of a bench: limits first, then workloads, then the life of a server; and [`Findings`].
//!
//! Invariant: nothing is measured before the limits it is held against were measured in the same run.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::burst::{Values, add_spent, best, observe, slowest};
use super::case::{CASES, Case};
use super::figure::Figure;
use super::limits::Limits;
use super::options::Options;
use super::program::Program;
use super::server::Server;
use super::usage::Usage;
use super::workbench::Workbench;
use super::{lifetime, machine, summary};

/// What was measured, and what went wrong meanwhile.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) figures: Vec<Figure>,
    failures: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Something that no figure may hide.
    pub(super) fn fail(&mut self, what: String) {
        self.failures.push(what);
    }
}

/// Bursts of each case. The figures are those of the best: other users of the machine, and of the disk behind
/// it, make a burst slower but never faster. What the slowest reached is shown beside it.
const ROUNDS: usize = 3;

/// How long the bench of expressions may take.
const EXPRESSIONS_MAX: Duration = Duration::from_secs(120);

/// Tells whoever waits what is being done.
pub(super) fn progress(what: &str) {
    eprintln!("measuring: {what}");
}

/// Runs the bench.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let options = Options::read(arguments)?;
    let bench = Workbench::new(options)?;
    let begun = Instant::now();
    let machine = machine::describe(&bench.folder);
    let mut findings = Findings::default();
    let measured = measure(&bench, &mut findings);
    if measured.is_err() {
        eprintln!("{}", bench.last_words());
    }
    println!("{machine}\n");
    print!("{}", summary::text(&findings.figures));
    println!("\nmeasured in {} s", begun.elapsed().as_secs());
    if let Some(path) = &bench.options.json {
        let figures: Value = findings.figures.iter().map(Figure::to_json).collect();
        std::fs::write(path, format!("{figures:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    measured?;
    anyhow::ensure!(
        findings.failures.is_empty(),
        "the figures do not count:\n  {}",
        findings.failures.join("\n  ")
    );
    Ok(())
}

fn measure(bench: &Workbench, findings: &mut Findings) -> anyhow::Result<()> {
    let cases: Vec<Case> = CASES
        .into_iter()
        .filter(|case| bench.options.wants(&case.title()))
        .collect();
    let mut concurrencies: Vec<u32> = cases.iter().map(|case| case.concurrency).collect();
    concurrencies.sort_unstable();
    concurrencies.dedup();
    progress("limits of this machine");
    let limits = Limits::measure(bench, &concurrencies)?;
    add_limits(&limits, findings);
    if bench.options.wants("expressions") {
        progress("expressions, ours and jaq");
        expressions(bench, findings)?;
    }
    if bench.options.wants("ready") {
        progress("start on empty data");
        lifetime::ready(bench, &limits, findings)?;
    }
    if !cases.is_empty() {
        let (server, _) = Server::start(bench, "workloads")?;
        let worker = bench.start_tool("worker", &["--url", &server.url()])?;
        measure_cases(bench, &cases, &server, &worker, &limits, findings)?;
    }
    if bench.options.wants("footprint") || bench.options.wants("recovery") {
        lifetime::footprint(bench, &limits, findings)?;
    }
    Ok(())
}

/// How long an expression takes; what jaq takes for the same stands as its limit.
fn expressions(bench: &Workbench, findings: &mut Findings) -> anyhow::Result<()> {
    let program = bench.start_tool("expressions", &[])?;
    let read = |line: &str| serde_json::from_str::<Value>(line).ok();
    let report = program.child.hear(EXPRESSIONS_MAX, read)?;
    for expression in report["expressions"].as_array().into_iter().flatten() {
        let name = expression["name"].as_str().unwrap_or_default();
        let ours = expression["ours"].as_f64().unwrap_or_default();
        let mut figure = Figure::new(format!("expressions/{name}"), ours, "ns");
        figure.limit = expression["jaq"].as_f64();
        findings.add(figure);
    }
    Ok(())
}

fn add_limits(limits: &Limits, findings: &mut Findings) {
    for name in ["throughput", "p50", "p90", "p99", "max"] {
        findings.add(Figure::of_value(
            "limit/sync",
            name,
            limits.sync[name],
            None,
        ));
    }
    for (concurrency, echo) in &limits.echo {
        for name in [
            "throughput",
            "p50",
            "p90",
            "p99",
            "max",
            "server-cpu",
            "switches",
        ] {
            findings.add(Figure::of_value(
                &format!("limit/echo/{concurrency}"),
                name,
                echo[name],
                None,
            ));
        }
    }
    findings.add(Figure::new("limit/process", limits.process_ms, "ms"));
}

/// What is sampled at both ends of a burst.
struct Sample {
    commits: u64,
    journal_bytes: u64,
    server: Usage,
    worker: Usage,
    load: Usage,
}

/// Measures every case once in each round, so that what disturbs the machine for a while does not hit all
/// bursts of one case.
fn measure_cases(
    bench: &Workbench,
    cases: &[Case],
    server: &Server,
    worker: &Program,
    limits: &Limits,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let mut bursts = vec![Vec::new(); cases.len()];
    for round in 1..=ROUNDS {
        for (case, bursts) in cases.iter().zip(&mut bursts) {
            progress(&format!("{}, {round} of {ROUNDS}", case.title()));
            let (values, failure) =
                measure_burst(bench, *case, server, worker).with_context(|| case.title())?;
            if let Some(failure) = failure {
                findings.fail(format!("{}: {failure}", case.title()));
            }
            bursts.push(values);
            // What a burst left undone must not weigh on the next; and what never ends is lost.
            server.drain()?;
        }
    }
    for (case, bursts) in cases.iter().zip(&bursts) {
        let (best, title) = (best(bursts), case.title());
        for (name, value) in best {
            let limit = limits.of(*case, name);
            findings.add(Figure::of_value(&title, name, *value, limit));
        }
        findings.add(Figure::new(
            format!("{title}/slowest"),
            slowest(bursts),
            "/s",
        ));
    }
    Ok(())
}

fn measure_burst(
    bench: &Workbench,
    case: Case,
    server: &Server,
    worker: &Program,
) -> anyhow::Result<(Values, Option<String>)> {
    let (url, seconds) = (server.url(), bench.options.seconds());
    let mut more = vec!["--workflow", case.workflow];
    if !case.waits {
        more.extend(["--wait-ms", "0"]);
    }
    if case.streams {
        more.extend(["--by", "stream"]);
    }
    let load = bench.start_load("load", &url, case.concurrency, seconds, &more)?;
    let (before, after, report) = observe(&load, Duration::from_secs(seconds), || {
        let (commits, journal_bytes) = server.commits()?;
        Ok(Sample {
            commits,
            journal_bytes,
            server: Usage::of(server.process())?,
            worker: Usage::of(worker.process)?,
            load: Usage::of(load.process)?,
        })
    })?;
    let count = report.count();
    let each = |total: u64| total as f64 / count.max(1.0);
    let commits = after.commits.saturating_sub(before.commits);
    let mut values = report.values();
    add_spent(&mut values, &after.server.since(&before.server), count);
    let throughput = values["throughput"];
    if case.steps > 1 {
        values.insert("steps".into(), throughput * f64::from(case.steps));
    }
    values.insert(
        "worker-cpu".into(),
        each(after.worker.since(&before.worker).cpu_ns_total()) / 1e3,
    );
    values.insert(
        "load-cpu".into(),
        each(after.load.since(&before.load).cpu_ns_total()) / 1e3,
    );
    let journal_bytes = after.journal_bytes.saturating_sub(before.journal_bytes);
    values.insert("journal".into(), each(journal_bytes));
    values.insert("syncs".into(), each(commits));
    values.insert("commits".into(), each(commits) * throughput);
    Ok((values, report.failure()))
}
