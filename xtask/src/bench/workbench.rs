//! Owns [`Workbench`]: what all measurements need: the built programs, a folder on the disk that is built
//! on, and how programs are started.
//!
//! Invariant: the folder is gone when the workbench is, whatever happened on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::options::Options;
use super::program::Program;
use crate::process::{cargo, succeed};
use crate::project::Project;

/// Between two looks at something that takes time.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Connections that the calls of a load share.
const CHANNELS: u64 = 4;

/// The end of a log that is shown when something failed.
const LOG_LINES_SHOWN: usize = 20;

pub(super) struct Workbench {
    pub(super) options: Options,
    /// The server.
    pub(super) server: PathBuf,
    /// The programs that load it.
    tools: PathBuf,
    /// Where data and logs are.
    pub(super) folder: PathBuf,
}

impl Workbench {
    /// Builds the programs and makes the folder.
    pub(super) fn new(options: Options) -> anyhow::Result<Workbench> {
        let project = Project::find()?;
        let mut build = cargo(&project);
        build.args([
            "build",
            "--release",
            "--package",
            "quadrille-server",
            "--package",
            "quadrille-benches",
        ]);
        succeed(&mut build)?;
        let folder = project.target.join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let built = project.target.join("release");
        Ok(Workbench {
            options,
            server: built.join("quadrille"),
            tools: built.join("quadrille-bench"),
            folder,
        })
    }

    /// Starts the server with these arguments.
    pub(super) fn start_server(&self, arguments: &[&str]) -> anyhow::Result<Program> {
        self.start("server", &self.server, arguments)
    }

    /// Starts one of the other programs: a subcommand and its arguments.
    pub(super) fn start_tool(
        &self,
        name: &'static str,
        arguments: &[&str],
    ) -> anyhow::Result<Program> {
        let words: Vec<&str> = [name]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.start(name, &self.tools, &words)
    }

    /// Starts a closed loop of calls (`load` or `echo-load`) for so many seconds.
    pub(super) fn start_load(
        &self,
        name: &'static str,
        url: &str,
        concurrency: u32,
        seconds: u64,
        more: &[&str],
    ) -> anyhow::Result<Program> {
        let [concurrency, seconds, channels] =
            [u64::from(concurrency), seconds, CHANNELS].map(|number| number.to_string());
        let mut arguments = vec!["--url", url, "--concurrency", &concurrency];
        arguments.extend(["--seconds", &seconds, "--channels", &channels]);
        arguments.extend(more);
        self.start_tool(name, &arguments)
    }

    fn start(
        &self,
        name: &'static str,
        program: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<Program> {
        let path = program.display().to_string();
        let words: Vec<String> = [path]
            .into_iter()
            .chain(arguments.iter().map(|word| (*word).to_owned()))
            .collect();
        Program::start(
            name,
            &words,
            &self.folder,
            &self.log(),
            self.options.realtime,
        )
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The last that the programs complained about.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        // What cannot be removed lies below target/, where it is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Looks until there is something to see; `None` if there is nothing within the time.
#[expect(
    clippy::disallowed_methods,
    reason = "another process says in no other way how far it is"
)]
pub(super) fn look_until<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = std::time::Instant::now();
    loop {
        match look() {
            Some(seen) => return Some(seen),
            None if begun.elapsed() >= within => return None,
            None => std::thread::sleep(LOOK_EVERY),
        }
    }
}

/// Bytes that the files below a folder take on the disk.
pub(super) fn bytes_on_disk(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_on_disk(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        // Removed meanwhile.
        Err(_) => 0,
    });
    sizes.sum()
}
