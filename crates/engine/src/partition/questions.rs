//! Owns the questions that the partition's memory can answer, and their answers.
//!
//! Invariant: a question changes nothing, and its answer leaves with the batch it was asked in, so
//! that it never shows what a crash could take back.

use std::ops::Bound;
use std::sync::Arc;

use graph::value::Str;
use kernel::catalog::Definition;
use kernel::schedule::Schedule;
use kernel::{Run, RunId, SessionId, StepRef, Time};

use super::batch::Output;
use super::chronicle::Tail;
use super::{Answer, Outlet, Partition, WATCHERS_MAX};
use crate::driver::handle::{ToWorker, WorkerHello};
use crate::human::{HumanFilter, HumanPage, HumanPlace, HumanTask};
use crate::query::{Counts, Cursor, Filter, HistoryEvent, RunView, Summary};

/// Live runs looked at for one page. A page may be short; its cursor says where to go on.
pub(crate) const LIVE_SCAN_MAX: usize = 20_000;

/// What can be asked.
pub enum Question {
    /// A run; if it does not go on, the batch from which the store shows it.
    Run {
        /// Which.
        run: RunId,
        /// Where the answer goes.
        answer: Answer<Result<RunView, u64>>,
    },
    /// Live runs, newest first.
    List {
        /// Which.
        filter: Filter,
        /// After this one.
        after: Option<Cursor>,
        /// At most so many.
        limit: usize,
        /// Where the answer goes.
        answer: Answer<LivePage>,
    },
    /// How many live runs there are.
    Count {
        /// Which.
        filter: Filter,
        /// Where the answer goes, with the batch from which the store shows the others.
        answer: Answer<(Counts, u64)>,
    },
    /// An open human task; if it is not open, nothing.
    Human {
        /// Which.
        task: StepRef,
        /// Where the answer goes.
        answer: Answer<Option<HumanTask>>,
    },
    /// Open human tasks, the most urgent first.
    Humans {
        /// Which.
        filter: HumanFilter,
        /// After this one.
        after: Option<HumanPlace>,
        /// At most so many.
        limit: usize,
        /// Where the answer goes.
        answer: Answer<HumanPage>,
    },
    /// The part of a run's history that the store does not have.
    History {
        /// Which run.
        run: RunId,
        /// Who wants to see what follows.
        watch: Option<Outlet<HistoryEvent>>,
        /// Where the answer goes.
        answer: Answer<HistoryTail>,
    },
    /// All workflow versions, and whether each is the latest.
    Workflows {
        /// Where the answer goes.
        answer: Answer<Vec<(Arc<Definition>, bool)>>,
    },
    /// One workflow version.
    Workflow {
        /// Its name.
        workflow: Str,
        /// Its version; none is the latest.
        version: Option<Str>,
        /// Where the answer goes.
        answer: Answer<Option<(Arc<Definition>, bool)>>,
    },
    /// All schedules.
    Schedules {
        /// Where the answer goes.
        answer: Answer<Vec<Schedule>>,
    },
    /// A worker connects.
    Connect {
        /// Who.
        hello: WorkerHello,
        /// Where its frames go.
        frames: Outlet<ToWorker>,
        /// Where the answer goes.
        answer: Answer<Welcome>,
    },
}

/// What a worker is told when it connects.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// Its session.
    pub session: SessionId,
    /// Milliseconds a lost connection may take to come back.
    pub grace_ms: u64,
}

/// Live runs of a page.
#[derive(Clone, Debug, Default)]
pub struct LivePage {
    /// Newest first.
    pub runs: Vec<Summary>,
    /// How far the scan came; none if it came to the end.
    pub scanned_to: Option<Cursor>,
    /// The batch from which the store shows the others.
    pub number: u64,
}

/// The part of a history that memory has.
#[derive(Clone, Debug)]
pub struct HistoryTail {
    /// It; none if the run does not go on.
    pub tail: Option<Tail>,
    /// The run's workflow and version, if it goes on.
    pub of: Option<(Str, Str)>,
    /// The batch from which the store shows the rest.
    pub number: u64,
}

impl HistoryTail {
    /// Whether the run goes on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.tail.is_some()
    }
}

