//! Owns [`Occurrences`]: events of files that are given to a workflow while `exec` runs it.
//!
//! Invariant: events keep their order, and each comes when nothing moves by itself, so that what waits for it has
//! begun to; the same files give the same run.

use std::path::PathBuf;
use std::time::Duration;

use sdk::{Client, RunFilter, RunState};
use tokio::time::sleep;

use super::complaint::Complaint;
use super::context::Context;
use super::source::Source;
use graph::Value;

/// How long to leave runs alone that have something to do.
const PAUSE: Duration = Duration::from_millis(20);

/// Events to come, the next one first.
#[derive(Clone, Debug)]
pub(crate) struct Occurrences(Vec<Value>);

impl Occurrences {
    /// Reads the events of files, `-` being standard input.
    ///
    /// # Errors
    /// A file cannot be read, or holds no events; what was found is said on standard error.
    pub(crate) fn read(files: &[PathBuf], context: &Context) -> Result<Occurrences, Complaint> {
        let mut all = Vec::new();
        for source in files.iter().map(|file| Source::read(file)) {
            let source = source?;
            match authoring::events(&source.text) {
                Ok(events) => all.extend(events),
                Err(findings) => {
                    source.tell(&findings, context);
                    return Err(Complaint::Unsound);
                }
            }
        }
        Ok(Occurrences(all))
    }

    /// Publishes them one after the other, each once all runs wait.
    pub(crate) async fn give(self, client: &Client) -> Result<(), Complaint> {
        let busy = RunFilter {
            states: vec![RunState::Running],
            ..RunFilter::default()
        };
        for event in self.0 {
            while !client.list(busy.clone(), 1, None).await?.runs.is_empty() {
                sleep(PAUSE).await;
            }
            client.publish(&event, None).await?;
        }
        Ok(())
    }
}
