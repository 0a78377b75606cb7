//! Expressions: jq, evaluated within a budget.
//!
//! A [`Program`] is compiled once, in one pass, into a list of nodes, and run often. Running charges every
//! step, every byte and every level of recursion to a [`Budget`], so that no expression can hang, exhaust
//! memory or overflow the stack; a spent budget cannot be caught. Nothing reaches outside its input.
//!
//! The language is jq 1.7, except:
//! * numbers that are whole stay exact within 64 bits; results beyond the doubles are clamped, not-a-number is null;
//!   numbers print in their shortest form (`1e300`)
//! * objects are in key order, so `keys_unsorted` is `keys`
//! * `now`, `env`, `$ENV`, `input`, `debug`, `halt`, modules and all else that reaches outside are refused
//! * not there: `?//`, streaming, `nan`, the rarer functions of mathematics; docs/guide/expressions.md lists what is
//! * dates are UTC, in the years 1 to 9999; `strptime` heeds `%z`
//! * a value, and a path, is at most 100 levels deep; a function that calls itself is bounded to about 40 calls
//!   unless it has no arguments and the call is its end: use `reduce`, `recurse`, `until` and `while`
//! * patterns are of the `regex` syntax: no look-around, no back references, flag `s` lets `.` match a new line
//! * `recurse(f)`, `repeat(f)` take all results of `f` before going on; `last(f)` of nothing is nothing
//! * error texts differ; `sub` puts in one text per match
//! * an object value may be any expression without `,`: `{a: 1 + 2}`
//!
//! Reading order: `token`, `scope`, `parse`, `term` make `node`s; `eval`, `stream`, `special`, `assign` run
//! them; `count` and `foresight` look at them; the other files are the functions.

mod access;
mod array;
mod assign;
mod budget;
mod calendar;
mod count;
mod error;
mod eval;
mod focus;
mod foresight;
mod frame;
mod function;
mod json;
mod math;
mod node;
mod number;
mod object;
mod order;
mod parse;
mod pattern;
mod program;
mod radix;
mod scope;
mod special;
mod stream;
mod term;
mod text;
mod time;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use error::Stop;
pub(crate) use order::{equal, sort};
pub(crate) use pattern::Pattern;

pub use budget::{BYTES_MAX, Budget, DEPTH_MAX, STEPS_MAX};
pub use error::{ErrorKind, ExprError, SyntaxError};
pub use foresight::{Foresight, Slip};
pub use parse::{CHAIN_MAX, NESTING_MAX, SOURCE_BYTES_MAX};
pub use program::Program;
