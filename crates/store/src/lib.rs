//! Tables behind the journal: a rebuildable cache with ordered keys.
//!
//! A store keeps named tables of ordered keys. Each batch changes all its tables at once and carries the
//! position in the journal that it reflects, so that whatever a crash leaves can be brought up to date by
//! reading the journal from there: the journal is the log that others write ahead of their tables.

mod batch;
mod fault;
mod keeper;
mod memory_tables;
mod store;
mod tree_tables;

pub use batch::Batch;
pub use fault::{OpenFault, ReadFault, WriteFault};
pub use store::{Direction, Each, Options, Store, TableId};
