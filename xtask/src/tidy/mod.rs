//! What no compiler checks: who may use whom, names, sizes, words, links.
//!
//! Every rule is a pure function from texts to flaws, so that it is tested on a few lines.

mod map;
mod rings;
mod source;
mod text;

use std::fmt;

use anyhow::{Context as _, bail};

use crate::project::Project;

/// The longest file that is read; what is longer is data.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A file that belongs to the project.
#[derive(Clone, Debug)]
struct File {
    /// From the root on.
    path: String,
    text: String,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq)]
struct Flaw {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    what: String,
    fix: String,
}

impl Flaw {
    fn new(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Flaw {
        Flaw {
            path: path.to_owned(),
            line,
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flaw {
            path,
            line,
            what,
            fix,
        } = self;
        match line {
            0 => write!(f, "{path}: {what}; {fix}"),
            _ => write!(f, "{path}:{line}: {what}; {fix}"),
        }
    }
}

/// Checks the whole project.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    let project = Project::find()?;
    let names = project.files()?;
    let files = read(&project, &names)?;
    let mut flaws = rings::check(&project.packages);
    for file in &files {
        if file.path.ends_with(".rs") {
            flaws.extend(source::check(file));
        }
        if file.path.ends_with(".md") {
            let exists = |path: &str| project.root.join(path).exists();
            flaws.extend(text::links(file, exists));
        }
        flaws.extend(text::places(file));
    }
    if let Some(lock) = files.iter().find(|file| file.path == "Cargo.lock") {
        println!(
            "{} packages in Cargo.lock, at most {}",
            text::packages(lock),
            text::PACKAGES_MAX
        );
        flaws.extend(text::lock(lock));
    }
    match files.iter().find(|file| file.path == map::FILE) {
        Some(file) => flaws.extend(map::check(file, &project.packages)),
        None => println!(
            "there is no {} yet, so nothing was held against it",
            map::FILE
        ),
    }
    for flaw in &flaws {
        println!("{flaw}");
    }
    if !flaws.is_empty() {
        bail!("{} things to tidy up", flaws.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

fn read(project: &Project, names: &[String]) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for name in names {
        let path = project.root.join(name);
        let cannot = || format!("cannot read {name}");
        if std::fs::metadata(&path).with_context(cannot)?.len() > FILE_BYTES_MAX {
            continue;
        }
        let bytes = std::fs::read(&path).with_context(cannot)?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File {
                path: name.clone(),
                text,
            });
        }
    }
    Ok(files)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
