//! Owns `quadrille lifecycle`.

use clap::Args;
use sdk::{Client, LifecycleEvent};
use serde_json::Value;

use super::complaint::Complaint;
use super::context::Context;
use super::history::follow;
use crate::output::paint::plain;
use crate::output::run::value;

/// Show the life of a run as CloudEvents of the Serverless Workflow DSL
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille lifecycle 0192f3c4-…\n  quadrille lifecycle 0192f3c4-… --follow\n  \
                        quadrille lifecycle 0192f3c4-… -o json | jq '.[].type'"
)]
pub(crate) struct Lifecycle {
    /// The run
    id: String,
    /// Go on until the run ends; with -o json one event on each line
    #[arg(short, long)]
    follow: bool,
}

impl Lifecycle {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        if self.follow {
            let mut seen = Seen::default();
            let again = async || {
                watch(&client, &self.id, true, &mut seen, |event| {
                    context.print(&match context.is_json() {
                        true => format!("{event}\n"),
                        false => line(&event),
                    })
                })
                .await
            };
            return follow(&client, &self.id, again).await;
        }
        let mut all = Vec::new();
        watch(&client, &self.id, false, &mut Seen::default(), |event| {
            match context.is_json() {
                true => all.push(event),
                false => context.print(&line(&event))?,
            }
            Ok(())
        })
        .await?;
        match context.is_json() {
            true => context.show(&all, String::new),
            false => Ok(()),
        }
    }
}

/// How far a stream has come: the fact, and how many events it has told.
#[derive(Default)]
struct Seen {
    number: u64,
    told: usize,
}

/// Gives the events that were not seen yet, until the stream ends.
async fn watch(
    client: &Client,
    id: &str,
    follow: bool,
    seen: &mut Seen,
    mut each: impl FnMut(Value) -> Result<(), Complaint>,
) -> Result<(), Complaint> {
    let mut stream = client.lifecycle(id, seen.number, follow).await?;
    let mut again = seen.told;
    while let Some(LifecycleEvent { number, event }) = stream.next().await? {
        if number != seen.number {
            (seen.number, seen.told, again) = (number, 0, 0);
        }
        if again > 0 {
            again -= 1;
            continue;
        }
        each(value(&event))?;
        seen.told += 1;
    }
    Ok(())
}

/// An event as a line.
fn line(event: &Value) -> String {
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let kind = text(&event["type"]);
    let kind = kind
        .trim_start_matches("io.serverlessworkflow.")
        .trim_end_matches(".v1");
    let line = format!(
        "{}  {kind:<32}  {}",
        text(&event["time"]),
        text(&event["data"]["task"])
    );
    format!("{}\n", line.trim_end())
}
