//! Owns [`Job`]: one process from its start to its end, with everything that it started itself.
//!
//! Invariants: it sees no variable of the server but those named here; its group is killed when the job ends or
//! is dropped, and not later, when its number may be another's; its output, its time and its directory are bounded
//! by the job. What leaves its group lives on, but is not waited for.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::{Rest, WORDS_MAX, word};
use crate::reading::wrong;

/// The longest that a process may run.
const TIME_MAX: Duration = Duration::from_secs(3600);
/// How much a process may write to each of its outputs.
const OUTPUT_BYTES_MAX: usize = 384 << 10;
/// How much of what it wrote last a failure tells.
pub(crate) const TOLD_BYTES_MAX: usize = 1 << 10;
/// How long an output may stay open after the process has ended.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// How long ending a container may take.
const ENDING_MAX: Duration = Duration::from_secs(10);

/// The file in the job's directory that names what it has started elsewhere, once that is there.
pub(super) const STARTED: &str = "started";

/// Variables of the server that processes see, if they are set.
const INHERITED: [&str; 4] = ["LANG", "LC_ALL", "TZ", "PATH"];

/// What a process is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Return {
    #[default]
    Stdout,
    Stderr,
    Code,
    All,
    None,
}

/// A process that is to be.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: BTreeMap<OsString, OsString>,
    pub(super) stdin: Option<String>,
    /// A file that is written into its directory first.
    pub(super) script: Option<(&'static str, String)>,
    /// Commands of the same program that end what it started elsewhere, whose id follows: when it is given up, and a
    /// while after it ended.
    pub(super) give_up: Option<Vec<String>>,
    pub(super) afterwards: Option<(Duration, Vec<String>)>,
}

impl Job {
    /// A program with what all kinds of processes take.
    pub(crate) fn new(program: PathBuf, path: &OsStr, rest: &Rest) -> Result<Job, TaskError> {
        let (arguments, environment) = (&rest.arguments, &rest.environment);
        if arguments.len() > WORDS_MAX || environment.len() > WORDS_MAX {
            let why = format!("more than {WORDS_MAX} arguments or variables");
            return Err(wrong("process", &why));
        }
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let mut variables: BTreeMap<OsString, OsString> = inherited
            .map(|(name, value)| (name.into(), value))
            .collect();
        variables.insert("PATH".into(), path.to_owned());
        for (name, value) in environment {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(wrong(
                    "process",
                    "a name in `environment` is empty or has a =",
                ));
            }
            variables.insert(name.into(), word(value).into());
        }
        let arguments: Vec<String> = arguments.iter().map(word).collect();
        let has_zero = |text: &OsStr| text.as_encoded_bytes().contains(&0);
        if arguments.iter().any(|text| text.contains('\0'))
            || variables.values().any(|text| has_zero(text))
        {
            return Err(wrong(
                "process",
                "arguments and variables cannot hold the character 0",
            ));
        }
        Ok(Job {
            program,
            arguments,
            environment: variables,
            stdin: match &rest.stdin {
                Value::Null => None,
                value => Some(word(value)),
            },
            script: None,
            give_up: None,
            afterwards: None,
        })
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Starts it, in a directory of its own.
    pub(crate) async fn start(&self) -> Result<Started, TaskError> {
        let folder = tempfile::tempdir().map_err(|error| broken("make a directory", &error))?;
        if let Some((name, code)) = &self.script {
            let written = tokio::fs::write(folder.path().join(name), code).await;
            written.map_err(|error| broken("write the script", &error))?;
        }
        let mut command = self.command(&self.arguments);
        command.current_dir(folder.path()).process_group(0);
        for name in ["HOME", "TMPDIR"] {
            if !self.environment.contains_key(OsStr::new(name)) {
                command.env(name, folder.path());
            }
        }
        let child = command.spawn().map_err(|error| broken("start", &error))?;
        let group = Group::of(&child, self, folder.path());
        Ok(Started {
            group,
            child,
            folder,
        })
    }

    /// Runs it to its end.
    pub(super) async fn run(self, returned: Return) -> Result<Value, TaskError> {
        // What is named last ends first.
        let Started {
            folder,
            mut child,
            mut group,
        } = self.start().await?;
        let ended = conversation(&mut child, &mut group.leader, self.stdin.as_deref());
        let ended = tokio::time::timeout(TIME_MAX, ended);
        let (status, stdout, stderr) = ended.await.map_err(|_| {
            let detail = format!("the process ran longer than {} seconds", TIME_MAX.as_secs());
            TaskError::fatal(TaskError::well_known("timeout"), detail).with_status(408)
        })??;
        group.give_up = None;
        if let Some((pause, arguments)) = &self.afterwards
            && let Some(id) = started(folder.path())
        {
            let mut command = self.command(arguments);
            command.arg(id);
            let pause = *pause;
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let _ = tokio::time::timeout(ENDING_MAX, command.status()).await;
            });
        }
        answer(returned, status, stdout, stderr)
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// A process that runs. Whatever is left of it, it itself and its directory end with this.
pub(crate) struct Started {
    group: Group,
    pub(crate) child: Child,
    folder: TempDir,
}

