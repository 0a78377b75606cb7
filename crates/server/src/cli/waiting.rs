//! Owns [`until_end`]: waiting for a run, through restarts of the server if need be.
//!
//! Invariant: a server that went away is asked again for [`AWAY_MAX`], and not longer.

use std::time::Duration;

use sdk::{Client, Run, RunState};
use tokio::time::{Instant, sleep};

use super::complaint::Complaint;
use super::context::Context;
use super::stranded::Stranded;
use crate::output::{run, time};

/// How long one question waits; so often is the progress shown.
const LAP: Duration = Duration::from_secs(1);

/// How long a server may be away.
const AWAY_MAX: Duration = Duration::from_secs(30);

/// How long to leave a server alone that is away.
const AWAY_PAUSE: Duration = Duration::from_millis(500);

/// Whether somebody can help a run that cannot go on by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Help<'a> {
    /// Somebody will: an incident is mended, a worker or a person comes.
    Comes,
    /// Nobody can: an incident is a failure, and whoever is stranded is given up.
    Never(&'a Stranded),
}

/// The output of a run, once it has completed.
///
/// # Errors
/// The run's error if it ended otherwise, [`Complaint::GoesOn`] when the time is over, and what can go
/// wrong with the server.
pub(crate) async fn until_end(
    context: &Context,
    client: &Client,
    id: &str,
    timeout: Option<Duration>,
    help: Help<'_>,
) -> Result<serde_json::Value, Complaint> {
    let began = Instant::now();
    let mut seen = began;
    let mut noted = false;
    loop {
        let left = timeout.map_or(LAP, |timeout| timeout.saturating_sub(began.elapsed()));
        let shown = match client
            .wait(id, left.min(LAP))
            .await
            .map_err(Complaint::from)
        {
            Ok(run) if run.state.has_ended() => {
                clear(context);
                return outcome(&run);
            }
            Ok(run) if run.state == RunState::Incident => {
                if matches!(help, Help::Never(_)) {
                    clear(context);
                    return Err(parked(&run));
                }
                if !std::mem::replace(&mut noted, true) {
                    clear(context);
                    context.note(&format!(
                        "run {id} is parked; mend the cause, then: quadrille retry {id}"
                    ));
                }
                seen = Instant::now();
                run.state.name()
            }
            Ok(run) => {
                if let Help::Never(stranded) = help {
                    stranded
                        .look(client)
                        .await
                        .inspect_err(|_| clear(context))?;
                }
                seen = Instant::now();
                run.state.name()
            }
            Err(complaint) if complaint.is_passing() && seen.elapsed() < AWAY_MAX => {
                sleep(AWAY_PAUSE).await;
                "server away"
            }
            Err(complaint) => {
                clear(context);
                return Err(complaint);
            }
        };
        if timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
            clear(context);
            return Err(Complaint::GoesOn(id.to_owned()));
        }
        progress(context, id, shown, began.elapsed());
    }
}

/// What became of a run that has ended.
fn outcome(ended: &Run) -> Result<serde_json::Value, Complaint> {
    match ended.state {
        RunState::Completed => Ok(run::value(&ended.output)),
        RunState::Cancelled | RunState::Terminated => {
            Err(Complaint::Ended(run::value(&ended.error)))
        }
        _ => Err(Complaint::Failed(run::value(&ended.error))),
    }
}

/// The error that parked a run.
fn parked(parked: &Run) -> Complaint {
    let error = parked
        .steps
        .iter()
        .map(|step| run::value(&step.error))
        .find(|error| !error.is_null());
    Complaint::Failed(error.unwrap_or_else(|| run::value(&parked.error)))
}

/// Shows on a terminal how long it has been.
fn progress(context: &Context, id: &str, state: &str, elapsed: Duration) {
    if context.is_watched() {
        let elapsed = time::span(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        context.say(&format!("\r\u{1b}[Krun {id}: {state}, {elapsed}"));
    }
}

/// Takes the progress off the terminal.
fn clear(context: &Context) {
    if context.is_watched() {
        context.say("\r\u{1b}[K");
    }
}
