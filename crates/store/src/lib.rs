//! Tables behind the journal: a rebuildable cache with ordered keys.
//!
//! A store keeps named tables of ordered keys. Each batch changes all its tables at once and carries the
//! position in the journal that it reflects, so that whatever a crash leaves can be brought up to date by
//! reading the journal from there. Nothing here is the only copy of anything.

mod batch;
mod fault;
mod fjall_tables;
mod memory_tables;
mod store;

pub use batch::Batch;
pub use fault::{OpenFault, ReadFault, WriteFault};
pub use store::{Direction, Each, Options, Store, TableId};
