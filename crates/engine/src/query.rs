//! Owns the questions that can be asked about runs, and the shape of the answers.
//!
//! Invariant: a filter means the same for a live run in memory and for a finished one in the store.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use graph::Failure;
use graph::ir::{Kind, Node};
use graph::value::{Str, Value};
use kernel::catalog::Definition;
use kernel::id::WHOLE_RUN;
use kernel::state::{Activity, Listening, Region, Run, Step, TaskStage};
use kernel::{RunEvent, RunId, StepId, StepRef, Time, rfc3339};

/// The most runs one page holds.
pub const PAGE_MAX: usize = 1_000;

/// The most steps shown of one run.
pub const STEPS_SHOWN_MAX: usize = 1_000;

/// Which runs are meant: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The workflow.
    pub workflow: Option<Str>,
    /// Any of these states, as words: see [`Summary::state`].
    pub states: Vec<Str>,
    /// Started at this instant or later.
    pub started_after: Option<Time>,
    /// Started before this instant.
    pub started_before: Option<Time>,
    /// Labels that must be equal.
    pub labels: BTreeMap<Str, Str>,
    /// Search attributes that must be equal.
    pub attributes: BTreeMap<Str, Value>,
    /// Children of this run.
    pub parent: Option<RunId>,
}

/// Where a page ends: the next one begins after this run. Runs are listed newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When it started.
    pub started_at: Time,
    /// Which it is.
    pub run: RunId,
}

/// A run as lists show it, and all of it but its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its id.
    pub id: RunId,
    /// Its workflow.
    pub workflow: Str,
    /// Its version.
    pub version: Str,
    /// Its business key.
    pub key: Option<Str>,
    /// `running`, `waiting`, `suspended`, `incident`, `completed`, `failed`, `cancelled` or `terminated`.
    pub state: &'static str,
    /// What it was started with.
    pub input: Value,
    /// Its result.
    pub output: Option<Value>,
    /// Why it did not complete.
    pub error: Option<Failure>,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Its labels.
    pub labels: BTreeMap<Str, Str>,
    /// Its search attributes.
    pub attributes: BTreeMap<Str, Value>,
    /// The step that started it.
    pub parent: Option<StepRef>,
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Newest first.
    pub runs: Vec<Summary>,
    /// Where to go on; none at the end. A page may be short and still not be the last one.
    pub next: Option<Cursor>,
}

/// How many runs there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By state.
    pub states: BTreeMap<&'static str, u64>,
}

/// Counts by workflow and state, of those that are not zero.
pub(crate) type Tally = BTreeMap<(Str, &'static str), u64>;

/// One less of a workflow and state.
pub(crate) fn uncount(tally: &mut Tally, of: (Str, &'static str)) {
    if let Entry::Occupied(mut count) = tally.entry(of) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

impl Counts {
    /// Adds what a filter means of counts by workflow and state, if it asks for nothing else.
    pub(crate) fn add(&mut self, all: &Tally, filter: &Filter) {
        for ((workflow, state), count) in all {
            let of_workflow = filter.workflow.as_ref();
            let is_meant = of_workflow.is_none_or(|of| of == workflow) && filter.admits(state);
            if is_meant {
                *self.states.entry(state).or_default() += count;
            }
        }
    }

    /// In all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.states.values().sum()
    }
}

/// A run in full: its summary and what it is doing now.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// The run.
    pub summary: Summary,
    /// Its steps that go on; empty once it has ended.
    pub steps: Vec<StepView>,
}

/// A step that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    /// Its id within the run.
    pub id: u32,
    /// The author's name of the node.
    pub name: Str,
    /// JSON pointer of the node in the source.
    pub path: Str,
    /// `task`, `timer`, `event`, `child`, `human`, `region` or `held`.
    pub kind: &'static str,
    /// What it waits for, in words.
    pub detail: String,
    /// When it was entered.
    pub entered_at: Time,
    /// Which attempt, for a task; else 0.
    pub attempt: u32,
    /// Why it is parked.
    pub error: Option<Failure>,
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEvent {
    /// From 0, without gaps.
    pub number: u64,
    /// When it was decided.
    pub at: Time,
    /// It.
    pub event: RunEvent,
    /// The node that it is about, if it is about one that can be told.
    pub node: Option<Site>,
}

/// A node of a workflow, as its author knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: Str,
    /// Where it stands in the source, as a JSON pointer.
    pub path: Str,
    /// Whether it waits for events.
    pub listens: bool,
}

