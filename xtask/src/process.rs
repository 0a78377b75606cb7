//! Owns running other programs: cargo, and children that do not outlive this one by an error.
//!
//! Invariant: a [`Child`] that is dropped is killed and waited for.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::project::Project;

/// Lines of a child that wait to be read; a child that says more has to wait.
const LINES_MAX: usize = 4096;

/// The cargo that runs us, or the one in the path.
pub(crate) fn cargo_path() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A cargo command at the root of the workspace.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(cargo_path());
    command.current_dir(&project.root);
    command
}

/// Runs a command to its end with our input and output.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default();
    let words = command.get_args().map(|word| word.to_string_lossy());
    words.fold(program.to_owned(), |line, word| line + " " + &word)
}

/// A program that runs beside us, and the lines that it says.
pub(crate) struct Child {
    name: &'static str,
    child: std::process::Child,
    lines: Receiver<String>,
}

impl Child {
    /// Starts a program.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Child> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (sender, lines) = sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Whoever no longer reads still wants the child to go on.
                let _ = sender.send(line);
            }
        });
        Ok(Child { name, child, lines })
    }

    /// The next line that a question has an answer for; other lines are passed over.
    pub(crate) fn hear<T>(
        &self,
        within: Duration,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> anyhow::Result<T> {
        let until = Instant::now() + within;
        let mut heard = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => match wanted(&line) {
                    Some(found) => return Ok(found),
                    None => heard.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} did not get there within {within:?}", self.name)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended early: {}", self.name, heard.join("\n"))
                }
            }
        }
    }

    /// Ends it as a crash would (SIGKILL), and waits until it is gone.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child
            .kill()
            .with_context(|| format!("cannot kill {}", self.name))?;
        self.wait()?;
        Ok(())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to kill and nothing to say.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
