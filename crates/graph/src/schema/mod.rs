//! JSON Schema: whether data has the shape that an author wrote down.
//!
//! [`Schema::compile`] reads a schema once and says all that is wrong with it; [`Schema::check`] holds data
//! against it and says what does not fit, with the place in the data and the rule. Both cost at most a fixed
//! budget whatever the schema and the data: patterns never backtrack, references stay inside the schema, and a
//! schema that leads back to itself without going into the data is refused.
//!
//! The language is JSON Schema 2020-12 (and what 2019-09 and draft 7 say otherwise about `items` and
//! `dependencies`), except:
//! * `$ref` and its kin reach only into the same schema; a schema inside another has no `$id`
//! * the formats `date-time` `date` `time` `email` `uuid` `uri` `ipv4` are checked, all others are taken as remarks
//! * patterns are those of expressions: no look-around, no back references
//!
//! Reading order: `rule` is what a schema becomes, `compile` makes it, `check` asks it.

mod check;
mod compile;
mod format;
mod rule;

#[cfg(test)]
mod tests;

pub use check::{Misfit, Misfits};
pub use compile::{Flaw, RULES_MAX};
pub use rule::Schema;
