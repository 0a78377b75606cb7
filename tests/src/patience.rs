//! Owns [`until`]: waiting for a condition, with an end.
//!
//! Invariant: a test that waits longer than [`PATIENCE`] has failed, and says for what it waited.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to leave a condition alone that does not hold yet.
const PAUSE: Duration = Duration::from_millis(10);

/// What `look` finds, as soon as it finds it.
///
/// # Panics
/// If it finds nothing within [`PATIENCE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            Instant::now() < end,
            "waited for {what} longer than {PATIENCE:?}"
        );
        sleep(PAUSE).await;
    }
}
