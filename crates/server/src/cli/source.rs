//! Owns [`Source`]: a workflow's text, where it came from, and what the check says about it.

use std::path::{Path, PathBuf};

use authoring::{Finding, Severity};

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use crate::output::finding;
use crate::output::paint::Paint;
use crate::trial::is_suite;

/// The most files that are taken from one directory.
const FILES_MAX: usize = 1_000;

/// Endings of files that are taken from a directory. JSON is not among them: it is mostly inputs.
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// A workflow's text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Where it came from, for people.
    pub(crate) name: String,
    /// It.
    pub(crate) text: String,
}

/// What the check says.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// Errors and warnings.
    pub(crate) findings: Vec<Finding>,
    /// Name and version of the workflow, if it compiles.
    pub(crate) workflow: Option<(String, String)>,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &Path) -> Result<Source, Complaint> {
        let name = if path == Path::new("-") {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        Ok(Source {
            name,
            text: input::text(path)?,
        })
    }

    /// Reads files, standard input for `-`, and for a directory the workflow files right in it.
    pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Source>, Complaint> {
        let mut sources = Vec::new();
        for path in paths {
            match path.is_dir() {
                true => {
                    for file in files(path)? {
                        sources.push(Source::read(&file)?);
                    }
                }
                false => sources.push(Source::read(path)?),
            }
        }
        Ok(sources)
    }

    /// Checks the text.
    pub(crate) fn check(&self) -> Verdict {
        match authoring::compile(&self.text) {
            Ok(compiled) => {
                let workflow = (
                    compiled.graph.workflow.to_string(),
                    compiled.graph.version.to_string(),
                );
                Verdict {
                    findings: compiled.warnings,
                    workflow: Some(workflow),
                }
            }
            Err(findings) => Verdict {
                findings,
                workflow: None,
            },
        }
    }

    /// The workflow in the graph form, if the text compiles.
    pub(crate) fn drawn(&self) -> Option<String> {
        let compiled = authoring::compile(&self.text).ok()?;
        Some(authoring::to_text(&compiled))
    }

    /// Checks the text, and says on standard error what was found: name and version of the workflow.
    ///
    /// # Errors
    /// [`Complaint::Unsound`] if it does not compile.
    pub(crate) fn demand_sound(&self, context: &Context) -> Result<(String, String), Complaint> {
        let verdict = self.check();
        if !verdict.findings.is_empty() {
            self.tell(&verdict.findings, context);
        }
        verdict.workflow.ok_or(Complaint::Unsound)
    }

    /// Says on standard error what was found.
    pub(crate) fn tell(&self, findings: &[Finding], context: &Context) {
        let paint = Paint::of(&std::io::stderr());
        context.say(&match context.has_json_errors() {
            true => serde_json::to_string(findings).unwrap_or_default() + "\n",
            false => finding::text(&self.name, &self.text, findings, paint),
        });
    }
}

impl Verdict {
    /// How many findings are errors.
    pub(crate) fn error_count(&self) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count()
    }
}

/// The workflow files right in a directory, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Complaint> {
    let unreadable = |error: std::io::Error| {
        Complaint::Broken(format!(
            "cannot read the directory {}: {error}",
            folder.display()
        ))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let fits = path
            .extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| ENDINGS.contains(&ending));
        if fits && path.is_file() && !is_suite(&path) {
            files.push(path);
        }
    }
    files.sort();
    match files.len() {
        0 => Err(Complaint::Usage(format!(
            "{} holds no .yaml or .yml file",
            folder.display()
        ))),
        count if count > FILES_MAX => Err(Complaint::Usage(format!(
            "{} holds {count} files, at most {FILES_MAX} are taken",
            folder.display()
        ))),
        _ => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_directory_the_workflow_files_are_taken_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.json", "b.test.yaml"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::create_dir(folder.path().join("e.yaml")).unwrap();
        let sources =
            Source::read_all(&[folder.path().to_owned(), folder.path().join("c.json")]).unwrap();
        let texts: Vec<_> = sources.iter().map(|source| source.text.as_str()).collect();
        assert_eq!(texts, ["a.yml", "b.yaml", "c.json"]);
        assert!(matches!(
            Source::read_all(&[folder.path().join("e.yaml")]),
            Err(Complaint::Usage(_))
        ));
    }
}
