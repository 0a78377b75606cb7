//! The journal on a disk of one's own: segments of frames, one write and one sync per group.
//!
//! Invariants: a group is synced before the next one is written; a segment gets its name only when its header
//! is durable; after any failure of the disk nothing is written until the journal is opened again, because a disk
//! that has failed a sync may have dropped the bytes and yet show them to readers.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;

use crate::disk::fault;
use crate::format::{FRAME_HEADER_BYTES, Kind, RECORD_PREFIX_BYTES, SEGMENT_HEADER_BYTES};
use crate::format::{SegmentHeader, encode_frame, frame_bytes, split_record};
use crate::recovery::{Segment, Tail, Walk, damage, open_segment, segment_name, walk};
use crate::scan::{Cursor, Found};
use crate::{AppendFault, Disk, DiskFault, Epoch, Flaw, Journal, OpenFault, Position, ReadFault};
use crate::{Recovery, TrimFault};

/// The next segment before it has its name.
const SPARE: &str = "spare";
const SEGMENT_BYTES_MIN: u64 = 512;
const SEGMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// What the encode buffer may keep between groups.
const FRAME_BUFFER_BYTES_MAX: usize = 1024 * 1024;
/// How much of a torn frame is overwritten with zeros at a time.
const ZEROS_BYTES: usize = 64 * 1024;

/// Sizes of a journal.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Size of the first segment, which an empty start has to write.
    pub first_segment_bytes: u64,
    /// Size of every other segment; a group must fit into one.
    pub segment_bytes: u64,
    /// The largest record accepted.
    pub record_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_segment_bytes: 4 * 1024 * 1024,
            segment_bytes: 32 * 1024 * 1024,
            record_bytes_max: 16 * 1024 * 1024,
        }
    }
}

impl Options {
    /// The largest frame that fits into a segment.
    fn group_bytes_max(&self) -> u64 {
        self.segment_bytes - SEGMENT_HEADER_BYTES as u64
    }

    fn check(&self) -> Result<(), OpenFault> {
        let within = |option, value, min, max| {
            if (min..=max).contains(&value) {
                return Ok(());
            }
            Err(OpenFault::Options {
                option,
                value,
                min,
                max,
            })
        };
        let (min, max) = (SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        within("segment_bytes", self.segment_bytes, min, max)?;
        let max = self.segment_bytes;
        within("first_segment_bytes", self.first_segment_bytes, min, max)?;
        let overhead = FRAME_HEADER_BYTES + RECORD_PREFIX_BYTES + 8;
        let max = self.group_bytes_max() - overhead as u64;
        within("record_bytes_max", self.record_bytes_max, 1, max)
    }
}

/// What is known about the file that the next segment will be made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spare {
    None,
    /// The disk was told to prepare it.
    Preparing,
    /// A trimmed segment stands ready.
    Recycled,
}

/// A journal on a [`Disk`].
pub struct LocalJournal {
    disk: Box<dyn Disk>,
    options: Options,
    /// Never empty; the last one is the tail.
    segments: VecDeque<Segment>,
    tail: Tail,
    spare: Spare,
    end: Position,
    epoch: Epoch,
    frame: Vec<u8>,
    poisoned: bool,
}

