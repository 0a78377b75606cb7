//! The vocabulary: every step pattern, and what is done or demanded.
//!
//! Invariant: one list of patterns, the first that fits counts, and `README.md` of the suites documents each of them.

mod act;
mod arrange;
mod demand;

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::LocalBoxFuture;

use crate::feature::{Scenario, Step, folder};
use crate::words::Said;
use crate::world::World;

/// A step pattern, and what it means.
type Meaning = (&'static str, Act);

type Act = for<'w> fn(&'w mut World, Said) -> LocalBoxFuture<'w, Result<()>>;

/// Plays one scenario.
pub(crate) fn play(scenario: &Scenario) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut world = World::new()?;
        let outcome = told(&mut world, &scenario.steps).await;
        world.close().await;
        outcome
    })
}

/// Plays the steps up to the first that fails.
async fn told(world: &mut World, steps: &[Step]) -> Result<()> {
    for step in steps {
        let (said, meaning) = meaning(step)?;
        let outcome = meaning(world, said).await;
        let place = || format!("{}: {}", step.place, step.says);
        outcome.map_err(|error| anyhow::anyhow!("{}\n    {error:#}", place()))?;
    }
    Ok(())
}

/// Every pattern is on the page, and every pattern on the page is one.
pub(crate) fn documented() -> Result<()> {
    let page = std::fs::read_to_string(folder().join("README.md"))?;
    let (_, page) = page
        .split_once("## Vocabulary")
        .context("the vocabulary is there")?;
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    for (pattern, _) in vocabulary() {
        ensure!(documented.contains(pattern), "README.md lacks `{pattern}`");
    }
    for pattern in documented {
        let known = vocabulary().any(|(known, _)| *known == pattern);
        ensure!(known, "README.md has `{pattern}`, which is no step");
    }
    Ok(())
}

fn vocabulary() -> impl Iterator<Item = &'static Meaning> {
    arrange::STEPS.iter().chain(act::STEPS).chain(demand::STEPS)
}

fn meaning(step: &Step) -> Result<(Said, Act)> {
    // "And given the input is" says the same as "Given the input is".
    let says = step.says.strip_prefix("given ").unwrap_or(&step.says);
    let found = vocabulary().find_map(|(pattern, meaning)| {
        Some((Said::by(pattern, says, step.text.as_deref())?, *meaning))
    });
    let Some(found) = found else {
        bail!("{}: no step says {says:?}", step.place);
    };
    Ok(found)
}

/// What a `world` lacks if a step comes too early.
fn needed<T>(what: Option<T>, name: &str) -> Result<T> {
    what.with_context(|| format!("there is no {name} yet"))
}
