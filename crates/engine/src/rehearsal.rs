//! Owns [`Rehearsal`]: a partition alone in this thread, on a clock that jumps, with nobody behind its queues.
//!
//! For tests of workflows and of the rules: no disk, no network, no waiting; the same questions get the same
//! answers each time. What a batch holds counts as durable once it is taken, so [`Rehearsal::crash`] can lose
//! everything but the journal at any moment. Invariant: time moves only when it is told to.

mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use graph::Value;
use kernel::codec::decode;
use kernel::human::HumanWork;
use kernel::state::{Activity, Step, TaskStage, TaskWork};
use kernel::{
    Command, Entry, Event, Rejection, Reply, Run, RunId, SessionId, StepRef, TaskToken, Time,
};

pub use trace::{Outcome, Trace, Visit};

use crate::ZonedCalendar;
use crate::driver::handle::TaskOutcome;
use crate::partition::{Answer, Archive, ArchiveFault, Change, Input, Partition};

/// Batches at one instant, after which something goes round in circles.
const BATCHES_MAX: usize = 10_000;

/// Events that runs published which are kept to be looked at; later ones are not.
pub const EMITTED_MAX: usize = 10_000;

/// Who claims the tasks.
const SESSION: SessionId = SessionId(1);

/// A partition alone.
pub struct Rehearsal {
    partition: Partition,
    now: Time,
    journal: Vec<Vec<u8>>,
    ended: BTreeMap<RunId, Arc<Run>>,
    trace: Trace,
    emitted: Vec<Value>,
}

/// A task that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// To report with.
    pub token: TaskToken,
    /// Index of its node.
    pub node: u32,
    /// What is to be done.
    pub work: TaskWork,
}

/// Things go on happening without time going on.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("at one instant more than {BATCHES_MAX} batches followed one another")]
pub struct Restless;

/// Nothing was ever forgotten by memory.
struct NoArchive;

impl Archive for NoArchive {
    fn finished(&self, _: RunId) -> Result<Option<Box<Run>>, ArchiveFault> {
        Ok(None)
    }
}

fn partition() -> Partition {
    let mut partition = Partition::new(Box::new(ZonedCalendar), Box::new(NoArchive), 0);
    partition.overhear();
    partition
}

impl Rehearsal {
    /// An empty partition at this instant.
    #[must_use]
    pub fn new(now: Time) -> Rehearsal {
        let mut partition = partition();
        partition.resume(now);
        Rehearsal {
            partition,
            now,
            journal: Vec::new(),
            ended: BTreeMap::new(),
            trace: Trace::default(),
            emitted: Vec::new(),
        }
    }

    /// Asks for a command; what follows from it happens when it [settles](Rehearsal::settle).
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn ask(&mut self, command: Command) -> Result<Reply, Rejection> {
        let (sender, receiver) = sync_channel(1);
        let answer = Answer::new(move |reply: Result<Reply, Rejection>| {
            let _ = sender.send(reply);
        });
        let command = Box::new(command);
        self.partition
            .take(Input::Ask { command, answer }, self.now);
        self.commit();
        receiver
            .try_recv()
            .expect("a released batch gives the replies it holds")
    }

    /// Lets happen whatever can without time going on.
    ///
    /// # Errors
    /// It does not come to an end.
    pub fn settle(&mut self) -> Result<(), Restless> {
        for _ in 0..BATCHES_MAX {
            let more = self.partition.turn(self.now);
            if !self.commit() && !more {
                return Ok(());
            }
        }
        Err(Restless)
    }

    /// Takes the tasks that wait for a worker, in the order of their runs and steps.
    pub fn claim(&mut self) -> Vec<Claimed> {
        let waiting: Vec<StepRef> = self
            .tasks()
            .filter(|(_, _, task)| matches!(task.stage, TaskStage::Queued(_)))
            .map(|(at, ..)| at)
            .collect();
        for task in &waiting {
            // Cannot be refused: it waits, and nothing happened since.
            let _ = self.ask(Command::ClaimTask {
                task: *task,
                session: SESSION,
            });
        }
        self.tasks()
            .filter(|(at, ..)| waiting.contains(at))
            .map(|(at, node, work)| Claimed {
                token: TaskToken {
                    run: at.run,
                    step: at.step,
                    claim: work.claims,
                },
                node,
                work: work.clone(),
            })
            .collect()
    }