impl LocalJournal {
    /// Takes ownership of the journal on `disk`, drops a torn tail, and fences off the owner before.
    /// Reads everything that is kept and refuses to open if any of it is damaged.
    pub fn open(
        disk: impl Disk + 'static,
        options: Options,
    ) -> Result<(Self, Recovery), OpenFault> {
        options.check()?;
        let mut disk: Box<dyn Disk> = Box::new(disk);
        disk.lock().map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => OpenFault::Locked {
                file: disk.path("lock"),
            },
            _ => fault(disk.as_ref(), "lock", "lock")(source).into(),
        })?;
        let names = disk.list().map_err(fault(disk.as_ref(), "list", ""))?;
        if names.iter().any(|name| name == SPARE) {
            disk.remove(SPARE)
                .map_err(fault(disk.as_ref(), "remove", SPARE))?;
        }
        sync_directory(disk.as_ref())?;
        let mut walk = walk(disk.as_ref(), &names)?;
        let epoch = walk.epoch.next();
        let tail = if let Some(tail) = walk.tail.take() {
            repair(disk.as_ref(), &tail, &walk)?;
            tail
        } else {
            let bytes = options.first_segment_bytes;
            let first = SegmentHeader {
                first: Position(1),
                epoch,
                previous: 0,
                recycled: false,
            };
            walk.segments.push(Segment {
                first: first.first,
                bytes,
            });
            create_segment(disk.as_ref(), first, bytes)?
        };
        let mut journal = Self {
            disk,
            options,
            segments: walk.segments.into(),
            tail,
            spare: Spare::None,
            end: Position(walk.next.0 - 1),
            epoch,
            frame: Vec::new(),
            poisoned: false,
        };
        journal.write(Kind::Fence, &[])?;
        let recovery = Recovery {
            dropped_bytes: walk.dropped_bytes,
            epoch,
            end: journal.end,
        };
        Ok((journal, recovery))
    }

    /// Makes one frame durable.
    fn write(&mut self, kind: Kind, records: &[&[u8]]) -> Result<(), DiskFault> {
        let bytes = group_bytes(records);
        if bytes > self.tail.bytes.saturating_sub(self.tail.offset) {
            self.roll()?;
        }
        let first = self.end.next();
        let tail = &mut self.tail;
        let (seed, chain) = (tail.seed, tail.chain);
        let identity = (kind, self.epoch, first);
        tail.chain = encode_frame(&mut self.frame, seed, chain, identity, records);
        assert_eq!(self.frame.len() as u64, bytes);
        let name = || segment_name(tail.header.first);
        tail.file
            .write_at(&self.frame, tail.offset)
            .map_err(|source| fault(self.disk.as_ref(), "write", &name())(source))?;
        tail.file
            .sync()
            .map_err(|source| fault(self.disk.as_ref(), "sync", &name())(source))?;
        tail.offset += bytes;
        self.end.0 += records.len() as u64;
        self.frame.shrink_to(FRAME_BUFFER_BYTES_MAX);
        if self.spare == Spare::None && tail.offset > tail.bytes / 2 {
            self.disk.prepare(SPARE, self.options.segment_bytes);
            self.spare = Spare::Preparing;
        }
        Ok(())
    }

    /// Goes on in a new segment. One that holds no record yet is replaced.
    fn roll(&mut self) -> Result<(), DiskFault> {
        let first = self.end.next();
        let replaces = first == self.tail.header.first;
        let header = SegmentHeader {
            first,
            epoch: self.epoch,
            previous: if replaces {
                self.tail.header.previous
            } else {
                self.tail.chain
            },
            recycled: self.spare == Spare::Recycled,
        };
        let bytes = self.options.segment_bytes;
        self.tail = create_segment(self.disk.as_ref(), header, bytes)?;
        self.spare = Spare::None;
        if replaces {
            self.segments.pop_back();
        }
        self.segments.push_back(Segment { first, bytes });
        Ok(())
    }

    /// Removes the first segment, or makes it the spare one.
    ///
    /// The names are synced each time: otherwise a crash could leave a gap, or bring back the name of a file
    /// that has begun its next life.
    fn forget_first(&mut self) -> Result<(), DiskFault> {
        let segment = &self.segments[0];
        let (disk, name) = (self.disk.as_ref(), segment.name());
        let recycles = self.spare == Spare::None && segment.bytes == self.options.segment_bytes;
        if recycles {
            disk.rename(&name, SPARE)
                .map_err(fault(disk, "rename", &name))?;
        } else {
            disk.remove(&name).map_err(fault(disk, "remove", &name))?;
        }
        sync_directory(disk)?;
        if recycles {
            self.spare = Spare::Recycled;
        }
        self.segments.pop_front();
        Ok(())
    }

    /// Reads the records of one segment from `from` up to the last one, `until`.
    fn read_segment(
        &self,
        segment: &Segment,
        (from, until): (Position, Position),
        each: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReadFault> {
        let disk = self.disk.as_ref();
        let name = segment.name();
        let opened;
        let (tail, limit) = if segment.first == self.tail.header.first {
            (&self.tail, self.tail.offset)
        } else {
            opened = open_segment(disk, &name).map_err(|fault| match fault {
                OpenFault::Disk(fault) => ReadFault::Disk(fault),
                _ => damage(disk, &name, 0, Flaw::Checksum).into(),
            })?;
            (&opened, opened.bytes)
        };
        let mut cursor = Cursor::new(tail.file.as_ref(), &tail.header, tail.seed, limit);
        while cursor.next <= until {
            let flaw = match cursor.advance().map_err(fault(disk, "read", &name))? {
                Found::Frame(header) => {
                    let mut body = cursor.body(&header);
                    let mut position = header.first;
                    while let Some(record) = split_record(&mut body) {
                        if position >= from && each(position, record).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                        position = position.next();
                    }
                    continue;
                }
                Found::End(_) => Flaw::Checksum,
                Found::Flawed(flaw) => flaw,
            };
            return Err(damage(disk, &name, cursor.offset, flaw).into());
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Journal for LocalJournal {
    fn append(&mut self, records: &[&[u8]]) -> Result<Position, AppendFault> {
        if self.poisoned {
            return Err(AppendFault::Poisoned);
        }
        if records.is_empty() {
            return Ok(self.end);
        }
        let bytes_max = self.options.record_bytes_max;
        for (index, record) in records.iter().enumerate() {
            if record.len() as u64 > bytes_max {
                return Err(AppendFault::RecordTooLarge {
                    index,
                    bytes: record.len() as u64,
                    bytes_max,
                });
            }
        }
        let bytes = group_bytes(records);
        let bytes_max = self.options.group_bytes_max();
        if bytes > bytes_max {
            return Err(AppendFault::GroupTooLarge { bytes, bytes_max });
        }
        self.write(Kind::Records, records).inspect_err(|_| {
            self.poisoned = true;
        })?;
        Ok(self.end)
    }

    fn end(&self) -> Position {
        self.end
    }

    fn start(&self) -> Position {
        self.segments[0].first
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadFault> {
        let (from, start) = (from.max(Position(1)), self.start());
        if from < start {
            return Err(ReadFault::Trimmed { from, start });
        }
        let after = self
            .segments
            .partition_point(|segment| segment.first <= from);
        for index in after - 1..self.segments.len() {
            let until = match self.segments.get(index + 1) {
                Some(next) => Position(next.first.0 - 1),
                None => self.end,
            };
            if self
                .read_segment(&self.segments[index], (from, until), each)?
                .is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn trim(&mut self, before: Position) -> Result<(), TrimFault> {
        if self.poisoned {
            return Err(TrimFault::Poisoned);
        }
        while let Some(next) = self.segments.get(1)
            && next.first <= before
        {
            self.forget_first().inspect_err(|_| {
                self.poisoned = true;
            })?;
        }
        Ok(())
    }
}

/// What a group takes on disk.
fn group_bytes(records: &[&[u8]]) -> u64 {
    let body = |record: &&[u8]| (RECORD_PREFIX_BYTES + record.len()) as u64;
    frame_bytes(records.iter().map(body).sum())
}

/// Makes a segment of the spare file. It gets its name only when its header is durable.
fn create_segment(disk: &dyn Disk, header: SegmentHeader, bytes: u64) -> Result<Tail, DiskFault> {
    let file = if header.recycled {
        disk.open(SPARE).map_err(fault(disk, "open", SPARE))?
    } else {
        let file = disk.create(SPARE, bytes);
        file.map_err(fault(disk, "create", SPARE))?
    };
    let (header_bytes, seed) = header.encode();
    file.write_at(&header_bytes, 0)
        .map_err(fault(disk, "write", SPARE))?;
    file.sync().map_err(fault(disk, "sync", SPARE))?;
    disk.rename(SPARE, &segment_name(header.first))
        .map_err(fault(disk, "rename", SPARE))?;
    sync_directory(disk)?;
    Ok(Tail {
        file,
        header,
        seed,
        bytes,
        offset: SEGMENT_HEADER_BYTES as u64,
        chain: seed,
    })
}

/// Makes the end of the last segment what recovery has seen.
///
/// The last frame is written once more: if its sync had failed, it may be in the cache only. Bytes of a torn
/// frame are overwritten, so that the next opening does not report them again.
fn repair(disk: &dyn Disk, tail: &Tail, walk: &Walk) -> Result<(), DiskFault> {
    let name = segment_name(tail.header.first);
    if let Some((offset, bytes)) = walk.last_frame {
        let bytes = usize::try_from(bytes).expect("a frame is smaller than 4 GiB");
        let mut frame = vec![0; bytes];
        tail.file
            .read_at(&mut frame, offset)
            .map_err(fault(disk, "read", &name))?;
        tail.file
            .write_at(&frame, offset)
            .map_err(fault(disk, "write", &name))?;
    }
    let mut offset = tail.offset;
    while offset < walk.garbage_end {
        let bytes =
            ZEROS_BYTES.min(usize::try_from(walk.garbage_end - offset).unwrap_or(usize::MAX));
        tail.file
            .write_at(&vec![0; bytes], offset)
            .map_err(fault(disk, "write", &name))?;
        offset += bytes as u64;
    }
    tail.file.sync().map_err(fault(disk, "sync", &name))
}

fn sync_directory(disk: &dyn Disk) -> Result<(), DiskFault> {
    disk.sync_directory().map_err(fault(disk, "sync", ""))
}

#[cfg(test)]
mod tests;
