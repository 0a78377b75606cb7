//! Owns [`Stop`]: the wish of the operating system, or of a person at the keyboard, that the process end.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

/// Requests that come this soon after another are the same one: a service manager and a terminal tell the
/// whole process group, and some tell it twice.
const ECHO_MAX: Duration = Duration::from_secs(1);

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

impl Stop {
    /// Waits for the next request that is not an echo of one that came just now.
    pub(crate) async fn asked_again(&mut self) {
        let quiet = sleep(ECHO_MAX);
        tokio::pin!(quiet);
        loop {
            tokio::select! {
                () = &mut quiet => break,
                () = self.asked() => {}
            }
        }
        self.asked().await;
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
