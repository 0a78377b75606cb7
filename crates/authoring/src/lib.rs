//! Texts into graphs: the Serverless Workflow DSL, and the graph form of documents that draw nodes and edges.
//!
//! [`compile`] reads YAML 1.2 or JSON and gives either a sound [`graph::Graph`] or findings that say where
//! the text is wrong, what is wrong and how to fix it. It never panics and never hangs, whatever it is
//! given: text, nesting, nodes and everything that can multiply have a named bound.
//!
//! Where the language leaves it open, this is what it means here:
//!
//! * Conditions, lists to go through, and what shapes data take an expression bare or as `${ … }`. Any
//!   other value is computed only if it is `${ … }` as a whole.
//! * A skipped task goes on with the next one of its list, even if its `then` leads elsewhere; `continue` in
//!   a case of a switch means the same. The default of a switch is tried last, wherever it stands.
//! * `limit.attempt.count` counts the first attempt. Exponential backoff doubles. A policy without `delay`
//!   waits a second.
//! * An expression on `data` in an event filter is a condition; any other member must be equal.
//! * A function of `use.functions` runs on its `with` (without one, on the caller's input) and does not see
//!   the caller's loop variables.
//! * `run.workflow` without a namespace means the document's own.
//!
//! What the language lacks is called as functions of the catalogue, with or without `:1.0.0@default`:
//! `task` `human-task` `map` `race` `lock` `saga` `finally` `loop` `wait-until` `child`.
#![warn(missing_docs)]

mod compile;
mod document;
mod event;
mod expression;
mod finding;
mod graph_form;
mod lowering;
mod profile;
mod reading;
mod schedule;
mod schema;
mod secret;
pub mod suite;
mod task;
mod tree;
mod yaml;

pub use compile::{Compiled, Pace, Schedule, compile};
pub use event::{EVENTS_MAX, events};
pub use finding::{FINDINGS_MAX, Finding, Severity};
pub use graph_form::to_text;
pub use lowering::REUSED_WEIGHT_MAX;
pub use profile::schema;
pub use yaml::{NESTING_MAX, TEXT_BYTES_MAX, TREE_NODES_MAX};
