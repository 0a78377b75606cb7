//! Owns the gRPC service of human tasks.
//!
//! Invariant: an answer to a change means that it is durable. Who asks says so in `by`; nothing here can know
//! better until there is authentication.

use api::v1;
use api::v1::human_tasks_server::HumanTasks;
use engine::Engine;
use engine::human::{Decision, HumanFilter, HumanSummary, HumanTask};
use graph::Value;
use kernel::HumanAct;
use tonic::{Request, Response, Status};

use crate::grpc::answer::{json, ms, text};
use crate::grpc::request;
use crate::grpc::status::refused;
use crate::refusal::Refusal;
use crate::{intake, page};

#[derive(Clone)]
pub(super) struct HumanTasksService(pub(super) Engine);

impl HumanTasksService {
    async fn act(
        &self,
        id: &str,
        by: String,
        act: HumanAct,
    ) -> Result<Response<v1::Empty>, Status> {
        let command = intake::about_human(id, by, act)?;
        self.0.ask(command).await.map_err(refused)?;
        Ok(Response::new(v1::Empty {}))
    }
}

fn filter(request: &v1::ListHumanTasksRequest) -> Result<HumanFilter, Refusal> {
    let text = |text: &String| request::text(text.clone());
    let run = Some(&request.run).filter(|run| !run.is_empty());
    let states = request.states.iter().map(|word| intake::human_state(word));
    Ok(HumanFilter {
        states: states.collect::<Result<_, _>>()?,
        assignee: text(&request.assignee),
        group: text(&request.group),
        workflow: text(&request.workflow).map(|name| intake::workflow_name(&name).into()),
        run: run.map(|run| intake::run_id("run", run)).transpose()?,
    })
}

fn summary(task: &HumanSummary) -> v1::HumanTask {
    v1::HumanTask {
        id: task.task.to_string(),
        run: task.task.run.to_string(),
        workflow: task.workflow.to_string(),
        name: task.name.to_string(),
        state: task.state.word().to_owned(),
        title: task.title.to_string(),
        assignee: text(task.whose.assignee.as_deref()),
        groups: task.whose.groups.iter().map(ToString::to_string).collect(),
        priority: task.priority,
        created_at_ms: task.created_at.0,
        due_at_ms: ms(task.due_at),
        closed_at_ms: ms(task.closed_at),
        ..v1::HumanTask::default()
    }
}

fn task(task: &HumanTask) -> v1::HumanTask {
    let comments = task.comments.iter().map(|comment| v1::HumanTaskComment {
        by: comment.by.to_string(),
        at_ms: comment.at.0,
        text: comment.text.to_string(),
    });
    let decided = |decision: &Decision| v1::HumanTaskDecision {
        by: decision.by.to_string(),
        outcome: text(decision.outcome.as_deref()),
        data: json(&decision.data),
        comment: text(decision.comment.as_deref()),
    };
    v1::HumanTask {
        description: text(task.description.as_deref()),
        data: json(&task.data),
        form: task.form.as_ref().map(json).unwrap_or_default(),
        outcomes: task.outcomes.iter().map(ToString::to_string).collect(),
        comments: comments.collect(),
        escalates_at_ms: ms(task.escalates_at),
        decision: task.decision.as_ref().map(decided),
        ..summary(&task.summary)
    }
}

#[tonic::async_trait]
impl HumanTasks for HumanTasksService {
    async fn list(
        &self,
        request: Request<v1::ListHumanTasksRequest>,
    ) -> Result<Response<v1::ListHumanTasksResponse>, Status> {
        let request = request.into_inner();
        let limit = page::limit_runs(usize::try_from(request.limit).ok())?;
        let after = intake::place(&request.page_token)?;
        let listed = self.0.humans(filter(&request)?, after, limit).await;
        let listed = page::fit_humans(listed.map_err(refused)?);
        Ok(Response::new(v1::ListHumanTasksResponse {
            human_tasks: listed.tasks.iter().map(summary).collect(),
            next_page_token: listed.next.map(intake::place_token).unwrap_or_default(),
        }))
    }

    async fn get(
        &self,
        request: Request<v1::GetHumanTaskRequest>,
    ) -> Result<Response<v1::HumanTask>, Status> {
        let id = intake::human_task(&request.into_inner().id)?;
        let found = self.0.human(id).await.map_err(refused)?;
        Ok(Response::new(task(&found)))
    }

    async fn claim(
        &self,
        request: Request<v1::HumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let v1::HumanTaskRequest { id, by } = request.into_inner();
        self.act(&id, by, HumanAct::Claim).await
    }

    async fn release(
        &self,
        request: Request<v1::HumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let v1::HumanTaskRequest { id, by } = request.into_inner();
        self.act(&id, by, HumanAct::Release).await
    }

    async fn assign(
        &self,
        request: Request<v1::AssignHumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let to = HumanAct::Assign {
            assignee: request::text(request.assignee),
            groups: intake::names(request.groups.map(|groups| groups.names)),
        };
        self.act(&request.id, request.by, to).await
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteHumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let done = HumanAct::Complete {
            outcome: request::text(request.outcome),
            data: intake::json("data", &request.data, Value::default)?,
            comment: request::text(request.comment),
        };
        self.act(&request.id, request.by, done).await
    }

    async fn reject(
        &self,
        request: Request<v1::RejectHumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let reason = request::text(request.reason);
        self.act(&request.id, request.by, HumanAct::Reject { reason })
            .await
    }

    async fn comment(
        &self,
        request: Request<v1::CommentHumanTaskRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let text = request.text.into();
        self.act(&request.id, request.by, HumanAct::Comment { text })
            .await
    }
}
