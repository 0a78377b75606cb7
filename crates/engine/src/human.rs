//! Owns what can be asked about human tasks, and the shape of the answers.
//!
//! Invariant: a task is told the same way whether its run is in memory or its history is read: the facts
//! are taken in by the same code of the kernel.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use graph::Kind;
use graph::value::{Str, Value};
use kernel::catalog::Definition;
use kernel::human::{Comment, HumanWork, Notice, Whose};
use kernel::state::Activity;
use kernel::{Run, RunEvent, RunId, StepId, StepRef, Time};

use crate::query::{HistoryEvent, step_of};

/// Events of one run that are read for its closed human tasks.
pub(crate) const HUMAN_EVENTS_MAX: u64 = 100_000;

/// Where a human task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HumanState {
    /// Nobody has it yet.
    Ready,
    /// Somebody has it.
    Claimed,
    /// It was done.
    Completed,
    /// It was refused.
    Rejected,
    /// Its run went on or ended without it: cancelled, timed out, lost a race.
    Withdrawn,
}

impl HumanState {
    /// Every state.
    pub const ALL: [HumanState; 5] = [
        HumanState::Ready,
        HumanState::Claimed,
        HumanState::Completed,
        HumanState::Rejected,
        HumanState::Withdrawn,
    ];

    /// The word, as people and interfaces see it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            HumanState::Ready => "ready",
            HumanState::Claimed => "claimed",
            HumanState::Completed => "completed",
            HumanState::Rejected => "rejected",
            HumanState::Withdrawn => "withdrawn",
        }
    }

    /// Where an open task stands.
    #[must_use]
    pub fn of(whose: &Whose) -> HumanState {
        match whose.assignee {
            Some(_) => HumanState::Claimed,
            None => HumanState::Ready,
        }
    }

    /// Whether someone can still decide it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, HumanState::Ready | HumanState::Claimed)
    }
}

/// Which human tasks are meant: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HumanFilter {
    /// Any of these states; none means all that are open.
    pub states: Vec<HumanState>,
    /// Who has it.
    pub assignee: Option<Str>,
    /// A group that may take it.
    pub group: Option<Str>,
    /// The workflow of its run.
    pub workflow: Option<Str>,
    /// Its run.
    pub run: Option<RunId>,
}

impl HumanFilter {
    /// Whether closed tasks are asked for too.
    pub(crate) fn wants_closed(&self) -> bool {
        self.states.iter().any(|state| !state.is_open())
    }

    /// Whether an open task is meant.
    pub(crate) fn admits(&self, notice: &Notice) -> bool {
        self.fits(
            HumanState::of(&notice.whose),
            &notice.whose,
            &notice.workflow,
            notice.task,
        )
    }

    fn fits(&self, state: HumanState, whose: &Whose, workflow: &Str, task: StepRef) -> bool {
        let of_state = match &self.states[..] {
            [] => state.is_open(),
            states => states.contains(&state),
        };
        let assignee = self.assignee.as_ref();
        let group = self.group.as_ref();
        of_state
            && assignee.is_none_or(|name| whose.assignee.as_ref() == Some(name))
            && group.is_none_or(|name| whose.groups.contains(name))
            && self.workflow.as_ref().is_none_or(|name| name == workflow)
            && self.run.is_none_or(|run| run == task.run)
    }
}

/// Where a human task stands in lists: the most urgent first, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanPlace {
    /// From 0 to 9.
    pub priority: Reverse<u32>,
    /// Since when it waits.
    pub since: Time,
    /// Which it is.
    pub task: StepRef,
}

impl HumanPlace {
    pub(crate) fn of(notice: &Notice) -> HumanPlace {
        HumanPlace {
            priority: Reverse(notice.priority),
            since: notice.since,
            task: notice.task,
        }
    }
}

