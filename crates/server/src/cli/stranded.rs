//! Owns [`Stranded`]: finds out that a run of `exec` waits for what nobody can give it.
//!
//! Invariant: what may still go on by itself counts as under way: a task that its queue timeout will end, a wait in a
//! workflow with a timeout or a retry, an event that another run may emit or a file holds.

use std::cell::Cell;

use graph::{Graph, Kind, Template};
use sdk::{Client, HumanFilter, Run, RunFilter, RunState};

use super::complaint::Complaint;

/// The most runs that one look goes through.
const RUNS_MAX: u32 = 100;

/// Steps of one run of which it is certain that they are all shown.
const STEPS_MAX: usize = 100;

/// Looks in a row that must find nothing but waits, since what has just been published may not be seen at once.
const LOOKS_MIN: u32 = 2;

/// What steps do that wait for something from outside, or for others that do.
const WAITS: [&str; 5] = ["event", "region", "child", "lock", "milestone"];

/// What to do instead.
const HINT: &str = "start one with `quadrille server`, then `quadrille apply` and `quadrille run`";

/// What no worker of this process does, and what nobody sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stranded {
    tasks: Vec<Task>,
    /// Whether something can end a wait by itself: a timeout, a retry, a schedule.
    is_timed: bool,
    /// Whether more events are to come from files.
    expects_events: Cell<bool>,
    /// How often in a row all runs were found to wait for events.
    looks: Cell<u32>,
}

#[derive(Clone, Debug)]
struct Task {
    workflow: String,
    path: String,
    queue: String,
}

impl Stranded {
    /// Looks for tasks whose queue is known from the text, and for what can end a wait.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Stranded {
        let mut stranded = Stranded::default();
        let compiled = texts.into_iter().map(authoring::compile);
        for compiled in compiled.filter_map(Result::ok) {
            stranded.is_timed |= compiled.schedule.is_some() || is_timed(&compiled.graph);
            stranded.tasks.extend(tasks(&compiled.graph));
        }
        stranded.expects_events.set(true);
        stranded
    }

    /// No more events come from files.
    pub(crate) fn has_all_events(&self) {
        self.expects_events.set(false);
    }

    /// # Errors
    /// [`Complaint::Broken`] if a run waits for a person or a worker: nobody but this process knows of its server.
    pub(crate) async fn look(&self, client: &Client) -> Result<(), Complaint> {
        let page = client.human_tasks(HumanFilter::default(), 1, None).await?;
        if let Some(task) = page.tasks.first() {
            return Err(Complaint::Broken(format!(
                "the human task {:?} needs a server that people can reach\nhint: {HINT}",
                task.title
            )));
        }
        if self.tasks.is_empty() && (self.is_timed || self.expects_events.get()) {
            return Ok(());
        }
        let open = RunFilter {
            states: vec![RunState::Running, RunState::Waiting],
            ..RunFilter::default()
        };
        let listed = client.list(open, RUNS_MAX, None).await?.runs;
        let mut runs = Vec::new();
        for listed in &listed {
            runs.push(client.get(&listed.id).await?);
        }
        for run in &runs {
            self.look_at_tasks(run)?;
        }
        self.look_at_events(&runs)
    }

    fn look_at_tasks(&self, run: &Run) -> Result<(), Complaint> {
        let mut steps = run.steps.iter().filter(|step| step.kind == "task");
        let stuck = steps.find_map(|step| {
            let mut tasks = self.tasks.iter();
            let task =
                tasks.find(|task| task.workflow == run.workflow && task.path == step.path)?;
            Some((step, task))
        });
        stuck.map_or(Ok(()), |(step, task)| {
            Err(Complaint::Broken(format!(
                "the task {:?} at {} needs a worker of queue {:?}, and a server that it can reach\nhint: {HINT}; \
                 or let `quadrille test` answer for the worker",
                step.name, step.path, task.queue
            )))
        })
    }

    fn look_at_events(&self, runs: &[Run]) -> Result<(), Complaint> {
        let steps = || runs.iter().flat_map(|run| &run.steps);
        let is_over = runs.len() < RUNS_MAX as usize
            && !self.is_timed
            && !self.expects_events.get()
            && runs
                .iter()
                .all(|run| (1..STEPS_MAX).contains(&run.steps.len()))
            && steps().all(|step| WAITS.contains(&step.kind.as_str()));
        let Some(step) = steps().find(|step| is_over && step.kind == "event") else {
            self.looks.set(0);
            return Ok(());
        };
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() < LOOKS_MIN {
            return Ok(());
        }
        Err(Complaint::Broken(format!(
            "the task {:?} at {} waits {}, and nobody sends one\nhint: give it with `--event FILE`, or {HINT}",
            step.name, step.path, step.detail
        )))
    }
}

/// The tasks of a workflow that wait for a worker as long as it takes.
fn tasks(graph: &Graph) -> impl Iterator<Item = Task> {
    graph.nodes.iter().filter_map(|node| {
        let Kind::Task(task) = &node.kind else {
            return None;
        };
        let Template::Literal(queue) = &task.queue else {
            return None;
        };
        let queue = queue.as_text()?.to_string();
        let waits_for_ever = task.queue_timeout.is_none();
        (waits_for_ever && !connectors::QUEUES.contains(&queue.as_str())).then(|| Task {
            workflow: graph.workflow.to_string(),
            path: node.path.to_string(),
            queue,
        })
    })
}

/// Whether time alone may end a wait of a workflow.
fn is_timed(graph: &Graph) -> bool {
    let retries = |kind: &Kind| match kind {
        Kind::Try(tried) => tried.catch.iter().any(|catch| catch.retry.is_some()),
        _ => false,
    };
    let mut nodes = graph.nodes.iter();
    graph.timeout.is_some() || nodes.any(|node| node.timeout.is_some() || retries(&node.kind))
}
