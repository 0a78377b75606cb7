//! Owns [`Stage`]: the processes of the demo and the folder that they write to.
//!
//! Invariant: the demo talks to the server only as anyone could, by the command line.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::verdict::Effect;
use crate::process::{Child, cargo, succeed};
use crate::project::Project;

/// Where the server listens if it can.
const PORT: u16 = 8080;

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long each request to a service takes, so that the kill meets many in the middle.
const LATENCY_MS: &str = "120";

const SERVICES: [&str; 3] = ["inventory", "payment", "shipping"];

const WORKFLOWS: [&str; 6] = [
    "order-saga/workflow.yaml",
    "approval/workflow.yaml",
    "nightly-fan-out/workflow.yaml",
    "parent-children/workflow.yaml",
    "parent-children/leg.yaml",
    "parent-children/itinerary.yaml",
];

/// The processes of the demo.
pub(super) struct Stage {
    root: PathBuf,
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    services: Option<Child>,
    server: Option<Child>,
}

/// How a command ended.
pub(super) struct Answer {
    /// Its exit code.
    pub(super) code: Option<i32>,
    /// What it printed.
    pub(super) stdout: String,
    /// What it said beside that.
    pub(super) stderr: String,
}

impl Answer {
    /// How a command ends.
    pub(super) fn of(child: std::process::Child) -> anyhow::Result<Answer> {
        let output = child
            .wait_with_output()
            .context("cannot wait for a command")?;
        Ok(Answer {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into(),
            stderr: String::from_utf8_lossy(&output.stderr).into(),
        })
    }
}

impl Stage {
    /// Builds what is needed and clears the folder of the demo.
    pub(super) fn set(project: &Project, debug: bool) -> anyhow::Result<Stage> {
        let mut build = cargo(project);
        build.args([
            "build",
            "--package",
            "quadrille-server",
            "--package",
            "quadrille-example-services",
        ]);
        let profile = if debug {
            println!("building");
            "debug"
        } else {
            println!(
                "building with optimisation; the first time takes some minutes, --debug is quicker"
            );
            build.arg("--release");
            "release"
        };
        succeed(&mut build)?;
        let folder = project.target.join("demo");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let binaries = project.target.join(profile);
        Ok(Stage {
            root: project.root.clone(),
            binaries,
            folder,
            port: free_port()?,
            services: None,
            server: None,
        })
    }

    /// Where the server listens.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the services and the worker; their addresses.
    pub(super) fn open(&mut self) -> anyhow::Result<Value> {
        let mut command = self.program("quadrille-example-services");
        command.args([
            "--port",
            "0",
            "--latency-ms",
            LATENCY_MS,
            "--server",
            &self.url(),
            "--ledger",
        ]);
        let services = Child::start(
            "the services",
            command.arg(self.folder.join("effects.jsonl")),
        )?;
        let mut addresses = json!({});
        for name in SERVICES {
            let opening = format!("{name} listening on ");
            let address = services.hear(PATIENCE, |line| {
                line.strip_prefix(&opening).map(str::to_owned)
            })?;
            println!("{name:<11} {address}");
            addresses[name] = address.into();
        }
        self.services = Some(services);
        Ok(addresses)
    }

