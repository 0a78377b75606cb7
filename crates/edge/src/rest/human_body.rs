//! Owns the JSON bodies about human tasks, inward and outward.
//!
//! Invariants: inward, a member that is not known is refused with its name; outward, what may be missing is null.

use engine::human::{Decision, HumanPage, HumanSummary};
use graph::Value;
use graph::value::Str;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instant::instant;
use crate::intake;
use crate::rest::words::HumanTaskState;

/// Who asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ByRequest {
    /// Your name; it is not verified.
    pub(super) by: String,
}

/// Whom a human task goes to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignRequest {
    /// Your name; it is not verified.
    pub(super) by: String,
    /// Who gets it; whoever takes it if left out.
    #[serde(default)]
    pub(super) assignee: Option<String>,
    /// Whose members may take it; as before if left out.
    #[serde(default)]
    pub(super) groups: Option<Vec<String>>,
}

/// What came of a human task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteRequest {
    /// Your name; it is not verified.
    pub(super) by: String,
    /// One of the task's outcomes; if it names none, any name, or `completed` if left out.
    #[serde(default)]
    pub(super) outcome: Option<String>,
    /// What you give; null if left out.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(super) data: Value,
    /// What you say about it.
    #[serde(default)]
    pub(super) comment: Option<String>,
}

/// Why a human task is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectRequest {
    /// Your name; it is not verified.
    pub(super) by: String,
    /// In your words; they become the detail of the error.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What is said about a human task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentRequest {
    /// Your name; it is not verified.
    pub(super) by: String,
    /// What.
    pub(super) text: String,
}

/// Work for a person, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HumanTaskSummary {
    /// Its id: its run, a dot and the number of its step.
    id: String,
    /// Its run.
    run: String,
    /// The workflow of its run.
    #[schema(value_type = String)]
    workflow: Str,
    /// The author's name of the step.
    #[schema(value_type = String)]
    name: Str,
    /// Where it stands.
    #[schema(value_type = HumanTaskState)]
    state: &'static str,
    /// What it is about.
    #[schema(value_type = String)]
    title: Str,
    /// Who has it.
    #[schema(value_type = Option<String>, required)]
    assignee: Option<Str>,
    /// Whose members may take it.
    #[schema(value_type = Vec<String>)]
    groups: Vec<Str>,
    /// From 0 to 9, the most urgent.
    priority: u32,
    /// Since when it waits.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it is late.
    #[schema(format = DateTime, required)]
    due_at: Option<String>,
    /// When it was decided or withdrawn.
    #[schema(format = DateTime, required)]
    closed_at: Option<String>,
}

impl From<HumanSummary> for HumanTaskSummary {
    fn from(task: HumanSummary) -> HumanTaskSummary {
        HumanTaskSummary {
            id: task.task.to_string(),
            run: task.task.run.to_string(),
            workflow: task.workflow,
            name: task.name,
            state: task.state.word(),
            title: task.title,
            assignee: task.whose.assignee,
            groups: task.whose.groups,
            priority: task.priority,
            created_at: instant(task.created_at),
            due_at: task.due_at.map(instant),
            closed_at: task.closed_at.map(instant),
        }
    }
}

/// Work for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HumanTask {
    #[serde(flatten)]
    summary: HumanTaskSummary,
    /// What is to be done, as Markdown.
    #[schema(value_type = Option<String>, required)]
    description: Option<Str>,
    /// What the person sees.
    #[schema(value_type = Value)]
    data: Value,
    /// JSON Schema of what they give.
    #[schema(value_type = Option<Value>, required)]
    form: Option<Value>,
    /// The names of which they choose one; empty leaves it free.
    #[schema(value_type = Vec<String>)]
    outcomes: Vec<Str>,
    /// What people said about it, oldest first.
    comments: Vec<HumanTaskComment>,
    /// When it goes to others.
    #[schema(format = DateTime, required)]
    escalates_at: Option<String>,
    /// How it was decided.
    #[schema(required)]
    decision: Option<HumanTaskDecision>,
}

/// Something said about a human task.
#[derive(Debug, Serialize, ToSchema)]
struct HumanTaskComment {
    /// By whom.
    #[schema(value_type = String)]
    by: Str,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What.
    #[schema(value_type = String)]
    text: Str,
}

/// How a human task was decided.
#[derive(Debug, Serialize, ToSchema)]
struct HumanTaskDecision {
    /// By whom.
    #[schema(value_type = String)]
    by: Str,
    /// With which outcome; null was a rejection.
    #[schema(value_type = Option<String>, required)]
    outcome: Option<Str>,
    /// What they gave.
    #[schema(value_type = Value)]
    data: Value,
    /// What they said about it.
    #[schema(value_type = Option<String>, required)]
    comment: Option<Str>,
}

impl From<engine::human::HumanTask> for HumanTask {
    fn from(task: engine::human::HumanTask) -> HumanTask {
        let comments = task.comments.into_iter().map(|comment| HumanTaskComment {
            by: comment.by,
            at: instant(comment.at),
            text: comment.text,
        });
        let decided = |decision: Decision| HumanTaskDecision {
            by: decision.by,
            outcome: decision.outcome,
            data: decision.data,
            comment: decision.comment,
        };
        HumanTask {
            summary: task.summary.into(),
            description: task.description,
            data: task.data,
            form: task.form,
            outcomes: task.outcomes,
            comments: comments.collect(),
            escalates_at: task.escalates_at.map(instant),
            decision: task.decision.map(decided),
        }
    }
}

/// One page of human tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HumanTaskList {
    /// The most urgent first, then the oldest.
    human_tasks: Vec<HumanTaskSummary>,
    /// Where to go on; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page_token: Option<String>,
}

impl From<HumanPage> for HumanTaskList {
    fn from(page: HumanPage) -> HumanTaskList {
        HumanTaskList {
            human_tasks: page.tasks.into_iter().map(Into::into).collect(),
            next_page_token: page.next.map(intake::place_token),
        }
    }
}
