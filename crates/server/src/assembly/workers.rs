//! Owns [`Workers`]: the connectors that run inside the server.
//!
//! Invariant: they stop in bounded time; one that ends by itself is told about and takes no other with it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use connectors::Files;
use connectors::http::{HttpOptions, RunError};
use connectors::outgoing::{AddressPolicy, Authorities, Outgoing};
use connectors::process::ProcessOptions;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::AssemblyFault;
use crate::config::{Connectors, Http};

/// How long calls of connectors may go on when the server stops; they are offered again after that.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Which connectors run, and how.
#[derive(Clone, Debug)]
pub(super) struct WorkerPlan {
    outgoing: Outgoing,
    files: Files,
    http: bool,
    /// Whether processes may be started; the connector runs in any case, to say so.
    process: bool,
}

impl WorkerPlan {
    /// Those that a configuration asks for.
    pub(super) fn of(connectors: &Connectors) -> Result<WorkerPlan, AssemblyFault> {
        Ok(WorkerPlan {
            outgoing: outgoing(&connectors.http)?,
            files: Files(
                Some(connectors.files.clone()).filter(|path| !path.as_os_str().is_empty()),
            ),
            http: connectors.http.enabled,
            process: connectors.process.enabled,
        })
    }

    /// Those of a server for this process alone, which does what its user could do as well.
    pub(super) fn alone(outgoing: Outgoing) -> WorkerPlan {
        WorkerPlan {
            outgoing,
            files: Files(std::env::current_dir().ok()),
            http: true,
            process: true,
        }
    }
}

/// Running connectors.
#[derive(Debug)]
pub(super) struct Workers {
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Workers {
    /// Starts the connectors of a plan for the server at this address.
    pub(super) fn start(plan: &WorkerPlan, url: &str) -> Workers {
        let mut workers = Workers {
            running: JoinSet::new(),
            stop: CancellationToken::new(),
        };
        if plan.http {
            let options = HttpOptions {
                outgoing: plan.outgoing.clone(),
                ..HttpOptions::default()
            };
            let stop = workers.stop();
            workers.add("http", connectors::http::run(url.to_owned(), options, stop));
            let (outgoing, files, stop) =
                (plan.outgoing.clone(), plan.files.clone(), workers.stop());
            let openapi = connectors::openapi::run(url.to_owned(), outgoing, files, stop);
            workers.add("openapi", openapi);
            let (outgoing, files, stop) =
                (plan.outgoing.clone(), plan.files.clone(), workers.stop());
            let grpc = connectors::grpc::run(url.to_owned(), outgoing, files, stop);
            workers.add("grpc", grpc);
            let (outgoing, stop) = (plan.outgoing.clone(), workers.stop());
            workers.add("mcp", connectors::mcp::run(url.to_owned(), outgoing, stop));
        }
        let options = ProcessOptions {
            enabled: plan.process,
            path: std::env::var_os("PATH").unwrap_or_default(),
            outgoing: plan.outgoing.clone(),
            files: plan.files.clone(),
        };
        let process = connectors::process::run(url.to_owned(), options, workers.stop());
        workers.add("process", process);
        workers
    }

    fn stop(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().cancelled_owned()
    }

    fn add(
        &mut self,
        name: &'static str,
        running: impl Future<Output = Result<(), RunError>> + Send + 'static,
    ) {
        self.running.spawn(async move {
            if let Err(error) = running.await {
                tracing::error!(%error, "the {name} connector stopped; its calls wait until another worker takes them");
            }
        });
    }

    /// Lets calls under way end, if they do so soon.
    pub(super) async fn end(&mut self) {
        self.stop.cancel();
        let all = async { while self.running.join_next().await.is_some() {} };
        // Dropping the rest stops it.
        let _ = timeout(STOP_MAX, all).await;
        self.running.abort_all();
    }
}

/// How connectors reach others by the configuration.
fn outgoing(http: &Http) -> Result<Outgoing, AssemblyFault> {
    let resolve = http.resolve.iter().map(|(name, given)| {
        let alone = || given.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
        let address = given.parse().or_else(|_| alone());
        let address = address.map_err(|_| AssemblyFault::Resolve {
            name: name.clone(),
            given: given.clone(),
        })?;
        Ok((name.to_ascii_lowercase(), address))
    });
    Ok(Outgoing {
        addresses: match http.allow_private {
            true => AddressPolicy::Any,
            false => AddressPolicy::Public,
        },
        authorities: match http.ca_file.as_os_str().is_empty() {
            true => Authorities::default(),
            false => Authorities::read(&http.ca_file)?,
        },
        resolve: resolve.collect::<Result<_, AssemblyFault>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_led_to_addresses_and_to_nothing_else() {
        let led = |given: &str| {
            let resolve = [("Api.Example".to_owned(), given.to_owned())].into();
            outgoing(&Http {
                resolve,
                ..Http::default()
            })
        };
        for (given, address) in [
            ("127.0.0.1:8443", "127.0.0.1:8443"),
            ("127.0.0.1", "127.0.0.1:0"),
            ("[::1]:80", "[::1]:80"),
            ("::1", "[::1]:0"),
        ] {
            let outgoing = led(given).unwrap();
            assert_eq!(outgoing.resolve["api.example"], address.parse().unwrap());
        }
        let refused = led("localhost:80").unwrap_err().to_string();
        insta::assert_snapshot!(refused, @r#"
        connectors.http.resolve.Api.Example: "localhost:80" is no address
        hint: give an address of a machine, with a port if you like, such as 127.0.0.1:8443
        "#);
    }
}