/// A human task as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct HumanSummary {
    /// Its id.
    pub task: StepRef,
    /// Where it stands.
    pub state: HumanState,
    /// The workflow of its run.
    pub workflow: Str,
    /// The author's name of the node.
    pub name: Str,
    /// What it is about.
    pub title: Str,
    /// Whose it is, or was at the end.
    pub whose: Whose,
    /// From 0 to 9, the most urgent last.
    pub priority: u32,
    /// Since when it waits.
    pub created_at: Time,
    /// When it is late.
    pub due_at: Option<Time>,
    /// When it was closed.
    pub closed_at: Option<Time>,
}

/// A human task in full.
#[derive(Clone, Debug, PartialEq)]
pub struct HumanTask {
    /// What lists show.
    pub summary: HumanSummary,
    /// What is to be done, as Markdown.
    pub description: Option<Str>,
    /// What the person sees.
    pub data: Value,
    /// JSON Schema of what they give.
    pub form: Option<Value>,
    /// The names of which they must choose one; none leaves it free.
    pub outcomes: Vec<Str>,
    /// What people said about it, oldest first.
    pub comments: Vec<Comment>,
    /// When it goes to others.
    pub escalates_at: Option<Time>,
    /// How it was decided.
    pub decision: Option<Decision>,
}

/// How a human task was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// By whom.
    pub by: Str,
    /// With which outcome; none was a rejection.
    pub outcome: Option<Str>,
    /// What they gave.
    pub data: Value,
    /// What they said about it.
    pub comment: Option<Str>,
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HumanPage {
    /// The most urgent first.
    pub tasks: Vec<HumanSummary>,
    /// Where to go on; none at the end. A page may be short and still not be the last one.
    pub next: Option<HumanPlace>,
}

impl HumanSummary {
    /// Where it stands in lists.
    #[must_use]
    pub fn place(&self) -> HumanPlace {
        HumanPlace {
            priority: Reverse(self.priority),
            since: self.created_at,
            task: self.task,
        }
    }
}

impl HumanPage {
    /// The page of these that a filter means.
    pub(crate) fn of(
        tasks: Vec<HumanTask>,
        filter: &HumanFilter,
        after: Option<HumanPlace>,
        limit: usize,
    ) -> HumanPage {
        let is_meant = |task: &HumanSummary| {
            filter.fits(task.state, &task.whose, &task.workflow, task.task)
                && after.is_none_or(|after| task.place() > after)
        };
        let tasks = tasks.into_iter().map(|task| task.summary);
        let mut tasks: Vec<HumanSummary> = tasks.filter(is_meant).collect();
        tasks.sort_by_key(HumanSummary::place);
        let is_all = tasks.len() <= limit;
        tasks.truncate(limit);
        let last = tasks.last().map(HumanSummary::place);
        HumanPage {
            next: last.filter(|_| !is_all),
            tasks,
        }
    }
}

impl HumanTask {
    /// A task of a live run, if it is open; without its definition it has neither name nor form.
    #[must_use]
    pub fn open(run: &Run, id: StepId, definition: Option<&Definition>) -> Option<HumanTask> {
        let step = run.step(id)?;
        let work = run.human(id)?;
        let task = StepRef {
            run: run.id,
            step: id,
        };
        let of = Origin {
            task,
            node: step.node,
            created_at: step.entered_at,
        };
        Some(HumanTask::of(work, of, &run.workflow, definition))
    }

    fn of(
        work: &HumanWork,
        of: Origin,
        workflow: &Str,
        definition: Option<&Definition>,
    ) -> HumanTask {
        let node = definition.and_then(|definition| definition.node(of.node));
        let (form, outcomes) = match node.map(|node| &node.kind) {
            Some(Kind::Human(human)) => (human.form.clone(), human.outcomes.clone()),
            _ => (None, Vec::new()),
        };
        HumanTask {
            summary: HumanSummary {
                task: of.task,
                state: HumanState::of(&work.whose),
                workflow: workflow.clone(),
                name: node.map_or_else(|| "".into(), |node| node.name.clone()),
                title: work.title.clone(),
                whose: work.whose.clone(),
                priority: work.priority,
                created_at: of.created_at,
                due_at: work.due_at,
                closed_at: None,
            },
            description: work.description.clone(),
            data: work.data.clone(),
            form,
            outcomes,
            comments: work.comments.clone(),
            escalates_at: work.escalation.as_ref().map(|due| due.at),
            decision: None,
        }
    }
}

