//! The journal as its users see it: one trait, and what can go wrong with each operation.
//!
//! Invariant of every provider: when `append` returns `Ok`, all records of the group are durable, and
//! `read` gives them back in order; a group is never seen in part.

use std::ops::ControlFlow;

use crate::{DiskFault, Epoch, Position};

/// Ordered durable records with one owner at a time.
pub trait Journal: Send {
    /// Appends `records` as one atomic group and returns the position of the last one. When it returns
    /// `Ok`, all are on stable storage. After a fault of the disk the group may or may not exist, and every
    /// later append is refused as [`AppendFault::Poisoned`]: drop the journal and open it again.
    /// An empty group writes nothing and returns the end.
    fn append(&mut self, records: &[&[u8]]) -> Result<Position, AppendFault>;

    /// The position of the last durable record, 0 if there has never been one.
    fn end(&self) -> Position;

    /// The position of the first record still kept; one above the end if none is.
    fn start(&self) -> Position;

    /// The epoch of this owner.
    fn epoch(&self) -> Epoch;

    /// Gives the records from `from` (inclusive) to the end to `each`, in order, until `each` breaks.
    /// Position 0 means position 1. Nothing is given if `from` lies beyond the end.
    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadFault>;

    /// Allows to forget the records below `before`. Whole segments go, so some of them may stay.
    fn trim(&mut self, before: Position) -> Result<(), TrimFault>;
}

/// Why a group was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AppendFault {
    /// One record is larger than this journal allows. Nothing was written, the journal goes on.
    #[error("record {index} of the group has {bytes} bytes, more than the {bytes_max} allowed")]
    RecordTooLarge {
        /// Place of the record in the group, from 0.
        index: usize,
        /// Its size.
        bytes: u64,
        /// The largest size allowed.
        bytes_max: u64,
    },
    /// The group does not fit into one segment. Nothing was written, the journal goes on.
    #[error(
        "group of {bytes} bytes does not fit into one segment of the journal ({bytes_max} bytes)\n  append it as several groups"
    )]
    GroupTooLarge {
        /// The size of the group on disk.
        bytes: u64,
        /// The largest size allowed.
        bytes_max: u64,
    },
    /// The disk is full. The journal takes no more groups until it is opened again.
    #[error("no space is left for the journal\n  free some, then open the journal again")]
    NoSpace(#[source] DiskFault),
    /// The disk failed. The journal takes no more groups until it is opened again.
    #[error("the journal could not make the group durable")]
    Disk(#[source] DiskFault),
    /// An earlier append or trim failed, so what is durable is unknown until the journal is opened again.
    #[error("the journal takes no records after a failure\n  open it again")]
    Poisoned,
}

impl From<DiskFault> for AppendFault {
    fn from(fault: DiskFault) -> Self {
        if fault.is_no_space() {
            Self::NoSpace(fault)
        } else {
            Self::Disk(fault)
        }
    }
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The record is no longer kept.
    #[error("position {from} was trimmed: the journal starts at {start}")]
    Trimmed {
        /// The position asked for.
        from: Position,
        /// The first position kept.
        start: Position,
    },
    /// The disk failed.
    #[error("the journal could not be read")]
    Disk(#[from] DiskFault),
    /// The bytes on disk are not those that were written.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Why old segments could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum TrimFault {
    /// The disk failed; segments not yet removed are kept. The journal is of no use until it is opened again.
    #[error("the journal could not be trimmed")]
    Disk(#[from] DiskFault),
    /// An earlier operation failed, so what is durable is unknown until the journal is opened again.
    #[error("the journal cannot be trimmed after a failure\n  open it again")]
    Poisoned,
}

/// A place where the bytes on disk are not those that were written.
#[derive(Debug, thiserror::Error)]
#[error("{file} is damaged at byte {offset}: {flaw}\n  restore this file from a backup")]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where the damaged frame begins.
    pub offset: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The checksum does not match, though the frame was once durable.
    #[error("the checksum does not match")]
    Checksum,
    /// The checksum does not match, and frames written later follow.
    #[error("the checksum does not match, and a later frame follows at byte {later}")]
    FollowedBy {
        /// Where the later frame begins.
        later: u64,
    },
    /// The frame does not continue the one before it.
    #[error("the frame does not continue the one before it")]
    Chain,
    /// The frame holds other positions than its place demands.
    #[error("the frame starts at position {found}, not at {expected}")]
    Position {
        /// What its place demands.
        expected: Position,
        /// What it says.
        found: Position,
    },
    /// An owner wrote after it had been fenced off, or without a fence.
    #[error("the frame is of epoch {found}, the fence before it of epoch {current}")]
    Epoch {
        /// The epoch of the last fence.
        current: Epoch,
        /// What the frame says.
        found: Epoch,
    },
    /// The checksum matches, but the content makes no sense.
    #[error("the content of the frame is malformed")]
    Content,
}
