//! Owns where test cases come from: files `*.test.yaml`, each beside the workflow that it tests.
//!
//! Invariant: a script that comes out is sound, as are all its workflows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use authoring::Finding;
use authoring::suite::{Suite, suite};
use graph::Graph;

use crate::cli::{Complaint, Source};

/// Endings of files with test cases.
const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// The most files that one search finds.
const FILES_MAX: usize = 1_000;

/// How deep a search goes into directories.
const DEPTH_MAX: usize = 16;

/// Test cases with the workflows that they need.
#[derive(Debug)]
pub(crate) struct Script {
    /// The cases.
    pub(crate) suite: Suite,
    /// The workflow under test, then those that it starts, each with its text.
    pub(crate) workflows: Vec<(Arc<Graph>, String)>,
}

/// What a file came to.
pub(crate) enum Loaded {
    /// Cases that can be played.
    Script(Script),
    /// Texts that are not sound: of each its source and what was found.
    Unsound(Vec<(Source, Vec<Finding>)>),
}

/// Whether a file holds test cases.
pub(crate) fn is_suite(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// The files with test cases at these places: files themselves, and what lies in directories or below them.
pub(crate) fn find(places: &[PathBuf]) -> Result<Vec<PathBuf>, Complaint> {
    let mut found = Vec::new();
    for place in places {
        match place.is_dir() {
            true => search(place, 0, &mut found)?,
            false => found.push(place.clone()),
        }
    }
    found.dedup();
    match found.is_empty() {
        false => Ok(found),
        true => Err(Complaint::Usage(
            "there is no test here\nhint: write one beside the workflow, such as order.test.yaml for order.yaml"
                .to_owned(),
        )),
    }
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Complaint> {
    let unreadable = |error: std::io::Error| {
        let folder = folder.display();
        Complaint::Broken(format!("cannot read the directory {folder}: {error}"))
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !is_hidden && depth < DEPTH_MAX {
            search(&path, depth + 1, found)?;
        } else if kind.is_file() && is_suite(&path) {
            if found.len() == FILES_MAX {
                let message = format!(
                    "more than {FILES_MAX} files with tests; name a directory further down"
                );
                return Err(Complaint::Usage(message));
            }
            found.push(path);
        }
    }
    Ok(())
}

/// Reads a file with test cases and the workflows that it names.
pub(crate) fn load(path: &Path) -> Result<Loaded, Complaint> {
    let source = Source::read(path)?;
    let suite = match suite(&source.text) {
        Ok(suite) => suite,
        Err(findings) => return Ok(Loaded::Unsound(vec![(source, findings)])),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let main = match &suite.workflow {
        Some(file) => folder.join(&**file),
        None => beside(path),
    };
    let with = suite.with.iter().map(|file| folder.join(&**file));
    let (mut workflows, mut unsound) = (Vec::new(), Vec::new());
    for file in std::iter::once(main).chain(with) {
        let source = Source::read(&file)?;
        match authoring::compile(&source.text) {
            Ok(compiled) => workflows.push((Arc::new(compiled.graph), source.text)),
            Err(findings) => unsound.push((source, findings)),
        }
    }
    Ok(match unsound.is_empty() {
        true => Loaded::Script(Script { suite, workflows }),
        false => Loaded::Unsound(unsound),
    })
}

/// The workflow that a file with test cases stands beside: `order.yaml` for `order.test.yaml`.
fn beside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    path.with_file_name(name.replacen(".test.", ".", 1))
}
