//! Owns [`Stop`]: the wish of the operating system, or of a person at the keyboard, that the process end.

use std::io;

/// Requests to end; each [`Stop::asked`] waits for one more.
#[derive(Debug)]
pub(crate) struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    /// From now on such a request no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Stop {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next request.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    /// From now on such a request no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Stop> {
        Ok(Stop {})
    }

    /// Waits for the next request.
    pub(crate) async fn asked(&mut self) {
        // An error means that there is no keyboard to listen to: then nobody asks.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
