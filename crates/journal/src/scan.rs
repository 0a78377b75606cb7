//! Walks the frames of one segment and tells good, torn and damaged ones apart.
//!
//! A cursor only moves over frames that are whole, continue the chain, and hold the expected positions and
//! epoch. Its buffer grows to the largest frame and no further than the segment.

use std::io;

use crate::format::{FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameHeader, Kind};
use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader, checksum_of, is_well_formed};
use crate::{DiskFile, Epoch, Flaw, Position};

/// How much is read at a time.
const CHUNK_BYTES: u64 = 256 * 1024;

/// A place in the chain of frames of one segment.
pub(crate) struct Cursor<'a> {
    file: &'a dyn DiskFile,
    seed: u32,
    limit: u64,
    /// Where the next frame begins.
    pub(crate) offset: u64,
    /// Checksum of the last frame header.
    pub(crate) chain: u32,
    /// The position that the next record has.
    pub(crate) next: Position,
    /// The epoch of the last fence.
    pub(crate) epoch: Epoch,
    window: Window,
}

/// What a cursor found at its place.
pub(crate) enum Found {
    /// A good frame; the cursor has moved behind it.
    Frame(FrameHeader),
    /// Nothing, or a frame that was not written to its end. With its header if that is whole.
    End(Option<FrameHeader>),
    /// A frame that was once whole but cannot be right.
    Flawed(Flaw),
}

impl<'a> Cursor<'a> {
    /// Stands before the first frame of a segment; `limit` is where its bytes end.
    pub(crate) fn new(
        file: &'a dyn DiskFile,
        header: &SegmentHeader,
        seed: u32,
        limit: u64,
    ) -> Self {
        Self {
            file,
            seed,
            limit,
            offset: SEGMENT_HEADER_BYTES as u64,
            chain: seed,
            next: header.first,
            epoch: header.epoch,
            window: Window::default(),
        }
    }

    /// Looks at the next frame and moves behind it if it is good.
    pub(crate) fn advance(&mut self) -> io::Result<Found> {
        let room = self.limit.saturating_sub(self.offset);
        if room < FRAME_HEADER_BYTES as u64 {
            return Ok(Found::End(None));
        }
        self.window.fill(
            self.file,
            self.offset,
            FRAME_HEADER_BYTES as u64,
            self.limit,
        )?;
        let bytes = self.window.at(self.offset, FRAME_HEADER_BYTES);
        let Some(header) = FrameHeader::decode(bytes, self.seed) else {
            return Ok(Found::End(None));
        };
        if let Some(flaw) = self.flaw(&header) {
            return Ok(Found::Flawed(flaw));
        }
        if header.frame_bytes() > room {
            return Ok(Found::End(Some(header)));
        }
        self.window
            .fill(self.file, self.offset, header.frame_bytes(), self.limit)?;
        let body = self.body_at(self.offset, &header);
        if checksum_of(self.seed, body) != header.body_checksum {
            return Ok(Found::End(Some(header)));
        }
        let Some(next) = header
            .next()
            .filter(|_| is_well_formed(body, header.record_count))
        else {
            return Ok(Found::Flawed(Flaw::Content));
        };
        self.offset += header.frame_bytes();
        self.chain = header.checksum;
        self.next = next;
        self.epoch = header.epoch;
        Ok(Found::Frame(header))
    }

    /// The body of the frame that the cursor has just moved behind.
    pub(crate) fn body(&self, header: &FrameHeader) -> &[u8] {
        self.body_at(self.offset - header.frame_bytes(), header)
    }

    fn body_at(&self, frame_at: u64, header: &FrameHeader) -> &[u8] {
        let body_at = frame_at + FRAME_HEADER_BYTES as u64;
        self.window.at(body_at, header.body_bytes as usize)
    }

    /// Why a whole header cannot be right here.
    fn flaw(&self, header: &FrameHeader) -> Option<Flaw> {
        if header.previous != self.chain {
            return Some(Flaw::Chain);
        }
        if header.first != self.next {
            return Some(Flaw::Position {
                expected: self.next,
                found: header.first,
            });
        }
        let epoch_fits = match header.kind {
            Kind::Fence => header.epoch >= self.epoch,
            Kind::Records => header.epoch == self.epoch,
            Kind::Unknown(_) => return Some(Flaw::Content),
        };
        (!epoch_fits).then_some(Flaw::Epoch {
            current: self.epoch,
            found: header.epoch,
        })
    }
}

/// Where the first frame header of this life begins at or after `from`, if there is one.
pub(crate) fn find_header(
    file: &dyn DiskFile,
    seed: u32,
    from: u64,
    limit: u64,
) -> io::Result<Option<u64>> {
    let mut window = Window::default();
    let mut offset = from.next_multiple_of(FRAME_ALIGNMENT as u64);
    while offset + FRAME_HEADER_BYTES as u64 <= limit {
        window.fill(file, offset, FRAME_HEADER_BYTES as u64, limit)?;
        let bytes = window.from(offset);
        let place_count = (bytes.len() - FRAME_HEADER_BYTES) / FRAME_ALIGNMENT + 1;
        for place in (0..place_count).map(|place| place * FRAME_ALIGNMENT) {
            if FrameHeader::decode(&bytes[place..], seed).is_some() {
                return Ok(Some(offset + place as u64));
            }
        }
        offset += (place_count * FRAME_ALIGNMENT) as u64;
    }
    Ok(None)
}

/// Where the last byte that is not zero ends, at or after `from`; `from` if all are zero.
pub(crate) fn find_zeros(file: &dyn DiskFile, from: u64, limit: u64) -> io::Result<u64> {
    let mut window = Window::default();
    let mut offset = from;
    let mut end = from;
    while offset < limit {
        window.fill(file, offset, 1, limit)?;
        let bytes = window.from(offset);
        if let Some(last) = bytes.iter().rposition(|&byte| byte != 0) {
            end = offset + last as u64 + 1;
        }
        offset += bytes.len() as u64;
    }
    Ok(end)
}

/// A part of a file in memory.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Makes sure that `bytes` bytes from `offset` are in memory; reads ahead up to `limit`.
    fn fill(&mut self, file: &dyn DiskFile, offset: u64, bytes: u64, limit: u64) -> io::Result<()> {
        let end = self.start + self.bytes.len() as u64;
        if offset >= self.start && offset + bytes <= end {
            return Ok(());
        }
        let bytes = bytes.max(CHUNK_BYTES.min(limit - offset));
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        self.bytes.resize(length, 0);
        self.start = offset;
        file.read_at(&mut self.bytes, offset)
    }

    fn from(&self, offset: u64) -> &[u8] {
        let skip = usize::try_from(offset - self.start).expect("the offset lies in the window");
        &self.bytes[skip..]
    }

    fn at(&self, offset: u64, bytes: usize) -> &[u8] {
        &self.from(offset)[..bytes]
    }
}
