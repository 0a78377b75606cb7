//! Owns [`Options`]: what was asked for on the command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

const USAGE: &str = "\
usage: cargo xtask bench [OPTIONS]

  --quick        short bursts, and no long journal: under three minutes
  --json FILE    writes every figure: name, value, unit, limit, ratio, target, met
  --only NAME…   only what begins so: ready, one-step, three-step/64, start, footprint, recovery,
                 expressions
  --seconds N    length of a burst; 4, or 2 with --quick
  --realtime     puts `chrt -f 1` before every program, for a machine that others use too";

/// Seconds of a burst if nothing is said.
const SECONDS_DEFAULT: u64 = 4;
/// The same for `--quick`.
const SECONDS_QUICK: u64 = 2;

/// What to measure, and how thoroughly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) quick: bool,
    pub(super) realtime: bool,
    pub(super) json: Option<PathBuf>,
    only: Vec<String>,
    seconds: Option<u64>,
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> anyhow::Result<Options> {
        let mut options = Options::default();
        let mut words = arguments.iter().peekable();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.quick = true,
                "--realtime" => options.realtime = true,
                "--json" => {
                    let file = words.next().context("--json needs a file")?;
                    options.json = Some(file.into());
                }
                "--seconds" => {
                    let seconds = words
                        .next()
                        .and_then(|word| word.parse().ok())
                        .filter(|seconds| *seconds > 0);
                    options.seconds =
                        Some(seconds.context("--seconds needs a whole number from 1")?);
                }
                "--only" => {
                    while let Some(name) = words.next_if(|word| !word.starts_with("--")) {
                        options.only.push(name.clone());
                    }
                    if options.only.is_empty() {
                        bail!("--only needs a name\n\n{USAGE}");
                    }
                }
                other => bail!("no option is named {other:?}\n\n{USAGE}"),
            }
        }
        Ok(options)
    }

    /// Whether a measurement of this name is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| name.starts_with(wanted))
    }

    /// Seconds of a burst of load.
    pub(super) fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(if self.quick {
            SECONDS_QUICK
        } else {
            SECONDS_DEFAULT
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Options> {
        Options::read(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn names_end_at_the_next_option() {
        let options = read("--only one-step/1 start --seconds 3 --quick").unwrap();
        assert!(
            options.wants("one-step/1")
                && options.wants("one-step/16")
                && options.wants("start/64")
        );
        assert!(!options.wants("three-step/1"));
        assert_eq!(options.seconds(), 3);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in [
            "--slow",
            "--only --quick",
            "--seconds 0",
            "--seconds x",
            "--json",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
