//! Owns [`World`]: what one scenario has set up, and what it does.
//!
//! Invariant: a scenario has a server of its own, started when it first needs it, and speaks to it as anyone would.

use anyhow::{Context as _, Result, bail, ensure};
use quadrille_tests::{Server, until};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::Service;
use crate::workforce::Workforce;

/// How long a run may take.
const WAIT: &str = "30s";

/// One scenario.
#[derive(Debug)]
pub(crate) struct World {
    client: Client,
    folder: TempDir,
    server: Option<Server>,
    pub(crate) service: Service,
    pub(crate) workforce: Workforce,
    /// Texts in the order in which they are applied; the last of them is the workflow of the scenario.
    pub(crate) others: Vec<String>,
    pub(crate) definition: String,
    /// Its name, once it is applied.
    pub(crate) workflow: Option<String>,
    pub(crate) input: Option<Value>,
    pub(crate) key: Option<String>,
    /// Whether its server starts processes.
    pub(crate) processes: bool,
    /// The runs in the order in which they were started.
    pub(crate) runs: Vec<String>,
    /// What the last check found.
    pub(crate) findings: Option<Vec<Value>>,
}

impl World {
    /// One where nothing has been done yet.
    pub(crate) fn new() -> Result<World> {
        Ok(World {
            client: Client::new(),
            folder: tempfile::tempdir()?,
            server: None,
            service: Service::default(),
            workforce: Workforce::default(),
            others: Vec::new(),
            definition: String::new(),
            workflow: None,
            input: None,
            key: None,
            processes: false,
            runs: Vec::new(),
            findings: None,
        })
    }

    /// Applies the workflows, once.
    pub(crate) async fn apply(&mut self) -> Result<()> {
        if self.workflow.is_some() {
            return Ok(());
        }
        let texts = self.others.drain(..).chain([self.definition.clone()]);
        for text in texts.collect::<Vec<_>>() {
            let answer = self.post_text("/api/v1/workflows", text).await?;
            let name = answer["workflow"]
                .as_str()
                .context("a workflow has a name")?;
            self.workflow = Some(name.to_owned());
        }
        Ok(())
    }

    /// Asks what is to be said about the workflow.
    pub(crate) async fn check(&mut self) -> Result<()> {
        let answer = self
            .post_text("/api/v1/workflows/check", self.definition.clone())
            .await?;
        self.findings = Some(answer["findings"].as_array().cloned().unwrap_or_default());
        Ok(())
    }

    /// Starts a run of the workflow, or of another by its name.
    pub(crate) async fn start(&mut self, name: Option<&str>) -> Result<()> {
        self.apply().await?;
        let mut request = json!({"workflow": name.or(self.workflow.as_deref())});
        if let (Some(input), None) = (&self.input, name) {
            request["input"] = input.clone();
        }
        if let Some(key) = &self.key {
            request["key"] = key.as_str().into();
        }
        let answer = self
            .call(Method::POST, "/api/v1/runs", Some(request))
            .await?;
        let id = answer["id"].as_str().context("a run has an id")?;
        self.runs.push(id.to_owned());
        Ok(())
    }

    /// Waits for the end of the last run.
    pub(crate) async fn end(&mut self) -> Result<Value> {
        let run = self.get(&format!("?wait={WAIT}")).await?;
        ensure!(!run["ended_at"].is_null(), "the run has not ended: {run}");
        Ok(run)
    }

    /// Something about the last run.
    pub(crate) async fn get(&mut self, what: &str) -> Result<Value> {
        let path = format!("/api/v1/runs/{}{what}", self.run()?);
        self.call(Method::GET, &path, None).await
    }

    /// Does something with the last run.
    pub(crate) async fn act(&mut self, what: &str, body: Value) -> Result<Value> {
        let path = format!("/api/v1/runs/{}/{what}", self.run()?);
        self.call(Method::POST, &path, Some(body)).await
    }