/// Where a task comes from.
#[derive(Clone, Copy)]
struct Origin {
    task: StepRef,
    node: u32,
    created_at: Time,
}

/// The human tasks that a run's history tells of.
pub(crate) struct HumanStory {
    run: RunId,
    definition: Arc<Definition>,
    only: Option<StepId>,
    /// Where steps stand, and since when.
    entered: BTreeMap<StepId, (u32, Time)>,
    told: BTreeMap<StepId, Told>,
}

struct Told {
    origin: Origin,
    work: HumanWork,
    closed: Option<(HumanState, Time)>,
    decision: Option<Decision>,
}

impl HumanStory {
    /// A history not read yet, of which all steps count or one.
    pub(crate) fn new(run: RunId, definition: Arc<Definition>, only: Option<StepId>) -> HumanStory {
        HumanStory {
            run,
            definition,
            only,
            entered: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes in events in their order.
    pub(crate) fn read(&mut self, events: &[HistoryEvent]) {
        for told in events {
            if let RunEvent::Ended(_) = told.event {
                let open = self.told.values_mut();
                open.for_each(|task| task.close(HumanState::Withdrawn, told.at));
            }
            let step = step_of(&told.event);
            if let Some(step) = step.filter(|step| self.only.is_none_or(|only| only == *step)) {
                self.take(step, &told.event, told.at);
            }
        }
    }

    fn take(&mut self, step: StepId, event: &RunEvent, at: Time) {
        let begun = match event {
            RunEvent::StepEntered(fact) => {
                self.entered.insert(step, (fact.node, at));
                Some(&fact.activity)
            }
            RunEvent::StepBegan(fact) => Some(&fact.activity),
            _ => None,
        };
        if let (Some(Activity::Human(work)), Some((node, created_at))) =
            (begun, self.entered.get(&step).copied())
        {
            let origin = Origin {
                task: StepRef {
                    run: self.run,
                    step,
                },
                node,
                created_at,
            };
            let told = Told {
                origin,
                work: (**work).clone(),
                closed: None,
                decision: None,
            };
            self.told.insert(step, told);
        }
        let ends = matches!(
            event,
            RunEvent::StepCompleted(_)
                | RunEvent::StepFailed(_)
                | RunEvent::StepCancelled(_)
                | RunEvent::OutcomeKept(_)
        );
        if ends {
            self.entered.remove(&step);
        }
        let Some(task) = self.told.get_mut(&step) else {
            return;
        };
        task.work.apply(event, at);
        if let RunEvent::HumanDecided(fact) = event {
            let state = match fact.outcome {
                Some(_) => HumanState::Completed,
                None => HumanState::Rejected,
            };
            task.close(state, at);
            task.decision = Some(Decision {
                by: fact.by.clone(),
                outcome: fact.outcome.clone(),
                data: fact.data.clone(),
                comment: fact.comment.clone(),
            });
        }
        if ends {
            task.close(HumanState::Withdrawn, at);
        }
    }

    /// The tasks, in the order in which they began.
    pub(crate) fn tasks(self) -> Vec<HumanTask> {
        let definition = self.definition;
        let task = |told: Told| {
            let workflow = &definition.graph.workflow;
            let mut task = HumanTask::of(&told.work, told.origin, workflow, Some(&definition));
            if let Some((state, at)) = told.closed {
                task.summary.state = state;
                task.summary.closed_at = Some(at);
                task.escalates_at = None;
            }
            task.decision = told.decision;
            task
        };
        self.told.into_values().map(task).collect()
    }
}

impl Told {
    /// Closes it, unless it is closed already.
    fn close(&mut self, state: HumanState, at: Time) {
        self.closed.get_or_insert((state, at));
    }
}
