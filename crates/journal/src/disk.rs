//! The small part of a file system that a journal needs.
//!
//! `sync` and `sync_directory` are the only durability barriers: content of a file is durable after `sync`
//! of its handle, names are durable after `sync_directory`.

use std::io;

/// One folder of flat files with one owner at a time.
pub trait Disk: Send {
    /// Takes exclusive ownership until this value is dropped. Fails with [`io::ErrorKind::WouldBlock`] if
    /// somebody else is the owner.
    fn lock(&mut self) -> io::Result<()>;

    /// The full name of a file, for messages.
    fn path(&self, name: &str) -> String;

    /// The names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file of `bytes` zeros whose blocks are written and synced, replacing one of that name.
    /// The name itself is durable only after `sync_directory`.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn DiskFile>>;

    /// A hint that `create` with the same arguments will follow: a disk may begin the work aside.
    fn prepare(&self, name: &str, bytes: u64);

    /// Renames a file, replacing one of the new name in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable.
    fn sync_directory(&self) -> io::Result<()>;
}

/// One open file of fixed size. It stays usable when the file is renamed.
pub trait DiskFile: Send {
    /// The size in bytes.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Overwrites the bytes at `offset`; never grows the file. Bytes behind them, up to the end of their block,
    /// may become zeros: files are written from the front to the back.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes all bytes written so far durable.
    fn sync(&self) -> io::Result<()>;
}

/// An operation of the disk that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {file}")]
pub struct DiskFault {
    /// What was being done, such as `sync`.
    pub action: &'static str,
    /// To which file.
    pub file: String,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl DiskFault {
    /// True if the disk, or the quota on it, is full.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Says what failed while `action` was done to the file `name`.
pub(crate) fn fault<'a>(
    disk: &'a dyn Disk,
    action: &'static str,
    name: &'a str,
) -> impl FnOnce(io::Error) -> DiskFault + 'a {
    move |source| DiskFault {
        action,
        file: disk.path(name),
        source,
    }
}
