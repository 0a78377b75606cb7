//! Test cases of authors, run against the real rules in this thread: no server, no network, no waiting.
//!
//! `files` finds and reads them, `performance` plays a case, `answers` stands in for what it calls, `verdict`
//! says what came out otherwise than expected, `difference` how two pieces of data differ.

mod answers;
mod difference;
mod files;
mod performance;
mod verdict;

#[cfg(test)]
mod tests;

pub(crate) use files::{Loaded, Script, find, is_suite, load};
pub(crate) use performance::perform;
pub(crate) use verdict::{Report, judge};
