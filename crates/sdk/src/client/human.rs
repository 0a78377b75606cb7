//! Owns the calls about human tasks: finding, taking, handing on and deciding them.
//!
//! Invariant: who asks is what the caller says; the server does not verify it before it has authentication.

use std::time::Duration;

use api::v1;
use serde::Serialize;

use super::schedule::non_empty;
use super::{Client, bounded};
use crate::error::Error;
use crate::json::Json;

/// Work for a person, as lists show it.
#[derive(Clone, Debug)]
pub struct HumanTask {
    /// Its id: its run, a dot and the number of its step.
    pub id: String,
    /// Its run.
    pub run: String,
    /// The workflow of its run.
    pub workflow: String,
    /// The author's name of the step.
    pub name: String,
    /// `ready`, `claimed`, `completed`, `rejected` or `withdrawn`.
    pub state: String,
    /// What it is about.
    pub title: String,
    /// Who has it.
    pub assignee: Option<String>,
    /// Whose members may take it.
    pub groups: Vec<String>,
    /// From 0 to 9, the most urgent.
    pub priority: u32,
    /// Milliseconds since 1970 from which it waits.
    pub created_at_ms: u64,
    /// When it is late.
    pub due_at_ms: Option<u64>,
    /// When it was decided or withdrawn.
    pub closed_at_ms: Option<u64>,
}

/// Work for a person in full.
#[derive(Clone, Debug)]
pub struct HumanWork {
    /// What lists show.
    pub task: HumanTask,
    /// What is to be done, as Markdown.
    pub description: Option<String>,
    /// What the person sees.
    pub data: Json,
    /// JSON Schema of what they give; no data for none.
    pub form: Json,
    /// The names of which they choose one; empty leaves it free.
    pub outcomes: Vec<String>,
    /// What people said about it, oldest first.
    pub comments: Vec<HumanComment>,
    /// When it goes to others.
    pub escalates_at_ms: Option<u64>,
    /// How it was decided.
    pub decision: Option<HumanDecision>,
}

/// Something said about a human task.
#[derive(Clone, Debug)]
pub struct HumanComment {
    /// By whom.
    pub by: String,
    /// When.
    pub at_ms: u64,
    /// What.
    pub text: String,
}

/// How a human task was decided.
#[derive(Clone, Debug)]
pub struct HumanDecision {
    /// By whom.
    pub by: String,
    /// With which outcome; `None` was a rejection.
    pub outcome: Option<String>,
    /// What they gave.
    pub data: Json,
    /// What they said about it.
    pub comment: Option<String>,
}

/// Which human tasks are meant; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct HumanFilter {
    /// Any of these states; none means all that are open. Those that are closed are found only with a run.
    pub states: Vec<String>,
    /// Who has it.
    pub assignee: Option<String>,
    /// A group whose members may take it.
    pub group: Option<String>,
    /// The workflow of its run.
    pub workflow: Option<String>,
    /// Its run.
    pub run: Option<String>,
}

/// A part of a list of human tasks.
#[derive(Clone, Debug)]
pub struct HumanPage {
    /// The most urgent first, then the oldest.
    pub tasks: Vec<HumanTask>,
    /// What to ask for the next part with; `None` at the end.
    pub next: Option<String>,
}

