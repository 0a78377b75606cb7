//! What a crash left behind: finds the segments, checks every frame, and says where to go on.
//!
//! A group is synced before the next one is written, so a crash can leave only the last frame unfinished.
//! Such a torn tail was never acknowledged and is dropped. A bad frame that later frames follow was once
//! durable: that is damage, and the journal refuses to open. Damage to the very last frame cannot be told
//! from a torn tail; `dropped_bytes` reports both.

use crate::disk::fault;
use crate::format::{HeaderFlaw, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION};
use crate::scan::{Cursor, Found, find_header, find_zeros};
use crate::{Damage, Disk, DiskFault, DiskFile, Epoch, Flaw, Position};

const SEGMENT_SUFFIX: &str = ".segment";

/// What an opening found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of a group that was not written to its end, and that are dropped.
    pub dropped_bytes: u64,
    /// The epoch of the new owner.
    pub epoch: Epoch,
    /// The position of the last record kept.
    pub end: Position,
}

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The options contradict each other.
    #[error("{option} is {value}, but must be from {min} to {max}")]
    Options {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: u64,
        /// The smallest value allowed.
        min: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// Somebody else has the journal open.
    #[error("{file} is held by another owner\n  stop the other process, or choose another folder")]
    Locked {
        /// The lock file.
        file: String,
    },
    /// The disk failed.
    #[error("the journal could not be opened")]
    Disk(#[from] DiskFault),
    /// A frame that was once durable is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A segment is too short to be one.
    #[error(
        "{file} has {bytes} bytes, too few for a segment of the journal\n  restore this file from a backup"
    )]
    Short {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
    },
    /// A file that is named like a segment is none.
    #[error(
        "{file} is not a segment of a journal\n  restore this file from a backup, or remove it"
    )]
    NotASegment {
        /// The file.
        file: String,
    },
    /// A segment has a format that this version does not know.
    #[error("{file} has format version {version}; this program reads version {VERSION}")]
    UnknownVersion {
        /// The file.
        file: String,
        /// The version it says it has.
        version: u32,
    },
    /// The content of a segment belongs to another place than its name says.
    #[error("{file} starts at position {found}, not at the one it is named after")]
    WrongName {
        /// The file.
        file: String,
        /// The position that it starts at.
        found: Position,
    },
    /// Records between two segments are missing.
    #[error(
        "records {expected} up to {found} are missing before {file}\n  restore the segment from a backup"
    )]
    Gap {
        /// The segment after the gap.
        file: String,
        /// The first position missing.
        expected: Position,
        /// The first position after the gap.
        found: Position,
    },
    /// Two segments hold the same positions.
    #[error("{file} repeats records from position {found} on\n  remove the copy")]
    Overlap {
        /// The later segment.
        file: String,
        /// Its first position.
        found: Position,
    },
}

/// One segment that is kept.
pub(crate) struct Segment {
    pub(crate) first: Position,
    pub(crate) bytes: u64,
}

impl Segment {
    pub(crate) fn name(&self) -> String {
        segment_name(self.first)
    }
}

/// An open segment and the place in it where the next frame goes.
pub(crate) struct Tail {
    pub(crate) file: Box<dyn DiskFile>,
    pub(crate) header: SegmentHeader,
    pub(crate) seed: u32,
    pub(crate) bytes: u64,
    pub(crate) offset: u64,
    pub(crate) chain: u32,
}

/// What a walk over all segments found.
pub(crate) struct Walk {
    pub(crate) segments: Vec<Segment>,
    /// The last segment; none if the journal is new.
    pub(crate) tail: Option<Tail>,
    /// Offset and size of the last frame in it.
    pub(crate) last_frame: Option<(u64, u64)>,
    pub(crate) dropped_bytes: u64,
    /// Where the bytes end that a torn frame may have left behind the tail.
    pub(crate) garbage_end: u64,
    pub(crate) epoch: Epoch,
    pub(crate) next: Position,
}

/// The file name of the segment that starts at `first`.
pub(crate) fn segment_name(first: Position) -> String {
    format!("{:020}{SEGMENT_SUFFIX}", first.0)
}

/// Checks every segment of the disk.
pub(crate) fn walk(disk: &dyn Disk, names: &[String]) -> Result<Walk, OpenFault> {
    let mut names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| name.ends_with(SEGMENT_SUFFIX))
        .collect();
    names.sort_unstable();
    let mut walk = Walk {
        segments: Vec::with_capacity(names.len()),
        tail: None,
        last_frame: None,
        dropped_bytes: 0,
        garbage_end: 0,
        epoch: Epoch(0),
        next: Position(1),
    };
    let mut torn = None;
    for name in names {
        let mut tail = open_segment(disk, name)?;
        if let Some(before) = &walk.tail {
            check_joint(disk, before, (&tail, name), &walk, torn)?;
        }
        torn = walk_segment(disk, name, &mut tail, &mut walk)?;
        walk.segments.push(Segment {
            first: tail.header.first,
            bytes: tail.bytes,
        });
        walk.tail = Some(tail);
    }
    measure_tail(disk, &mut walk, torn)?;
    Ok(walk)
}

