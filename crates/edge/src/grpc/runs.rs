//! Owns the gRPC service of runs.
//!
//! Invariant: a start costs one question to the engine, with a wait as well as without.

use std::pin::Pin;

use api::v1;
use api::v1::runs_server::Runs;
use engine::Engine;
use futures::{Stream, StreamExt};
use graph::Value;
use kernel::{Command, Reply, RunId, StepId};
use tonic::{Request, Response, Status, Streaming};

use crate::follow::follow;
use crate::grpc::starts::{Starts, start};
use crate::grpc::status::refused;
use crate::grpc::{answer, request};
use crate::refusal::Refusal;
use crate::{intake, lifecycle, page};

#[derive(Clone)]
pub(super) struct RunsService(pub(super) Engine);

impl RunsService {
    async fn ask(&self, command: Command) -> Result<Reply, Status> {
        self.0.ask(command).await.map_err(refused)
    }
}

fn run_id(id: &str) -> Result<RunId, Refusal> {
    intake::run_id("id", id)
}

fn done(_: Reply) -> Response<v1::Empty> {
    Response::new(v1::Empty {})
}

#[tonic::async_trait]
impl Runs for RunsService {
    async fn start(
        &self,
        request: Request<v1::StartRunRequest>,
    ) -> Result<Response<v1::StartRunResponse>, Status> {
        let started = start(&self.0, request.into_inner()).await?;
        Ok(Response::new(started))
    }

    type StartManyStream = Starts;

    async fn start_many(
        &self,
        request: Request<Streaming<v1::StartManyRequest>>,
    ) -> Result<Response<Starts>, Status> {
        Ok(Response::new(Starts::new(
            self.0.clone(),
            request.into_inner(),
        )))
    }

    async fn get(&self, request: Request<v1::GetRunRequest>) -> Result<Response<v1::Run>, Status> {
        let request = request.into_inner();
        let id = run_id(&request.id)?;
        let view = match intake::run_wait(request.wait_ms) {
            None => self.0.run(id).await,
            Some(wait) => self.0.wait(id, wait).await,
        };
        let view = view.map_err(refused)?;
        let started_at = view.summary.started_at;
        let mut run = answer::run(view);
        run.children = self
            .0
            .children(id, started_at)
            .await
            .map_err(refused)?
            .iter()
            .map(ToString::to_string)
            .collect();
        Ok(Response::new(run))
    }

    async fn list(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        let request = request.into_inner();
        let limit = page::limit_runs(usize::try_from(request.limit).ok())?;
        let after = intake::cursor(&request.page_token)?;
        let listed = self
            .0
            .list(request::filter(request.filter)?, after, limit)
            .await
            .map_err(refused)?;
        let listed = page::fit_runs(listed);
        Ok(Response::new(v1::ListRunsResponse {
            runs: listed.runs.iter().map(answer::summary).collect(),
            next_page_token: listed.next.map(intake::cursor_token).unwrap_or_default(),
        }))
    }

    async fn count(
        &self,
        request: Request<v1::CountRunsRequest>,
    ) -> Result<Response<v1::CountRunsResponse>, Status> {
        let counts = self
            .0
            .count(request::filter(request.into_inner().filter)?)
            .await
            .map_err(refused)?;
        Ok(Response::new(v1::CountRunsResponse {
            count: counts.total(),
            states: counts
                .states
                .iter()
                .map(|(state, count)| ((*state).to_owned(), *count))
                .collect(),
        }))
    }

    async fn cancel(
        &self,
        request: Request<v1::EndRunRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let (run, reason) = (run_id(&request.id)?, request::text(request.reason));
        self.ask(Command::CancelRun { run, reason }).await.map(done)
    }

    async fn terminate(
        &self,
        request: Request<v1::EndRunRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let (run, reason) = (run_id(&request.id)?, request::text(request.reason));
        self.ask(Command::TerminateRun { run, reason })
            .await
            .map(done)
    }

    async fn suspend(
        &self,
        request: Request<v1::RunRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let run = run_id(&request.get_ref().id)?;
        self.ask(Command::SuspendRun { run }).await.map(done)
    }

    async fn resume(
        &self,
        request: Request<v1::RunRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let run = run_id(&request.get_ref().id)?;
        self.ask(Command::ResumeRun { run }).await.map(done)
    }

    async fn retry(
        &self,
        request: Request<v1::RetryRunRequest>,
    ) -> Result<Response<v1::RetryRunResponse>, Status> {
        let request = request.into_inner();
        let step = (request.step > 0).then_some(StepId(request.step));
        let reply = self
            .ask(Command::RetryRun {
                run: run_id(&request.id)?,
                step,
            })
            .await?;
        let tasks = if let Reply::Retried { tasks } = reply {
            tasks
        } else {
            0
        };
        Ok(Response::new(v1::RetryRunResponse { tasks }))
    }

    async fn signal(
        &self,
        request: Request<v1::SignalRunRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        let command = Command::SignalRun {
            run: run_id(&request.id)?,
            name: request.name.into(),
            data: intake::json("data", &request.data, Value::default)?,
            ttl_ms: intake::ttl(request.ttl_ms),
        };
        self.ask(command).await.map(done)
    }

    async fn history(
        &self,
        request: Request<v1::HistoryRequest>,
    ) -> Result<Response<v1::HistoryResponse>, Status> {
        let request = request.into_inner();
        let limit = page::limit_events(usize::try_from(request.limit).ok())?;
        let past = self
            .0
            .history(run_id(&request.id)?, request.from, limit)
            .await
            .map_err(refused)?;
        let past = page::fit_history(past);
        Ok(Response::new(v1::HistoryResponse {
            events: past.events.iter().map(answer::event).collect(),
            next: past.next.unwrap_or_default(),
        }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::HistoryEvent, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let events = follow(self.0.clone(), run_id(&request.id)?, request.from)
            .await
            .map_err(refused)?;
        let events = events.map(|event| event.map(|event| answer::event(&event)).map_err(refused));
        Ok(Response::new(Box::pin(events)))
    }

    type LifecycleStream = Pin<Box<dyn Stream<Item = Result<v1::LifecycleEvent, Status>> + Send>>;

    async fn lifecycle(
        &self,
        request: Request<v1::LifecycleRequest>,
    ) -> Result<Response<Self::LifecycleStream>, Status> {
        let v1::LifecycleRequest { id, from, follow } = request.into_inner();
        let facts = lifecycle::stream(self.0.clone(), run_id(&id)?, from, follow)
            .await
            .map_err(refused)?;
        let events = facts.map(|fact| match fact {
            Ok((number, told)) => told
                .iter()
                .map(|event| Ok(answer::lifecycle(number, event)))
                .collect(),
            Err(error) => vec![Err(refused(error))],
        });
        Ok(Response::new(Box::pin(
            events.flat_map(futures::stream::iter),
        )))
    }
}
