//! Plays seeds in every build: a fixed set, those that once found a fault, and proofs that the checks see.
//!
//! A red seed is looked at with `cargo xtask sim --film SEED` and, once understood, kept in `seeds.txt`.

use std::ops::Range;

use quadrille_sim::{Invariant, Sabotage, Script, Verdict, run};

/// Steps in which things go wrong.
const STEPS: u64 = 300;

/// Seeds within which a sabotage must be caught.
const SABOTAGE_SEEDS: Range<u64> = 0..200;

fn script(seed: u64) -> Script {
    Script {
        seed,
        steps: STEPS,
        sabotage: None,
        film: false,
    }
}

fn all_kept(seeds: impl IntoIterator<Item = u64>) {
    for seed in seeds {
        let verdict = run(script(seed)).verdict;
        assert!(
            verdict == Verdict::Kept,
            "seed {seed}: {verdict}; look at it with `cargo xtask sim --film {seed}`"
        );
    }
}

#[test]
fn promises_are_kept_in_the_first_hundred_seeds() {
    all_kept(0..100);
}

#[test]
fn promises_are_kept_in_the_second_hundred_seeds() {
    all_kept(100..200);
}

#[test]
fn seeds_that_once_found_a_fault_stay_clean() {
    let lines = include_str!("../seeds.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let seeds = lines.filter_map(|line| line.split_whitespace().next());
    all_kept(seeds.map(|seed| seed.parse::<u64>().expect("a line begins with a seed")));
}

#[test]
fn the_same_seed_gives_the_same_film_byte_for_byte() {
    for seed in [1, 2, 3] {
        let film = || {
            run(Script {
                film: true,
                ..script(seed)
            })
            .film
        };
        let (first, second) = (film(), film());
        assert!(
            first.lines().len() > 500,
            "the film of seed {seed} shows next to nothing"
        );
        assert!(
            first.lines() == second.lines(),
            "seed {seed} was played in two ways"
        );
    }
}

#[test]
fn what_is_simulated_reaches_far() {
    let played: Vec<_> = (0..10).map(|seed| run(script(seed))).collect();
    let total = |count: fn(&quadrille_sim::Tally) -> u64| {
        played
            .iter()
            .map(|played| count(&played.tally))
            .sum::<u64>()
    };
    assert!(total(|tally| tally.recoveries) > 50);
    assert!(total(|tally| tally.checkpoints) > 10);
    assert!(total(|tally| tally.failed_appends) > 3);
    assert!(total(|tally| tally.purged) > 3);
    for kind in [
        "TaskBackedOff",
        "SignalKept",
        "EventDropped",
        "StepWithdrawing",
        "RegionTurned",
        "SchedulePut",
        "ScheduleMoved",
        "Suspended",
        "MessageDeferred",
        "MessageTaken",
        "LockGranted",
    ] {
        assert!(
            played.iter().any(|played| played.kinds.contains_key(kind)),
            "no seed has seen {kind}"
        );
    }
}

/// Which invariants may tell that a fault was built in.
fn tells(sabotage: Sabotage) -> &'static [Invariant] {
    use Invariant::*;
    match sabotage {
        Sabotage::AnswerEarly => &[NothingLeavesEarly],
        Sabotage::LyingDisk => &[NothingLeavesEarly, AcknowledgedIsKept],
        Sabotage::FrozenClock | Sabotage::ForgetDisconnect => &[EveryRunEnds],
        Sabotage::ClockAhead | Sabotage::ClockBack => &[TimersNeverEarly],
        Sabotage::AppendTwice => &[AcknowledgedIsKept, StepsOnce, FinishedStaysFinished],
        Sabotage::DropFinished => &[AcknowledgedIsKept],
        Sabotage::TrimEarly => &[AcknowledgedIsKept],
        Sabotage::ForgeClaim => &[OneLiveClaim],
        Sabotage::SkipResume => &[EveryRunEnds],
        Sabotage::DropTail => &[ReplayEqualsLive],
    }
}

#[test]
fn every_sabotage_is_caught_by_the_invariant_it_breaks() {
    for sabotage in Sabotage::ALL {
        let mut seeds = SABOTAGE_SEEDS.map(|seed| {
            run(Script {
                sabotage: Some(sabotage),
                ..script(seed)
            })
            .verdict
        });
        let caught = seeds.find(|verdict| *verdict != Verdict::Kept);
        match caught {
            Some(Verdict::Broken(violation)) if tells(sabotage).contains(&violation.invariant) => {}
            Some(other) => panic!("{} was caught as something else: {other}", sabotage.name()),
            None => panic!("{} was not caught in {SABOTAGE_SEEDS:?}", sabotage.name()),
        }
    }
}
