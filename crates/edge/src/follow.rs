//! Owns following a run: its events one by one until it ends.
//!
//! Invariant: events come in order and without gaps; a follower that falls behind catches up from the
//! history, so nothing is lost and nothing piles up.

use engine::query::HistoryEvent;
use engine::{AskError, Engine, Watch};
use futures::Stream;
use kernel::{RunEvent, RunId};

struct Follower {
    engine: Engine,
    run: RunId,
    /// The number that is due.
    next: u64,
    watch: Watch,
    /// Whether this watch has brought anything.
    progressed: bool,
    over: bool,
}

/// A run's events from a number on, until it ends.
///
/// # Errors
/// As [`Engine::watch`]; later ones end the stream.
pub(crate) async fn follow(
    engine: Engine,
    run: RunId,
    from: u64,
) -> Result<impl Stream<Item = Result<HistoryEvent, AskError>> + Send + 'static, AskError> {
    let watch = engine.watch(run, from).await?;
    let follower = Follower {
        engine,
        run,
        next: from,
        watch,
        progressed: false,
        over: false,
    };
    Ok(futures::stream::unfold(
        follower,
        |mut follower| async move {
            let event = follower.next().await.transpose()?;
            follower.over |= event.is_err();
            Some((event, follower))
        },
    ))
}

impl Follower {
    async fn next(&mut self) -> Result<Option<HistoryEvent>, AskError> {
        while !self.over {
            match self.watch.next().await {
                Some(event) if event.number < self.next => {}
                Some(event) => {
                    self.next = event.number + 1;
                    self.progressed = true;
                    self.over = matches!(event.event, RunEvent::Ended(_));
                    return Ok(Some(event));
                }
                // Either too slow, or there is nothing more: only a watch that brings something is tried again.
                None if self.progressed => {
                    self.progressed = false;
                    self.watch = self.engine.watch(self.run, self.next).await?;
                }
                None => self.over = true,
            }
        }
        Ok(None)
    }
}
