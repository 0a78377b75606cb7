//! Ordered durable bytes: append with epoch, read in order, trim.
//!
//! A journal keeps records, numbered from 1, and knows nothing of their meaning. What `append` has
//! accepted survives a crash, whole and in order; what it has refused may or may not exist after the
//! next opening. [`LocalJournal`] keeps segments on a [`Disk`], [`MemoryJournal`] keeps nothing.

mod direct;
mod disk;
pub mod fault;
mod format;
mod journal;
mod local;
mod local_disk;
mod memory;
mod position;
mod recovery;
mod scan;

pub use disk::{Disk, DiskFault, DiskFile};
pub use journal::{AppendFault, Damage, Flaw, Journal, ReadFault, TrimFault};
pub use local::{LocalJournal, Options};
pub use local_disk::LocalDisk;
pub use memory::MemoryJournal;
pub use position::{Epoch, Position};
pub use recovery::{OpenFault, Recovery};
