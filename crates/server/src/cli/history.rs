//! Owns `quadrille history`.

use std::time::Duration;

use clap::Args;
use sdk::{Client, HistoryEvent};
use tokio::time::{Instant, sleep};

use super::complaint::Complaint;
use super::context::Context;
use crate::output::event::{self, EventRecord};

/// How long a server may be away while its run is followed.
const AWAY_MAX: Duration = Duration::from_secs(30);

/// How long to leave a server alone that is away.
const AWAY_PAUSE: Duration = Duration::from_millis(500);

/// Show everything that happened in a run, the oldest first
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille history 0192f3c4-…\n  quadrille history 0192f3c4-… --follow\n  \
                        quadrille history 0192f3c4-… --follow -o json | jq .kind"
)]
pub(crate) struct History {
    /// The run
    id: String,
    /// Go on until the run ends; with -o json one event on each line
    #[arg(short, long)]
    follow: bool,
}

impl History {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        if self.follow {
            let mut next = 0;
            return follow(&client, &self.id, async || {
                watch(context, &client, &self.id, &mut next).await
            })
            .await;
        }
        let mut all = Vec::new();
        let lines = |events: &[HistoryEvent]| -> String {
            events
                .iter()
                .map(|event| event::line(event, context.paint()))
                .collect()
        };
        pages(&client, &self.id, |events| {
            match context.is_json() {
                true => all.extend(events),
                false => context.print(&lines(&events))?,
            }
            Ok(())
        })
        .await?;
        match context.is_json() {
            true => context.show(
                &all.iter().map(EventRecord::from).collect::<Vec<_>>(),
                String::new,
            ),
            false => Ok(()),
        }
    }
}

/// Gives all events of a run, page by page.
pub(crate) async fn pages(
    client: &Client,
    id: &str,
    mut each: impl FnMut(Vec<HistoryEvent>) -> Result<(), Complaint>,
) -> Result<(), Complaint> {
    let mut next = Some(0);
    while let Some(from) = next {
        let page = client.history(id, from, 0).await?;
        next = page.next;
        each(page.events)?;
    }
    Ok(())
}

/// Watches what happens, again and again until the run has ended, through restarts of the server.
pub(super) async fn follow(
    client: &Client,
    id: &str,
    mut watch: impl AsyncFnMut() -> Result<(), Complaint>,
) -> Result<(), Complaint> {
    let mut seen = Instant::now();
    loop {
        match watch().await {
            // The stream also ends for a watcher that was too slow; only the run itself knows.
            Ok(()) if client.get(id).await?.state.has_ended() => return Ok(()),
            Ok(()) => seen = Instant::now(),
            Err(complaint) if complaint.is_passing() && seen.elapsed() < AWAY_MAX => {
                sleep(AWAY_PAUSE).await;
            }
            Err(complaint) => return Err(complaint),
        }
    }
}

/// Prints events from number `next` on until the stream ends.
async fn watch(
    context: &Context,
    client: &Client,
    id: &str,
    next: &mut u64,
) -> Result<(), Complaint> {
    let mut watch = client.watch(id, *next).await?;
    while let Some(event) = watch.next().await? {
        *next = event.number + 1;
        let line = match context.is_json() {
            true => serde_json::to_string(&EventRecord::from(&event)).unwrap_or_default() + "\n",
            false => event::line(&event, context.paint()),
        };
        context.print(&line)?;
    }
    Ok(())
}
