//! Owns the gRPC service of workflow definitions.
//!
//! Invariant: a text is judged the same whether it is checked or deployed.

use api::v1;
use api::v1::workflows_server::Workflows;
use engine::Engine;
use tonic::{Request, Response, Status};

use crate::grpc::status::refused;
use crate::grpc::{answer, request};
use crate::intake;

#[derive(Clone)]
pub(super) struct WorkflowsService(pub(super) Engine);

#[tonic::async_trait]
impl Workflows for WorkflowsService {
    async fn deploy(
        &self,
        request: Request<v1::DeployRequest>,
    ) -> Result<Response<v1::DeployResponse>, Status> {
        let deployed = intake::deploy(&self.0, request.into_inner().source).await?;
        Ok(Response::new(v1::DeployResponse {
            workflow: deployed.workflow.to_string(),
            version: deployed.version.to_string(),
            created: deployed.created,
            schedule: deployed.schedule.unwrap_or_default().to_owned(),
            warnings: deployed.warnings.into_iter().map(answer::finding).collect(),
        }))
    }

    async fn check(
        &self,
        request: Request<v1::CheckRequest>,
    ) -> Result<Response<v1::CheckResponse>, Status> {
        let findings = intake::check(request.into_inner().source).await;
        Ok(Response::new(v1::CheckResponse {
            findings: findings.into_iter().map(answer::finding).collect(),
        }))
    }

    async fn list(
        &self,
        _: Request<v1::ListWorkflowsRequest>,
    ) -> Result<Response<v1::ListWorkflowsResponse>, Status> {
        let known = self.0.workflows().await.map_err(refused)?;
        let workflows = known
            .iter()
            .map(|(definition, latest)| answer::workflow(definition, *latest))
            .collect();
        Ok(Response::new(v1::ListWorkflowsResponse { workflows }))
    }

    async fn get(
        &self,
        request: Request<v1::GetWorkflowRequest>,
    ) -> Result<Response<v1::Workflow>, Status> {
        let wanted = request.into_inner();
        let version = request::text(wanted.version);
        let (definition, latest) = self
            .0
            .workflow(intake::workflow_name(&wanted.workflow).into(), version)
            .await
            .map_err(refused)?;
        Ok(Response::new(answer::workflow_in_full(&definition, latest)))
    }
}
