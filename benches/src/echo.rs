//! Owns the echo: the least that one gRPC call costs here, on both sides.

use bytes::Bytes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::arguments::Arguments;
use crate::closed_loop::{self, Caller, Plan};
use wire::Message;
use wire::echo_client::EchoClient;
use wire::echo_server::{Echo, EchoServer};

/// Bytes sent and received by a call.
const BODY: &[u8; 64] = &[7; 64];

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod wire {
    tonic::include_proto!("quadrille.bench.v1");
}

struct Answer;

#[tonic::async_trait]
impl Echo for Answer {
    async fn unary(&self, request: Request<Message>) -> Result<Response<Message>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

/// Answers until killed; prints where.
pub(crate) fn serve() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Server::builder()
            .add_service(EchoServer::new(Answer))
            .serve_with_incoming(incoming)
            .await?;
        Ok(())
    })
}

/// Calls in a closed loop and prints what came of it.
pub(crate) fn load(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = Plan::read(arguments)?;
    let url = arguments.required("url")?.to_owned();
    closed_loop::on_one_thread(async {
        let mut channels = Vec::new();
        for _ in 0..plan.channels {
            channels.push(
                Endpoint::from_shared(url.clone())?
                    .tcp_nodelay(true)
                    .connect()
                    .await?,
            );
        }
        let callers = channels
            .iter()
            .cycle()
            .take(usize::try_from(plan.concurrency)?);
        let callers = callers
            .map(|channel| EchoCaller(EchoClient::new(channel.clone())))
            .collect();
        println!("{}", closed_loop::run(plan, callers).await?);
        Ok(())
    })
}

struct EchoCaller(EchoClient<Channel>);

impl Caller for EchoCaller {
    async fn call(&mut self) -> Result<(), String> {
        let body = Bytes::from_static(BODY);
        match self.0.unary(Message { body }).await {
            Ok(answer) if answer.get_ref().body == BODY[..] => Ok(()),
            Ok(_) => Err("the echo differs from what was sent".to_owned()),
            Err(status) => Err(status.to_string()),
        }
    }
}
