//! Owns `quadrille get`.

use clap::{Args, Subcommand};
use sdk::Client;

use super::complaint::Complaint;
use super::context::Context;
use crate::output::run::{self, RunDetail};
use crate::output::schedule::{self, ScheduleRecord};
use crate::output::time;
use crate::output::workflow::WorkflowDetail;

/// Get one thing
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille get run 0192f3c4-… -o json\n  quadrille get workflow order > order.yaml"
)]
pub(crate) struct Get {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A run as a row, or with -o json all of it
    Run {
        /// The run
        id: String,
    },
    /// The text of a workflow, or with -o json also what it was compiled to
    Workflow {
        /// The workflow
        name: String,
        /// Its version; the latest if none is named
        #[arg(long)]
        version: Option<String>,
    },
    /// A schedule as a row, or with -o json all of it
    Schedule {
        /// The schedule
        name: String,
    },
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        match self.what {
            What::Run { id } => {
                let run = client.get(&id).await?;
                context.show(&RunDetail::from(&run), || {
                    run::table(std::slice::from_ref(&run), time::now_ms(), context.paint())
                })
            }
            What::Workflow { name, version } => {
                let workflow = client.workflow(&name, version.as_deref()).await?;
                context.show(&WorkflowDetail::from(&workflow), || workflow.source.clone())
            }
            What::Schedule { name } => schedule(context, &client, &name).await,
        }
    }
}

/// Shows one schedule.
pub(crate) async fn schedule(
    context: &Context,
    client: &Client,
    name: &str,
) -> Result<(), Complaint> {
    let schedule = client.schedule(name).await?;
    context.show(&ScheduleRecord::from(&schedule), || {
        schedule::table(std::slice::from_ref(&schedule), context.paint())
    })
}
