//! Owns `quadrille publish`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use crate::output::time;

/// Offer an event to every run that waits for it; kept if none does
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille publish --type order.paid --data '{\"order\": 17}'\n  \
                        quadrille publish --file event.json"
)]
pub(crate) struct Publish {
    /// Type of the event
    #[arg(
        long = "type",
        value_name = "TYPE",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    kind: Option<String>,
    /// Data of the event: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON", conflicts_with = "file")]
    data: Option<String>,
    /// The whole event: a file with a JSON object that has at least "type", or - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How long it is kept if nobody waits, such as 90s or 2d; a day if not given
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span)]
    ttl: Option<Duration>,
}

#[derive(Debug, Serialize)]
struct Published {
    receivers: u32,
}

impl Publish {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let ttl = self.ttl;
        let event = self.event()?;
        let client = context.client().await?;
        let published = Published {
            receivers: client.publish(&event, ttl).await?,
        };
        context.show(&published, || match published.receivers {
            0 => "nobody waits for it: kept\n".to_owned(),
            receivers => format!("received by {receivers}\n"),
        })
    }

    fn event(self) -> Result<Value, Complaint> {
        if let Some(file) = self.file {
            let text = input::text(&file)?;
            return serde_json::from_str(&text).map_err(|error| {
                Complaint::Usage(format!("{} is not JSON: {error}", file.display()))
            });
        }
        let mut event = json!({ "type": self.kind });
        if let Some(data) = &self.data {
            event["data"] = input::data("--data", data)?;
        }
        Ok(event)
    }
}
