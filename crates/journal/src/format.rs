//! The bytes of a segment. All numbers are little-endian; reserved bytes are zero.
//!
//! ```text
//! segment header, 64 bytes            frame header, 48 bytes
//!  0  8  magic "QJOURNAL"              0  4  magic "QJFR"
//!  8  4  format version                4  4  checksum of bytes 8..48
//! 12  4  checksum of all others        8  4  checksum of the frame header before
//! 16  8  first position               12  4  checksum of the body
//! 24  8  epoch of its creator         16  4  bytes of the body, without padding
//! 32  4  checksum of the last frame   20  4  number of records
//!        header of the segment        24  8  position of the first record
//!        before, 0 if none            32  8  epoch of the writer
//! 36  4  1 if the file is recycled    40  4  kind: 1 records, 2 fence
//! 40     reserved                     44  4  reserved
//! ```
//!
//! Frames follow the segment header without gaps; each is its header, a body, and zeros up to a multiple of 8.
//! The body is the records, each after its length in 4 bytes. A fence has no body. The first frame of a
//! segment names the segment header's checksum as the one before.
//!
//! Checksums are CRC-32. Those of a frame start from the checksum of the segment header, which no two lives of
//! a file share, so that frames left over in a recycled file are never taken for frames of this life.
//!
//! A frame begins wherever the one before it ends, so both may share a sector. Assumption about the device:
//! after a torn write each byte of the sector is either the old or the new one. The bytes of the earlier frame
//! are the same in both, so a torn write never damages it.

use crate::{Epoch, Position};

/// The format that this code writes, and the only one it reads.
pub(crate) const VERSION: u32 = 1;
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
pub(crate) const FRAME_HEADER_BYTES: usize = 48;
/// Frames begin at multiples of this.
pub(crate) const FRAME_ALIGNMENT: usize = 8;
/// Bytes that a record takes in a body beside its own.
pub(crate) const RECORD_PREFIX_BYTES: usize = 4;

const SEGMENT_MAGIC: [u8; 8] = *b"QJOURNAL";
const FRAME_MAGIC: [u8; 4] = *b"QJFR";

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) first: Position,
    pub(crate) epoch: Epoch,
    /// Checksum of the last frame header of the segment before.
    pub(crate) previous: u32,
    /// The file had an earlier life, so bytes after the last frame mean nothing.
    pub(crate) recycled: bool,
}

/// Why bytes are not a segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFlaw {
    Magic,
    Version(u32),
    Checksum,
}

impl SegmentHeader {
    /// The bytes, and the checksum that seeds the frames.
    pub(crate) fn encode(&self) -> ([u8; SEGMENT_HEADER_BYTES], u32) {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        put_u32(&mut bytes, 8, VERSION);
        put_u64(&mut bytes, 16, self.first.0);
        put_u64(&mut bytes, 24, self.epoch.0);
        put_u32(&mut bytes, 32, self.previous);
        put_u32(&mut bytes, 36, u32::from(self.recycled));
        let seed = Self::checksum(&bytes);
        put_u32(&mut bytes, 12, seed);
        (bytes, seed)
    }

    /// The header, and the checksum that seeds the frames.
    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<(Self, u32), HeaderFlaw> {
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(HeaderFlaw::Magic);
        }
        let version = get_u32(bytes, 8);
        if version != VERSION {
            return Err(HeaderFlaw::Version(version));
        }
        let seed = Self::checksum(bytes);
        if get_u32(bytes, 12) != seed {
            return Err(HeaderFlaw::Checksum);
        }
        let header = Self {
            first: Position(get_u64(bytes, 16)),
            epoch: Epoch(get_u64(bytes, 24)),
            previous: get_u32(bytes, 32),
            recycled: get_u32(bytes, 36) != 0,
        };
        Ok((header, seed))
    }

    fn checksum(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[..12]);
        hasher.update(&bytes[16..]);
        hasher.finalize()
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Records,
    Fence,
    /// Written by nobody; the reader refuses it.
    Unknown(u32),
}

impl Kind {
    fn code(self) -> u32 {
        match self {
            Self::Records => 1,
            Self::Fence => 2,
            Self::Unknown(code) => code,
        }
    }

    fn of(code: u32) -> Self {
        match code {
            1 => Self::Records,
            2 => Self::Fence,
            code => Self::Unknown(code),
        }
    }
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: Kind,
    pub(crate) epoch: Epoch,
    /// Of the first record; for a fence, the one that the next record will get.
    pub(crate) first: Position,
    pub(crate) record_count: u32,
    pub(crate) body_bytes: u32,
    pub(crate) body_checksum: u32,
    /// Checksum of the frame header before.
    pub(crate) previous: u32,
    /// Checksum of this frame header.
    pub(crate) checksum: u32,
}

impl FrameHeader {
    /// The header, if these bytes are one that was written in this life of the segment.
    pub(crate) fn decode(bytes: &[u8], seed: u32) -> Option<Self> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        if bytes[..4] != FRAME_MAGIC {
            return None;
        }
        let checksum = get_u32(bytes, 4);
        if checksum_of(seed, &bytes[8..]) != checksum {
            return None;
        }
        Some(Self {
            kind: Kind::of(get_u32(bytes, 40)),
            epoch: Epoch(get_u64(bytes, 32)),
            first: Position(get_u64(bytes, 24)),
            record_count: get_u32(bytes, 20),
            body_bytes: get_u32(bytes, 16),
            body_checksum: get_u32(bytes, 12),
            previous: get_u32(bytes, 8),
            checksum,
        })
    }

    /// What the whole frame takes, with padding.
    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(u64::from(self.body_bytes))
    }

    /// The position that follows this frame.
    pub(crate) fn next(&self) -> Option<Position> {
        let next = self.first.0.checked_add(u64::from(self.record_count))?;
        Some(Position(next))
    }
}

