//! The client against a small server on a real socket.
#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, also in a function beside it"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::v1;
use api::v1::numbered_answer::Outcome;
use api::v1::runs_server::{Runs, RunsServer};
use quadrille_sdk::{Client, Error, Json, RunFilter, RunState};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// Knows one run, `r1`, and what it was asked last.
#[derive(Clone, Default)]
struct Server {
    asked: Arc<Mutex<String>>,
}

impl Server {
    fn note(&self, message: &impl std::fmt::Debug) {
        *self.asked.lock().unwrap() = format!("{message:?}");
    }

    fn asked(&self) -> String {
        self.asked.lock().unwrap().clone()
    }
}

fn run() -> v1::Run {
    v1::Run {
        id: "r1".to_owned(),
        state: "completed".to_owned(),
        output: "[1,2]".into(),
        started_at_ms: 5,
        ended_at_ms: 9,
        ..v1::Run::default()
    }
}

fn event(number: u64) -> v1::HistoryEvent {
    v1::HistoryEvent {
        number,
        kind: "RunStarted".to_owned(),
        ..v1::HistoryEvent::default()
    }
}

fn not_found() -> Status {
    let mut status = Status::not_found("no run r2");
    let code = "run-not-found".parse().unwrap();
    status.metadata_mut().insert("quadrille-code", code);
    status
}

/// Answers that only note what was asked.
macro_rules! noted {
    ($($name:ident: $request:ident -> $answer:expr, $response:ident;)*) => {
        #[tonic::async_trait]
        impl Runs for Server {
            type WatchStream = tokio_stream::Iter<std::vec::IntoIter<Result<v1::HistoryEvent, Status>>>;

            async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
                self.note(request.get_ref());
                let events = vec![Ok(event(0)), Ok(event(1)), Err(not_found())];
                Ok(Response::new(tokio_stream::iter(events)))
            }

            type LifecycleStream = tokio_stream::Iter<std::vec::IntoIter<Result<v1::LifecycleEvent, Status>>>;

            async fn lifecycle(&self, request: Request<v1::LifecycleRequest>) -> Result<Response<Self::LifecycleStream>, Status> {
                self.note(request.get_ref());
                let told = v1::LifecycleEvent { number: 7, event: "{\"id\":\"a\"}".into() };
                Ok(Response::new(tokio_stream::iter(vec![Ok(told), Err(not_found())])))
            }

            type StartManyStream = ReceiverStream<Result<v1::StartManyResponse, Status>>;

            async fn start_many(
                &self,
                request: Request<Streaming<v1::StartManyRequest>>,
            ) -> Result<Response<Self::StartManyStream>, Status> {
                let (answers, answered) = mpsc::channel(16);
                tokio::spawn(answer_starts(self.clone(), request.into_inner(), answers));
                Ok(Response::new(ReceiverStream::new(answered)))
            }

            async fn get(&self, request: Request<v1::GetRunRequest>) -> Result<Response<v1::Run>, Status> {
                self.note(request.get_ref());
                match request.get_ref().id.as_str() {
                    "r1" => Ok(Response::new(run())),
                    _ => Err(not_found()),
                }
            }

            $(async fn $name(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                self.note(request.get_ref());
                Ok(Response::new($answer))
            })*
        }
    };
}

noted! {
    start: StartRunRequest -> v1::StartRunResponse { id: "r1".to_owned(), created: true, run: Some(run()) }, StartRunResponse;
    list: ListRunsRequest -> v1::ListRunsResponse { runs: vec![run()], next_page_token: "p2".to_owned() }, ListRunsResponse;
    count: CountRunsRequest -> v1::CountRunsResponse { count: 3, states: [("failed".to_owned(), 2), ("new".to_owned(), 1)].into() }, CountRunsResponse;
    cancel: EndRunRequest -> v1::Empty {}, Empty;
    terminate: EndRunRequest -> v1::Empty {}, Empty;
    suspend: RunRequest -> v1::Empty {}, Empty;
    resume: RunRequest -> v1::Empty {}, Empty;
    retry: RetryRunRequest -> v1::RetryRunResponse { tasks: 2 }, RetryRunResponse;
    signal: SignalRunRequest -> v1::Empty {}, Empty;
    history: HistoryRequest -> v1::HistoryResponse { events: vec![event(4)], next: 5 }, HistoryResponse;
}

