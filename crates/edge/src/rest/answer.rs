//! Owns the way outward: the JSON bodies that clients get.
//!
//! Invariants: members are added, never renamed; what may be missing is null, and only what belongs to a longer
//! view of the same thing is left out; the command line prints the same members in the same form.

use std::collections::BTreeMap;

use engine::query::{Counts, HistoryPage, Page, RunView, StepView, Summary};
use graph::Value;
use graph::value::Str;
use kernel::catalog::Definition;
use kernel::codec::Wire;
use kernel::{RunId, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::instant::instant;
use crate::intake::{self, Deployed};
use crate::rest::words::{
    self, CatchUpPolicy, FindingSeverity, OverlapPolicy, RunState, ScheduleChange,
};

/// What is to be said about one place of a workflow text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Finding {
    /// Line, from 1.
    line: u32,
    /// Column, from 1.
    column: u32,
    /// The place as a JSON pointer.
    path: String,
    /// How much it matters.
    #[schema(value_type = FindingSeverity)]
    severity: &'static str,
    /// What kind of finding.
    code: &'static str,
    /// What is wrong and how to fix it.
    message: String,
}

impl From<authoring::Finding> for Finding {
    fn from(finding: authoring::Finding) -> Finding {
        let authoring::Finding {
            line,
            column,
            path,
            severity,
            code,
            message,
        } = finding;
        Finding {
            line,
            column,
            path,
            severity: words::severity(severity),
            code,
            message,
        }
    }
}

/// What a check found; nothing is good.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckAnswer {
    /// Errors first.
    findings: Vec<Finding>,
}

impl From<Vec<authoring::Finding>> for CheckAnswer {
    fn from(findings: Vec<authoring::Finding>) -> CheckAnswer {
        CheckAnswer {
            findings: findings.into_iter().map(Finding::from).collect(),
        }
    }
}

/// A version that is known now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeployAnswer {
    /// The workflow.
    #[schema(value_type = String)]
    workflow: Str,
    /// The version.
    #[schema(value_type = String)]
    version: Str,
    /// False if the same was there already.
    created: bool,
    /// What became of the schedule of the workflow's name; null if neither this text nor an earlier one has any.
    #[schema(value_type = Option<ScheduleChange>, required)]
    schedule: Option<&'static str>,
    /// What is probably not meant as written.
    warnings: Vec<Finding>,
}

impl From<Deployed> for DeployAnswer {
    fn from(deployed: Deployed) -> DeployAnswer {
        let Deployed {
            workflow,
            version,
            created,
            schedule,
            warnings,
        } = deployed;
        DeployAnswer {
            workflow,
            version,
            created,
            schedule,
            warnings: warnings.into_iter().map(Finding::from).collect(),
        }
    }
}

/// One version of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Workflow {
    /// `name`, or `namespace/name`.
    #[schema(value_type = String)]
    workflow: Str,
    /// The version.
    #[schema(value_type = String)]
    version: Str,
    /// Whether new runs get it.
    latest: bool,
    /// What the author wrote; only of one version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    source: Option<Str>,
    /// What it compiled to; only of one version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    graph: Option<graph::Graph>,
}

impl Workflow {
    pub(super) fn brief(definition: &Definition, latest: bool) -> Workflow {
        let graph = &definition.graph;
        let (workflow, version) = (graph.workflow.clone(), graph.version.clone());
        Workflow {
            workflow,
            version,
            latest,
            source: None,
            graph: None,
        }
    }

    pub(super) fn full(definition: &Definition, latest: bool) -> Workflow {
        let (source, graph) = (
            Some(definition.source.clone()),
            Some(definition.graph.clone()),
        );
        Workflow {
            source,
            graph,
            ..Workflow::brief(definition, latest)
        }
    }
}

/// All workflows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WorkflowList {
    /// Their versions, by name.
    pub(super) workflows: Vec<Workflow>,
}

/// Why something failed (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Failure {
    /// What kind of failure.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Str,
    /// HTTP-like status.
    status: u16,
    /// One line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    title: Option<Str>,
    /// What exactly happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    detail: Option<Str>,
    /// JSON pointer of the step that failed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    instance: Option<Str>,
    /// The least pause before it makes sense to try again, in milliseconds, where whoever failed said so.
    #[serde(rename = "retryAfterMs", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_ms: Option<u64>,
}

