//! Owns the playing of one seed from beginning to end.
//!
//! Invariant: whatever happens inside, a panic included, comes out as a verdict.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::film::{Film, shoot};
use crate::sabotage::Sabotage;
use crate::verdict::{Verdict, Violation};
use crate::world::{Tally, World};

/// What to play.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// The seed.
    pub seed: u64,
    /// Steps in which things go wrong.
    pub steps: u64,
    /// A fault built in on purpose.
    pub sabotage: Option<Sabotage>,
    /// Whether the film is shot.
    pub film: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// The verdict.
    pub verdict: Verdict,
    /// The film, if it was shot.
    pub film: Film,
    /// What happened how often.
    pub tally: Tally,
    /// How often each kind of event was seen.
    pub kinds: BTreeMap<&'static str, u64>,
}

/// Plays a seed.
#[must_use]
pub fn run(script: Script) -> Played {
    let mut world = World::new(script.seed, script.sabotage, Film::new(script.film));
    let played = catch_unwind(AssertUnwindSafe(|| play(&mut world, script.steps)));
    let verdict = match played {
        Ok(Ok(())) => Verdict::Kept,
        Ok(Err(violation)) => Verdict::Broken(violation),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Verdict::Crashed(text.unwrap_or_else(|| "a panic without words".into()))
        }
    };
    shoot!(world.film, "{verdict}");
    Played {
        verdict,
        film: world.film,
        tally: world.tally,
        kinds: world.facts.kinds,
    }
}

fn play(world: &mut World, steps: u64) -> Result<(), Violation> {
    world.begin()?;
    for step in 0..steps {
        world.film.step(step);
        world.step()?;
    }
    world.heal()
}