    /// Does something with the open human task of this name, of the last run.
    pub(crate) async fn decide(&mut self, task: &str, what: &str, body: Value) -> Result<()> {
        self.waits_at(task).await?;
        let path = format!("/api/v1/human-tasks?run={}", self.run()?);
        let page = self.call(Method::GET, &path, None).await?;
        let mut open = page["human_tasks"].as_array().into_iter().flatten();
        let id = open
            .find(|open| open["name"] == *task)
            .and_then(|open| open["id"].as_str());
        let id = id.with_context(|| format!("{task} is not open: {page}"))?;
        let path = format!("/api/v1/human-tasks/{id}/{what}");
        self.call(Method::POST, &path, Some(body)).await.map(drop)
    }

    /// Offers an event to all runs.
    pub(crate) async fn publish(&mut self, event: Value) -> Result<()> {
        self.apply().await?;
        self.call(Method::POST, "/api/v1/events", Some(event))
            .await?;
        Ok(())
    }

    /// Waits until the last run is at a task.
    pub(crate) async fn waits_at(&mut self, task: &str) -> Result<()> {
        self.look(&format!("the run to come to {task}"), "", |run| {
            let mut steps = run["steps"].as_array().into_iter().flatten();
            steps.any(|step| step["name"] == *task)
        })
        .await
    }

    /// Waits until the last run stands so.
    pub(crate) async fn stands(&mut self, state: &str) -> Result<()> {
        self.look(&format!("the run to be {state}"), "", |run| {
            run["state"] == *state
        })
        .await
    }

    /// Waits until so many runs of the workflow have completed.
    pub(crate) async fn completed(&mut self, count: usize) -> Result<()> {
        let url = self.url("/api/v1/runs?state=completed").await?;
        let client = self.client.clone();
        until("runs to complete", async || {
            let answer = client.get(&url).send().await.ok()?;
            let page: Value = answer.json().await.ok()?;
            (page["runs"].as_array()?.len() >= count).then_some(())
        })
        .await;
        Ok(())
    }

    /// Ends the server as a crash does, and starts it again on what it left.
    pub(crate) async fn crash(&mut self) -> Result<()> {
        let server = self.server.as_mut().context("no server runs yet")?;
        server.kill().await;
        server.restart().await;
        // Connections to the killed one are of no use.
        self.client = Client::new();
        Ok(())
    }

    /// Ends the server, and waits until it is gone.
    pub(crate) async fn close(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill().await;
        }
    }

    async fn look(&mut self, what: &str, about: &str, is: impl Fn(&Value) -> bool) -> Result<()> {
        let path = format!("/api/v1/runs/{}{about}", self.run()?);
        let url = self.url(&path).await?;
        let client = self.client.clone();
        let run = until(what, async || {
            let run: Value = client.get(&url).send().await.ok()?.json().await.ok()?;
            (is(&run) || !run["ended_at"].is_null()).then_some(run)
        })
        .await;
        ensure!(is(&run), "waited for {what}, but it ended: {run}");
        Ok(())
    }

    fn run(&self) -> Result<&str> {
        let last = self.runs.last().context("the workflow was not started")?;
        Ok(last)
    }

    async fn post_text(&mut self, path: &str, text: String) -> Result<Value> {
        let url = self.url(path).await?;
        let request = self.client.post(url).header("content-type", "text/yaml");
        said(request.body(text).send().await?).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = self.url(path).await?;
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        said(request.send().await?).await
    }

    /// Where something of the server is; starts it if there is none yet.
    async fn url(&mut self, path: &str) -> Result<String> {
        if self.server.is_none() {
            let mut settings = self.service.open(self.folder.path()).await?;
            let processes = "QUADRILLE_CONNECTORS_PROCESS_ENABLED";
            settings.push((processes.to_owned(), self.processes.to_string()));
            let settings: Vec<_> = settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            self.server = Some(Server::start_with(&settings).await);
        }
        let server = self.server.as_ref().context("a server was started")?;
        let url = server.url().to_owned();
        self.workforce.start(&url)?;
        Ok(url + path)
    }
}

/// What the server answered.
async fn said(response: reqwest::Response) -> Result<Value> {
    let (status, url) = (response.status(), response.url().clone());
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{url} answered {status}: {text}");
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{url} answered {text}"))
}
