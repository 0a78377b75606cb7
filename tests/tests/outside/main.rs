//! Tests of the real binary from outside: what the project promises to whoever runs it.
//!
//! One binary for all of them, because linking takes longer than most of them do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod command_line;
mod connectors;
mod crash;
mod examples;
mod human;
mod language;
mod lifecycle;
mod locks;
mod schedules;

use std::path::PathBuf;

/// A file of the examples.
fn example(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(path)
}

/// The text of a file of the examples.
fn example_text(path: &str) -> String {
    std::fs::read_to_string(example(path)).expect("the example is there")
}

/// A workflow with these tasks.
fn workflow(name: &str, tasks: &str) -> String {
    format!(
        "document: {{dsl: '1.0.3', namespace: default, name: {name}, version: '1.0.0'}}\ndo:\n{tasks}\n"
    )
}
