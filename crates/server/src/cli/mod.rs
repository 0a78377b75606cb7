//! The command line: one file per command, each with its arguments and what it does.
//!
//! `command` lists the commands, `context` is what they share, `complaint` how they end otherwise than well.

mod apply;
mod cancel;
mod check;
mod command;
mod complaint;
mod completion;
mod config;
mod context;
mod describe;
mod exec;
mod get;
mod history;
mod human;
mod input;
mod lifecycle;
mod list;
mod occurrence;
mod publish;
mod retry;
mod run;
mod schedule;
mod schema;
mod server;
mod signal;
mod source;
mod steer;
mod stranded;
mod test;
mod waiting;

#[cfg(test)]
mod tests;

pub(crate) use command::main;
pub(crate) use complaint::Complaint;
pub(crate) use source::Source;
pub(crate) use test::Played;
