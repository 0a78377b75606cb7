//! Owns commands about several runs at once, and `quadrille suspend` and `quadrille resume`.
//!
//! Invariant: one run that refuses does not keep the others from being steered.

use clap::Args;
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;
use crate::output::paint::Paint;

/// Hold runs: they stay where they are until they are resumed
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  quadrille suspend 0192f3c4-…")]
pub(crate) struct Suspend {
    /// The runs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Let suspended runs go on
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  quadrille resume 0192f3c4-…")]
pub(crate) struct Resume {
    /// The runs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Steered {
    id: String,
    done: &'static str,
}

impl Suspend {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        each(context, self.ids, "suspended", async |id: &str| {
            client.suspend(id).await
        })
        .await
    }
}

impl Resume {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        each(context, self.ids, "resumed", async |id: &str| {
            client.resume(id).await
        })
        .await
    }
}

/// Does something with each run, prints what was done and says what was refused.
pub(crate) async fn each(
    context: &Context,
    ids: Vec<String>,
    done: &'static str,
    steer: impl AsyncFn(&str) -> Result<(), sdk::Error>,
) -> Result<(), Complaint> {
    let mut steered = Vec::new();
    let mut refused = Vec::new();
    for id in ids {
        match steer(&id).await.map_err(Complaint::from) {
            Ok(()) => steered.push(Steered { id, done }),
            Err(complaint @ Complaint::Refused { .. }) => refused.push(complaint),
            Err(complaint) => return Err(complaint),
        }
    }
    context.show(&steered, || {
        steered
            .iter()
            .map(|steered| format!("{} {done}\n", steered.id))
            .collect()
    })?;
    if refused.is_empty() {
        return Ok(());
    }
    for complaint in refused {
        context.say(&complaint.text(&context.url, Paint::of(&std::io::stderr())));
    }
    Err(Complaint::Said)
}