impl From<graph::Failure> for Failure {
    fn from(failure: graph::Failure) -> Failure {
        let graph::Failure {
            kind,
            status,
            title,
            detail,
            instance,
            retry_after_ms,
        } = failure;
        Failure {
            kind,
            status,
            title,
            detail,
            instance,
            retry_after_ms,
        }
    }
}

/// One execution of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Run {
    /// Its id.
    id: String,
    /// Its workflow.
    #[schema(value_type = String)]
    workflow: Str,
    /// Its version.
    #[schema(value_type = String)]
    version: Str,
    /// Its business key.
    #[schema(value_type = Option<String>, required)]
    key: Option<Str>,
    /// How it stands.
    #[schema(value_type = RunState)]
    state: &'static str,
    /// What it was started with.
    #[schema(value_type = Value)]
    input: Value,
    /// Its result, once completed.
    #[schema(value_type = Option<Value>, required)]
    output: Option<Value>,
    /// Why it did not complete.
    #[schema(required)]
    error: Option<Failure>,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(format = DateTime, required)]
    ended_at: Option<String>,
    /// What it is found by.
    #[schema(value_type = BTreeMap<String, String>)]
    labels: BTreeMap<Str, Str>,
    /// What it is searched by.
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<Str, Value>,
    /// The run that started it.
    #[schema(required)]
    parent: Option<String>,
    /// What it is doing now; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    steps: Option<Vec<Step>>,
    /// The runs it started; only when one run is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    children: Option<Vec<String>>,
}

impl From<Summary> for Run {
    fn from(run: Summary) -> Run {
        Run {
            id: run.id.to_string(),
            workflow: run.workflow,
            version: run.version,
            key: run.key,
            state: run.state,
            input: run.input,
            output: run.output,
            error: run.error.map(Failure::from),
            started_at: instant(run.started_at),
            ended_at: run.ended_at.map(instant),
            labels: run.labels,
            attributes: run.attributes,
            parent: run.parent.map(|parent| parent.run.to_string()),
            steps: None,
            children: None,
        }
    }
}

impl From<RunView> for Run {
    fn from(view: RunView) -> Run {
        let steps = view.steps.into_iter().map(Step::from).collect();
        Run {
            steps: Some(steps),
            ..Run::from(view.summary)
        }
    }
}

impl Run {
    pub(super) fn with_children(mut self, children: &[RunId]) -> Run {
        self.children = Some(children.iter().map(ToString::to_string).collect());
        self
    }
}

/// A step that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Step {
    /// Its id within the run.
    id: u32,
    /// The author's name for it.
    #[schema(value_type = String)]
    name: Str,
    /// JSON pointer into the source.
    #[schema(value_type = String)]
    path: Str,
    /// What it waits for: task, timer, event, child, lock, milestone, region or held.
    kind: &'static str,
    /// The same in words.
    detail: String,
    /// When it was entered.
    #[schema(format = DateTime)]
    entered_at: String,
    /// Which attempt, for a task; else 0.
    attempt: u32,
    /// The failure that parked it.
    #[schema(required)]
    error: Option<Failure>,
}

impl From<StepView> for Step {
    fn from(step: StepView) -> Step {
        Step {
            id: step.id,
            name: step.name,
            path: step.path,
            kind: step.kind,
            detail: step.detail,
            entered_at: instant(step.entered_at),
            attempt: step.attempt,
            error: step.error.map(Failure::from),
        }
    }
}

/// A run that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StartAnswer {
    /// Its id.
    pub(super) id: String,
    /// False if the key found an existing run.
    pub(super) created: bool,
    /// The run as it stood when it ended or the wait was over, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) run: Option<Run>,
}

/// One page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunList {
    /// Newest first, without steps.
    runs: Vec<Run>,
    /// Where to go on; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page_token: Option<String>,
}

impl From<Page> for RunList {
    fn from(page: Page) -> RunList {
        RunList {
            runs: page.runs.into_iter().map(Run::from).collect(),
            next_page_token: page.next.map(intake::cursor_token),
        }
    }
}

/// How many runs there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunCount {
    /// In all.
    count: u64,
    /// By state.
    #[schema(value_type = BTreeMap<String, u64>)]
    states: BTreeMap<&'static str, u64>,
}

