//! Owns what workers say: connecting, results, heartbeats, credits, going away.
//!
//! Invariant: a result is receipted only once it is durable; a late one is receipted as refused.

use std::collections::BTreeSet;

use graph::Kind;
use graph::ir::Sealed;
use kernel::{Command, SessionId, TaskToken};

use super::dispatch::QUEUES_MAX;
use super::timers::Wake;
use super::{Outlet, Partition, SESSION_GRACE_MS, Welcome};
use crate::driver::handle::{FromWorker, TaskOutcome, ToWorker, WorkerHello};

/// Marks the sessions of workers that die with the server's process.
const IN_PROCESS: u64 = 1 << 63;

impl Partition {
    /// Where the numbers of sessions that began in this process begin.
    #[must_use]
    pub fn process_since(&self) -> u64 {
        self.process_since
    }

    /// Goes on in a process that another partition began, where these numbers begin: its workers still live.
    pub fn continue_process(&mut self, since: u64) {
        self.process_since = since;
    }

    /// How long a session found by recovery may take to come back, in milliseconds. A worker of a process
    /// that is gone never does.
    pub(super) fn grace_after_recovery(&self, session: SessionId) -> u64 {
        let is_gone = session.0 & IN_PROCESS != 0 && session.0 & !IN_PROCESS <= self.process_since;
        if is_gone { 0 } else { SESSION_GRACE_MS }
    }

    /// Connects a worker. Claims of its session before that it no longer holds are offered again.
    pub(super) fn connect(&mut self, hello: WorkerHello, frames: Outlet<ToWorker>) -> Welcome {
        let known = hello
            .session
            .filter(|session| self.dispatch.knows(*session));
        let session = known.unwrap_or_else(|| {
            self.next_session += 1;
            SessionId(self.next_session | if hello.in_process { IN_PROCESS } else { 0 })
        });
        let queues = &hello.queues[..hello.queues.len().min(QUEUES_MAX)];
        let holding: BTreeSet<TaskToken> = hello.holding.into_iter().collect();
        for token in self.dispatch.connect(session, queues, frames, &holding) {
            self.release_claim(token, "its worker came back without it");
        }
        Welcome {
            session,
            grace_ms: SESSION_GRACE_MS,
        }
    }

    /// What of a task's input only its worker gets.
    pub(super) fn sealed(&self, token: TaskToken) -> Vec<Sealed> {
        let sealed = || {
            let run = self.state.runs.get(&token.run)?;
            let step = run.step(token.step)?;
            let catalog = &self.state.catalog;
            let definition = catalog.find(&run.workflow, Some(&run.version))?;
            match &definition.node(step.node)?.kind {
                Kind::Task(task) => Some(task.sealed.clone()),
                _ => None,
            }
        };
        sealed().unwrap_or_default()
    }

    /// Takes in what a worker said.
    pub(super) fn hear(&mut self, session: SessionId, said: FromWorker) {
        for (token, outcome) in said.results {
            let command = match outcome {
                TaskOutcome::Done(output) => Command::CompleteTask { token, output },
                TaskOutcome::Failed { failure, retryable } => Command::FailTask {
                    token,
                    failure,
                    retryable,
                },
            };
            self.batch.reporting = Some(token);
            let accepted = self.decide(command).is_ok();
            self.batch.reporting = None;
            self.dispatch.receipt(session, token, accepted);
        }
        for token in said.heartbeats {
            // A stale claim needs no answer: the worker was told to stop when it ended.
            let _ = self.decide(Command::HeartbeatTask { token });
        }
        for token in said.returned {
            self.batch.reporting = Some(token);
            self.release_claim(token, "its worker handed it back");
            self.batch.reporting = None;
            self.dispatch.receipt(session, token, true);
        }
        self.dispatch.grant(session, said.credits);
    }

    /// A connection is lost; its claims wait for it to come back.
    pub(super) fn lose(&mut self, session: SessionId) {
        if self.dispatch.is_connected(session) {
            return;
        }
        let grace_until = self.now.plus(SESSION_GRACE_MS);
        self.dispatch.disconnect(session, grace_until);
        self.timers.arm(Wake::Session(session.0), grace_until);
    }

    /// A session's grace is over.
    pub(super) fn forget_session(&mut self, session: SessionId) {
        for token in self.dispatch.forget(session, self.now) {
            self.release_claim(token, "its worker was lost");
        }
    }

    fn release_claim(&mut self, token: TaskToken, reason: &str) {
        // A refusal means that the claim is over already.
        let _ = self.decide(Command::ReleaseTask {
            token,
            reason: reason.into(),
        });
    }
}
