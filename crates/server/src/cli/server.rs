//! Owns `quadrille server`: from arguments to a server that runs until it is told to stop.

use std::path::PathBuf;

use clap::Args;

use super::complaint::Complaint;
use super::context::Context;
use crate::assembly::{Assembly, Plan};
use crate::config::{self, Config};
use crate::{logging, signals};

/// Run a server
///
/// Prints the address it listens on once it accepts. SIGTERM or SIGINT lets it end what it is doing; one
/// more, a second later or after that, ends it at once.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille server\n  quadrille server --data /var/lib/quadrille --port 9000\n  \
                        quadrille server --config quadrille.yaml"
)]
pub(crate) struct Server {
    /// Configuration file; quadrille.yaml in this directory if there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the data; made if it is missing
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address or host name to listen on
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on; 0 takes any free one
    #[arg(long)]
    port: Option<u16>,
    /// Listen on an address that other machines reach, though nobody has to prove who they are
    #[arg(long)]
    allow_unauthenticated_remote: bool,
}

/// Threads that serve the protocols: all processors but the one that the partition's thread needs. More
/// would only take turns with it.
fn edge_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() - 1).max(1))
}

impl Server {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        let loaded = config::load(self.config.as_deref(), config::variables())?;
        let config = self.over(loaded.config);
        logging::start(&config.log);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        if let Some(file) = &loaded.file {
            tracing::info!(file = %file.display(), "configuration read");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(edge_threads())
            .enable_all()
            .build()
            .map_err(|error| Complaint::Broken(format!("cannot start: {error}")))?;
        let ended = runtime.block_on(serve(context, &config));
        // Whatever still blocks a thread is not worth waiting for: what counts has been made durable.
        runtime.shutdown_background();
        ended
    }

    /// The configuration with the arguments over it.
    fn over(self, mut config: Config) -> Config {
        let server = &mut config.server;
        server.host = self
            .host
            .unwrap_or_else(|| std::mem::take(&mut server.host));
        server.port = self.port.unwrap_or(server.port);
        server.allow_unauthenticated_remote |= self.allow_unauthenticated_remote;
        if let Some(data) = self.data {
            config.database.path = data;
        }
        config
    }
}

async fn serve(context: &Context, config: &Config) -> Result<(), Complaint> {
    let mut stop = signals::Stop::listen()
        .map_err(|error| Complaint::Broken(format!("cannot listen to signals: {error}")))?;
    let plan = Plan::of(config)?;
    let mut assembly = tokio::select! {
        started = Assembly::start(plan) => started?,
        () = stop.asked() => return Ok(()),
    };
    if config.server.allow_unauthenticated_remote && !assembly.is_loopback() {
        tracing::warn!(
            "everybody who reaches {} can do everything: nobody has to prove who they are",
            assembly.url()
        );
    }
    // If nobody reads the line, the server is still wanted.
    let _ = context.print(&format!("listening on {}\n", assembly.url()));
    let fault = tokio::select! {
        () = stop.asked() => None,
        fault = assembly.ended() => Some(fault),
    };
    tracing::info!("stopping");
    tokio::select! {
        () = assembly.stop() => {}
        () = stop.asked_again() => return Err(Complaint::Broken("stopped at once: asked twice".to_owned())),
    }
    tracing::info!("stopped");
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        server: Server,
    }

    fn over(arguments: &[&str], config: Config) -> Config {
        let words = std::iter::once(&"server").chain(arguments);
        Line::parse_from(words).server.over(config)
    }

    #[test]
    fn arguments_are_stronger_than_the_configuration() {
        let mut config = Config::default();
        config.server.port = 1;
        config.server.allow_unauthenticated_remote = true;
        assert_eq!(over(&[], config.clone()), config);
        let mut expected = config.clone();
        expected.server.host = "::1".to_owned();
        expected.server.port = 0;
        expected.database.path = "d".into();
        assert_eq!(
            over(&["--host", "::1", "--port", "0", "--data", "d"], config),
            expected
        );
        assert!(
            over(&["--allow-unauthenticated-remote"], Config::default())
                .server
                .allow_unauthenticated_remote
        );
    }
}
