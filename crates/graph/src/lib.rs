//! A workflow as data: values, expressions, the graph and its soundness check.
//!
//! Nothing here knows a clock, a disk or a thread: the crate is `no_std` so that the compiler says so.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

pub mod check;
pub mod duration;
pub mod expr;
pub mod failure;
pub mod ir;
pub mod schema;
pub mod template;
pub mod value;

pub use duration::Delay;
pub use failure::Failure;
pub use ir::{BodyIndex, Graph, Kind, Next, Node, NodeIndex};
pub use template::{Expr, Template};
pub use value::{Object, Str, Value};
