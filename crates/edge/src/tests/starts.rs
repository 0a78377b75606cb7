//! The stream of starts against a real engine, without a socket.
//!
//! Invariant: nothing here waits for time; what must come is waited for with one long patience.

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1::numbered_answer::Outcome;
use api::v1::runs_client::RunsClient;
use api::v1::{self, NumberedStart, StartManyRequest, StartRunRequest};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tonic::{Code, Streaming};

use crate::tests::fixture::Server;

/// Longer than anything here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

struct Client {
    say: UnboundedSender<StartManyRequest>,
    hear: Streaming<v1::StartManyResponse>,
}

impl Client {
    async fn connect(server: &Server) -> Client {
        let (say, mut said) = unbounded_channel();
        let requests = futures::stream::poll_fn(move |context| said.poll_recv(context));
        let hear = RunsClient::new(server.router.clone())
            .start_many(requests)
            .await
            .unwrap()
            .into_inner();
        Client { say, hear }
    }

    fn start(&self, starts: impl IntoIterator<Item = (u64, StartRunRequest)>) {
        let starts = starts.into_iter().map(|(number, start)| NumberedStart {
            number,
            start: Some(start),
        });
        self.say
            .send(StartManyRequest {
                starts: starts.collect(),
            })
            .unwrap();
    }

    async fn answers(&mut self, count: usize) -> BTreeMap<u64, Outcome> {
        let mut answers = BTreeMap::new();
        while answers.len() < count {
            let message = tokio::time::timeout(PATIENCE, self.hear.message()).await;
            for answer in message.unwrap().unwrap().expect("more answers").answers {
                let outcome = answer.outcome.expect("an outcome");
                assert!(answers.insert(answer.number, outcome).is_none());
            }
        }
        answers
    }
}

fn hello(name: &str, wait_ms: u64) -> StartRunRequest {
    StartRunRequest {
        workflow: "hello".to_owned(),
        input: format!(r#"{{"name": "{name}"}}"#).into(),
        wait_ms,
        ..StartRunRequest::default()
    }
}

#[tokio::test]
async fn every_start_is_answered_by_its_number_and_a_refusal_ends_nothing() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.start((0..500).map(|number| (number, hello(&number.to_string(), 10_000))));
    client.start([
        (500, hello("durable", 0)),
        (
            501,
            StartRunRequest {
                workflow: "nothing".to_owned(),
                ..StartRunRequest::default()
            },
        ),
        (
            502,
            StartRunRequest {
                input: "{".into(),
                ..hello("", 0)
            },
        ),
    ]);
    client
        .say
        .send(StartManyRequest {
            starts: vec![NumberedStart {
                number: 503,
                start: None,
            }],
        })
        .unwrap();
    let mut answers = client.answers(504).await;
    for number in 0..500 {
        let Some(Outcome::Started(started)) = answers.remove(&number) else {
            panic!("{number}");
        };
        let run = started.run.expect("the run, as there was a wait");
        assert!(started.created && run.id == started.id);
        let greeting = format!(r#"{{"greeting":"Hello, {number}!"}}"#);
        assert_eq!(
            (run.state.as_str(), &run.output[..]),
            ("completed", greeting.as_bytes())
        );
    }
    let said = answers
        .into_values()
        .map(|outcome| match outcome {
            Outcome::Started(started) => format!("{:?}", started.run.map(|run| run.id)),
            Outcome::Refused(refused) => refused.code,
        })
        .collect::<Vec<_>>();
    let expected = [
        "None",
        "workflow-missing",
        "invalid-json",
        "invalid-argument",
    ];
    assert_eq!(said, expected);
    drop(client.say);
    assert!(client.hear.message().await.unwrap().is_none());
    server.stop().await;
}

#[tokio::test]
async fn an_idle_stream_ends_with_the_engine() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.start([(1, hello("Ada", 0))]);
    client.answers(1).await;
    server.stop().await;
    let ended = tokio::time::timeout(PATIENCE, client.hear.message()).await;
    let status = ended.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.metadata().get("quadrille-code").unwrap(), "stopped");
}
