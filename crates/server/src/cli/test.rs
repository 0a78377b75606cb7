//! Owns `quadrille test`.

use std::path::PathBuf;

use clap::Args;

use super::complaint::Complaint;
use super::context::Context;
use crate::output::paint::Paint;
use crate::output::{finding, junit, trial};
use crate::trial::{Loaded, Report, find, judge, load, perform};

/// Test workflows against cases, without a server
///
/// Cases are written in files `*.test.yaml` beside the workflows. Nothing is called and nothing waits: mocks answer
/// calls, and time is skipped. See docs/guide/testing.md.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille test\n  quadrille test order.test.yaml --filter refund\n  \
                        quadrille test workflows -o junit > report.xml"
)]
pub(crate) struct Test {
    /// Files with cases, and directories in and below which they lie
    #[arg(default_value = ".", value_name = "PATH")]
    places: Vec<PathBuf>,
    /// Only cases with this in their name or their file's
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// What became of the cases of a file.
pub(crate) struct Played {
    /// The file.
    pub(crate) file: String,
    /// Its cases; none if it, or a workflow that it names, is not sound.
    pub(crate) cases: Option<Vec<Report>>,
}

impl Test {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        let mut played = Vec::new();
        for path in find(&self.places)? {
            let file = path.display().to_string();
            let cases = match load(&path)? {
                Loaded::Script(script) => {
                    let cases = script.suite.cases.iter();
                    let meant = cases.filter(|case| self.means(&file, &case.name));
                    Some(
                        meant
                            .map(|case| judge(case, perform(&script, case)))
                            .collect(),
                    )
                }
                Loaded::Unsound(sources) => {
                    for (source, findings) in sources {
                        let paint = Paint::of(&std::io::stderr());
                        context.say(&finding::text(&source.name, &source.text, &findings, paint));
                    }
                    None
                }
            };
            let next = Played { file, cases };
            if context.is_text() {
                context.print(&trial::text(&next, context.paint()))?;
            }
            played.push(next);
        }
        if context.is_junit() {
            context.print(&junit::document(&played))?;
        } else {
            context.show(&trial::record(&played), || {
                trial::summary(&played, context.paint())
            })?;
        }
        verdict(&played, self.filter.as_deref())
    }

    fn means(&self, file: &str, case: &str) -> bool {
        let filter = self.filter.as_deref();
        filter.is_none_or(|filter| file.contains(filter) || case.contains(filter))
    }
}

fn verdict(played: &[Played], filter: Option<&str>) -> Result<(), Complaint> {
    let mut reports = played
        .iter()
        .flat_map(|played| played.cases.iter().flatten());
    if played.iter().any(|played| played.cases.is_none()) {
        return Err(Complaint::Unsound);
    }
    if let (Some(filter), None) = (filter, reports.clone().next()) {
        return Err(Complaint::Usage(format!(
            "no case is called like {filter:?}"
        )));
    }
    match reports.all(Report::is_well) {
        true => Ok(()),
        false => Err(Complaint::Said),
    }
}