impl Client {
    /// Human tasks, at most so many (0 for the server's default), from a place on.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn human_tasks(
        &self,
        filter: HumanFilter,
        limit: u32,
        from: Option<String>,
    ) -> Result<HumanPage, Error> {
        let request = v1::ListHumanTasksRequest {
            states: filter.states,
            assignee: filter.assignee.unwrap_or_default(),
            group: filter.group.unwrap_or_default(),
            workflow: filter.workflow.unwrap_or_default(),
            run: filter.run.unwrap_or_default(),
            limit,
            page_token: from.unwrap_or_default(),
        };
        let mut tasks = self.raw().human_tasks();
        let page = tasks.list(bounded(request, Duration::ZERO)).await?;
        let page = page.into_inner();
        Ok(HumanPage {
            tasks: page.human_tasks.into_iter().map(Into::into).collect(),
            next: non_empty(page.next_page_token),
        })
    }

    /// A human task, open or closed.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is none; [`Error::Unreachable`].
    pub async fn human_task(&self, id: &str) -> Result<HumanWork, Error> {
        let request = v1::GetHumanTaskRequest { id: id.to_owned() };
        let mut tasks = self.raw().human_tasks();
        let found = tasks.get(bounded(request, Duration::ZERO)).await?;
        Ok(found.into_inner().into())
    }

    /// Takes a human task that nobody else has.
    ///
    /// # Errors
    /// [`Error::Refused`] if another has it or it is closed; [`Error::Unreachable`].
    pub async fn claim_human_task(&self, id: &str, by: &str) -> Result<(), Error> {
        let mut tasks = self.raw().human_tasks();
        tasks.claim(asking(id, by)).await?;
        Ok(())
    }

    /// Gives a human task back, for others to take.
    ///
    /// # Errors
    /// As [`Client::claim_human_task`].
    pub async fn release_human_task(&self, id: &str, by: &str) -> Result<(), Error> {
        let mut tasks = self.raw().human_tasks();
        tasks.release(asking(id, by)).await?;
        Ok(())
    }

    /// Gives a human task to someone, whoever has it now, or with no assignee to whoever takes it. `None` leaves
    /// the groups as they are.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is closed; [`Error::Unreachable`].
    pub async fn assign_human_task(
        &self,
        id: &str,
        by: &str,
        assignee: Option<&str>,
        groups: Option<Vec<String>>,
    ) -> Result<(), Error> {
        let request = v1::AssignHumanTaskRequest {
            id: id.to_owned(),
            by: by.to_owned(),
            assignee: assignee.unwrap_or_default().to_owned(),
            groups: groups.map(|names| v1::HumanTaskGroups { names }),
        };
        let mut tasks = self.raw().human_tasks();
        tasks.assign(bounded(request, Duration::ZERO)).await?;
        Ok(())
    }

    /// Says that a human task is done, with one of its outcomes and what the person gives.
    ///
    /// # Errors
    /// [`Error::Encode`]; as [`Client::claim_human_task`].
    pub async fn complete_human_task<T: Serialize + ?Sized>(
        &self,
        id: &str,
        by: &str,
        outcome: Option<&str>,
        data: &T,
        comment: Option<&str>,
    ) -> Result<(), Error> {
        let request = v1::CompleteHumanTaskRequest {
            id: id.to_owned(),
            by: by.to_owned(),
            outcome: outcome.unwrap_or_default().to_owned(),
            data: Json::encode(data)?.into_bytes(),
            comment: comment.unwrap_or_default().to_owned(),
        };
        let mut tasks = self.raw().human_tasks();
        tasks.complete(bounded(request, Duration::ZERO)).await?;
        Ok(())
    }

    /// Refuses a human task: its step fails with the error `…/rejected`.
    ///
    /// # Errors
    /// As [`Client::claim_human_task`].
    pub async fn reject_human_task(
        &self,
        id: &str,
        by: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let request = v1::RejectHumanTaskRequest {
            id: id.to_owned(),
            by: by.to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
        };
        let mut tasks = self.raw().human_tasks();
        tasks.reject(bounded(request, Duration::ZERO)).await?;
        Ok(())
    }

    /// Says something about a human task.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is closed; [`Error::Unreachable`].
    pub async fn comment_human_task(&self, id: &str, by: &str, text: &str) -> Result<(), Error> {
        let request = v1::CommentHumanTaskRequest {
            id: id.to_owned(),
            by: by.to_owned(),
            text: text.to_owned(),
        };
        let mut tasks = self.raw().human_tasks();
        tasks.comment(bounded(request, Duration::ZERO)).await?;
        Ok(())
    }
}

fn asking(id: &str, by: &str) -> tonic::Request<v1::HumanTaskRequest> {
    let (id, by) = (id.to_owned(), by.to_owned());
    bounded(v1::HumanTaskRequest { id, by }, Duration::ZERO)
}

fn non_zero(ms: u64) -> Option<u64> {
    (ms > 0).then_some(ms)
}

impl From<v1::HumanTask> for HumanTask {
    fn from(task: v1::HumanTask) -> HumanTask {
        HumanTask {
            id: task.id,
            run: task.run,
            workflow: task.workflow,
            name: task.name,
            state: task.state,
            title: task.title,
            assignee: non_empty(task.assignee),
            groups: task.groups,
            priority: task.priority,
            created_at_ms: task.created_at_ms,
            due_at_ms: non_zero(task.due_at_ms),
            closed_at_ms: non_zero(task.closed_at_ms),
        }
    }
}

impl From<v1::HumanTask> for HumanWork {
    fn from(mut task: v1::HumanTask) -> HumanWork {
        let comments = std::mem::take(&mut task.comments).into_iter();
        let comment = |comment: v1::HumanTaskComment| HumanComment {
            by: comment.by,
            at_ms: comment.at_ms,
            text: comment.text,
        };
        let decided = |decision: v1::HumanTaskDecision| HumanDecision {
            by: decision.by,
            outcome: non_empty(decision.outcome),
            data: decision.data.into(),
            comment: non_empty(decision.comment),
        };
        HumanWork {
            description: non_empty(std::mem::take(&mut task.description)),
            data: std::mem::take(&mut task.data).into(),
            form: std::mem::take(&mut task.form).into(),
            outcomes: std::mem::take(&mut task.outcomes),
            comments: comments.map(comment).collect(),
            escalates_at_ms: non_zero(task.escalates_at_ms),
            decision: task.decision.take().map(decided),
            task: task.into(),
        }
    }
}
