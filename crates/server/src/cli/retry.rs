//! Owns `quadrille retry`.

use clap::Args;
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;

/// Try the parked tasks of a run again, after the cause was mended
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille retry 0192f3c4-…\n  quadrille retry 0192f3c4-… --step 4"
)]
pub(crate) struct Retry {
    /// The run
    id: String,
    /// Only the task of this step; `describe run` shows the numbers
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    step: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Retried {
    id: String,
    tasks: u32,
}

impl Retry {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        let tasks = client.retry(&self.id, self.step).await?;
        let retried = Retried { id: self.id, tasks };
        context.show(&retried, || {
            format!("{}: {} tasks offered again\n", retried.id, retried.tasks)
        })
    }
}
