//! Owns `cargo xtask sim`: hands its arguments to the simulation, built with optimisation.
//!
//! Debug assertions stay on: they are half of what a simulation can find.

use crate::process::cargo;
use crate::project::Project;

/// Runs the simulation.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let project = Project::find()?;
    let mut command = cargo(&project);
    command.args(["run", "--quiet", "--release", "--package", "quadrille-sim"]);
    command
        .args(["--config", "profile.release.debug-assertions=true", "--"])
        .args(arguments);
    crate::process::succeed(&mut command)
}
