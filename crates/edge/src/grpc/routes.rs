//! Owns the mounting of the gRPC services.
//!
//! Invariant: no request larger than [`REQUEST_BYTES_MAX`] is read.

use api::v1::events_server::EventsServer;
use api::v1::human_tasks_server::HumanTasksServer;
use api::v1::runs_server::RunsServer;
use api::v1::schedules_server::SchedulesServer;
use api::v1::workers_server::WorkersServer;
use api::v1::workflows_server::WorkflowsServer;
use axum::Router;
use engine::Engine;
use tonic::server::NamedService;

use crate::grpc::events::EventsService;
use crate::grpc::human::HumanTasksService;
use crate::grpc::runs::RunsService;
use crate::grpc::schedules::SchedulesService;
use crate::grpc::workers::WorkersService;
use crate::grpc::workflows::WorkflowsService;
use crate::intake::REQUEST_BYTES_MAX;

macro_rules! mount {
    ($engine:expr, $($service:ident in $server:ident),*) => {
        Router::new()$(.route_service(
            &format!("/{}/{{method}}", <$server<$service> as NamedService>::NAME),
            $server::new($service($engine.clone())).max_decoding_message_size(REQUEST_BYTES_MAX),
        ))*
    };
}

/// Every service of the contract.
pub(crate) fn routes(engine: &Engine) -> Router {
    mount!(
        engine,
        WorkflowsService in WorkflowsServer,
        RunsService in RunsServer,
        HumanTasksService in HumanTasksServer,
        EventsService in EventsServer,
        SchedulesService in SchedulesServer,
        WorkersService in WorkersServer
    )
}
