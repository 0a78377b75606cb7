//! Owns [`Starts`]: one client's stream of runs to begin.
//!
//! Invariants: every start that was read is answered once, by its number; no more than [`UNDER_WAY_MAX`] are
//! under way, and nothing is read meanwhile that would be more; what there is to answer is gathered into as
//! few messages as there can be, each small enough for any client; the stream ends with the engine.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use api::v1::{self, numbered_answer::Outcome};
use engine::Engine;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use prost::Message;
use tonic::{Status, Streaming};

use crate::grpc::status::{message, refused};
use crate::grpc::{answer, request};
use crate::intake;
use crate::refusal::Refusal;

/// Starts of one stream that are under way.
const UNDER_WAY_MAX: usize = 10_000;

/// Bytes of answers that a message holds before it is sent; one answer alone may be larger.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Begins a run, and waits for its end if that is asked for.
pub(super) async fn start(
    engine: &Engine,
    request: v1::StartRunRequest,
) -> Result<v1::StartRunResponse, Refusal> {
    let wait = intake::run_wait(request.wait_ms);
    let start = request::start(request)?;
    let id = start.run.to_string();
    let (created, run) = intake::begin(engine, start, wait).await?;
    let run = run.map(answer::run);
    Ok(v1::StartRunResponse { id, created, run })
}

/// The answers to one client's starts, as a stream of messages.
pub(super) struct Starts {
    engine: Engine,
    stopped: BoxFuture<'static, ()>,
    requests: Streaming<v1::StartManyRequest>,
    /// Starts that were read while too many were under way.
    waiting: VecDeque<v1::NumberedStart>,
    under_way: FuturesUnordered<BoxFuture<'static, v1::NumberedAnswer>>,
    /// The client says no more.
    read_all: bool,
}

impl Starts {
    pub(super) fn new(engine: Engine, requests: Streaming<v1::StartManyRequest>) -> Starts {
        Starts {
            stopped: engine.stopped().boxed(),
            engine,
            requests,
            waiting: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            read_all: false,
        }
    }

    /// Begins what there is to begin.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<(), Status> {
        while self.under_way.len() < UNDER_WAY_MAX {
            if let Some(start) = self.waiting.pop_front() {
                self.under_way
                    .push(numbered(self.engine.clone(), start).boxed());
                continue;
            }
            if self.read_all {
                break;
            }
            match self.requests.poll_next_unpin(cx) {
                Poll::Ready(Some(request)) => self.waiting = request?.starts.into(),
                Poll::Ready(None) => self.read_all = true,
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// What is done by now.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Vec<v1::NumberedAnswer> {
        let (mut answers, mut bytes) = (Vec::new(), 0);
        while bytes < MESSAGE_BYTES_MAX
            && let Poll::Ready(Some(answer)) = self.under_way.poll_next_unpin(cx)
        {
            bytes += answer.encoded_len();
            answers.push(answer);
        }
        answers
    }
}

impl Stream for Starts {
    type Item = Result<v1::StartManyResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let starts = self.get_mut();
        if let Err(status) = starts.poll_read(cx) {
            return Poll::Ready(Some(Err(status)));
        }
        let answers = starts.poll_answers(cx);
        if !answers.is_empty() {
            return Poll::Ready(Some(Ok(v1::StartManyResponse { answers })));
        }
        if starts.read_all && starts.under_way.is_empty() {
            return Poll::Ready(None);
        }
        if starts.under_way.is_empty() && starts.stopped.poll_unpin(cx).is_ready() {
            return Poll::Ready(Some(Err(refused(engine::AskError::Stopped))));
        }
        Poll::Pending
    }
}

async fn numbered(engine: Engine, numbered: v1::NumberedStart) -> v1::NumberedAnswer {
    let outcome = match numbered.start {
        Some(request) => start(&engine, request).await,
        None => Err(Refusal::argument("start", "is missing")),
    };
    v1::NumberedAnswer {
        number: numbered.number,
        outcome: Some(match outcome {
            Ok(started) => Outcome::Started(started),
            Err(refusal) => Outcome::Refused(v1::Refused {
                code: refusal.code().to_owned(),
                message: message(&refusal),
            }),
        }),
    }
}
