//! Owns `quadrille completion`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::command::Line;
use super::complaint::Complaint;
use super::context::Context;

/// Print a script that completes commands in your shell
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  source <(quadrille completion bash)\n  \
                        quadrille completion fish > ~/.config/fish/completions/quadrille.fish")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Line::command(), "quadrille", &mut script);
        context.print(&String::from_utf8_lossy(&script))
    }
}
