//! Owns [`Work`]: one worker's stream, from its hello to its end.
//!
//! Invariants: what the worker says is read by a task of its own, so a worker that is slow to listen can
//! still speak; what it is told is gathered into as few frames as there can be, each small enough for any
//! client; when either direction ends, both end and the engine knows.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use api::v1;
use engine::{ToWorker, WorkerLink, WorkerVoice};
use futures::Stream;
use kernel::Delivery;
use tokio::task::JoinHandle;
use tonic::{Status, Streaming};

use crate::grpc::status::refused;
use crate::grpc::{answer, request};
use crate::refusal::Refusal;

/// Bytes of task inputs that a frame holds before it is sent; one input alone may be larger.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Receipts and cancels that a frame holds before it is sent.
const FRAME_TOKENS_MAX: usize = 10_000;

/// What one worker is told, as a stream of frames.
pub(super) struct Work {
    link: WorkerLink,
    reader: JoinHandle<Result<(), Status>>,
    welcome: Option<v1::Welcome>,
    /// Tasks that did not fit into the frame before.
    tasks: VecDeque<Delivery>,
    over: bool,
}

impl Work {
    /// Welcomes a worker that has said hello.
    pub(super) fn new(link: WorkerLink, frames: Streaming<v1::WorkerFrame>) -> Work {
        let welcome = v1::Welcome {
            session: link.session.0,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            grace_ms: link.grace_ms,
        };
        let reader = tokio::spawn(read(frames, link.voice()));
        Work {
            link,
            reader,
            welcome: Some(welcome),
            tasks: VecDeque::new(),
            over: false,
        }
    }

    /// Everything there is to say now; none if the engine has stopped.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<v1::ServerFrame>> {
        let mut frame = v1::ServerFrame {
            welcome: self.welcome.take(),
            ..v1::ServerFrame::default()
        };
        let mut bytes = 0;
        loop {
            while bytes < FRAME_BYTES_MAX
                && let Some(delivery) = self.tasks.pop_front()
            {
                let task = answer::task(&delivery);
                bytes += task.input.len();
                frame.tasks.push(task);
            }
            if !self.tasks.is_empty()
                || frame.receipts.len() + frame.cancels.len() >= FRAME_TOKENS_MAX
            {
                return Poll::Ready(Some(frame));
            }
            let is_empty = frame.welcome.is_none()
                && frame.tasks.is_empty()
                && frame.receipts.is_empty()
                && frame.cancels.is_empty();
            match self.link.poll_next(cx) {
                Poll::Ready(Some(ToWorker {
                    tasks,
                    cancels,
                    receipts,
                })) => {
                    self.tasks.extend(tasks);
                    frame.cancels.extend(cancels.into_iter().map(answer::token));
                    frame
                        .receipts
                        .extend(receipts.into_iter().map(answer::receipt));
                }
                Poll::Ready(None) if is_empty => return Poll::Ready(None),
                Poll::Pending if is_empty => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => return Poll::Ready(Some(frame)),
            }
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Status>> {
        Poll::Ready(match ready!(Pin::new(&mut self.reader).poll(cx)) {
            Ok(Ok(())) => None,
            Ok(Err(status)) => Some(status),
            Err(_) => Some(Status::internal(
                "reading what the worker said was given up",
            )),
        })
    }
}

impl Stream for Work {
    type Item = Result<v1::ServerFrame, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let work = self.get_mut();
        if work.over {
            return Poll::Ready(None);
        }
        let end = match work.poll_frame(cx) {
            Poll::Ready(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
            Poll::Ready(None) => Some(refused(engine::AskError::Stopped)),
            Poll::Pending => ready!(work.poll_end(cx)),
        };
        work.over = true;
        Poll::Ready(end.map(Err))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Passes on what the worker says until it says no more.
async fn read(mut frames: Streaming<v1::WorkerFrame>, voice: WorkerVoice) -> Result<(), Status> {
    while let Some(frame) = frames.message().await? {
        if frame.hello.is_some() {
            return Err(Refusal::argument("hello", "belongs into the first frame only").into());
        }
        voice.send(request::said(frame)?).map_err(refused)?;
    }
    Ok(())
}
