//! Owns the command line: `sim --seed N`, `sim --seeds FROM..TO`, `sim --film SEED`, `sim --sabotage NAME`.
//!
//! Exit codes: 0 all promises kept, 2 bad arguments, 10 a safety promise broken, 11 a run does not end,
//! 12 a panic. A sabotage is caught when the code is not 0.

use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use quadrille_sim::{Played, Sabotage, Script, run};

/// Seeded simulation of a partition on a faulty disk.
#[derive(Parser)]
struct Arguments {
    /// One seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Many seeds, such as 0..1000.
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Print each step of this seed.
    #[arg(long)]
    film: Option<u64>,
    /// Steps in which things go wrong.
    #[arg(long, default_value_t = 300)]
    steps: u64,
    /// Build in a fault on purpose; the name `list` shows what there is.
    #[arg(long)]
    sabotage: Option<String>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let read = |number: &str| {
        number
            .trim()
            .parse::<u64>()
            .map_err(|_| format!("{number:?} is no seed; write 0..1000"))
    };
    let (from, to) = text
        .split_once("..")
        .ok_or_else(|| format!("{text:?} is no range of seeds; write 0..1000"))?;
    Ok(read(from)?..read(to)?)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let sabotage = match arguments.sabotage.as_deref() {
        None => None,
        Some(name) => match Sabotage::named(name) {
            Some(sabotage) => Some(sabotage),
            None => {
                let names: Vec<&str> = Sabotage::ALL
                    .iter()
                    .map(|sabotage| sabotage.name())
                    .collect();
                eprintln!(
                    "error: no sabotage {name:?}; there are {}",
                    names.join(", ")
                );
                return ExitCode::from(2);
            }
        },
    };
    let script = |seed, film| Script {
        seed,
        steps: arguments.steps,
        sabotage,
        film,
    };
    if let Some(seed) = arguments.film {
        let played = run(script(seed, true));
        played
            .film
            .lines()
            .iter()
            .for_each(|line| println!("{line}"));
        return ExitCode::from(played.verdict.exit_code());
    }
    let seeds = match (arguments.seed, arguments.seeds) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(seeds)) => seeds,
        (None, None) => 0..200,
    };
    many(seeds, &script)
}

/// Plays seeds until one shows something.
fn many(seeds: Range<u64>, script: &dyn Fn(u64, bool) -> Script) -> ExitCode {
    let begin = Instant::now();
    let mut kinds = std::collections::BTreeMap::new();
    let [
        mut count,
        mut commits,
        mut recoveries,
        mut checkpoints,
        mut failed,
        mut purged,
    ] = [0_u64; 6];
    for seed in seeds {
        let Played {
            verdict,
            tally,
            kinds: seen,
            ..
        } = run(script(seed, false));
        if verdict.exit_code() != 0 {
            println!("seed {seed}: {verdict}\nlook at it with --film {seed}");
            return ExitCode::from(verdict.exit_code());
        }
        count += 1;
        commits += tally.commits;
        recoveries += tally.recoveries;
        checkpoints += tally.checkpoints;
        failed += tally.failed_appends;
        purged += tally.purged;
        seen.into_iter()
            .for_each(|(kind, times)| *kinds.entry(kind).or_insert(0_u64) += times);
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{count} seeds in {seconds:.1} s: {commits} commits, {recoveries} recoveries, {checkpoints} checkpoints, {failed} failed appends, {purged} runs forgotten"
    );
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, times)| format!("{kind} {times}"))
        .collect();
    println!("events: {}", kinds.join(", "));
    ExitCode::SUCCESS
}
