//! Owns [`binary`]: where the built `quadrille` is.
//!
//! `QUADRILLE_BIN` names it; without that it is built once, so that any test can be run by itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The variable that names the binary.
const VARIABLE: &str = "QUADRILLE_BIN";

/// The `quadrille` binary.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os(VARIABLE).map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--package",
        "quadrille-server",
        "--bin",
        "quadrille",
        "--message-format",
        "json",
    ]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "the server does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo prints text");
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = built
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    path.expect("cargo names what it built")
}
