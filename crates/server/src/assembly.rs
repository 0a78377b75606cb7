//! Owns [`Assembly`]: a server put together, started in order and stopped in reverse.
//!
//! Invariants: the address is taken first, so that a busy port is found before any data is opened; workers
//! stop before the borders, the borders before the engine, each in bounded time.

mod workers;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use connectors::outgoing::{AddressPolicy, AuthoritiesFault, Outgoing};
use edge::EdgeOptions;
use engine::Data;
use thiserror::Error;
use tokio::net::{TcpListener, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::secrets::Secrets;
use workers::{WorkerPlan, Workers};

/// How long requests may go on before the engine stops, which ends all that wait for it.
const REQUESTS_MAX: Duration = Duration::from_millis(500);

/// How long the borders may take once the engine has stopped.
const EDGE_STOP_MAX: Duration = Duration::from_secs(2);

/// What is put together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    data: Data,
    host: String,
    port: u16,
    allow_unauthenticated_remote: bool,
    allowed_hosts: Vec<String>,
    workers: WorkerPlan,
    secrets: Secrets,
}

/// Why a server did not start, or does not go on.
#[derive(Debug, Error)]
pub(crate) enum AssemblyFault {
    /// The host cannot be listened on.
    #[error(
        "cannot listen on {host}: {why}\nhint: server.host is an address of this machine, such as 127.0.0.1"
    )]
    Host {
        /// It.
        host: String,
        /// Why.
        why: String,
    },
    /// Others would reach the server, and nobody keeps them away.
    #[error(
        "refusing to listen on {0}: other machines reach it, and nobody has to prove who they are\n\
         hint: listen on 127.0.0.1, or if something else keeps strangers away, set \
         server.allow_unauthenticated_remote: true or give --allow-unauthenticated-remote"
    )]
    Exposed(SocketAddr),
    /// Another process listens there.
    #[error("port {} of {} is in use\nhint: stop the process that uses it, or choose another port by --port; 0 takes any free one", .0.port(), .0.ip())]
    Busy(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The engine did not start.
    #[error("{0}")]
    Engine(#[from] engine::StartFault),
    /// The authorities that the configuration names cannot be used.
    #[error("connectors.http.ca_file: {0}")]
    Authorities(#[from] AuthoritiesFault),
    /// A name is led to what is no address.
    #[error(
        "connectors.http.resolve.{name}: {given:?} is no address\nhint: give an address of a machine, with a port if you like, such as 127.0.0.1:8443"
    )]
    Resolve {
        /// The name.
        name: String,
        /// What it is led to.
        given: String,
    },
    /// A part ended that should go on.
    #[error("the {0} stopped by itself; the lines above say why")]
    Ended(&'static str),
}

/// A running server.
pub(crate) struct Assembly {
    address: SocketAddr,
    engine: engine::Running,
    edge: JoinHandle<io::Result<()>>,
    edge_stop: CancellationToken,
    workers: Workers,
}

impl Plan {
    /// The server that a configuration describes.
    pub(crate) fn of(config: &Config) -> Result<Plan, AssemblyFault> {
        Ok(Plan {
            data: Data::Folder(config.database.path.clone()),
            host: config.server.host.clone(),
            port: config.server.port,
            allow_unauthenticated_remote: config.server.allow_unauthenticated_remote,
            allowed_hosts: config.server.allowed_hosts.clone(),
            workers: WorkerPlan::of(&config.connectors)?,
            secrets: Secrets::of(&config.secrets.directory),
        })
    }

    /// A server for this process alone, which keeps nothing.
    pub(crate) fn alone(addresses: AddressPolicy) -> Plan {
        Plan {
            data: Data::Memory,
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: 0,
            allow_unauthenticated_remote: false,
            allowed_hosts: Vec::new(),
            workers: WorkerPlan::alone(Outgoing {
                addresses,
                ..Outgoing::default()
            }),
            secrets: Secrets::default(),
        }
    }
}

impl Plan {
    /// The same server with these secrets.
    pub(crate) fn with_secrets(self, secrets: Secrets) -> Plan {
        Plan { secrets, ..self }
    }
}

impl Assembly {
    /// Starts a server.
    pub(crate) async fn start(plan: Plan) -> Result<Assembly, AssemblyFault> {
        let listener = listen(&plan).await?;
        let address = listener.local_addr().map_err(|error| AssemblyFault::Host {
            host: plan.host,
            why: error.to_string(),
        })?;
        let options = engine::Options {
            data: plan.data,
            secrets: Arc::new(plan.secrets),
            ..engine::Options::default()
        };
        // Recovery reads the journal, which blocks.
        let starting = tokio::task::spawn_blocking(move || engine::start(options)).await;
        let (engine, running) =
            starting.expect("starting an engine does not panic and is not aborted")?;
        let router = edge::router(
            engine,
            EdgeOptions {
                allowed_hosts: plan.allowed_hosts,
            },
        );
        let edge_stop = CancellationToken::new();
        let edge = tokio::spawn(edge::serve(
            listener,
            router,
            edge_stop.clone().cancelled_owned(),
        ));
        let workers = Workers::start(&plan.workers, &local(address));
        Ok(Assembly {
            address,
            engine: running,
            edge,
            edge_stop,
            workers,
        })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether only this machine reaches it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Resolves when a part has stopped by itself without which the server cannot go on.
    pub(crate) async fn ended(&mut self) -> AssemblyFault {
        tokio::select! {
            () = self.engine.ended() => AssemblyFault::Ended("engine"),
            _ = &mut self.edge => AssemblyFault::Ended("listener"),
        }
    }

    /// Lets what goes on end, and stops.
    pub(crate) async fn stop(mut self) {
        self.workers.end().await;
        self.edge_stop.cancel();
        let mut edge_over = self.edge.is_finished();
        if !edge_over {
            edge_over = timeout(REQUESTS_MAX, &mut self.edge).await.is_ok();
        }
        self.engine.stop().await;
        if !edge_over && timeout(EDGE_STOP_MAX, &mut self.edge).await.is_err() {
            self.edge.abort();
        }
    }
}

/// Takes the address of a plan.
async fn listen(plan: &Plan) -> Result<TcpListener, AssemblyFault> {
    let unusable = |why: String| AssemblyFault::Host {
        host: plan.host.clone(),
        why,
    };
    let mut found = lookup_host((plan.host.as_str(), plan.port))
        .await
        .map_err(|error| unusable(error.to_string()))?;
    let address = found
        .next()
        .ok_or_else(|| unusable("the name has no address".to_owned()))?;
    if !address.ip().is_loopback() && !plan.allow_unauthenticated_remote {
        return Err(AssemblyFault::Exposed(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => AssemblyFault::Busy(address),
            _ => AssemblyFault::Listen { address, source },
        })
}

/// The URL by which this process reaches its own server.
fn local(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(host: &str, port: u16) -> Plan {
        Plan {
            host: host.to_owned(),
            port,
            ..Plan::alone(AddressPolicy::Any)
        }
    }

    #[tokio::test]
    async fn only_loopback_is_listened_on_without_being_told_otherwise() {
        let refused = listen(&plan("0.0.0.0", 8080)).await.unwrap_err();
        insta::assert_snapshot!(refused, @r"
        refusing to listen on 0.0.0.0:8080: other machines reach it, and nobody has to prove who they are
        hint: listen on 127.0.0.1, or if something else keeps strangers away, set server.allow_unauthenticated_remote: true or give --allow-unauthenticated-remote
        ");
        let told = Plan {
            allow_unauthenticated_remote: true,
            ..plan("0.0.0.0", 0)
        };
        assert!(listen(&told).await.is_ok());
        for host in ["127.0.0.1", "localhost"] {
            assert!(
                listen(&plan(host, 0))
                    .await
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .ip()
                    .is_loopback()
            );
        }
    }

    #[tokio::test]
    async fn a_busy_port_is_said_to_be_busy() {
        let taken = listen(&plan("127.0.0.1", 0)).await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = listen(&plan("127.0.0.1", address.port()))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, AssemblyFault::Busy(busy) if busy == address),
            "{refused}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_runs_a_workflow_and_stops() {
        let text = "document: {dsl: 1.0.0, namespace: default, name: sum, version: 1.0.0}\n\
                    do: [{add: {set: {total: '${ .a + .b }'}}}]\n";
        let assembly = Assembly::start(Plan::alone(AddressPolicy::Any))
            .await
            .unwrap();
        let url = assembly.url();
        let client = sdk::Client::connect(&url).await.unwrap();
        client.deploy(text).await.unwrap();
        let input = serde_json::json!({"a": 1, "b": 2});
        let start = client
            .start("sum")
            .input(&input)
            .wait(Duration::from_secs(60));
        let run = start.send().await.unwrap().run.unwrap();
        assert_eq!(
            run.output.decode::<serde_json::Value>().unwrap(),
            serde_json::json!({"total": 3})
        );
        assembly.stop().await;
        assert!(client.get(&run.id).await.is_err(), "{url} still answers");
    }

    #[test]
    fn a_server_on_all_addresses_is_reached_by_loopback() {
        assert_eq!(local("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(local("[::]:80".parse().unwrap()), "http://[::1]:80");
        assert_eq!(local("10.0.0.7:80".parse().unwrap()), "http://10.0.0.7:80");
    }
}