/// Opens a segment and reads its header. The place to go on is not known yet.
pub(crate) fn open_segment(disk: &dyn Disk, name: &str) -> Result<Tail, OpenFault> {
    let file = disk.open(name).map_err(fault(disk, "open", name))?;
    let bytes = file.bytes().map_err(fault(disk, "measure", name))?;
    if bytes < SEGMENT_HEADER_BYTES as u64 {
        let file = disk.path(name);
        return Err(OpenFault::Short { file, bytes });
    }
    let mut header = [0; SEGMENT_HEADER_BYTES];
    file.read_at(&mut header, 0)
        .map_err(fault(disk, "read", name))?;
    let path = disk.path(name);
    let (header, seed) = match SegmentHeader::decode(&header) {
        Ok(decoded) => decoded,
        Err(HeaderFlaw::Magic) => return Err(OpenFault::NotASegment { file: path }),
        Err(HeaderFlaw::Version(version)) => {
            return Err(OpenFault::UnknownVersion {
                file: path,
                version,
            });
        }
        Err(HeaderFlaw::Checksum) => {
            return Err(damage(disk, name, 0, Flaw::Checksum).into());
        }
    };
    if segment_name(header.first) != name {
        return Err(OpenFault::WrongName {
            file: path,
            found: header.first,
        });
    }
    Ok(Tail {
        file,
        header,
        seed,
        bytes,
        offset: SEGMENT_HEADER_BYTES as u64,
        chain: seed,
    })
}

pub(crate) fn damage(disk: &dyn Disk, name: &str, offset: u64, flaw: Flaw) -> Damage {
    Damage {
        file: disk.path(name),
        offset,
        flaw,
    }
}

/// Moves `tail` behind the last good frame; returns the size of the frame there if its header is whole.
fn walk_segment(
    disk: &dyn Disk,
    name: &str,
    tail: &mut Tail,
    walk: &mut Walk,
) -> Result<Option<u64>, OpenFault> {
    let mut cursor = Cursor::new(tail.file.as_ref(), &tail.header, tail.seed, tail.bytes);
    walk.last_frame = None;
    let torn = loop {
        match cursor.advance().map_err(fault(disk, "read", name))? {
            Found::Frame(header) => {
                let bytes = header.frame_bytes();
                walk.last_frame = Some((cursor.offset - bytes, bytes));
            }
            Found::End(header) => break header.map(|header| header.frame_bytes()),
            Found::Flawed(flaw) => return Err(damage(disk, name, cursor.offset, flaw).into()),
        }
    };
    (walk.next, walk.epoch) = (cursor.next, cursor.epoch);
    (tail.offset, tail.chain) = (cursor.offset, cursor.chain);
    Ok(torn)
}

/// Checks that the segment `after` continues the one before it, where the walk stands.
fn check_joint(
    disk: &dyn Disk,
    before: &Tail,
    (after, name): (&Tail, &str),
    walk: &Walk,
    torn: Option<u64>,
) -> Result<(), OpenFault> {
    let found = after.header.first;
    let continues = found == walk.next && after.header.previous == before.chain;
    if continues && after.header.epoch >= walk.epoch {
        return Ok(());
    }
    if continues {
        let flaw = Flaw::Epoch {
            current: walk.epoch,
            found: after.header.epoch,
        };
        return Err(damage(disk, name, 0, flaw).into());
    }
    let file = disk.path(name);
    if found < walk.next {
        return Err(OpenFault::Overlap { file, found });
    }
    let before_name = segment_name(before.header.first);
    refuse_later_frame(disk, &before_name, before, torn)?;
    if torn.is_some() || has_rest(disk, &before_name, before)? {
        return Err(damage(disk, &before_name, before.offset, Flaw::Checksum).into());
    }
    if found > walk.next {
        let expected = walk.next;
        return Err(OpenFault::Gap {
            file,
            expected,
            found,
        });
    }
    Err(damage(disk, name, 0, Flaw::Chain).into())
}

/// True if something other than zeros stands behind the last frame of a segment that was never recycled.
fn has_rest(disk: &dyn Disk, name: &str, tail: &Tail) -> Result<bool, DiskFault> {
    let end = find_zeros(tail.file.as_ref(), tail.offset, tail.bytes);
    let end = end.map_err(fault(disk, "read", name))?;
    Ok(!tail.header.recycled && end > tail.offset)
}

/// A bad frame that later frames follow is damage.
fn refuse_later_frame(
    disk: &dyn Disk,
    name: &str,
    tail: &Tail,
    torn: Option<u64>,
) -> Result<(), OpenFault> {
    let from = tail.offset + torn.unwrap_or(1);
    let later = find_header(tail.file.as_ref(), tail.seed, from, tail.bytes);
    match later.map_err(fault(disk, "read", name))? {
        Some(later) => Err(damage(disk, name, tail.offset, Flaw::FollowedBy { later }).into()),
        None => Ok(()),
    }
}

/// Measures what a torn frame left behind the tail of the last segment.
fn measure_tail(disk: &dyn Disk, walk: &mut Walk, torn: Option<u64>) -> Result<(), OpenFault> {
    let Some(tail) = &walk.tail else {
        return Ok(());
    };
    let name = segment_name(tail.header.first);
    refuse_later_frame(disk, &name, tail, torn)?;
    let torn_end = tail.bytes.min(tail.offset + torn.unwrap_or(0));
    walk.garbage_end = if tail.header.recycled {
        torn_end
    } else {
        let zeros = find_zeros(tail.file.as_ref(), tail.offset, tail.bytes);
        torn_end.max(zeros.map_err(fault(disk, "read", &name))?)
    };
    walk.dropped_bytes = walk.garbage_end - tail.offset;
    Ok(())
}
