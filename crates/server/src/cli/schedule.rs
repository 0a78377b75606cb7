//! Owns `quadrille schedule`.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};
use sdk::Timing;
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;
use super::{get, input, list};
use crate::output::schedule::{CATCH_UPS, OVERLAPS};
use crate::output::time;

/// Start runs by the clock, after each other, or by events
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                        quadrille schedule put nightly --workflow report --cron '0 2 * * *' --time-zone Europe/Berlin\n  \
                        quadrille schedule put poll --workflow poll --every 30s --overlap skip\n  \
                        quadrille schedule pause nightly")]
pub(crate) struct Schedule {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Put(Box<Put>),
    /// Get one schedule
    Get {
        /// The schedule
        name: String,
    },
    /// List all schedules
    List,
    /// Remove a schedule; runs that it started go on
    Delete {
        /// The schedule
        name: String,
    },
    /// Let a schedule rest
    Pause {
        /// The schedule
        name: String,
    },
    /// Let a schedule go on
    Resume {
        /// The schedule
        name: String,
    },
}

/// Make a schedule, or change the one of this name
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                  quadrille schedule put nightly --workflow report --cron '0 2 * * *' --time-zone Europe/Berlin\n  \
                  quadrille schedule put poll --workflow poll --every 30s --input '{\"page\": 1}'")]
#[command(group = ArgGroup::new("timing").required(true).args(["cron", "every", "after", "on_events"]))]
struct Put {
    /// The schedule
    name: String,
    /// The workflow to start
    #[arg(long)]
    workflow: String,
    /// Its version; the latest at each start if none is named
    #[arg(long)]
    version: Option<String>,
    /// Start at the times of this cron expression: five fields, or six with seconds first
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// Time zone of --cron, such as Europe/Berlin; UTC if not given
    #[arg(long, value_name = "ZONE", requires = "cron")]
    time_zone: Option<String>,
    /// Start once in each such span, such as 90s or 1h30m
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span)]
    every: Option<Duration>,
    /// Start so long after the run before has ended, such as 90s or 1h30m
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span)]
    after: Option<Duration>,
    /// Start when the events come that the workflow names under `schedule.on`
    #[arg(long)]
    on_events: bool,
    /// Input of each run: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// What to do if the run before has not ended
    #[arg(long, default_value = "skip", value_parser = PossibleValuesParser::new(OVERLAPS.map(|(word, _)| word)))]
    overlap: String,
    /// What to do about starts that were missed
    #[arg(long, default_value = "skip", value_parser = PossibleValuesParser::new(CATCH_UPS.map(|(word, _)| word)))]
    catch_up: String,
    /// Let it rest until it is resumed
    #[arg(long)]
    paused: bool,
}

#[derive(Debug, Serialize)]
struct Done {
    name: String,
    done: &'static str,
}

impl Schedule {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        let (name, done) = match self.action {
            Action::List => return list::schedules(context, &client).await,
            Action::Get { name } => return get::schedule(context, &client, &name).await,
            Action::Put(put) => {
                let name = put.name.clone();
                client.put_schedule(put.schedule()?).await?;
                (name, "put")
            }
            Action::Delete { name } => {
                client.delete_schedule(&name).await?;
                (name, "deleted")
            }
            Action::Pause { name } => {
                client.pause_schedule(&name).await?;
                (name, "paused")
            }
            Action::Resume { name } => {
                client.resume_schedule(&name).await?;
                (name, "resumed")
            }
        };
        let done = Done { name, done };
        context.show(&done, || format!("{} {}\n", done.name, done.done))
    }
}

impl Put {
    fn schedule(self) -> Result<sdk::Schedule, Complaint> {
        let timing = match (self.cron, self.every, self.after) {
            (Some(expression), ..) => Timing::Cron {
                expression,
                time_zone: self.time_zone,
            },
            (None, Some(every), _) => Timing::Every(every),
            (None, None, Some(after)) => Timing::After(after),
            (None, None, None) => Timing::OnEvents,
        };
        let mut schedule = sdk::Schedule::new(self.name, self.workflow, timing);
        if let Some(input) = &self.input {
            schedule = schedule.with_input(&input::data("--input", input)?)?;
        }
        Ok(sdk::Schedule {
            version: self.version,
            overlap: choice(&OVERLAPS, &self.overlap),
            catch_up: choice(&CATCH_UPS, &self.catch_up),
            paused: self.paused,
            ..schedule
        })
    }
}

/// The choice of a word; the parser of the arguments has let no other pass.
fn choice<T: Copy + Default>(words: &[(&str, T)], word: &str) -> T {
    words
        .iter()
        .find(|(listed, _)| *listed == word)
        .map_or_else(T::default, |(_, choice)| *choice)
}