impl Partition {
    pub(super) fn question(&mut self, question: Question) {
        match question {
            Question::Run { run, answer } => {
                let found = self
                    .state
                    .runs
                    .get(&run)
                    .map(|run| self.view(run))
                    .ok_or(self.shown_by());
                self.read(answer, found);
            }
            Question::List {
                filter,
                after,
                limit,
                answer,
            } => {
                let page = self.list(&filter, after, limit);
                self.read(answer, page);
            }
            Question::Count { filter, answer } => {
                let counts = self.count(&filter);
                self.read(answer, (counts, self.shown_by()));
            }
            Question::Human { task, answer } => self.read(answer, self.human(task)),
            Question::Humans {
                filter,
                after,
                limit,
                answer,
            } => self.read(answer, self.humans(&filter, after, limit)),
            Question::History { run, watch, answer } => {
                let tail = self.history(run, watch);
                self.read(answer, tail);
            }
            Question::Workflows { answer } => {
                let catalog = &self.state.catalog;
                let all = catalog
                    .iter()
                    .map(|definition| (definition.clone(), catalog.is_latest(definition)))
                    .collect();
                self.read(answer, all);
            }
            Question::Workflow {
                workflow,
                version,
                answer,
            } => {
                let catalog = &self.state.catalog;
                let found = catalog.find(&workflow, version.as_deref());
                let found =
                    found.map(|definition| (definition.clone(), catalog.is_latest(definition)));
                self.read(answer, found);
            }
            Question::Schedules { answer } => {
                let all = self.state.schedules.values().cloned().collect();
                self.read(answer, all);
            }
            Question::Connect {
                hello,
                frames,
                answer,
            } => {
                let welcome = self.connect(hello, frames);
                self.read(answer, welcome);
            }
        }
    }

    /// What memory has of a run's history; from here on the watcher sees what follows.
    fn history(&mut self, id: RunId, watcher: Option<Outlet<HistoryEvent>>) -> HistoryTail {
        let run = self.state.runs.get(&id);
        let of = run.map(|run| (run.workflow.clone(), run.version.clone()));
        if let Some(watcher) = watcher.filter(|_| of.is_some()) {
            let watchers = self.watchers.entry(id).or_default();
            if watchers.len() == WATCHERS_MAX {
                watchers.remove(0);
            }
            watchers.push(watcher);
        }
        HistoryTail {
            tail: of.is_some().then(|| self.chronicle.tail(id)),
            of,
            number: self.shown_by(),
        }
    }

    /// What was read waits for the batch: it may follow from events that are not durable yet.
    fn read<T: Send + 'static>(&mut self, answer: Answer<T>, found: T) {
        self.batch
            .outputs
            .push(Output::Read(Box::new(move || answer.give(found))));
    }

    fn view(&self, run: &Run) -> RunView {
        RunView::of(
            run,
            self.state
                .catalog
                .find(&run.workflow, Some(&run.version))
                .map(|definition| &**definition),
        )
    }

    fn human(&self, task: StepRef) -> Option<HumanTask> {
        let run = self.state.runs.get(&task.run)?;
        let catalog = &self.state.catalog;
        let definition = catalog.find(&run.workflow, Some(&run.version));
        HumanTask::open(run, task.step, definition.map(|definition| &**definition))
    }

    fn humans(&self, filter: &HumanFilter, after: Option<HumanPlace>, limit: usize) -> HumanPage {
        let (found, next) = self.board.search(filter, after, limit);
        let tasks = found.into_iter().filter_map(|task| self.human(task));
        HumanPage {
            tasks: tasks.map(|task| task.summary).collect(),
            next,
        }
    }

    fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> LivePage {
        let mut page = LivePage {
            number: self.shown_by(),
            ..LivePage::default()
        };
        let below = after.map_or(Bound::Unbounded, Bound::Excluded);
        for (scanned, cursor) in self
            .order
            .range((Bound::Unbounded, below))
            .rev()
            .enumerate()
        {
            let too_old = filter
                .started_after
                .is_some_and(|oldest: Time| cursor.started_at < oldest);
            if too_old {
                break;
            }
            if page.runs.len() == limit || scanned == LIVE_SCAN_MAX {
                page.scanned_to = page.runs.last().map(Summary::cursor).or(Some(*cursor));
                break;
            }
            if let Some(run) = self
                .state
                .runs
                .get(&cursor.run)
                .filter(|run| filter.matches(run))
            {
                page.runs.push(Summary::of(run));
            }
        }
        page
    }

    fn count(&mut self, filter: &Filter) -> Counts {
        if filter.is_by_total() {
            return self.census.count(&self.state.runs, filter);
        }
        let mut counts = Counts::default();
        for run in self.state.runs.values().filter(|run| filter.matches(run)) {
            *counts.states.entry(run.condition()).or_default() += 1;
        }
        counts
    }
}