/// Answers the starts of each message in reverse order; `gone` is refused, `break` ends the stream.
async fn answer_starts(
    server: Server,
    mut requests: Streaming<v1::StartManyRequest>,
    answers: mpsc::Sender<Result<v1::StartManyResponse, Status>>,
) {
    while let Ok(Some(message)) = requests.message().await {
        let mut message = message.starts;
        message.reverse();
        let mut response = v1::StartManyResponse::default();
        for v1::NumberedStart { number, start } in message {
            let start = start.unwrap();
            server.note(&start);
            let outcome = match start.workflow.as_str() {
                "break" => {
                    answers
                        .send(Err(Status::unavailable("going down")))
                        .await
                        .unwrap();
                    return;
                }
                "gone" => Outcome::Refused(v1::Refused {
                    code: "workflow-missing".to_owned(),
                    message: "no workflow gone".to_owned(),
                }),
                _ => Outcome::Started(v1::StartRunResponse {
                    id: start.key,
                    created: true,
                    run: None,
                }),
            };
            response.answers.push(v1::NumberedAnswer {
                number,
                outcome: Some(outcome),
            });
        }
        answers.send(Ok(response)).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_of_starts_gives_each_its_answer_and_opens_again_when_it_breaks() {
    let (client, server) = serve().await;
    let stream = client.start_stream().await;
    let start = |workflow: &str, key: &str| client.start(workflow).key(key).send_on(&stream);
    let keys = (0..1_000).map(|number| number.to_string());
    let mut under_way = JoinSet::new();
    for key in keys {
        let (client, stream) = (client.clone(), stream.clone());
        let start = client.start("order").key(key.clone());
        under_way.spawn(async move { (start.send_on(&stream).await.unwrap().id, key) });
    }
    while let Some(started) = under_way.join_next().await {
        let (id, key) = started.unwrap();
        assert_eq!(id, key);
    }
    let wait = Duration::from_millis(70);
    let waiting = client.start("order").label("a", "b").wait(wait);
    waiting.send_on(&stream).await.unwrap();
    let asked = server.asked();
    assert!(
        asked.contains("wait_ms: 70") && asked.contains(r#""a": "b""#),
        "{asked}"
    );
    let refused = start("gone", "").await.unwrap_err();
    assert!(matches!(refused, Error::Refused { code, .. } if code == "workflow-missing"));
    let broken = start("break", "").await.unwrap_err();
    assert!(matches!(broken, Error::Unreachable(why) if why.contains("going down")));
    assert_eq!(start("order", "again").await.unwrap().id, "again");
}

async fn serve() -> (Client, Server) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::default();
    let serving = tonic::transport::Server::builder()
        .add_service(RunsServer::new(server.clone()))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(async { serving.await.unwrap() });
    (Client::connect(url).await.unwrap(), server)
}

#[tokio::test]
async fn a_start_says_all_it_was_told() {
    let (client, server) = serve().await;
    let started = client
        .start("order")
        .version("1.0.0")
        .key("k")
        .input(&[7])
        .label("a", "b")
        .attribute("n", &1)
        .wait(Duration::from_micros(1500))
        .send()
        .await
        .unwrap();
    let expected = v1::StartRunRequest {
        workflow: "order".to_owned(),
        version: "1.0.0".to_owned(),
        input: "[7]".into(),
        key: "k".to_owned(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        attributes: [("n".to_owned(), "1".into())].into(),
        wait_ms: 2,
    };
    assert_eq!(server.asked(), format!("{expected:?}"));
    let run = started.run.unwrap();
    assert_eq!(
        (run.state, run.ended_at_ms, run.key),
        (RunState::Completed, Some(9), None)
    );
    assert_eq!(run.output.decode::<Vec<u32>>().unwrap(), [1, 2]);
    assert!(matches!(
        run.output.decode::<String>(),
        Err(Error::Decode(_))
    ));
    assert_eq!(run.error.decode::<Option<u32>>().unwrap(), None, "no data");
}

#[tokio::test]
async fn a_value_without_json_form_is_not_sent() {
    let (client, server) = serve().await;
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = client.start("order").input(&map).send().await.unwrap_err();
    assert!(matches!(error, Error::Encode(_)), "{error}");
    assert_eq!(server.asked(), "");
}

#[tokio::test]
async fn lists_counts_and_histories_come_in_types() {
    let (client, server) = serve().await;
    let filter = RunFilter {
        states: vec![RunState::Failed],
        attributes: [("n".to_owned(), Json::encode(&1).unwrap())].into(),
        ..RunFilter::default()
    };
    let page = client.list(filter.clone(), 10, None).await.unwrap();
    assert_eq!((page.runs.len(), page.next.as_deref()), (1, Some("p2")));
    assert!(
        server.asked().contains("states: [\"failed\"]"),
        "{}",
        server.asked()
    );
    let count = client.count(filter).await.unwrap();
    assert_eq!(
        (
            count.count,
            count.states[&RunState::Failed],
            count.states[&RunState::Unknown]
        ),
        (3, 2, 1)
    );
    let page = client.history("r1", 4, 1).await.unwrap();
    assert_eq!((page.events[0].number, page.next), (4, Some(5)));
    assert_eq!(client.retry("r1", None).await.unwrap(), 2);
    client.signal("r1", "go", &true, None).await.unwrap();
    assert!(
        server.asked().contains("data: b\"true\", ttl_ms: 0"),
        "{}",
        server.asked()
    );
    let mut life = client.lifecycle("r1", 7, true).await.unwrap();
    let told = life.next().await.unwrap().unwrap();
    let event: serde_json::Value = told.event.decode().unwrap();
    assert_eq!((told.number, &event["id"]), (7, &"a".into()));
    assert!(matches!(life.next().await, Err(Error::Refused { .. })));

    let mut watch = client.watch("r1", 0).await.unwrap();
    for number in 0..2 {
        assert_eq!(watch.next().await.unwrap().unwrap().number, number);
    }
    assert!(matches!(watch.next().await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let (client, _) = serve().await;
    let error = client.get("r2").await.unwrap_err();
    assert_eq!(error.to_string(), "refused (run-not-found): no run r2");
    let error = client.workflows().await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { code, .. } if code == "unimplemented"),
        "{error}"
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::connect(url)
        .await
        .unwrap()
        .get("r1")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable(text) if text.contains("refused")),
        "{error}"
    );

    for url in ["", "127.0.0.1:8080", "ftp://x", "https://x", "http://"] {
        let error = Client::connect(url).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{url}: {error}");
    }
}
