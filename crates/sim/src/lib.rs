//! A seeded simulation of one partition: its journal on a disk that fails, its read model, clients and
//! workers, crashes at any point, and a clock of its own.
//!
//! One seed drives everything, so a seed that shows a fault shows it for ever. [`run`] plays one;
//! invariants have names and one file each under `check`; [`Sabotage`] proves that they can be broken.
#![warn(missing_docs)]

mod cellar;
mod check;
mod client;
mod disk;
mod facts;
mod film;
mod heal;
mod letter;
mod moment;
mod node;
mod play;
mod random;
mod sabotage;
mod verdict;
mod worker;
mod workflows;
mod world;

pub use film::Film;
pub use play::{Played, Script, run};
pub use sabotage::Sabotage;
pub use verdict::{Invariant, Verdict, Violation};
pub use world::Tally;
