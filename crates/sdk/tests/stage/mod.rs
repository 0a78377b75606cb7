//! Owns [`Stage`]: a server whose worker streams are played by the test, frame by frame.

use std::time::Duration;

use api::v1::workers_server::{Workers, WorkersServer};
use api::v1::{Receipt, ServerFrame, Task, Welcome, WorkerFrame};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Response, Status, Streaming};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

type Outgoing = Result<ServerFrame, Status>;

pub(crate) struct Stage {
    url: String,
    lines: mpsc::Receiver<Line>,
    _server: AbortOnDropHandle<()>,
}

/// One stream of a worker.
pub(crate) struct Line {
    incoming: Streaming<WorkerFrame>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
}

struct Service(mpsc::Sender<Line>);

#[tonic::async_trait]
impl Workers for Service {
    type WorkStream = ReceiverStream<Outgoing>;

    async fn work(
        &self,
        request: Request<Streaming<WorkerFrame>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let (sender, frames) = mpsc::channel(16);
        let line = Line {
            incoming: request.into_inner(),
            outgoing: Some(sender),
        };
        self.0
            .send(line)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(frames)))
    }
}

impl Stage {
    pub(crate) async fn open() -> Stage {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, lines) = mpsc::channel(16);
        let serving = tonic::transport::Server::builder()
            .tcp_nodelay(true)
            .add_service(WorkersServer::new(Service(sender)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let server = tokio::spawn(async { serving.await.unwrap() });
        Stage {
            url,
            lines,
            _server: AbortOnDropHandle::new(server),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The next stream that a worker opens.
    pub(crate) async fn line(&mut self) -> Line {
        patiently(self.lines.recv())
            .await
            .expect("the server serves")
    }
}

impl Line {
    /// What the worker says next; `None` once it has closed.
    pub(crate) async fn next(&mut self) -> Option<WorkerFrame> {
        patiently(self.incoming.message())
            .await
            .expect("the stream stands")
    }

    pub(crate) async fn say(&self, frame: ServerFrame) {
        let outgoing = self.outgoing.as_ref().expect("the line was not ended");
        patiently(outgoing.send(Ok(frame)))
            .await
            .expect("the worker listens");
    }

    pub(crate) async fn welcome(&self, session: u64) {
        let welcome = Welcome {
            session,
            ..Welcome::default()
        };
        self.say(ServerFrame {
            welcome: Some(welcome),
            ..ServerFrame::default()
        })
        .await;
    }

    pub(crate) async fn refuse(&mut self, code: &'static str, message: &str) {
        let mut status = Status::failed_precondition(message);
        status
            .metadata_mut()
            .insert("quadrille-code", code.parse().unwrap());
        let outgoing = self.outgoing.take().expect("the line was not ended");
        outgoing
            .send(Err(status))
            .await
            .expect("the worker listens");
    }

    /// Closes our side.
    pub(crate) fn end(&mut self) {
        self.outgoing = None;
    }
}

async fn patiently<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it happens in time")
}

/// Tasks of one name; their tokens are the prefix and a number.
pub(crate) fn tasks(
    name: &str,
    prefix: &str,
    numbers: std::ops::Range<usize>,
    input: &'static str,
) -> ServerFrame {
    let task = |number| Task {
        token: format!("{prefix}{number}").into(),
        name: name.to_owned(),
        queue: "q".to_owned(),
        input: input.into(),
        attempt: 1,
        ..Task::default()
    };
    ServerFrame {
        tasks: numbers.map(task).collect(),
        ..ServerFrame::default()
    }
}

/// Receipts for all that these frames answer.
pub(crate) fn receipts(frames: &[WorkerFrame]) -> ServerFrame {
    let results = frames
        .iter()
        .flat_map(|frame| frame.results.iter().map(|result| &result.token));
    let returned = frames.iter().flat_map(|frame| &frame.returned);
    let receipt = |token: &bytes::Bytes| Receipt {
        token: token.clone(),
        accepted: true,
    };
    ServerFrame {
        receipts: results.chain(returned).map(receipt).collect(),
        ..ServerFrame::default()
    }
}

pub(crate) fn cancel(tokens: &[&'static str]) -> ServerFrame {
    ServerFrame {
        cancels: tokens.iter().map(|token| (*token).into()).collect(),
        ..ServerFrame::default()
    }
}