    /// Starts the server on the data of the demo; how long it takes until it accepts.
    pub(super) fn start_server(&mut self) -> anyhow::Result<Duration> {
        let log = self.folder.join("server.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .context("cannot write the server's log")?;
        let mut command = self.program("quadrille");
        command
            .args(["server", "--port", &self.port.to_string(), "--data"])
            .arg(self.folder.join("data"));
        // The services of the demo are on this machine, which workflows may not call by default.
        command
            .env("QUADRILLE_CONNECTORS_HTTP_ALLOW_PRIVATE", "true")
            .stderr(log);
        let began = Instant::now();
        let server = Child::start("the server", &mut command)?;
        let listening = server.hear(PATIENCE, |line| {
            line.starts_with("listening on ").then_some(())
        });
        listening.with_context(|| format!("see {}", self.folder.join("server.log").display()))?;
        self.server = Some(server);
        Ok(began.elapsed())
    }

    /// Ends the server as a crash would.
    pub(super) fn kill_server(&mut self) -> anyhow::Result<()> {
        self.server.take().context("the server runs")?.kill()
    }

    /// Makes the workflows of the examples known.
    pub(super) fn apply(&self) -> anyhow::Result<()> {
        let files: Vec<String> = WORKFLOWS
            .iter()
            .map(|file| self.root.join("examples").join(file).display().to_string())
            .collect();
        let line: Vec<&str> = ["apply"]
            .into_iter()
            .chain(files.iter().flat_map(|file| ["-f", file]))
            .collect();
        print!("{}", self.ask(&line)?);
        Ok(())
    }

    /// Waits until the world has seen so many effects; how many it has.
    pub(super) fn hear_effects(&self, count: usize) -> anyhow::Result<usize> {
        let services = self.services.as_ref().context("the services run")?;
        let mut seen = 0;
        services.hear(PATIENCE, |line| {
            seen += usize::from(line.starts_with("effect "));
            (seen >= count).then_some(seen)
        })
    }

    /// Begins a command line against the server.
    pub(super) fn begin(&self, line: &[String]) -> anyhow::Result<std::process::Child> {
        let mut command = self.program("quadrille");
        command.args(line).env("QUADRILLE_URL", self.url());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().context("cannot start quadrille")
    }

    /// What a command line against the server prints.
    pub(super) fn ask(&self, line: &[&str]) -> anyhow::Result<String> {
        let words: Vec<String> = line.iter().map(|word| (*word).into()).collect();
        let answer = Answer::of(self.begin(&words)?)?;
        if answer.code != Some(0) {
            bail!(
                "quadrille {} failed: {}",
                line.join(" "),
                answer.stderr.trim()
            );
        }
        Ok(answer.stdout)
    }

    /// Everything that happened in the world, a line for each request.
    pub(super) fn ledger(&self) -> anyhow::Result<Vec<Effect>> {
        let path = self.folder.join("effects.jsonl");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        text.lines()
            .map(|line| Effect::read(line).context("the ledger is broken"))
            .collect()
    }

    /// What a person may want to type next.
    pub(super) fn how_to_look(&self, runs: &[Value]) -> String {
        let program = self.shown(&self.binaries.join("quadrille"));
        let (world, log) = (
            self.folder.join("effects.jsonl"),
            self.folder.join("server.log"),
        );
        let (world, log) = (self.shown(&world), self.shown(&log));
        let failed = runs
            .iter()
            .find(|run| run["state"] == "failed")
            .and_then(|run| run["id"].as_str());
        let (id, url) = (failed.unwrap_or("ID"), self.url());
        format!(
            "Look around:\n  export QUADRILLE_URL={url}\n  {program} list runs\n  {program} list runs --workflow order-saga --state failed\n  \
             {program} describe run {id}\n  {program} history {id}\n  curl {url}/api/v1/runs/{id}\n  \
             cat {world}    # every request that reached the services\n  cat {log}"
        )
    }

    /// A path as one would type it at the root of the workspace.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// Waits until the server ends.
    pub(super) fn stay(&mut self) -> anyhow::Result<()> {
        self.server.as_mut().context("the server runs")?.wait()?;
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(
            self.binaries
                .join(format!("{name}{}", std::env::consts::EXE_SUFFIX)),
        );
        // What is set for another server must not reach this one.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("QUADRILLE_") {
                command.env_remove(variable);
            }
        }
        command
    }
}

/// The usual port, or one that is free.
fn free_port() -> anyhow::Result<u16> {
    if TcpListener::bind(("127.0.0.1", PORT)).is_ok() {
        return Ok(PORT);
    }
    let free = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    let port = free
        .local_addr()
        .context("a listener has an address")?
        .port();
    println!("port {PORT} is in use; the server takes {port} instead");
    Ok(port)
}
