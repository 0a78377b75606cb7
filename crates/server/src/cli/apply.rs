//! Owns `quadrille apply`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::complaint::Complaint;
use super::context::Context;
use super::source::Source;

/// Make workflows known to the server
///
/// All files are checked before any is sent. A version never changes: the same text again is no change,
/// another text needs another version. A workflow with a schedule gets one of its own name, which follows the
/// newest version: it is created, changed and removed with it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille apply -f order.yaml\n  quadrille apply -f workflows/ extra.json\n  \
                        cat order.yaml | quadrille apply -f -"
)]
pub(crate) struct Apply {
    /// Files, directories (the .yaml and .yml files right in them), or - for standard input
    #[arg(short, long = "file", value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Applied {
    workflow: String,
    version: String,
    created: bool,
    schedule: Option<String>,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Complaint> {
        let sources = Source::read_all(&self.files)?;
        // Check all before stopping, so that one look shows everything that is to be mended.
        let mut sound = true;
        for source in &sources {
            sound &= source.demand_sound(context).is_ok();
        }
        if !sound {
            return Err(Complaint::Unsound);
        }
        let client = context.client().await?;
        let mut applied = Vec::new();
        for source in sources {
            let done = client.deploy(source.text).await?;
            applied.push(Applied {
                workflow: done.workflow,
                version: done.version,
                created: done.created,
                schedule: done.schedule,
            });
        }
        context.show(&applied, || applied.iter().map(line).collect())
    }
}

fn line(applied: &Applied) -> String {
    let done = if applied.created {
        "created"
    } else {
        "unchanged"
    };
    let Applied {
        workflow, version, ..
    } = applied;
    let schedule = match applied.schedule.as_deref() {
        Some(schedule) => format!(", schedule {schedule}"),
        None => String::new(),
    };
    format!("{workflow} {version} {done}{schedule}\n")
}
