//! The conformance suites: every scenario under `tests/conformance` is a test against the real binary.
//!
//! Invariant: a step that nobody understands is a failure, and the vocabulary is exactly what its page documents.

mod feature;
mod service;
mod services;
mod steps;
mod verdict;
mod words;
mod workforce;
mod world;
mod yaml;

use std::process::ExitCode;

use feature::Scenario;
use libtest_mimic::{Arguments, Failed, Trial};

/// Scenarios that do not pass yet, and why. One that passes must leave this list.
const NOT_YET: [(&str, &str); 0] = [];

fn main() -> ExitCode {
    let mut trials = vec![Trial::test("vocabulary::is_documented", || {
        Ok(steps::documented()?)
    })];
    for suite in ["serverless-workflow/features", "quadrille"] {
        let scenarios = feature::scenarios(suite).into_iter();
        trials.extend(
            scenarios.map(|scenario| Trial::test(scenario.name.clone(), move || judged(&scenario))),
        );
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whether a scenario does what is expected of it.
fn judged(scenario: &Scenario) -> Result<(), Failed> {
    let outcome = steps::play(scenario);
    let listed = NOT_YET.iter().find(|(name, _)| *name == scenario.name);
    match (listed, outcome) {
        (None, outcome) => Ok(outcome?),
        (Some(_), Err(_)) => Ok(()),
        (Some((_, reason)), Ok(())) => Err(format!(
            "it passes, so take it off the list, where it stands because {reason}"
        )
        .into()),
    }
}
