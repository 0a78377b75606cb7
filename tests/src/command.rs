//! Owns [`Quadrille`]: a command line of the binary, and how it ended.
//!
//! Invariant: nothing of the caller's environment reaches the binary.

use std::ffi::OsStr;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::binary::binary;
use crate::patience::PATIENCE;

/// A command line.
#[derive(Debug)]
pub struct Quadrille {
    command: Command,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; -1 for none.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl Quadrille {
    /// `quadrille` with these arguments.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Quadrille {
        let mut command = Command::new(binary());
        command.args(arguments).kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("QUADRILLE_") {
                command.env_remove(name);
            }
        }
        Quadrille { command }
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Quadrille {
        self.command.env(name, value);
        self
    }

    /// Starts it, its output and errors to be read.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(mut self) -> Child {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.command.spawn().expect("the binary can be started")
    }

    /// Starts it, its errors among the test's.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn serve(mut self) -> Child {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        self.command.spawn().expect("the binary can be started")
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn run(self) -> Ended {
        Ended::of(self.spawn()).await
    }
}

impl Ended {
    /// How a command ends that was started before.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn of(child: Child) -> Ended {
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .expect("the command ends");
        let output = output.expect("its output can be read");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("it prints text"),
            stderr: String::from_utf8(output.stderr).expect("it says text"),
        }
    }

    /// What it printed, as JSON.
    ///
    /// # Panics
    /// If it ended otherwise than well, or printed something else.
    #[must_use]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).expect("it prints JSON")
    }

    /// What it said beside its output, as JSON.
    ///
    /// # Panics
    /// If it said something else.
    #[must_use]
    pub fn error(&self) -> Value {
        serde_json::from_str(&self.stderr).expect("it says JSON")
    }
}
