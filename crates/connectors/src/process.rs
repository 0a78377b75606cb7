//! Owns the `process` connector: the worker on queue `process` that starts what `run` names: shell commands,
//! scripts and containers; and MCP servers that are spoken to over their standard streams.
//!
//! It is closed by default: where it is not allowed every task is refused with how to allow it, so that none
//! waits for ever. What it starts has the rights of the server, an environment of its own and a fresh directory.

mod container;
mod job;
mod program;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sdk::{TaskContext, TaskError, Worker};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::http::{Caller, RunError, scalar};
use crate::mcp;
use crate::outgoing::Outgoing;
use crate::reading::{read, wrong};
use crate::resource::{Files, Resource};
use container::Container;
use job::Return;
pub(crate) use job::{Job, Started, TOLD_BYTES_MAX, told};

/// The queue of the connector; its tasks are `shell`, `script`, `container` and `mcp`.
pub const QUEUE: &str = "process";

/// Processes at the same time that are waited for.
const CONCURRENCY: usize = 16;
/// Processes at the same time that are not.
const BACKGROUND_MAX: usize = 64;
/// The longest script.
const SCRIPT_BYTES_MAX: usize = 1 << 20;
/// Arguments, and variables of the environment, of one process.
const WORDS_MAX: usize = 1_000;

/// How the connector works.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// Whether it may start anything.
    pub enabled: bool,
    /// Where programs are looked for, as in `PATH`.
    pub path: std::ffi::OsString,
    /// How scripts that lie elsewhere are fetched.
    pub outgoing: Outgoing,
    /// Where scripts on this machine lie.
    pub files: Files,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shell {
    command: String,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Script {
    language: Language,
    code: Option<String>,
    source: Option<Resource>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    Js,
    Python,
}

/// A program that serves MCP, by name or by its whole path.
#[derive(Deserialize)]
struct Program {
    command: String,
    #[serde(flatten)]
    rest: Rest,
}

/// What all kinds of processes take.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rest {
    #[serde(default)]
    arguments: Vec<Value>,
    #[serde(default)]
    environment: Map<String, Value>,
    #[serde(default)]
    stdin: Value,
    #[serde(rename = "return", default)]
    returned: Return,
    #[serde(rename = "await", default = "yes")]
    awaited: bool,
    /// What goes on where the process is not waited for.
    #[serde(default)]
    data: Value,
}

fn yes() -> bool {
    true
}

/// Starts the processes of the server at `url` until `shutdown` ends; then lets those under way end that are
/// waited for, and ends all others.
///
/// # Errors
/// [`RunError`]; a lost server is no error, it is waited for.
pub async fn run(
    url: String,
    options: ProcessOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let caller = Caller::new(&options.outgoing).map_err(RunError::Client)?;
    let starter = Starter {
        options: Arc::new(options),
        caller,
        background: Arc::default(),
    };
    let mut worker = Worker::builder(url)
        .name(format!("process connector, process {}", std::process::id()))
        .queue(QUEUE)
        .in_process()
        .concurrency(CONCURRENCY);
    for kind in ["shell", "script", "container", mcp::QUEUE] {
        let starter = starter.clone();
        worker = worker.task(kind, move |context: TaskContext, input: Value| {
            let starter = starter.clone();
            async move { starter.start(kind, &context, input).await }
        });
    }
    Ok(worker.build()?.run(shutdown).await?)
}

#[derive(Clone)]
struct Starter {
    options: Arc<ProcessOptions>,
    caller: Caller,
    background: Arc<Mutex<JoinSet<()>>>,
}

impl Starter {
    async fn start(
        &self,
        kind: &str,
        context: &TaskContext,
        input: Value,
    ) -> Result<Value, TaskError> {
        if !self.options.enabled {
            return Err(TaskError::fatal(
                TaskError::well_known("authorization"),
                "this server starts no processes\n  to allow it, set `connectors.process.enabled: true` in its configuration; what workflows start then has its rights",
            )
            .with_status(403));
        }
        if kind == mcp::QUEUE {
            let (job, wish) = self.server(input)?;
            return tokio::select! {
                outcome = mcp::over_stdio(&job, &wish) => outcome,
                () = context.cancelled() => Err(TaskError::fatal("cancelled", "the call was given up")),
            };
        }
        let (job, rest) = self.job(kind, context.workflow(), input).await?;
        if rest.awaited {
            return tokio::select! {
                outcome = job.run(rest.returned) => outcome,
                () = context.cancelled() => Err(TaskError::fatal("cancelled", "the process was ended")),
            };
        }
        let mut background = self
            .background
            .lock()
            .expect("nobody panics while holding processes");
        while background.try_join_next().is_some() {}
        if background.len() >= BACKGROUND_MAX {
            return Err(TaskError::retryable(
                TaskError::well_known("runtime"),
                format!("{BACKGROUND_MAX} processes that nobody waits for run already"),
            ));
        }
        background.spawn(async move { drop(job.run(Return::None).await) });
        Ok(rest.data)
    }

    /// The MCP server that is to be started, and what is wanted of it.
    fn server(&self, input: Value) -> Result<(Job, mcp::Wish), TaskError> {
        let (wish, server): (_, Program) = mcp::Wish::read(input)?;
        let path = &self.options.path;
        let job = Job::new(program::find(&server.command, path)?, path, &server.rest)?;
        Ok((job, wish))
    }

    /// What is to be started, and what to make of it.
    async fn job(
        &self,
        kind: &str,
        workflow: &str,
        input: Value,
    ) -> Result<(Job, Rest), TaskError> {
        let path = &self.options.path;
        match kind {
            "shell" => {
                let shell: Shell = read("shell command", input)?;
                let mut job = Job::new(PathBuf::from("/bin/sh"), path, &shell.rest)?;
                // The command's own name is $0.
                job.arguments
                    .splice(0..0, ["-c".into(), shell.command, "sh".into()]);
                Ok((job, shell.rest))
            }
            "script" => {
                let script: Script = read("script", input)?;
                let code = match (script.code, script.source) {
                    (Some(code), None) => code,
                    (None, Some(source)) => {
                        let files = &self.options.files;
                        source.text(&self.caller, files, SCRIPT_BYTES_MAX).await?
                    }
                    _ => return Err(wrong("script", "give one of `code` and `source`")),
                };
                let (program, file) = match script.language {
                    Language::Js => ("node", "script.mjs"),
                    Language::Python => ("python3", "script.py"),
                };
                let mut job = Job::new(program::find(program, path)?, path, &script.rest)?;
                job.arguments.insert(0, file.to_owned());
                job.script = Some((file, code));
                Ok((job, script.rest))
            }
            _ => {
                let container: Container = read("container", input)?;
                container.job(workflow, path)
            }
        }
    }
}

/// Scalars as text, anything else as JSON.
fn word(value: &Value) -> String {
    scalar(value).unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests;
