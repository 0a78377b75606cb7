//! Owns the gRPC service of workers: the beginning of a worker's stream. The rest of it is [`Work`].
//!
//! Invariant: a stream that does not begin with a hello in time never reaches the engine.

use std::time::Duration;

use api::v1;
use api::v1::workers_server::Workers;
use engine::Engine;
use tonic::{Request, Response, Status, Streaming};

use crate::grpc::request;
use crate::grpc::status::refused;
use crate::grpc::work::Work;
use crate::refusal::Refusal;

/// How long a worker may take to say hello, in milliseconds.
const HELLO_MS_MAX: u64 = 10_000;

#[derive(Clone)]
pub(super) struct WorkersService(pub(super) Engine);

#[tonic::async_trait]
impl Workers for WorkersService {
    type WorkStream = Work;

    async fn work(
        &self,
        request: Request<Streaming<v1::WorkerFrame>>,
    ) -> Result<Response<Work>, Status> {
        let mut frames = request.into_inner();
        let first =
            tokio::time::timeout(Duration::from_millis(HELLO_MS_MAX), frames.message()).await;
        let late = |_| Refusal::argument("hello", format!("did not come within {HELLO_MS_MAX} ms"));
        let missing = || Refusal::argument("hello", "is missing from the first frame");
        let mut first = first.map_err(late)??.ok_or_else(missing)?;
        let hello = first.hello.take().ok_or_else(missing)?;
        let said = request::said(first)?;
        let link = self
            .0
            .connect(request::hello(hello, &said)?)
            .await
            .map_err(refused)?;
        link.voice().send(said).map_err(refused)?;
        Ok(Response::new(Work::new(link, frames)))
    }
}
