//! Owns [`Stdio`]: the transport over the standard streams of a process, one message a line.
//!
//! Invariant: the process and what it started end with the call; what it writes is read in bounded pieces.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sdk::TaskError;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Wire;
use super::message::{Allowance, Answer, Heard, MESSAGE_BYTES_MAX, Question, missing};
use crate::http::{Place, too_large};
use crate::process::{Job, Started, TOLD_BYTES_MAX, told};

/// Messages that wait for the process to read them.
const WAITING_MAX: usize = 64;
/// How long a process may take to end once nobody speaks to it any more; then it is killed.
const ENDING_TIMEOUT: Duration = Duration::from_secs(2);
/// How much of the other output is read at once.
const PIECE_BYTES: usize = 4 << 10;

/// A process that is spoken to.
pub(super) struct Stdio {
    started: Started,
    say: mpsc::Sender<String>,
    lines: BufReader<ChildStdout>,
    /// What writes to the process, and what reads what it complains about.
    streams: JoinSet<()>,
    complaints: Arc<Mutex<Vec<u8>>>,
    place: Place,
    allowance: Allowance,
}

impl Stdio {
    pub(super) async fn start(job: &Job) -> Result<Stdio, TaskError> {
        let mut started = job.start().await?;
        let child = &mut started.child;
        let stdout = child.stdout.take().expect("jobs have pipes");
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let (say, said) = mpsc::channel(WAITING_MAX);
        let complaints = Arc::default();
        let mut streams = JoinSet::new();
        streams.spawn(write(stdin.expect("jobs have pipes"), said));
        streams.spawn(listen(
            stderr.expect("jobs have pipes"),
            Arc::clone(&complaints),
        ));
        Ok(Stdio {
            started,
            say,
            lines: BufReader::new(stdout),
            streams,
            complaints,
            place: Place(format!("the process {}", job.name())),
            allowance: Allowance::default(),
        })
    }

    fn say(&self, message: &Value) -> Result<(), TaskError> {
        let place = &self.place.0;
        let unheard = |_| missing(format!("{place} does not read what it is told"));
        self.say.try_send(format!("{message}\n")).map_err(unheard)
    }

    /// The next line; none if there is no other.
    async fn line(&mut self) -> Result<Option<Vec<u8>>, TaskError> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.lines).take(MESSAGE_BYTES_MAX as u64 + 1);
        let count = bounded.read_until(b'\n', &mut line).await.unwrap_or(0);
        if count > MESSAGE_BYTES_MAX {
            return Err(too_large(&self.place, MESSAGE_BYTES_MAX));
        }
        self.allowance.bytes(count, &self.place)?;
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    /// The failure of a process that said all that it had to say.
    async fn silent(&mut self) -> TaskError {
        let place = self.place.0.clone();
        let status = match timeout(ENDING_TIMEOUT, self.started.ended()).await {
            Ok(Ok(status)) => format!("ended with {status}"),
            _ => "closed its output".to_owned(),
        };
        // What it wrote before it ended is still on its way.
        let all = async { while self.streams.join_next().await.is_some() {} };
        let (closed, _) = mpsc::channel(1);
        self.say = closed;
        let _ = timeout(ENDING_TIMEOUT, all).await;
        let complaints = self.complaints.lock().expect("nobody panics with it");
        missing(format!(
            "{place} {status} before it answered: {}",
            told(&complaints)
        ))
    }
}

impl Wire for Stdio {
    fn place(&self) -> &str {
        &self.place.0
    }

    async fn ask(&mut self, question: &Question) -> Result<Answer, TaskError> {
        self.say(&question.message())?;
        while let Some(line) = self.line().await? {
            self.allowance.message(&self.place)?;
            // Some servers greet people where only messages belong.
            for message in Heard::each(&line, &self.place.0).unwrap_or_default() {
                match Heard::of(message, question.id) {
                    Heard::Answer(answer) => return Ok(answer),
                    Heard::Question(reply) => {
                        self.allowance.reply(&self.place)?;
                        self.say(&reply)?;
                    }
                    Heard::Nothing => {}
                }
            }
        }
        Err(self.silent().await)
    }

    async fn tell(&mut self, message: &Value) -> Result<(), TaskError> {
        self.say(message)
    }

    fn agreed(&mut self, _version: &str) {}

    async fn end(self) {
        let Stdio {
            mut started,
            say,
            streams,
            ..
        } = self;
        // Its input ends once it has read what was said.
        drop(say);
        let _ = timeout(ENDING_TIMEOUT, started.ended()).await;
        drop(streams);
    }
}

async fn write(mut stdin: ChildStdin, mut said: mpsc::Receiver<String>) {
    while let Some(line) = said.recv().await {
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Keeps the end of what a process complains about.
async fn listen(mut stderr: ChildStderr, complaints: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; PIECE_BYTES];
    while let Ok(count @ 1..) = stderr.read(&mut piece).await {
        let mut kept = complaints.lock().expect("nobody panics with it");
        kept.extend_from_slice(&piece[..count]);
        let surplus = kept.len().saturating_sub(TOLD_BYTES_MAX);
        kept.drain(..surplus);
    }
}
