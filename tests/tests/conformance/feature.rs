//! Owns [`Scenario`]: one scenario as its file has it, the rows of an outline each on their own.
//!
//! Invariant: a file that cannot be read as Gherkin ends the whole run, so that no scenario is lost unseen.

use std::path::{Path, PathBuf};

use gherkin::{Feature, GherkinEnv};

/// One scenario.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Suite, feature and scenario, fit for a command line.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The file and the line in it.
    pub(crate) place: String,
    pub(crate) says: String,
    pub(crate) text: Option<String>,
}

/// Where the suites are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// All scenarios of a suite.
pub(crate) fn scenarios(suite: &str) -> Vec<Scenario> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join(suite))
        .expect("the suite is there")
        .map(|entry| entry.expect("the suite can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "feature"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| of_file(suite.split('/').next().unwrap_or(suite), file))
        .collect()
}

fn of_file(suite: &str, file: &Path) -> Vec<Scenario> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let feature = Feature::parse_path(file, GherkinEnv::default())
        .unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
    let mut found = Vec::new();
    for scenario in &feature.scenarios {
        let name = format!("{suite}::{stem}::{}", slug(&scenario.name));
        let steps: Vec<Step> = scenario
            .steps
            .iter()
            .map(|step| Step {
                place: format!("{stem}.feature:{}", step.position.line),
                says: step.value.trim().to_owned(),
                text: step.docstring.as_deref().map(plain),
            })
            .collect();
        let rows: Vec<_> = scenario.examples.iter().flat_map(rows).collect();
        if rows.is_empty() {
            found.push(Scenario { name, steps });
            continue;
        }
        found.extend(rows.iter().enumerate().map(|(index, row)| Scenario {
            name: format!("{name}_{}", index + 1),
            steps: steps.iter().map(|step| filled(step, row)).collect(),
        }));
    }
    found
}

/// The rows of a table, each with the names of its columns.
fn rows(examples: &gherkin::Examples) -> Vec<Vec<(String, String)>> {
    let Some((head, rows)) = examples
        .table
        .as_ref()
        .and_then(|table| table.rows.split_first())
    else {
        return Vec::new();
    };
    rows.iter()
        .map(|row| head.iter().cloned().zip(row.iter().cloned()).collect())
        .collect()
}

fn filled(step: &Step, row: &[(String, String)]) -> Step {
    let fill = |text: &str| {
        row.iter().fold(text.to_owned(), |text, (column, value)| {
            text.replace(&format!("<{column}>"), value)
        })
    };
    Step {
        place: step.place.clone(),
        says: fill(&step.says),
        text: step.text.as_deref().map(fill),
    }
}

/// A text without the word for its kind in its first line, and without what all lines are indented by.
fn plain(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let text = match text.split_once('\n') {
        Some(("yaml" | "json", rest)) => rest,
        _ => text,
    };
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    text.lines()
        .map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n")
        .collect()
}

/// The same with letters, digits and low lines only.
pub(crate) fn slug(name: &str) -> String {
    let letters = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.trim().chars().map(letters).collect()
}
