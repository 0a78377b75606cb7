//! Owns `quadrille check`.

use std::path::PathBuf;

use clap::Args;

use super::complaint::Complaint;
use super::context::Context;
use super::source::Source;
use crate::output::finding;

/// Check a workflow without a server
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille check order.yaml\n  quadrille check order.yaml -o json\n  quadrille check order.yaml --graph"
)]
pub(crate) struct Check {
    /// File, or - for standard input
    file: PathBuf,
    /// Print the workflow as a graph of nodes and edges: a text that can be applied as well
    #[arg(long)]
    graph: bool,
}

impl Check {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        let source = Source::read(&self.file)?;
        if self.graph {
            source.demand_sound(context)?;
            return context.print(&source.drawn().unwrap_or_default());
        }
        let verdict = source.check();
        context.show(&verdict.findings, || match &verdict.workflow {
            Some((workflow, version)) if verdict.findings.is_empty() => {
                format!("{workflow} {version}: nothing to complain about\n")
            }
            _ => finding::text(
                &source.name,
                &source.text,
                &verdict.findings,
                context.paint(),
            ),
        })?;
        match verdict.error_count() {
            0 => Ok(()),
            _ => Err(Complaint::Unsound),
        }
    }
}
