//! Texts into graphs: the Serverless Workflow DSL.
//!
//! [`compile`] reads YAML 1.2 or JSON and gives either a sound [`graph::Graph`] or findings that say where
//! the text is wrong, what is wrong and how to fix it. It never panics and never hangs, whatever it is
//! given: text, nesting, nodes and everything that can multiply have a named bound.
#![warn(missing_docs)]

mod compile;
mod document;
mod expression;
mod finding;
mod lowering;
mod reading;
mod task;
mod yaml;

pub use compile::{Compiled, Schedule, compile};
pub use finding::{FINDINGS_MAX, Finding, Severity};
pub use lowering::{NAME_BYTES_MAX, REUSED_WEIGHT_MAX};
pub use yaml::{NESTING_MAX, TEXT_BYTES_MAX, TREE_NODES_MAX};
