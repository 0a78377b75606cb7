//! Owns `quadrille config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::complaint::Complaint;
use super::context::Context;
use crate::config;

/// Show the configuration, or what can be configured
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille config show --config quadrille.yaml\n  \
                        quadrille config schema > config.schema.json"
)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The configuration that a server started here would use
    Show {
        /// Configuration file; quadrille.yaml in this directory if there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// The JSON Schema of quadrille.yaml
    Schema,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        match self.what {
            What::Schema => context.print(&config::schema()),
            What::Show { config } => {
                let loaded = config::load(config.as_deref(), config::variables())?;
                for warning in &loaded.warnings {
                    context.note(warning);
                }
                let yaml = serde_saphyr::to_string(&loaded.config)
                    .map_err(|error| Complaint::Broken(error.to_string()))?;
                context.show(&loaded.config, || yaml)
            }
        }
    }
}