impl Site {
    /// The place of a node.
    #[must_use]
    pub(crate) fn of(node: &Node) -> Site {
        Site {
            name: node.name.clone(),
            path: node.path.clone(),
            listens: matches!(node.kind, Kind::Listen(_)),
        }
    }
}

/// Part of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryPage {
    /// Oldest first.
    pub events: Vec<HistoryEvent>,
    /// Number to go on from; none at the end of what there is.
    pub next: Option<u64>,
}

impl Summary {
    /// The summary of a run.
    #[must_use]
    pub fn of(run: &Run) -> Summary {
        Summary {
            id: run.id,
            workflow: run.workflow.clone(),
            version: run.version.clone(),
            key: run.key.clone(),
            state: run.condition(),
            input: run.input.clone(),
            output: run.output.clone(),
            error: run.failure.clone(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            labels: run.labels.clone(),
            attributes: run.attributes.clone(),
            parent: run.parent,
        }
    }

    /// Where it stands in lists.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            started_at: self.started_at,
            run: self.id,
        }
    }
}

impl Filter {
    /// Whether a run is meant.
    #[must_use]
    pub fn matches(&self, run: &Run) -> bool {
        self.workflow
            .as_ref()
            .is_none_or(|workflow| *workflow == run.workflow)
            && self
                .started_after
                .is_none_or(|after| run.started_at >= after)
            && self
                .started_before
                .is_none_or(|before| run.started_at < before)
            && self
                .parent
                .is_none_or(|parent| run.parent.is_some_and(|step| step.run == parent))
            && self
                .labels
                .iter()
                .all(|(name, value)| run.labels.get(name) == Some(value))
            && self
                .attributes
                .iter()
                .all(|(name, value)| run.attributes.get(name) == Some(value))
            && self.admits(run.condition())
    }

    /// Whether runs in this state can be meant.
    pub(crate) fn admits(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|wanted| **wanted == *state)
    }

    /// Whether nothing but workflow and states is asked for.
    pub(crate) fn is_by_total(&self) -> bool {
        let by_total = Filter {
            workflow: self.workflow.clone(),
            states: self.states.clone(),
            ..Filter::default()
        };
        by_total == *self
    }
}

impl RunView {
    /// A run in full; without its definition its steps have no names.
    #[must_use]
    pub fn of(run: &Run, definition: Option<&Definition>) -> RunView {
        let view = |id: &StepId, step: &Step| {
            let node = definition.and_then(|definition| definition.node(step.node));
            let (kind, detail) = describe(&step.activity);
            StepView {
                id: id.0,
                name: node.map_or_else(|| "".into(), |node| node.name.clone()),
                path: node.map_or_else(|| "".into(), |node| node.path.clone()),
                kind,
                detail,
                entered_at: step.entered_at,
                attempt: step.task().map_or(0, |task| task.attempt),
                error: step.task().and_then(|task| match &task.stage {
                    TaskStage::Parked(failure) => Some(failure.clone()),
                    _ => None,
                }),
            }
        };
        RunView {
            summary: Summary::of(run),
            steps: run
                .steps
                .iter()
                .take(STEPS_SHOWN_MAX)
                .map(|(id, step)| view(id, step))
                .collect(),
        }
    }
}

/// The events that a wait still means.
fn awaited(listening: &Listening) -> String {
    let types = listening.wanted.iter().filter(|wanted| !wanted.met);
    let types = types.map(|wanted| match &*wanted.event_type {
        "" => "any event",
        known => known,
    });
    format!("for {}", types.collect::<Vec<&str>>().join(", "))
}

