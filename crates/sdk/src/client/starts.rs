//! Owns [`StartStream`]: one stream by which many runs are begun at a fraction of what calls cost.
//!
//! Invariants: every start gets one answer or an error; when the stream breaks, those without an answer are
//! told so, and the next start opens it anew; no more than [`WAITING_MAX`] starts wait to be sent.

use std::collections::HashMap;
use std::time::Duration;

use api::v1::{self, numbered_answer::Outcome};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{CALL_TIMEOUT, Client};
use crate::error::Error;

/// Starts that wait to be sent; whoever comes then waits too.
const WAITING_MAX: usize = 1_024;
/// Starts in one message.
const MESSAGE_STARTS_MAX: usize = 256;
/// Messages on their way into the stream.
const MESSAGES_MAX: usize = 4;

type Answer = Result<v1::StartRunResponse, Error>;

/// A stream of runs to begin, for programs that begin many: [`crate::Start::send_on`]. Cloning is cheap and
/// shares the stream; it ends when the last clone is gone.
#[derive(Clone, Debug)]
pub struct StartStream {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    start: v1::StartRunRequest,
    answer: oneshot::Sender<Answer>,
}

impl Client {
    /// A stream by which many runs can be begun; it is opened by the first and again when it broke.
    // Async although nothing is awaited: the stream needs the runtime that only an async function has.
    pub async fn start_stream(&self) -> StartStream {
        let (orders, ordered) = mpsc::channel(WAITING_MAX);
        tokio::spawn(serve(self.clone(), ordered));
        StartStream { orders }
    }
}

impl StartStream {
    pub(super) async fn start(&self, start: v1::StartRunRequest, wait: Duration) -> Answer {
        let (answer, answered) = oneshot::channel();
        let order = Order { start, answer };
        let gone = || Error::Unreachable("the stream of starts has ended".to_owned());
        let answer = async {
            self.orders.send(order).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        let late = |_| Error::Unreachable("no answer came in time".to_owned());
        tokio::time::timeout(wait.saturating_add(CALL_TIMEOUT), answer)
            .await
            .map_err(late)?
    }
}

/// Opens the stream as often as there are starts, until nobody can start any more.
async fn serve(client: Client, mut ordered: mpsc::Receiver<Order>) {
    let mut orders = Vec::new();
    while ordered.recv_many(&mut orders, MESSAGE_STARTS_MAX).await > 0 {
        let (requests, messages) = mpsc::channel(MESSAGES_MAX);
        let mut desk = Desk::default();
        let first = desk.message(&mut orders);
        drop(requests.try_send(first));
        let mut runs = client.raw().runs();
        let ended = match runs.start_many(ReceiverStream::new(messages)).await {
            Ok(answers) => carry(&mut desk, &mut ordered, requests, answers.into_inner()).await,
            Err(status) => status,
        };
        desk.give_up(&ended);
    }
}

/// Carries starts and answers until the stream ends; says why it did.
async fn carry(
    desk: &mut Desk,
    ordered: &mut mpsc::Receiver<Order>,
    requests: mpsc::Sender<v1::StartManyRequest>,
    mut answers: Streaming<v1::StartManyResponse>,
) -> Status {
    let mut requests = Some(requests);
    let mut orders = Vec::new();
    let mut is_last = false;
    loop {
        if is_last {
            requests = None;
        }
        tokio::select! {
            answered = answers.message() => match answered {
                Ok(Some(answered)) => desk.take(answered),
                Ok(None) => return Status::unavailable("the server ended the stream"),
                Err(status) => return status,
            },
            room = room_and_starts(requests.as_ref(), ordered, &mut orders) => match room {
                Some(room) => room.send(desk.message(&mut orders)),
                None => is_last = true,
            },
        }
    }
}

/// Waits for room in the stream, then for starts; none when nobody can start any more.
async fn room_and_starts<'a>(
    requests: Option<&'a mpsc::Sender<v1::StartManyRequest>>,
    ordered: &mut mpsc::Receiver<Order>,
    orders: &mut Vec<Order>,
) -> Option<mpsc::Permit<'a, v1::StartManyRequest>> {
    let Some(requests) = requests else {
        return std::future::pending().await;
    };
    let Ok(room) = requests.reserve().await else {
        // The stream broke; the answers say why.
        return std::future::pending().await;
    };
    let count = ordered.recv_many(orders, MESSAGE_STARTS_MAX).await;
    (count > 0).then_some(room)
}

/// Who waits for which answer.
#[derive(Debug, Default)]
struct Desk {
    last: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Desk {
    fn message(&mut self, orders: &mut Vec<Order>) -> v1::StartManyRequest {
        let starts = orders.drain(..).map(|Order { start, answer }| {
            self.last += 1;
            self.waiting.insert(self.last, answer);
            v1::NumberedStart {
                number: self.last,
                start: Some(start),
            }
        });
        v1::StartManyRequest {
            starts: starts.collect(),
        }
    }

    fn take(&mut self, message: v1::StartManyResponse) {
        for v1::NumberedAnswer { number, outcome } in message.answers {
            let Some(waiting) = self.waiting.remove(&number) else {
                continue;
            };
            // Whoever gave up waiting misses the answer.
            let _ = waiting.send(match outcome {
                Some(Outcome::Started(started)) => Ok(started),
                Some(Outcome::Refused(v1::Refused { code, message })) => {
                    Err(Error::Refused { code, message })
                }
                None => Err(Error::Unreachable("an answer was empty".to_owned())),
            });
        }
    }

    /// The stream ended: whether what was not answered has happened is unknown.
    fn give_up(&mut self, ended: &Status) {
        for (_, waiting) in self.waiting.drain() {
            let _ = waiting.send(Err(ended.clone().into()));
        }
    }
}
