//! Owns `quadrille human`: finding human tasks, and what a person does about one.
//!
//! Invariant: who asks is always said, by `--by` or QUADRILLE_USER, and never guessed.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use sdk::HumanFilter;
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use crate::output::human::{self, HumanDetail, HumanRecord};
use crate::output::time;

/// The most human tasks that one page of the server holds.
const PAGE_MAX: usize = 1_000;

/// Names of the states that human tasks can be in.
const STATES: [&str; 5] = ["ready", "claimed", "completed", "rejected", "withdrawn"];

/// Work that waits for people
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                        quadrille human list --group reviewers\n  \
                        quadrille human claim 0192f3c4-….3 --by alice\n  \
                        quadrille human complete 0192f3c4-….3 --by alice --outcome approve --data '{\"amount\": 12}'")]
pub(crate) struct Human {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    /// Get one human task, open or closed
    Get {
        /// The human task
        id: String,
    },
    /// Take a human task that nobody else has
    Claim(Act),
    /// Give a human task back, for others to take
    Release(Act),
    Assign(Assign),
    Complete(Complete),
    Reject(Reject),
    Comment(Comment),
}

/// List human tasks, the most urgent first: open ones, or of one run also those that are closed
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  quadrille human list --assignee alice\n  \
                        quadrille human list --group reviewers --state ready -o json\n  \
                        quadrille human list --run 0192f3c4-… --state completed")]
struct List {
    /// In this state; may be given again. Closed ones need --run
    #[arg(long = "state", value_parser = PossibleValuesParser::new(STATES))]
    states: Vec<String>,
    /// That this person has
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// That members of this group may take
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Of this workflow
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Of this run
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Which human task, and who asks.
#[derive(Args, Debug)]
struct Act {
    /// The human task
    id: String,
    /// Your name; the server does not verify it
    #[arg(
        long,
        value_name = "NAME",
        env = "QUADRILLE_USER",
        hide_env_values = true
    )]
    by: String,
}

/// Give a human task to someone, whoever has it now
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille human assign 0192f3c4-….3 --to bob --by alice\n  \
                        quadrille human assign 0192f3c4-….3 --group heads --by alice"
)]
struct Assign {
    #[command(flatten)]
    act: Act,
    /// Who gets it; whoever takes it if left out
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// A group whose members may take it; may be given again. As before if left out
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
}

/// Say that a human task is done: its run goes on
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille human complete 0192f3c4-….3 --by alice --outcome approve\n  \
                        quadrille human complete 0192f3c4-….3 --by alice --data @answer.json --comment 'as agreed'"
)]
struct Complete {
    #[command(flatten)]
    act: Act,
    /// One of the task's outcomes; if it names none, any name
    #[arg(long, value_name = "NAME")]
    outcome: Option<String>,
    /// What you give: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// What you say about it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Refuse a human task: its step fails, which the workflow may catch
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille human reject 0192f3c4-….3 --by alice --reason 'too expensive'"
)]
struct Reject {
    #[command(flatten)]
    act: Act,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Say something about a human task
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille human comment 0192f3c4-….3 'who knows the customer?' --by alice"
)]
struct Comment {
    #[command(flatten)]
    act: Act,
    /// What you say
    text: String,
}

#[derive(Debug, Serialize)]
struct Done {
    id: String,
    done: &'static str,
}

impl Human {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        let (id, done) = match self.action {
            Action::List(list) => return list.run(context, &client).await,
            Action::Get { id } => {
                let work = client.human_task(&id).await?;
                let record = HumanDetail::from(&work);
                return context.show(&record, || human::describe(&work, context.paint()));
            }
            Action::Claim(Act { id, by }) => {
                client.claim_human_task(&id, &by).await?;
                (id, "claimed")
            }
            Action::Release(Act { id, by }) => {
                client.release_human_task(&id, &by).await?;
                (id, "released")
            }
            Action::Assign(assign) => {
                let Act { id, by } = assign.act;
                let groups = (!assign.groups.is_empty()).then_some(assign.groups);
                let to = assign.to.as_deref();
                client.assign_human_task(&id, &by, to, groups).await?;
                (id, "assigned")
            }
            Action::Complete(complete) => {
                let Act { id, by } = complete.act;
                let data = complete.data.as_deref();
                let data = data.map(|data| input::data("--data", data)).transpose()?;
                let (outcome, comment) = (complete.outcome.as_deref(), complete.comment.as_deref());
                client
                    .complete_human_task(&id, &by, outcome, &data.unwrap_or_default(), comment)
                    .await?;
                (id, "completed")
            }
            Action::Reject(reject) => {
                let Act { id, by } = reject.act;
                let reason = reject.reason.as_deref();
                client.reject_human_task(&id, &by, reason).await?;
                (id, "rejected")
            }
            Action::Comment(comment) => {
                let Act { id, by } = comment.act;
                client.comment_human_task(&id, &by, &comment.text).await?;
                (id, "commented")
            }
        };
        let done = Done { id, done };
        context.show(&done, || format!("{} {}\n", done.id, done.done))
    }
}

impl List {
    async fn run(self, context: &Context, client: &sdk::Client) -> Result<(), Complaint> {
        let limit = self.limit as usize;
        let filter = HumanFilter {
            states: self.states,
            assignee: self.assignee,
            group: self.group,
            workflow: self.workflow,
            run: self.run,
        };
        let (mut tasks, mut next) = (Vec::new(), None);
        loop {
            let wanted = (limit - tasks.len()).min(PAGE_MAX);
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            let page = client.human_tasks(filter.clone(), wanted, next).await?;
            tasks.extend(page.tasks);
            next = page.next;
            if next.is_none() || tasks.len() >= limit {
                break;
            }
        }
        let records: Vec<_> = tasks.iter().map(HumanRecord::from).collect();
        context.show(&records, || {
            human::table(&tasks, time::now_ms(), context.paint())
        })?;
        if next.is_some() {
            context.note(&format!(
                "there may be more than these {limit}; raise --limit to see them"
            ));
        }
        Ok(())
    }
}