impl From<Counts> for RunCount {
    fn from(counts: Counts) -> RunCount {
        RunCount {
            count: counts.total(),
            states: counts.states,
        }
    }
}

/// One event of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryEvent {
    /// From 0, without gaps.
    number: u64,
    /// When it was decided.
    #[schema(format = DateTime)]
    at: String,
    /// Its name, such as StepCompleted.
    kind: &'static str,
    /// Its content.
    #[schema(value_type = Value)]
    data: Value,
    /// The step's name in the workflow, if it is about one.
    #[schema(value_type = Option<String>, required)]
    step_name: Option<Str>,
}

impl From<engine::query::HistoryEvent> for HistoryEvent {
    fn from(event: engine::query::HistoryEvent) -> HistoryEvent {
        HistoryEvent {
            number: event.number,
            at: instant(event.at),
            kind: event.event.name(),
            data: event.event.to_value(),
            step_name: event.node.map(|node| node.name),
        }
    }
}

/// Part of a history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// Oldest first.
    events: Vec<HistoryEvent>,
    /// Number to go on from; left out at the end of what there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<u64>,
}

impl From<HistoryPage> for History {
    fn from(page: HistoryPage) -> History {
        History {
            events: page.events.into_iter().map(HistoryEvent::from).collect(),
            next: page.next,
        }
    }
}

/// How many tasks are offered again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetryAnswer {
    /// So many.
    pub(super) tasks: u32,
}

/// Who met the event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublishAnswer {
    /// Waits that met it; 0 means that it was kept.
    pub(super) receivers: u32,
}

/// When to start runs of what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schedule {
    /// Its name.
    #[schema(value_type = String)]
    name: Str,
    /// What to start.
    #[schema(value_type = String)]
    workflow: Str,
    /// Which version; null for the latest at that time.
    #[schema(value_type = Option<String>, required)]
    version: Option<Str>,
    /// With what.
    #[schema(value_type = Value)]
    input: Value,
    /// A cron expression, or else `every_ms`.
    #[schema(value_type = Option<String>, required)]
    cron: Option<Str>,
    /// IANA name of the time zone of `cron`.
    #[schema(value_type = Option<String>, required)]
    time_zone: Option<Str>,
    /// An interval in milliseconds.
    #[schema(required)]
    every_ms: Option<u64>,
    /// Milliseconds between the end of a run and the next start.
    #[schema(required)]
    after_ms: Option<u64>,
    /// Whether the events that the workflow names start runs.
    on_events: bool,
    /// No starts before.
    #[schema(format = DateTime, required)]
    from: Option<String>,
    /// No starts after.
    #[schema(format = DateTime, required)]
    until: Option<String>,
    /// What to do when the run before has not ended.
    #[schema(value_type = OverlapPolicy)]
    overlap: &'static str,
    /// What to do about starts that were missed.
    #[schema(value_type = CatchUpPolicy)]
    catch_up: &'static str,
    /// Whether it rests.
    paused: bool,
    /// The next start.
    #[schema(format = DateTime, required)]
    next_at: Option<String>,
    /// The last start.
    #[schema(format = DateTime, required)]
    last_at: Option<String>,
    /// How many runs it has started.
    started: u64,
}

impl From<kernel::schedule::Schedule> for Schedule {
    fn from(schedule: kernel::schedule::Schedule) -> Schedule {
        let time = |time: Option<Time>| time.map(instant);
        Schedule {
            next_at: time(schedule.due()),
            last_at: time(schedule.last_at),
            name: schedule.name,
            workflow: schedule.workflow,
            version: schedule.version,
            input: schedule.input,
            time_zone: schedule.cron.as_ref().map(|_| schedule.zone),
            cron: schedule.cron,
            every_ms: schedule.every_ms,
            after_ms: schedule.after_ms,
            on_events: schedule.trigger.is_some(),
            from: time(schedule.from),
            until: time(schedule.until),
            overlap: schedule.overlap.word(),
            catch_up: schedule.catch_up.word(),
            paused: schedule.paused,
            started: schedule.started,
        }
    }
}

/// All schedules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduleList {
    /// By name.
    pub(super) schedules: Vec<Schedule>,
}
