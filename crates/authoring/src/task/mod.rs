//! Tasks into nodes: one file for each family of the language.
//!
//! `list` walks lists of tasks and their flow; every other file turns what one kind of task says into the
//! [`graph::Kind`] that does it.

mod authentication;
pub(crate) mod call;
pub(crate) mod catalogue;
mod connector;
mod event;
pub(crate) mod extension;
pub(crate) mod failure;
mod flow;
mod grpc;
mod http;
mod human;
pub(crate) mod list;
mod mcp;
mod messaging;
mod process;
mod run;
mod wait;
