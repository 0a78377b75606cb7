//! Owns `quadrille describe`.

use std::collections::VecDeque;

use clap::{Args, Subcommand};
use sdk::{Client, HistoryEvent, RunFilter};
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;
use super::history::pages;
use crate::output::event::EventRecord;
use crate::output::run::RunDetail;
use crate::output::schedule::ScheduleRecord;
use crate::output::workflow::WorkflowDetail;
use crate::output::{description, time};

/// How many events the description of a run ends with.
const EVENTS_SHOWN: usize = 10;

/// Describe one thing at length
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille describe run 0192f3c4-…\n  quadrille describe workflow order\n  \
                        quadrille describe schedule nightly"
)]
pub(crate) struct Describe {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A run: what it does now, what went wrong, its last events
    Run {
        /// The run
        id: String,
    },
    /// A workflow: its versions, how its runs stand, its text
    Workflow {
        /// The workflow
        name: String,
        /// The version whose text is shown; the latest if none is named
        #[arg(long)]
        version: Option<String>,
    },
    /// A schedule
    Schedule {
        /// The schedule
        name: String,
    },
}

#[derive(Serialize)]
struct RunDescription<'r> {
    #[serde(flatten)]
    run: RunDetail<'r>,
    events: Vec<EventRecord<'r>>,
}

impl Describe {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        match self.what {
            What::Run { id } => {
                let run = client.get(&id).await?;
                let events = last_events(&client, &id).await?;
                let events_shown = events.iter().map(EventRecord::from).collect();
                let record = RunDescription {
                    run: RunDetail::from(&run),
                    events: events_shown,
                };
                context.show(&record, || {
                    description::run(&run, &events, time::now_ms(), context.paint())
                })
            }
            What::Workflow { name, version } => {
                let workflow = client.workflow(&name, version.as_deref()).await?;
                let mut versions = client.workflows().await?;
                versions.retain(|version| version.workflow == workflow.workflow);
                let filter = RunFilter {
                    workflow: Some(name),
                    ..RunFilter::default()
                };
                let count = client.count(filter).await?;
                context.show(&WorkflowDetail::from(&workflow), || {
                    description::workflow(&workflow, &versions, &count, context.paint())
                })
            }
            What::Schedule { name } => {
                let schedule = client.schedule(&name).await?;
                context.show(&ScheduleRecord::from(&schedule), || {
                    description::schedule(&schedule, context.paint())
                })
            }
        }
    }
}

/// The last events of a run. All pages are asked for, few are kept.
async fn last_events(client: &Client, id: &str) -> Result<Vec<HistoryEvent>, Complaint> {
    let mut last = VecDeque::new();
    pages(client, id, |events| {
        last.extend(events);
        last.drain(..last.len().saturating_sub(EVENTS_SHOWN));
        Ok(())
    })
    .await?;
    Ok(last.into())
}
