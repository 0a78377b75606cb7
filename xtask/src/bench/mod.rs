//! Measures how fast the release server is, next to the limits of the machine.
//!
//! Every figure is also a ratio to a limit that was measured in the same run.

/// Runs the bench.
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    anyhow::bail!("there is no bench yet")
}
