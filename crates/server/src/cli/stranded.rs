//! Owns [`Stranded`]: finds out that a run of `exec` waits for what nobody can give it.
//!
//! Invariant: what may still go on by itself counts as under way: a task that its queue timeout will end, an event
//! that another run may emit.

use graph::{Kind, Template};
use sdk::{Client, HumanFilter, RunFilter, RunState};

use super::complaint::Complaint;

/// The most runs that one look goes through.
const RUNS_MAX: u32 = 100;

/// What to do instead.
const HINT: &str =
    "hint: start one with `quadrille server`, then `quadrille apply` and `quadrille run`";

/// The tasks of workflows that no worker of this process takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stranded {
    tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
struct Task {
    workflow: String,
    path: String,
    queue: String,
}

impl Stranded {
    /// Looks for tasks whose queue is known from the text.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Stranded {
        let graphs = texts.into_iter().filter_map(|text| {
            let compiled = authoring::compile(text).ok()?;
            Some(compiled.graph)
        });
        let tasks = graphs.flat_map(|graph| {
            let workflow = graph.workflow.to_string();
            graph.nodes.into_iter().filter_map(move |node| {
                let Kind::Task(task) = node.kind else {
                    return None;
                };
                let Template::Literal(queue) = &task.queue else {
                    return None;
                };
                let queue = queue.as_text()?.to_string();
                let waits_for_ever = task.queue_timeout.is_none();
                (waits_for_ever && !connectors::QUEUES.contains(&queue.as_str())).then(|| Task {
                    workflow: workflow.clone(),
                    path: node.path.to_string(),
                    queue,
                })
            })
        });
        Stranded {
            tasks: tasks.collect(),
        }
    }

    /// # Errors
    /// [`Complaint::Broken`] if a run waits for a person or a worker: nobody but this process knows of its server.
    pub(crate) async fn look(&self, client: &Client) -> Result<(), Complaint> {
        let page = client.human_tasks(HumanFilter::default(), 1, None).await?;
        if let Some(task) = page.tasks.first() {
            return Err(Complaint::Broken(format!(
                "the human task {:?} needs a server that people can reach\n{HINT}",
                task.title
            )));
        }
        if self.tasks.is_empty() {
            return Ok(());
        }
        let open = RunFilter {
            states: vec![RunState::Running, RunState::Waiting],
            ..RunFilter::default()
        };
        for listed in client.list(open, RUNS_MAX, None).await?.runs {
            let run = client.get(&listed.id).await?;
            let mut steps = run.steps.iter().filter(|step| step.kind == "task");
            let stuck = steps.find_map(|step| {
                let mut tasks = self.tasks.iter();
                let task =
                    tasks.find(|task| task.workflow == run.workflow && task.path == step.path)?;
                Some((step, task))
            });
            if let Some((step, task)) = stuck {
                return Err(Complaint::Broken(format!(
                    "the task {:?} at {} needs a worker of queue {:?}, and a server that it can reach\n{HINT}; \
                     or let `quadrille test` answer for the worker",
                    step.name, step.path, task.queue
                )));
            }
        }
        Ok(())
    }
}
