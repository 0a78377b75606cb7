//! Owns `quadrille signal`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use crate::output::time;

/// Send a signal to a run; kept if it comes early
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille signal 0192f3c4-… approved --data '{\"by\": \"ada\"}'"
)]
pub(crate) struct Signal {
    /// The run
    id: String,
    /// The signal
    name: String,
    /// Data: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// How long it is kept if it comes early, such as 90s or 2d; a day if not given
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span)]
    ttl: Option<Duration>,
}

#[derive(Debug, Serialize)]
struct Signalled {
    id: String,
    signal: String,
}

impl Signal {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let data = self
            .data
            .as_deref()
            .map_or(Ok(Value::Null), |data| input::data("--data", data))?;
        let client = context.client().await?;
        client.signal(&self.id, &self.name, &data, self.ttl).await?;
        let signalled = Signalled {
            id: self.id,
            signal: self.name,
        };
        context.show(&signalled, || {
            format!("{} got {}\n", signalled.id, signalled.signal)
        })
    }
}
