//! Owns the disk of the simulated machine: the fault disk, and over it one that lies if it is told to.
//!
//! Invariant: an honest disk passes everything through unchanged.

use std::io;

use journal::fault::FaultDisk;
use journal::{Disk, DiskFile};

/// A fault disk that may claim to have synced what it has not.
pub(crate) struct SimDisk {
    inner: FaultDisk,
    lies: bool,
}

impl SimDisk {
    pub(crate) fn new(inner: FaultDisk, lies: bool) -> SimDisk {
        SimDisk { inner, lies }
    }

    fn file(&self, inner: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(SimFile {
            inner,
            lies: self.lies,
        })
    }
}

impl Disk for SimDisk {
    fn lock(&mut self) -> io::Result<()> {
        self.inner.lock()
    }

    fn path(&self, name: &str) -> String {
        self.inner.path(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.inner.open(name).map(|file| self.file(file))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn DiskFile>> {
        self.inner.create(name, bytes).map(|file| self.file(file))
    }

    fn prepare(&self, name: &str, bytes: u64) {
        self.inner.prepare(name, bytes);
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }
}

struct SimFile {
    inner: Box<dyn DiskFile>,
    lies: bool,
}

impl DiskFile for SimFile {
    fn bytes(&self) -> io::Result<u64> {
        self.inner.bytes()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if self.lies { Ok(()) } else { self.inner.sync() }
    }
}
