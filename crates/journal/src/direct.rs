//! Writes to a file past the page cache, in whole blocks.
//!
//! A journal writes each byte once and reads it only after a crash, so a copy in the cache is of no use, and
//! finding, dirtying and writing back its pages costs more than the write itself. Blocks are what devices
//! take: the last one is written again with what follows in it, as the cache would do.
//!
//! Invariant: what was written before in the first block of a write is in that write again, byte for byte.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Offsets, lengths and memory of direct writes are multiples of this; no common device asks for more.
const BLOCK_BYTES: usize = 4096;
/// How much is written at a time.
const WINDOW_BYTES: usize = 64 * BLOCK_BYTES;

/// A file written in whole blocks.
pub(crate) struct DirectFile {
    file: File,
    memory: Vec<u8>,
    /// Where in `memory` the window begins, so that it is aligned.
    begin: usize,
    /// Where in the file the block stands that the window begins with.
    block: Option<u64>,
}

impl DirectFile {
    /// Opens an existing file; none if its size, or the file system, does not allow it.
    pub(crate) fn open(path: &Path) -> Option<DirectFile> {
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlags::DIRECT.bits().cast_signed())
            .open(path)
            .ok()?;
        let bytes = file.metadata().ok()?.len();
        if !bytes.is_multiple_of(BLOCK_BYTES as u64) {
            return None;
        }
        let memory = vec![0; WINDOW_BYTES + BLOCK_BYTES];
        let begin = memory.as_ptr().align_offset(BLOCK_BYTES);
        (begin < BLOCK_BYTES).then_some(DirectFile {
            file,
            memory,
            begin,
            block: None,
        })
    }

    /// Writes `bytes` at `offset`; zeros follow up to the end of the last block.
    pub(crate) fn write_at(&mut self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let taken = self.write_window(bytes, offset)?;
            bytes = &bytes[taken..];
            offset += taken as u64;
        }
        Ok(())
    }

    /// Writes as much as the window holds, and says how much.
    fn write_window(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let within = offset % BLOCK_BYTES as u64;
        let (first, head) = (offset - within, within as usize);
        let window = &mut self.memory[self.begin..][..WINDOW_BYTES];
        if head > 0 && self.block != Some(first) {
            self.file.read_exact_at(&mut window[..BLOCK_BYTES], first)?;
        }
        self.block = None;
        let taken = bytes.len().min(WINDOW_BYTES - head);
        let end = head + taken;
        window[head..end].copy_from_slice(&bytes[..taken]);
        let whole = end.next_multiple_of(BLOCK_BYTES);
        window[end..whole].fill(0);
        self.file.write_all_at(&window[..whole], first)?;
        if end < whole {
            let last = whole - BLOCK_BYTES;
            window.copy_within(last..whole, 0);
            self.block = Some(first + last as u64);
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE_BYTES: usize = 3 * WINDOW_BYTES;

    /// A file of bytes that nobody wrote, and the same bytes in memory.
    fn file(folder: &tempfile::TempDir) -> (std::path::PathBuf, Vec<u8>) {
        let path = folder.path().join("file");
        let bytes = vec![0xa5; FILE_BYTES];
        std::fs::write(&path, &bytes).unwrap();
        (path, bytes)
    }

    /// The file, opened for direct writes; none, and a word, where this file system has no such thing.
    fn open(path: &Path) -> Option<DirectFile> {
        let direct = DirectFile::open(path);
        if direct.is_none() {
            eprintln!(
                "{} cannot be written directly: nothing was tested",
                path.display()
            );
        }
        direct
    }

    /// What a write leaves: its bytes, and zeros up to the end of the block.
    fn overwrite(bytes: &mut [u8], offset: usize, written: &[u8]) {
        let end = offset + written.len();
        bytes[offset..end].copy_from_slice(written);
        bytes[end..end.next_multiple_of(BLOCK_BYTES)].fill(0);
    }

    #[test]
    fn what_is_written_piece_by_piece_stands_in_the_file() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (path, mut expected) = file(&folder);
        let Some(mut direct) = open(&path) else {
            return;
        };
        let mut offset = 8;
        for (round, length) in [
            1,
            7,
            4080,
            1,
            4095,
            4096,
            4097,
            100,
            WINDOW_BYTES,
            3,
            2 * 4096,
        ]
        .into_iter()
        .enumerate()
        {
            if round % 3 == 2 {
                // The next owner knows nothing of the block that it goes on in.
                direct = DirectFile::open(&path).unwrap();
            }
            let written: Vec<u8> = (0..length).map(|at| (at * 7 + round) as u8).collect();
            direct.write_at(&written, offset as u64).unwrap();
            overwrite(&mut expected, offset, &written);
            offset += length;
            assert!(std::fs::read(&path).unwrap() == expected, "round {round}");
        }
        // Back to the beginning, as when a segment begins another life.
        direct.write_at(b"header", 0).unwrap();
        overwrite(&mut expected, 0, b"header");
        assert!(std::fs::read(&path).unwrap() == expected);
    }

    #[test]
    fn a_write_larger_than_the_window_is_whole() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (path, mut expected) = file(&folder);
        let written: Vec<u8> = (0..2 * WINDOW_BYTES + 77)
            .map(|at| (at / 5) as u8)
            .collect();
        let Some(mut direct) = open(&path) else {
            return;
        };
        direct.write_at(&written, 4001).unwrap();
        overwrite(&mut expected, 4001, &written);
        assert!(std::fs::read(&path).unwrap() == expected);
    }

    #[test]
    fn a_file_that_does_not_end_with_a_block_is_not_written_directly() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![0; BLOCK_BYTES + 1]).unwrap();
        assert!(DirectFile::open(&path).is_none());
    }
}
