//! Owns `cargo xtask test`: format, tidy, lints, tests; each stage with its time.
//!
//! Invariant: the first stage that fails ends the whole with an error, so that the cheap ones go first.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::process::{cargo, succeed};
use crate::project::Project;

/// Names the built server for the tests that drive it.
const BINARY: &str = "QUADRILLE_BIN";

/// Runs all stages.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    let project = Project::find()?;
    let begin = Instant::now();
    let mut stages = Stages { done: Vec::new() };
    let outcome = all(&project, &mut stages);
    println!("\nstage            time");
    for (name, time) in &stages.done {
        println!("{name:<14} {:>6.1} s", time.as_secs_f64());
    }
    println!("{:<14} {:>6.1} s", "all", begin.elapsed().as_secs_f64());
    outcome
}

fn all(project: &Project, stages: &mut Stages) -> anyhow::Result<()> {
    let binary = project.target.join("debug").join(format!("quadrille{}", std::env::consts::EXE_SUFFIX));
    stages.run("format", || cargo_stage(project, &["fmt", "--all", "--check"]))?;
    stages.run("tidy", || crate::tidy::run(&[]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    stages.run("lints", || cargo_stage(project, &lints))?;
    let build = ["build", "--quiet", "--package", "quadrille-server", "--bin", "quadrille"];
    stages.run("build server", || cargo_stage(project, &build))?;
    stages.run("tests", || {
        let mut command = cargo(project);
        if has_nextest() {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        } else {
            println!("cargo-nextest is not installed; cargo test does the same, slower");
            command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
        }
        succeed(command.env(BINARY, &binary)).context("tests failed; see above")
    })?;
    stages.run("doc tests", || cargo_stage(project, &["test", "--quiet", "--workspace", "--doc"]))
}

fn cargo_stage(project: &Project, arguments: &[&str]) -> anyhow::Result<()> {
    succeed(cargo(project).args(arguments))
}

fn has_nextest() -> bool {
    let mut command = Command::new(crate::process::cargo_path());
    command.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

struct Stages {
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    fn run(&mut self, name: &'static str, stage: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        println!("\n== {name}");
        let begin = Instant::now();
        let outcome = stage();
        self.done.push((name, begin.elapsed()));
        outcome.with_context(|| format!("stage {name:?} failed"))
    }
}
