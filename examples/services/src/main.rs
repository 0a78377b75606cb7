//! Opens the three services of the shop and, for a server that is named, works on its queue `statements`.
//!
//! Prints where each service listens and then one line for each effect, until it is interrupted.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use quadrille_example_services::{Ledger, Shop, statements_worker};

/// The services and the worker that the examples talk to.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port of the inventory; payment and shipping take the two above it. 0 takes any free ones.
    #[arg(long, default_value_t = 9101)]
    port: u16,
    /// Server to work for, such as `http://127.0.0.1:8080`.
    #[arg(long, env = "QUADRILLE_URL")]
    server: Option<String>,
    /// File that keeps the effects; without one they are forgotten.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// How long each request takes at least, in milliseconds.
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let latency = Duration::from_millis(arguments.latency_ms);
    let ledger = match &arguments.ledger {
        Some(path) => Ledger::open(path)
            .with_context(|| format!("cannot open the ledger {}", path.display()))?,
        None => Ledger::in_memory(),
    };
    let shop = Shop::open(arguments.port, latency, ledger.clone()).await;
    let shop = shop.with_context(|| {
        format!(
            "cannot listen on port {} and the two above it",
            arguments.port
        )
    })?;
    println!("inventory listening on http://{}", shop.inventory);
    println!("payment listening on http://{}", shop.payment);
    println!("shipping listening on http://{}", shop.shipping);
    let interrupted = async {
        // Without a way to be interrupted it goes on until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    match &arguments.server {
        Some(url) => {
            statements_worker(url, latency, ledger)?
                .run(interrupted)
                .await?;
        }
        None => interrupted.await,
    }
    Ok(())
}
