//! Owns the load: runs started in a closed loop, to their end or until the start is durable.

use std::time::Duration;

use api::v1::StartRunRequest;
use api::v1::runs_client::RunsClient;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tonic::Request;
use tonic::transport::Channel;

use crate::arguments::Arguments;
use crate::closed_loop::{self, Caller, Plan};

/// What can be run.
const WORKFLOWS: [(&str, &str); 2] = [
    ("one-step", include_str!("../workflows/one-step.yaml")),
    ("three-step", include_str!("../workflows/three-step.yaml")),
];
/// What each run is started with.
const INPUT: &[u8] = br#"{"order":"4711","customer":"c-1","amount":12}"#;
/// How long an answer may take beyond the wait for the end of the run.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Deploys the workflow, starts runs of it, and prints what came of it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = Plan::read(arguments)?;
    let url = arguments.required("url")?;
    let workflow = arguments.text("workflow", "one-step");
    let wait_ms = arguments.number("wait-ms", 60_000)?;
    let Some((_, source)) = WORKFLOWS.iter().find(|(name, _)| *name == workflow) else {
        anyhow::bail!(
            "no workflow is named {workflow:?}; there are {}",
            WORKFLOWS.map(|(name, _)| name).join(" and ")
        );
    };
    let request = StartRunRequest {
        workflow: workflow.to_owned(),
        input: Bytes::from_static(INPUT),
        wait_ms,
        ..StartRunRequest::default()
    };
    let by_stream = match arguments.text("by", "calls") {
        "stream" => true,
        "calls" => false,
        other => anyhow::bail!("--by is calls or stream, not {other:?}"),
    };
    closed_loop::on_one_thread(async {
        let mut clients = Vec::new();
        for _ in 0..plan.channels {
            let client = sdk::Client::connect(url).await?;
            client.deploy(*source).await?;
            clients.push(client);
        }
        if by_stream {
            let callers = streaming(&plan, &clients, workflow, wait_ms).await?;
            println!("{}", closed_loop::run(plan, callers).await?);
            return Ok(());
        }
        let callers = clients
            .iter()
            .cycle()
            .take(usize::try_from(plan.concurrency)?);
        let callers = callers
            .map(|client| RunCaller {
                client: client.raw().runs(),
                request: request.clone(),
            })
            .collect();
        println!("{}", closed_loop::run(plan, callers).await?);
        Ok(())
    })
}

/// Callers that share one stream for each connection.
async fn streaming(
    plan: &Plan,
    clients: &[sdk::Client],
    workflow: &str,
    wait_ms: u64,
) -> anyhow::Result<Vec<StreamCaller>> {
    let mut callers = Vec::new();
    for client in clients {
        callers.push(StreamCaller {
            client: client.clone(),
            stream: client.start_stream().await,
            workflow: workflow.to_owned(),
            input: serde_json::from_slice(INPUT)?,
            wait_ms,
        });
    }
    let concurrency = usize::try_from(plan.concurrency)?;
    Ok(callers.into_iter().cycle().take(concurrency).collect())
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    order: String,
    customer: String,
    amount: u64,
}

#[derive(Clone)]
struct StreamCaller {
    client: sdk::Client,
    stream: sdk::StartStream,
    workflow: String,
    input: Order,
    wait_ms: u64,
}

impl Caller for StreamCaller {
    async fn call(&mut self) -> Result<(), String> {
        let start = self.client.start(self.workflow.clone()).input(&self.input);
        let start = start.wait(Duration::from_millis(self.wait_ms));
        let started = start.send_on(&self.stream).await;
        let started = started.map_err(|error| error.to_string())?;
        if !started.created {
            return Err(format!("run {} was there already", started.id));
        }
        match started.run {
            None if self.wait_ms == 0 => Ok(()),
            Some(run) if run.state == sdk::RunState::Completed => Ok(()),
            Some(run) => Err(format!("run {} is {}: {:?}", run.id, run.state, run.error)),
            None => Err(format!(
                "run {} was waited for and is not in the answer",
                started.id
            )),
        }
    }
}

struct RunCaller {
    client: RunsClient<Channel>,
    request: StartRunRequest,
}

impl Caller for RunCaller {
    async fn call(&mut self) -> Result<(), String> {
        let mut request = Request::new(self.request.clone());
        request.set_timeout(Duration::from_millis(self.request.wait_ms) + ANSWER_TIMEOUT);
        let answer = self
            .client
            .start(request)
            .await
            .map_err(|status| status.to_string())?
            .into_inner();
        if !answer.created {
            return Err(format!("run {} was there already", answer.id));
        }
        match answer.run {
            None if self.request.wait_ms == 0 => Ok(()),
            Some(run) if run.state == "completed" => Ok(()),
            Some(run) => Err(format!(
                "run {} is {}: {}",
                run.id,
                run.state,
                String::from_utf8_lossy(&run.error)
            )),
            None => Err(format!(
                "run {} was waited for and is not in the answer",
                answer.id
            )),
        }
    }
}
