//! Owns the graph form: documents that draw nodes and edges where the DSL has lists of tasks.
//!
//! Whatever a task may be, a node may be, read by the same functions; only bodies differ, and where tokens
//! go is said by edges alone. [`to_text`] writes any graph in this form.
//!
//! Invariant: what [`to_text`] writes compiles to a graph that means the same, and that one is written the
//! same again, unless its bodies nest deeper than a text may.

mod body;
mod text;
mod value;
mod yaml;

pub use text::to_text;

/// The version of the form that is read and written.
pub(crate) const FORM_VERSION: &str = "1.0";

/// The keys of a body.
pub(crate) const KEYS_BODY: [&str; 3] = ["start", "nodes", "edges"];