/// What a step is doing: its kind, and what it waits for in words.
fn describe(activity: &Activity) -> (&'static str, String) {
    match activity {
        Activity::Task(task) => {
            let stage = match &task.stage {
                TaskStage::Queued(_) => "waits for a worker".to_string(),
                TaskStage::Claimed(claim) => format!("at work since {}", rfc3339(claim.at)),
                TaskStage::BackedOff(due) => format!("tries again at {}", rfc3339(due.at)),
                TaskStage::Parked(_) => "incident: waits for a retry on request".to_string(),
            };
            (
                "task",
                format!("{} on queue {}: {stage}", task.name, task.queue),
            )
        }
        Activity::Timer(due) => ("timer", format!("until {}", rfc3339(due.at))),
        Activity::Listen(listening) => ("event", awaited(listening)),
        Activity::Child(awaited) => (
            "child",
            format!("run {} of {}", awaited.child, awaited.workflow),
        ),
        Activity::Region(Region {
            lock: Some(lock), ..
        }) if !lock.held => (
            "lock",
            format!(
                "for {:?}, known in the {}",
                lock.key.name,
                lock.key.kind.word()
            ),
        ),
        Activity::Region(region) => match &region.listening {
            Some(listening) if region.frames.is_empty() => ("event", awaited(listening)),
            _ => (
                "region",
                format!("{}: {} open", region.phase.word(), region.frames.len()),
            ),
        },
        Activity::Held(_) => ("held", "until the run is resumed".to_string()),
        Activity::Kept(outcome) => {
            let how = if outcome.failure.is_some() {
                "failed"
            } else {
                "done"
            };
            ("held", format!("{how}, until the run is resumed"))
        }
        Activity::Human(work) => {
            let groups = || work.whose.groups.join(", ");
            let who = match &work.whose.assignee {
                Some(name) => format!("{name} has it"),
                None if work.whose.groups.is_empty() => "for anyone to take".to_string(),
                None => format!("for {} to take", groups()),
            };
            ("human", format!("{}: {who}", work.title))
        }
        Activity::Milestone(_) => ("milestone", "until the run gets there".to_string()),
        Activity::Yielded(_) => ("held", "until its next turn".to_string()),
    }
}

/// The step that an event is about, if it names one.
#[must_use]
pub fn step_of(event: &RunEvent) -> Option<StepId> {
    match event {
        RunEvent::StepEntered(fact) => Some(fact.step),
        RunEvent::StepBegan(fact) => Some(fact.step),
        RunEvent::OutcomeKept(fact) => Some(fact.step),
        RunEvent::StepCompleted(fact) => Some(fact.step),
        RunEvent::StepFailed(fact) => fact.step,
        RunEvent::StepCancelled(fact) | RunEvent::TaskHeard(fact) => Some(fact.step),
        RunEvent::StepWithdrawing(fact) => Some(fact.step),
        RunEvent::RegionTurned(fact) => Some(fact.step),
        RunEvent::RegionReleased(fact) => Some(fact.step),
        RunEvent::FrameOpened(fact) => Some(fact.owner),
        RunEvent::TaskClaimed(fact) => Some(fact.step),
        RunEvent::TaskBackedOff(fact) => Some(fact.step),
        RunEvent::TaskQueued(fact) => Some(fact.step),
        RunEvent::TaskParked(fact) => Some(fact.step),
        RunEvent::EventReceived(fact) => Some(fact.step),
        RunEvent::ItemAdded(fact) => Some(fact.step),
        RunEvent::HumanClaimed(fact) | RunEvent::HumanReleased(fact) => Some(fact.step),
        RunEvent::HumanAssigned(fact) => Some(fact.step),
        RunEvent::HumanEscalated(fact) => Some(fact.step),
        RunEvent::HumanReminded(fact) => Some(fact.step),
        RunEvent::HumanCommented(fact) => Some(fact.step),
        RunEvent::HumanDecided(fact) => Some(fact.step),
        RunEvent::LockGranted(fact) => Some(fact.step).filter(|step| *step != WHOLE_RUN),
        _ => None,
    }
}
