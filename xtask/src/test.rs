//! Owns `cargo xtask test`: format, tidy, lints, tests, the dashboard in a browser; each stage with its time.
//!
//! Invariant: the first stage that fails ends the whole with an error, so that the cheap ones go first.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::{cargo, succeed};
use crate::project::Project;

/// Names the built server for the tests that drive it.
const BINARY: &str = "QUADRILLE_BIN";

/// Runs all stages.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    let project = Project::find()?;
    let begin = Instant::now();
    let mut stages = Stages {
        done: Vec::new(),
        counts: Counts::default(),
    };
    let outcome = all(&project, &mut stages);
    println!("\nstage            time");
    for (name, time) in &stages.done {
        println!("{name:<14} {:>6.1} s", time.as_secs_f64());
    }
    println!("{:<14} {:>6.1} s", "all", begin.elapsed().as_secs_f64());
    if outcome.is_ok() || stages.counts.failed > 0 {
        let Counts { passed, failed } = stages.counts;
        println!("\n{passed} passed, {failed} failed");
    }
    outcome
}

fn all(project: &Project, stages: &mut Stages) -> anyhow::Result<()> {
    let binary = project
        .target
        .join("debug")
        .join(format!("quadrille{}", std::env::consts::EXE_SUFFIX));
    stages.run("format", || {
        cargo_stage(project, &["fmt", "--all", "--check"])
    })?;
    stages.run("tidy", || crate::tidy::run(&[]))?;
    // Before the server is built, which carries it.
    stages.run("dashboard", || crate::dashboard::check(project))?;
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ];
    stages.run("lints", || cargo_stage(project, &lints))?;
    let build = [
        "build",
        "--quiet",
        "--package",
        "quadrille-server",
        "--bin",
        "quadrille",
    ];
    stages.run("build server", || cargo_stage(project, &build))?;
    let mut counts = Counts::default();
    let tests = stages.run("tests", || {
        let mut command = cargo(project);
        command.env(BINARY, &binary);
        if has_nextest() {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            command.stderr(Stdio::piped());
        } else {
            println!("cargo-nextest is not installed; cargo test does the same, slower");
            command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
            command.stdout(Stdio::piped());
        }
        counts.run(&mut command)
    });
    let documents = tests.and_then(|()| {
        stages.run("doc tests", || {
            let mut command = cargo(project);
            command
                .args(["test", "--workspace", "--doc"])
                .stdout(Stdio::piped());
            counts.run(&mut command)
        })
    });
    stages.counts = counts;
    documents?;
    stages.run("browser", || crate::dashboard::browse(project, &binary))
}

/// How many tests there were, as the runners say it.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Runs a command, shows what it says on the stream that is piped, and counts what it reports there.
    fn run(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let mut child = command.spawn().context("cannot start cargo")?;
        let stdout = child
            .stdout
            .take()
            .map(|stream| Box::new(stream) as Box<dyn Read>);
        let stderr = child
            .stderr
            .take()
            .map(|stream| Box::new(stream) as Box<dyn Read>);
        let stream = stdout.or(stderr).context("a stream is piped")?;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            println!("{line}");
            self.add(&line);
        }
        if !child.wait().context("cannot wait for cargo")?.success() {
            bail!("some tests did not pass; see above");
        }
        Ok(())
    }

    /// Adds the numbers of a closing line, such as `2 tests run: 1 passed, 1 failed` of nextest or
    /// `test result: FAILED. 1 passed; 1 failed` of cargo.
    fn add(&mut self, line: &str) {
        let line = plain(line);
        if !line.contains("tests run:")
            && !line.contains("test run:")
            && !line.starts_with("test result:")
        {
            return;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1].trim_end_matches([',', ';']) {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                _ => {}
            }
        }
    }
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        plain + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

fn cargo_stage(project: &Project, arguments: &[&str]) -> anyhow::Result<()> {
    succeed(cargo(project).args(arguments))
}

fn has_nextest() -> bool {
    let mut command = Command::new(crate::process::cargo_path());
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

struct Stages {
    done: Vec<(&'static str, Duration)>,
    counts: Counts,
}

impl Stages {
    fn run(
        &mut self,
        name: &'static str,
        stage: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        println!("\n== {name}");
        let begin = Instant::now();
        let outcome = stage();
        self.done.push((name, begin.elapsed()));
        outcome.with_context(|| format!("stage {name:?} failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let mut counts = Counts::default();
        for line in [
            "     Summary [  27.900s] 33 tests run: 29 passed (2 slow), 4 failed, 0 skipped",
            "     Summary [   0.100s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m passed, 7 skipped",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "3 passed by on the street",
        ] {
            counts.add(line);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 35,
                failed: 6
            }
        );
    }
}
