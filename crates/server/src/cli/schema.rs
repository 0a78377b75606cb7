//! Owns `quadrille schema`.

use clap::{Args, Subcommand};

use super::complaint::Complaint;
use super::context::Context;

/// Show the JSON Schema that editors check documents with
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  quadrille schema workflow > workflow.schema.json")]
pub(crate) struct Schema {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Of workflow documents; a server has it at /api/schemas/workflow.json
    Workflow,
}

impl Schema {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        match self.what {
            What::Workflow => context.print(&format!("{:#}\n", authoring::schema())),
        }
    }
}
