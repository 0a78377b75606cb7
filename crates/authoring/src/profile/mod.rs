//! The profile: every map and key of the language, and what is done with it.
//!
//! One table, from which come the JSON Schema for editors ([`schema`]) and the tables of the published page
//! (`docs/reference/workflow-language.md`). The tests hold it against the official schema, so that nothing of the
//! language is left out, and against the compiler, row by row, so that it says the truth.

mod call;
mod document;
mod event;
mod own;
mod schema;
mod shape;
mod task;
#[cfg(test)]
mod tests;

pub use schema::schema;
