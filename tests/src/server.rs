//! Owns [`Server`]: the real server on data of its own, that can be killed and started again.
//!
//! Invariant: the address stays the same from start to start, so that clients and workers find it again.

use std::path::Path;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use sdk::Client;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::command::{Ended, Quadrille};
use crate::patience::{PATIENCE, until};

/// What a server prints before its address.
const LISTENING: &str = "listening on ";

/// A running server.
#[derive(Debug)]
pub struct Server {
    data: TempDir,
    settings: Vec<(String, String)>,
    url: String,
    process: Child,
}

impl Server {
    /// Starts one on empty data and any free port.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start() -> Server {
        Server::start_with(&[]).await
    }

    /// The same with environment variables.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_with(settings: &[(&str, &str)]) -> Server {
        let data = tempfile::tempdir().expect("a folder can be made");
        let mut settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        settings.push(("QUADRILLE_LOG_LEVEL".into(), "warn".into()));
        let (process, url) = launch(data.path(), "0", &settings).await;
        Server {
            data,
            settings,
            url,
            process,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host and port of [`Server::url`].
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The folder of its data.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A client of it.
    ///
    /// # Panics
    /// Never, as it printed its address itself.
    pub async fn client(&self) -> Client {
        Client::connect(&self.url)
            .await
            .expect("the server printed the address")
    }

    /// Ends it as a crash does (SIGKILL).
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("it can be killed");
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        timeout(PATIENCE, self.process.wait())
            .await
            .expect("it ends when asked to")
            .expect("it can be waited for")
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Panics
    /// If it has ended already.
    pub fn ask_to_end(&self) {
        self.tell(Signal::TERM);
    }

    /// Asks it to end as a keyboard does (SIGINT).
    ///
    /// # Panics
    /// If it has ended already.
    pub fn interrupt(&self) {
        self.tell(Signal::INT);
    }

    fn tell(&self, signal: Signal) {
        let id = self
            .process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        kill_process(id.expect("it runs"), signal).expect("it can be told");
    }

    /// Starts it again on the same data and address, after it has ended.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn restart(&mut self) {
        let (_, port) = self.url.rsplit_once(':').expect("an address has a port");
        let (process, url) = launch(self.data.path(), port, &self.settings).await;
        assert_eq!(url, self.url);
        self.process = process;
    }

    /// Makes workflows known to it.
    ///
    /// # Panics
    /// If it refuses one.
    pub async fn deploy(&self, sources: &[&str]) {
        let client = self.client().await;
        for source in sources {
            client.deploy(*source).await.expect("the workflow is sound");
        }
    }

    /// Runs a command line against it.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        Quadrille::new(arguments)
            .env("QUADRILLE_URL", &self.url)
            .run()
            .await
    }

    /// Demands that it starts a run and brings it to its end.
    ///
    /// # Panics
    /// If it does not.
    pub async fn demand_service(&self) {
        let client = self.client().await;
        client
            .deploy(ECHO)
            .await
            .expect("a sound workflow is taken");
        let start = client
            .start("echo")
            .input(&serde_json::json!({"says": "hello"}))
            .wait(PATIENCE);
        let run = start
            .send()
            .await
            .expect("the server serves")
            .run
            .expect("it was waited for");
        let output: serde_json::Value = run.output.decode().expect("output is JSON");
        assert_eq!(output, serde_json::json!({"echo": "hello"}), "{run:?}");
    }
}

/// The least that a workflow can do.
const ECHO: &str = r#"
document: {dsl: '1.0.3', namespace: default, name: echo, version: '1.0.0'}
do:
  - echo: {set: {echo: '${ .says }'}}
"#;

async fn launch(data: &Path, port: &str, settings: &[(String, String)]) -> (Child, String) {
    let data = data.to_str().expect("the path is text");
    // A port that was ours a moment ago can still be busy with the connections of the killed server.
    until("a server that starts", async || {
        let mut command = Quadrille::new(["server", "--data", data, "--port", port]);
        for (name, value) in settings {
            command = command.env(name, value);
        }
        let mut process = command.serve();
        let stdout = process.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(PATIENCE, lines.next_line())
            .await
            .expect("it says where it listens");
        let url = first.ok().flatten()?.strip_prefix(LISTENING)?.to_owned();
        Some((process, url))
    })
    .await
}
