//! Owns building the dashboard: its packages, its checks, what the server carries of it.
//!
//! Invariant: packages are those of the lock file; they are fetched again only when it changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::process::succeed;
use crate::project::Project;

/// The oldest Node that Vite runs on.
const NODE_MAJOR_MIN: u32 = 20;

/// Where browsers are looked for when nobody names one.
const BROWSERS: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Names the browser for the tests.
const BROWSER: &str = "QUADRILLE_BROWSER";

/// Names the built server for the tests.
const BINARY: &str = "QUADRILLE_BIN";

/// Builds the dashboard.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    build(&Project::find()?)
}

/// Fetches packages if need be, and writes what the server carries.
pub(crate) fn build(project: &Project) -> anyhow::Result<()> {
    let folder = ready(project)?;
    succeed(npm(&folder).args(["run", "--silent", "build"]))
}

/// Formats, lints, types and tests that need no browser, and that the client is that of the published interface.
pub(crate) fn check(project: &Project) -> anyhow::Result<()> {
    let folder = ready(project)?;
    succeed(npm(&folder).args(["run", "--silent", "check"]))?;
    succeed(npm(&folder).args(["run", "--silent", "test"]))?;
    succeed(npm(&folder).args(["run", "--silent", "build"]))
}

/// The tests in a real browser against the real server.
pub(crate) fn browse(project: &Project, binary: &Path) -> anyhow::Result<()> {
    let folder = ready(project)?;
    let browser = browser()?;
    let mut command = npm(&folder);
    command.args(["run", "--silent", "test:browser"]);
    succeed(command.env(BINARY, binary).env(BROWSER, browser))
}

fn browser() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(BROWSER) {
        return Ok(named.into());
    }
    let found = BROWSERS
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.with_context(|| {
        format!("no Chromium was found; install it (such as `apt-get install chromium`) or name one in {BROWSER}")
    })
}

/// The folder of the dashboard, with its packages.
fn ready(project: &Project) -> anyhow::Result<PathBuf> {
    let asked = Command::new("node")
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    let version = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let major = version.as_deref().ok().and_then(|version| {
        let major = version.trim_start_matches('v').split('.').next();
        major.and_then(|major| major.parse::<u32>().ok())
    });
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => {}
        Some(major) => bail!(
            "the dashboard needs Node {NODE_MAJOR_MIN} or newer, this is {major}; see https://nodejs.org"
        ),
        None => bail!(
            "the dashboard needs Node {NODE_MAJOR_MIN} or newer, with npm; see https://nodejs.org"
        ),
    }
    let folder = project.root.join("dashboard");
    let lock = std::fs::read(folder.join("package-lock.json"))
        .context("cannot read the lock of the dashboard")?;
    let fetched = folder.join("node_modules/.fetched-lock.json");
    if std::fs::read(&fetched).is_ok_and(|fetched| fetched == lock) {
        return Ok(folder);
    }
    println!("fetching the packages of the dashboard");
    succeed(npm(&folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    std::fs::write(&fetched, lock).context("cannot note which packages were fetched")?;
    Ok(folder)
}

fn npm(folder: &Path) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(name);
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}
