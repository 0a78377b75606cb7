//! Owns the gRPC service of schedules.
//!
//! Invariant: an answer means that the change is durable.

use api::v1;
use api::v1::schedules_server::Schedules;
use engine::Engine;
use kernel::Command;
use tonic::{Request, Response, Status};

use crate::grpc::status::refused;
use crate::grpc::{answer, request};

#[derive(Clone)]
pub(super) struct SchedulesService(pub(super) Engine);

impl SchedulesService {
    async fn ask(&self, command: Command) -> Result<Response<v1::Empty>, Status> {
        self.0.ask(command).await.map_err(refused)?;
        Ok(Response::new(v1::Empty {}))
    }
}

#[tonic::async_trait]
impl Schedules for SchedulesService {
    async fn put(&self, request: Request<v1::Schedule>) -> Result<Response<v1::Empty>, Status> {
        self.ask(request::schedule(request.into_inner())?).await
    }

    async fn list(
        &self,
        _: Request<v1::ListSchedulesRequest>,
    ) -> Result<Response<v1::ListSchedulesResponse>, Status> {
        let schedules = self.0.schedules().await.map_err(refused)?;
        let schedules = schedules.iter().map(answer::schedule).collect();
        Ok(Response::new(v1::ListSchedulesResponse { schedules }))
    }

    async fn delete(
        &self,
        request: Request<v1::ScheduleRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        self.ask(Command::DeleteSchedule {
            name: request.into_inner().name.into(),
        })
        .await
    }

    async fn pause(
        &self,
        request: Request<v1::PauseScheduleRequest>,
    ) -> Result<Response<v1::Empty>, Status> {
        let request = request.into_inner();
        self.ask(Command::PauseSchedule {
            name: request.name.into(),
            paused: request.paused,
        })
        .await
    }
}
