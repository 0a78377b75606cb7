//! Owns `quadrille list`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use sdk::{Client, Json, RunFilter, RunState};
use serde_json::Value;

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use crate::output::run::{self, RunRecord};
use crate::output::schedule::{self, ScheduleRecord};
use crate::output::time;
use crate::output::workflow::{self, WorkflowRecord};

/// The most runs that one page of the server holds.
const PAGE_MAX: usize = 1_000;

/// Names of the states that runs can be in.
const STATES: [&str; 8] = [
    "running",
    "waiting",
    "suspended",
    "incident",
    "completed",
    "failed",
    "cancelled",
    "terminated",
];

/// List things
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille list runs --workflow order --state failed --since 2d\n  \
                        quadrille list runs --label region=eu --attribute amount=12 -o json\n  \
                        quadrille list workflows"
)]
pub(crate) struct List {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Runs, the newest first
    Runs(Runs),
    /// Workflows and their versions
    Workflows,
    /// Schedules
    Schedules,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  quadrille list runs --state incident\n  \
                        quadrille list runs --workflow order --since 2d --limit 1000 -o json")]
struct Runs {
    /// Of this workflow
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// In this state; may be given again
    #[arg(long = "state", value_parser = PossibleValuesParser::new(STATES))]
    states: Vec<String>,
    /// With this label; may be given again
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = input::pair)]
    labels: Vec<(String, String)>,
    /// With this search attribute, its value JSON or else a text; may be given again
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = input::attribute)]
    attributes: Vec<(String, Value)>,
    /// Started since then: an instant such as 2026-01-31T12:00:00Z, or so long ago, such as 90s or 2d
    #[arg(long, value_name = "TIME", value_parser = time::parse_since)]
    since: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        match self.what {
            What::Runs(runs) => runs.list(context, &client).await,
            What::Workflows => {
                let workflows = client.workflows().await?;
                let records: Vec<_> = workflows.iter().map(WorkflowRecord::from).collect();
                context.show(&records, || workflow::table(&workflows, context.paint()))
            }
            What::Schedules => schedules(context, &client).await,
        }
    }
}

/// Prints all schedules.
pub(crate) async fn schedules(context: &Context, client: &Client) -> Result<(), Complaint> {
    let schedules = client.schedules().await?;
    let records: Vec<_> = schedules.iter().map(ScheduleRecord::from).collect();
    context.show(&records, || schedule::table(&schedules, context.paint()))
}

impl Runs {
    async fn list(self, context: &Context, client: &Client) -> Result<(), Complaint> {
        let limit = self.limit as usize;
        let filter = self.filter()?;
        let mut runs = Vec::new();
        let mut next = None;
        loop {
            let wanted = (limit - runs.len()).min(PAGE_MAX);
            let page = client
                .list(
                    filter.clone(),
                    u32::try_from(wanted).unwrap_or(u32::MAX),
                    next,
                )
                .await?;
            runs.extend(page.runs);
            runs.truncate(limit);
            next = page.next;
            if next.is_none() || runs.len() == limit {
                break;
            }
        }
        let records: Vec<_> = runs.iter().map(RunRecord::from).collect();
        context.show(&records, || {
            run::table(&runs, time::now_ms(), context.paint())
        })?;
        if next.is_some() {
            context.note(&format!(
                "there may be more than these {limit}; raise --limit to see them"
            ));
        }
        Ok(())
    }

    fn filter(self) -> Result<RunFilter, Complaint> {
        let attributes = self.attributes.into_iter();
        let attributes: Result<_, sdk::Error> = attributes
            .map(|(name, value)| Ok((name, Json::encode(&value)?)))
            .collect();
        Ok(RunFilter {
            workflow: self.workflow,
            states: self
                .states
                .iter()
                .map(|state| RunState::from_name(state))
                .collect(),
            started_after_ms: self.since,
            labels: self.labels.into_iter().collect(),
            attributes: attributes?,
            ..RunFilter::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_known() {
        for state in STATES {
            assert_eq!(RunState::from_name(state).name(), state);
        }
    }
}
