//! Owns `quadrille cancel`.

use clap::Args;

use super::complaint::Complaint;
use super::context::Context;
use super::steer::each;

/// End runs after compensation and clean-up, or at once
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille cancel 0192f3c4-… --reason 'customer changed their mind'\n  \
                        quadrille cancel 0192f3c4-… 0192f3c5-… --terminate"
)]
pub(crate) struct Cancel {
    /// The runs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// End at once, without compensation and clean-up
    #[arg(long)]
    terminate: bool,
    /// Why, for people
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

impl Cancel {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let client = context.client().await?;
        let reason = &self.reason;
        match self.terminate {
            true => {
                each(context, self.ids, "terminated", async |id: &str| {
                    client.terminate(id, reason).await
                })
                .await
            }
            // Clean-up may take its time, so it has not ended yet.
            false => {
                each(context, self.ids, "cancelling", async |id: &str| {
                    client.cancel(id, reason).await
                })
                .await
            }
        }
    }
}
