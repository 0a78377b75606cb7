//! Real files in a folder.
//!
//! Space is taken and zeros are written before a file is used: overwriting written blocks and syncing only
//! data is several times faster than growing a file, and a full disk shows here rather than in an append.
//! A prepared file is written by one thread aside, which ends before this value does.

use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::fs::FallocateFlags;

use crate::direct::DirectFile;
use crate::{Disk, DiskFile};

const LOCK: &str = "lock";
/// How many zeros are written at a time.
const ZEROS_BYTES: usize = 1024 * 1024;
/// How many zeros may wait for a sync, so that syncs of others do not wait for long.
const UNSYNCED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A folder of real files.
pub struct LocalDisk {
    folder: PathBuf,
    lock: Option<File>,
    preparation: RefCell<Option<Preparation>>,
}

/// A file that is being prepared.
struct Preparation {
    name: String,
    bytes: u64,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<File>>,
}

impl LocalDisk {
    /// Uses `folder`, and creates it if it does not exist.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        if !folder.is_dir() {
            fs::create_dir_all(&folder)?;
            if let Some(parent) = folder.parent().filter(|path| path.is_dir()) {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(Self {
            folder,
            lock: None,
            preparation: RefCell::new(None),
        })
    }

    /// The prepared file if it is the one asked for and came out well.
    fn take_prepared(&self, name: &str, bytes: u64) -> Option<File> {
        let preparation = self.preparation.take()?;
        let fits = preparation.name == name && preparation.bytes == bytes;
        preparation.stop.fetch_or(!fits, Ordering::Relaxed);
        let file = preparation.thread.join().ok()?.ok()?;
        fits.then_some(file)
    }
}

impl Disk for LocalDisk {
    fn lock(&mut self) -> io::Result<()> {
        let lock = File::create(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => self.lock = Some(lock),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // A name that is not text is not one of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let file = File::options().read(true).write(true).open(&path)?;
        Ok(Box::new(LocalFile::new(file, &path)))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let file = match self.take_prepared(name, bytes) {
            Some(file) => file,
            None => create_zeroed(&path, bytes, &AtomicBool::new(false))?,
        };
        Ok(Box::new(LocalFile::new(file, &path)))
    }

    fn prepare(&self, name: &str, bytes: u64) {
        let (path, stop) = (self.folder.join(name), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("journal-prepare".to_owned())
            .spawn(move || create_zeroed(&path, bytes, &seen));
        // Without a thread there is no preparation, and `create` does the work.
        if let Ok(thread) = thread {
            let name = name.to_owned();
            self.preparation.replace(Some(Preparation {
                name,
                bytes,
                stop,
                thread,
            }));
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

impl Drop for LocalDisk {
    fn drop(&mut self) {
        if let Some(preparation) = self.preparation.take() {
            preparation.stop.store(true, Ordering::Relaxed);
            // The lock must not be given up before the thread has stopped writing; its outcome is of no use.
            drop(preparation.thread.join());
        }
    }
}

/// Creates a file of zeros whose blocks are written. Leaves none behind if that fails.
fn create_zeroed(path: &Path, bytes: u64, stop: &AtomicBool) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    match write_zeros(&file, bytes, stop) {
        Ok(()) => Ok(file),
        Err(error) => {
            // The first error matters more than a file that the next opening removes anyway.
            drop(fs::remove_file(path));
            Err(error)
        }
    }
}

fn write_zeros(file: &File, bytes: u64, stop: &AtomicBool) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    let zeros = vec![0; ZEROS_BYTES];
    let mut offset = 0;
    while offset < bytes {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = zeros
            .len()
            .min(usize::try_from(bytes - offset).unwrap_or(usize::MAX));
        file.write_all_at(&zeros[..length], offset)?;
        offset += length as u64;
        if offset % UNSYNCED_BYTES_MAX == 0 {
            file.sync_data()?;
        }
    }
    file.sync_all()?;
    // Nobody reads them: what is written next goes past the cache.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(())
}

/// A real file.
struct LocalFile {
    file: File,
    /// The same for writing, where that is possible.
    direct: RefCell<Option<DirectFile>>,
}

impl LocalFile {
    fn new(file: File, path: &Path) -> LocalFile {
        LocalFile {
            file,
            direct: RefCell::new(DirectFile::open(path)),
        }
    }
}

impl DiskFile for LocalFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut direct = self.direct.borrow_mut();
        if let Some(file) = direct.as_mut() {
            match file.write_at(bytes, offset) {
                // Some file systems refuse only the write itself, and then have written nothing.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => *direct = None,
                done => return done,
            }
        }
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