/// What a frame with a body of `body_bytes` takes, with padding.
pub(crate) fn frame_bytes(body_bytes: u64) -> u64 {
    (FRAME_HEADER_BYTES as u64 + body_bytes).next_multiple_of(FRAME_ALIGNMENT as u64)
}

/// Writes a frame into `frame`, replacing what it held, and returns the checksum of its header.
/// The caller has checked that the body is below 4 GiB.
pub(crate) fn encode_frame(
    frame: &mut Vec<u8>,
    seed: u32,
    previous: u32,
    (kind, epoch, first): (Kind, Epoch, Position),
    records: &[&[u8]],
) -> u32 {
    frame.clear();
    frame.resize(FRAME_HEADER_BYTES, 0);
    for record in records {
        frame.extend_from_slice(&below_u32(record.len()).to_le_bytes());
        frame.extend_from_slice(record);
    }
    let (header, body) = frame.split_at_mut(FRAME_HEADER_BYTES);
    header[..4].copy_from_slice(&FRAME_MAGIC);
    put_u32(header, 8, previous);
    put_u32(header, 12, checksum_of(seed, body));
    put_u32(header, 16, below_u32(body.len()));
    put_u32(header, 20, below_u32(records.len()));
    put_u64(header, 24, first.0);
    put_u64(header, 32, epoch.0);
    put_u32(header, 40, kind.code());
    let checksum = checksum_of(seed, &header[8..]);
    put_u32(header, 4, checksum);
    frame.resize(frame.len().next_multiple_of(FRAME_ALIGNMENT), 0);
    checksum
}

/// The checksum of `bytes` in the segment whose header has the checksum `seed`.
pub(crate) fn checksum_of(seed: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(bytes);
    hasher.finalize()
}

/// Takes the next record off a body; `None` at the end or if the body is malformed.
pub(crate) fn split_record<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = body.split_first_chunk::<RECORD_PREFIX_BYTES>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (record, rest) = rest.split_at_checked(length)?;
    *body = rest;
    Some(record)
}

/// True if `body` is exactly `record_count` records.
pub(crate) fn is_well_formed(mut body: &[u8], record_count: u32) -> bool {
    (0..record_count).all(|_| split_record(&mut body).is_some()) && body.is_empty()
}

fn below_u32(length: usize) -> u32 {
    u32::try_from(length).expect("a group is smaller than a segment, and a segment than 4 GiB")
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frame_comes_back_and_no_flipped_bit_goes_unseen(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
            seed: u32, previous: u32, epoch: u64, first in 0..u64::MAX / 2, flip: prop::sample::Index,
        ) {
            let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let mut frame = vec![7; 3];
            let identity = (Kind::Records, Epoch(epoch), Position(first));
            let checksum = encode_frame(&mut frame, seed, previous, identity, &slices);

            let header = FrameHeader::decode(&frame, seed).unwrap();
            prop_assert_eq!((header.kind, header.epoch, header.first), identity);
            prop_assert_eq!((header.checksum, header.previous), (checksum, previous));
            prop_assert_eq!(header.frame_bytes(), frame.len() as u64);
            prop_assert_eq!(header.next(), Some(Position(first + records.len() as u64)));
            let used = FRAME_HEADER_BYTES + header.body_bytes as usize;
            let mut body = &frame[FRAME_HEADER_BYTES..used];
            prop_assert!(is_well_formed(body, header.record_count));
            prop_assert_eq!(checksum_of(seed, body), header.body_checksum);
            for record in &records {
                prop_assert_eq!(split_record(&mut body), Some(record.as_slice()));
            }
            prop_assert_eq!(split_record(&mut body), None);

            let bit = flip.index(used * 8);
            frame[bit / 8] ^= 1 << (bit % 8);
            let intact = FrameHeader::decode(&frame, seed).is_some_and(|header| {
                checksum_of(seed, &frame[FRAME_HEADER_BYTES..used]) == header.body_checksum
            });
            prop_assert!(!intact, "bit {} was flipped unseen", bit);
        }

        #[test]
        fn a_segment_header_comes_back_and_no_flipped_bit_goes_unseen(
            first: u64, epoch: u64, previous: u32, recycled: bool, bit in 0..SEGMENT_HEADER_BYTES * 8,
        ) {
            let header = SegmentHeader { first: Position(first), epoch: Epoch(epoch), previous, recycled };
            let (mut bytes, seed) = header.encode();
            prop_assert_eq!(SegmentHeader::decode(&bytes), Ok((header, seed)));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(SegmentHeader::decode(&bytes).is_err());
        }
    }

    #[test]
    fn frames_of_another_life_are_not_frames() {
        let mut frame = Vec::new();
        encode_frame(&mut frame, 1, 1, (Kind::Fence, Epoch(1), Position(1)), &[]);
        assert!(FrameHeader::decode(&frame, 1).is_some());
        assert!(FrameHeader::decode(&frame, 2).is_none());
    }
}