    /// Reports what came of a task. Says whether it counts: the claim may be over.
    pub fn report(&mut self, token: TaskToken, outcome: TaskOutcome) -> bool {
        self.ask(match outcome {
            TaskOutcome::Done(output) => Command::CompleteTask { token, output },
            TaskOutcome::Failed { failure, retryable } => Command::FailTask {
                token,
                failure,
                retryable,
            },
        })
        .is_ok()
    }

    /// The human tasks that are open, each with its node, in the order of their runs and steps.
    pub fn humans(&self) -> impl Iterator<Item = (StepRef, u32, &HumanWork)> {
        self.steps().filter_map(|(at, step)| match &step.activity {
            Activity::Human(work) => Some((at, step.node, &**work)),
            _ => None,
        })
    }

    /// The events that runs published so far, in their order: the first [`EMITTED_MAX`].
    #[must_use]
    pub fn emitted(&self) -> &[Value] {
        &self.emitted
    }

    /// The instant it is.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// When time alone will have something to do.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.partition.next_at()
    }

    /// Lets time pass until an instant.
    pub fn skip_to(&mut self, at: Time) {
        self.now = self.now.max(at);
    }

    /// A run, whether it goes on or has ended.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&Run> {
        let live = self.partition.state().runs.get(&id).map(|run| &**run);
        live.or_else(|| self.ended.get(&id).map(|run| &**run))
    }

    /// How many runs go on.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.partition.state().runs.len()
    }

    /// What the nodes of the workflows did so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The author's place of a node, as a JSON pointer.
    #[must_use]
    pub fn path(&self, run: RunId, node: u32) -> Option<&str> {
        let run = self.run(run)?;
        let catalog = &self.partition.state().catalog;
        let definition = catalog.find(&run.workflow, Some(&run.version))?;
        definition.node(node).map(|node| &*node.path)
    }

    /// Loses all that is not in the journal, and recovers.
    pub fn crash(&mut self) {
        self.partition = partition();
        for record in &self.journal {
            let entry: Entry = decode(record).expect("a record was written by this release");
            for event in &entry.events {
                self.partition.replay(event, entry.at);
            }
        }
        self.partition.resume(self.now);
    }

    fn tasks(&self) -> impl Iterator<Item = (StepRef, u32, &TaskWork)> {
        self.steps().filter_map(|(at, step)| match &step.activity {
            Activity::Task(task) => Some((at, step.node, task)),
            _ => None,
        })
    }

    /// The steps of runs that are not suspended.
    fn steps(&self) -> impl Iterator<Item = (StepRef, &Step)> {
        let runs = self.partition.state().runs.values();
        runs.filter(|run| !run.suspended).flat_map(|run| {
            run.steps.iter().map(|(id, step)| {
                let at = StepRef {
                    run: run.id,
                    step: *id,
                };
                (at, &**step)
            })
        })
    }

    /// Ends a batch; says whether anything happened in it.
    fn commit(&mut self) -> bool {
        let mut batch = self.partition.take_batch();
        let records = std::mem::take(&mut batch.records);
        let happened = !records.is_empty();
        for record in &records {
            let entry: Entry = decode(record).expect("a record was written by this release");
            for event in &entry.events {
                if let Event::Run(fact) = event {
                    let catalog = &self.partition.state().catalog;
                    self.trace.note(fact, entry.at, catalog);
                }
            }
        }
        self.journal.extend(records);
        let left = EMITTED_MAX.saturating_sub(self.emitted.len());
        let emitted = self.partition.overhear().into_iter().take(left);
        self.emitted.extend(emitted);
        for change in self.partition.release(batch) {
            if let Change::Finished(finished) = change {
                self.ended.insert(finished.run.id, finished.run);
            }
        }
        happened
    }
}
