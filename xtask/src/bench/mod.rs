//! Measures how fast the release server is, next to the limits of the machine.
//!
//! Every figure that has a physical limit is also a ratio to that limit, measured in the same run. No
//! figure fails the bench; a lost run or an error in an answer does.

mod burst;
mod case;
mod course;
mod figure;
mod http;
mod lifetime;
mod limits;
mod machine;
mod options;
mod program;
mod server;
mod summary;
mod table;
mod target;
mod usage;
mod workbench;

pub(crate) use course::run;
