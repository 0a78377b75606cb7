//! The services and the worker that the examples talk to, made to show what a workflow engine promises.
//!
//! Everything that has an effect writes it into one [`Ledger`], by the key that the caller gave. So a
//! request that comes twice is seen, and has its effect once.

mod ledger;
mod shop;
mod statements;

pub use ledger::{Effect, Ledger, Recorded};
pub use shop::Shop;
pub use statements::{Statement, statements_worker};