impl Started {
    /// Waits for its end, and ends what it leaves behind.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await;
        end(self.group.leader.take());
        status
    }
}

/// The processes that a job has started; they end with this.
struct Group {
    leader: Option<Pid>,
    give_up: Option<Command>,
    folder: PathBuf,
}

impl Group {
    fn of(child: &Child, job: &Job, folder: &Path) -> Group {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Group {
            leader: id.and_then(Pid::from_raw),
            give_up: job.give_up.as_ref().map(|arguments| job.command(arguments)),
            folder: folder.to_owned(),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        end(self.leader);
        if let Some(mut command) = self.give_up.take()
            && let Some(id) = started(&self.folder)
        {
            command.arg(id);
            tokio::spawn(async move {
                let _ = tokio::time::timeout(ENDING_MAX, command.status()).await;
            });
        }
    }
}

/// The id of what a process has started elsewhere. Its name could be that of another one.
fn started(folder: &Path) -> Option<String> {
    let id = std::fs::read_to_string(folder.join(STARTED)).ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

fn end(leader: Option<Pid>) {
    if let Some(leader) = leader {
        // It fails if nothing of the group is left.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

type Ended = (ExitStatus, Vec<u8>, Vec<u8>);

/// Says to a process what it is to read, and hears it out.
async fn conversation(
    child: &mut Child,
    leader: &mut Option<Pid>,
    stdin: Option<&str>,
) -> Result<Ended, TaskError> {
    let input = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let say = async {
        if let (Some(mut input), Some(text)) = (input, stdin) {
            // A process need not read what it is told.
            let _ = input.write_all(text.as_bytes()).await;
            let _ = input.shutdown().await;
        }
        Ok(())
    };
    // What a process leaves behind could hold its outputs open, so it ends with it.
    let wait = async {
        let status = child.wait().await;
        end(leader.take());
        status.map_err(|error| broken("wait for", &error))
    };
    let hear = async { tokio::try_join!(say, bounded(stdout), bounded(stderr)) };
    tokio::pin!(wait, hear);
    let (status, ((), stdout, stderr)) = tokio::select! {
        heard = &mut hear => {
            let heard = heard?;
            (wait.await?, heard)
        }
        status = &mut wait => {
            let heard = tokio::time::timeout(LINGER_MAX, hear).await;
            (status?, heard.map_err(|_| left_open())??)
        }
    };
    Ok((status, stdout, stderr))
}

fn left_open() -> TaskError {
    let detail = "the process ended, but what it started in a group of its own holds its output open; let that one write elsewhere, as in `setsid … >/dev/null 2>&1 &`";
    TaskError::fatal(TaskError::well_known("runtime"), detail).with_status(500)
}

async fn bounded(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, TaskError> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut stream = stream.take(OUTPUT_BYTES_MAX as u64 + 1);
        let read = stream.read_to_end(&mut bytes).await;
        read.map_err(|error| broken("read from", &error))?;
    }
    if bytes.len() > OUTPUT_BYTES_MAX {
        let detail = format!(
            "the process wrote more than {OUTPUT_BYTES_MAX} bytes; let it write to a file and return where that is"
        );
        return Err(TaskError::fatal(TaskError::well_known("runtime"), detail).with_status(500));
    }
    Ok(bytes)
}

/// What the task returns; a code other than 0 is a failure unless the code is asked for.
fn answer(
    returned: Return,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
) -> Result<Value, TaskError> {
    let code = status.code();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if !matches!(returned, Return::Code | Return::All) && !status.success() {
        let detail = format!("the process ended with {status}: {}", told(&stderr));
        return Err(TaskError::fatal(TaskError::well_known("runtime"), detail)
            .with_status(500)
            .with_title("The process failed"));
    }
    Ok(match returned {
        Return::Stdout => text(stdout).into(),
        Return::Stderr => text(stderr).into(),
        Return::Code => json!(code),
        Return::All => json!({"code": code, "stdout": text(stdout), "stderr": text(stderr)}),
        Return::None => Value::Null,
    })
}

/// The end of what a process wrote.
pub(crate) fn told(output: &[u8]) -> String {
    let start = output.len().saturating_sub(TOLD_BYTES_MAX);
    String::from_utf8_lossy(&output[start..]).trim().to_owned()
}

fn broken(what: &str, error: &std::io::Error) -> TaskError {
    let detail = format!("cannot {what} the process: {error}");
    TaskError::fatal(TaskError::well_known("runtime"), detail).with_status(500)
}
