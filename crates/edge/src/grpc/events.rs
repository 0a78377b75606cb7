//! Owns the gRPC service of correlated events.
//!
//! Invariant: what an event must have is for the kernel to say; here it is only JSON.

use api::v1;
use api::v1::events_server::Events;
use engine::Engine;
use graph::Value;
use kernel::{Command, Reply};
use tonic::{Request, Response, Status};

use crate::grpc::status::refused;
use crate::intake;

#[derive(Clone)]
pub(super) struct EventsService(pub(super) Engine);

#[tonic::async_trait]
impl Events for EventsService {
    async fn publish(
        &self,
        request: Request<v1::PublishRequest>,
    ) -> Result<Response<v1::PublishResponse>, Status> {
        let request = request.into_inner();
        let event = intake::json("event", &request.event, Value::default)?;
        let publishing = Command::PublishEvent {
            event,
            ttl_ms: intake::ttl(request.ttl_ms),
        };
        let reply = self.0.ask(publishing).await.map_err(refused)?;
        let receivers = if let Reply::Published { receivers } = reply {
            receivers
        } else {
            0
        };
        Ok(Response::new(v1::PublishResponse { receivers }))
    }
}
