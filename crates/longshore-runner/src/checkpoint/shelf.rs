//! Where copies of contents are kept: plain files with numbers for names, which go when nobody knows them any more.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, open, openat2, statvfs};

use super::policy::LEAST_ROOM;
use super::scan::extended;
use super::tree::{Content, File, Identity};

/// Where copies are kept.
#[derive(Debug)]
pub(super) struct Shelf {
    directory: PathBuf,
    next: AtomicU64,
    bytes: AtomicU64,
    /// The files stay when they are forgotten: either they are wanted later, or all of them go together.
    stays: AtomicBool,
}

/// A copy on a shelf. It goes with this.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) number: u64,
    size: u64,
    shelf: Arc<Shelf>,
}

/// What became of an attempt to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Done,
    /// The file is not what it was.
    Changed,
    /// There is no room.
    Full,
}

impl Shelf {
    /// A shelf in a directory; `next` is the first number that is free.
    pub(super) fn open(directory: &Path, next: u64) -> io::Result<Arc<Self>> {
        fs::create_dir_all(directory)?;
        let (bytes, stays) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Arc::new(Self { directory: directory.to_owned(), next: AtomicU64::new(next), bytes, stays }))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(super) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// Whether the disk has room for copies.
    pub(super) fn has_room(&self) -> bool {
        statvfs(&self.directory).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= LEAST_ROOM)
    }

    pub(super) fn path(&self, number: u64) -> PathBuf {
        self.directory.join(number.to_string())
    }

    /// Whether the content of a file is here.
    pub(super) fn has(&self, file: &File) -> bool {
        match &*file.content() {
            Content::Copied(copied, _) => self.path(copied.number).exists(),
            Content::There => false,
        }
    }

    /// A copy that is there already.
    pub(super) fn known(self: &Arc<Self>, number: u64, size: u64) -> Copied {
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Copied { number, size, shelf: Arc::clone(self) }
    }

    /// Copies the content of a file, if it still is what it was.
    pub(super) fn take(self: &Arc<Self>, root: &Path, path: &[u8], file: &File) -> io::Result<Attempt> {
        let Some(source) = source(root, path)? else { return Ok(Attempt::Changed) };
        let is_same = || -> io::Result<bool> {
            let now = Identity::of(&fstat(source.as_fd())?);
            // What could change unseen is copied at once or not at all, so it is that.
            Ok(file.identity.map_or(now.inode == file.inode, |identity| identity == now))
        };
        if !is_same()? {
            return Ok(Attempt::Changed);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let target = self.path(number);
        let mut options = OpenOptions::new();
        let copy = options.write(true).create_new(true).mode(0o600).open(&target);
        // The kernel shares the content where the file system can.
        let copied = copy.and_then(|mut copy| io::copy(&mut &source, &mut copy));
        let size = match copied {
            Ok(size) => size,
            Err(error) => {
                let _ = fs::remove_file(&target);
                return if error.kind() == io::ErrorKind::StorageFull {
                    Ok(Attempt::Full)
                } else {
                    Err(error)
                };
            }
        };
        let copied = self.known(number, size);
        let extended = extended(source.as_fd())?;
        if size != file.size || !is_same()? {
            return Ok(Attempt::Changed);
        }
        *file.content() = Content::Copied(copied, extended);
        Ok(Attempt::Done)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if self.shelf.stays.load(Ordering::Relaxed) {
            return;
        }
        self.shelf.bytes.fetch_sub(self.size, Ordering::Relaxed);
        // One that stays takes room until the job is removed.
        let _ = fs::remove_file(self.shelf.path(self.number));
    }
}

/// Opens a plain file below a root; nothing if there is none.
fn source(root: &Path, path: &[u8]) -> io::Result<Option<fs::File>> {
    let root = open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat2(&root, path, flags, Mode::empty(), resolve) {
        Ok(file) => Ok(Some(fs::File::from(file))),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
