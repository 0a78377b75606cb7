//! Owns `quadrille run`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use super::waiting::{Help, until_end};
use crate::output::time;

/// Start a run
///
/// Prints the id of the run, or with --wait its output once it has completed.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille run order --input '{\"amount\": 12}' --key order-17\n  \
                        quadrille run order --input @order.json --wait --timeout 5m\n  \
                        id=$(quadrille run report --label region=eu)"
)]
pub(crate) struct Run {
    /// The workflow
    name: String,
    /// Its version; the latest if none is named
    #[arg(long)]
    version: Option<String>,
    /// Input: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Business key: the same key finds the same run
    #[arg(long)]
    key: Option<String>,
    /// Label; may be given again
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = input::pair)]
    labels: Vec<(String, String)>,
    /// Search attribute, its value JSON or else a text; may be given again
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = input::attribute)]
    attributes: Vec<(String, Value)>,
    /// Wait for the end and print the output
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, such as 90s or 1h30m
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span, requires = "wait")]
    timeout: Option<Duration>,
}

#[derive(Debug, Serialize)]
struct Started {
    id: String,
    created: bool,
}

impl Run {
    /// Whether it waits for the run's output.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }

    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        let mut start = client.start(self.name);
        if let Some(input) = &self.input {
            start = start.input(&input::data("--input", input)?);
        }
        if let Some(version) = self.version {
            start = start.version(version);
        }
        if let Some(key) = self.key {
            start = start.key(key);
        }
        for (name, value) in self.labels {
            start = start.label(name, value);
        }
        for (name, value) in &self.attributes {
            start = start.attribute(name, value);
        }
        let started = start.send().await?;
        if !started.created {
            context.note(&format!(
                "the key belongs to run {}, which was there already",
                started.id
            ));
        }
        if !self.wait {
            let started = Started {
                id: started.id,
                created: started.created,
            };
            return context.show(&started, || format!("{}\n", started.id));
        }
        let output = until_end(context, &client, &started.id, self.timeout, Help::Comes).await?;
        context.print(&format!("{output}\n"))
    }
}
