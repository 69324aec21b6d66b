//! Whole trees, copied into a store and back.
//!
//! One thread walks and makes directories; files are collected in batches and copied by a few threads. Links are
//! copied, not followed; devices, pipes and sockets are counted and left out. Modes are kept as far as they are rights
//! (no set-user-id), and times, because build tools decide by them.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use crate::StorageError;
use crate::copy::{Allowance, copy_allowed};
use crate::error::Attempt as _;
use crate::remove::DEEPEST;
use crate::root::{clear, create_file, enter, heir};

/// How many files are copied together, and of how many directories: each directory costs two descriptors.
const BATCH_FILES: usize = 2048;
const BATCH_DIRECTORIES: usize = 64;
/// What a thread must have to do to be worth starting.
const FILES_PER_THREAD: usize = 32;
const MOST_THREADS: usize = 8;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Transferred {
    /// Files and links.
    pub files: u64,
    /// Bytes in files.
    pub bytes: u64,
    /// Devices, pipes and sockets, which were left out.
    pub skipped: u64,
}

impl Transferred {
    /// Adds another amount.
    pub(crate) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.skipped += other.skipped;
    }
}

/// A pair of directories.
struct Pair {
    source: OwnedFd,
    target: OwnedFd,
    heir: Option<(Uid, Gid)>,
    path: PathBuf,
}

struct Job {
    pair: Arc<Pair>,
    name: CString,
    stat: Stat,
}

/// Copies one tree or file.
pub(crate) struct Transfer<'a> {
    bytes: &'a Allowance,
    entries: &'a Allowance,
    batch: Vec<Job>,
    directories: usize,
    /// Directories that were made, whose rights are given once all is in them.
    finished: Vec<(OwnedFd, Stat)>,
    done: Transferred,
}

impl<'a> Transfer<'a> {
    pub(crate) fn new(bytes: &'a Allowance, entries: &'a Allowance) -> Self {
        let done = Transferred::default();
        Self { bytes, entries, batch: Vec::new(), directories: 0, finished: Vec::new(), done }
    }

    /// Copies what has a name in one directory to a name in another.
    pub(crate) fn copy(
        mut self,
        source: OwnedFd,
        target: OwnedFd,
        path: &Path,
        (from, to): (&CStr, &CStr),
    ) -> Result<Transferred, StorageError> {
        let heir = heir(&target).attempt("inspect", path)?;
        let pair = Arc::new(Pair { source, target, heir, path: path.to_owned() });
        self.entry(&pair, from, to, 0)?;
        self.flush()?;
        Ok(self.done)
    }

    fn directory(&mut self, pair: &Arc<Pair>, depth: usize) -> Result<(), StorageError> {
        if depth > DEEPEST {
            return Err(StorageError::entry(
                pair.path.as_os_str().as_encoded_bytes(),
                "it is nested too deep",
            ));
        }
        let entries = rustix::fs::Dir::read_from(&pair.source).attempt("read", &pair.path)?;
        for entry in entries {
            let entry = entry.attempt("read", &pair.path)?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                self.entry(pair, name, name, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, pair: &Arc<Pair>, from: &CStr, to: &CStr, depth: usize) -> Result<(), StorageError> {
        let stat = match rustix::fs::statat(&pair.source, from, AtFlags::SYMLINK_NOFOLLOW) {
            // The job goes on, and may remove its files.
            Err(Errno::NOENT) => return Ok(()),
            other => other.attempt("inspect", pair.below(from))?,
        };
        self.entries.spend(1)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.child(pair, from, to, depth),
            FileType::Symlink => {
                self.done.files += 1;
                link(pair, from, to).attempt("copy", pair.below(from))
            }
            FileType::RegularFile if from == to => {
                self.batch.push(Job { pair: Arc::clone(pair), name: from.to_owned(), stat });
                if self.batch.len() >= BATCH_FILES { self.flush() } else { Ok(()) }
            }
            FileType::RegularFile => {
                let copied = copy_file(pair, from, to, &stat, self.bytes)?;
                self.done.add(copied);
                Ok(())
            }
            _ => {
                self.done.skipped += 1;
                Ok(())
            }
        }
    }

    fn child(&mut self, pair: &Arc<Pair>, from: &CStr, to: &CStr, depth: usize) -> Result<(), StorageError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = pair.below(from);
        let source = rustix::fs::openat(&pair.source, from, flags, Mode::empty()).attempt("open", &path)?;
        let stat = rustix::fs::fstat(&source).attempt("inspect", &path)?;
        let (target, made) = enter(&pair.target, to.to_bytes()).attempt("create", &path)?;
        if made && let Some((user, group)) = pair.heir {
            rustix::fs::fchown(&target, Some(user), Some(group)).attempt("give away", &path)?;
        }
        let finish = made.then(|| rustix::io::fcntl_dupfd_cloexec(&target, 0));
        let finish = finish.transpose().attempt("open", &path)?;
        let child = Arc::new(Pair { source, target, heir: pair.heir, path });
        self.directories += 1;
        if self.directories >= BATCH_DIRECTORIES {
            self.flush()?;
        }
        self.directory(&child, depth + 1)?;
        self.finished.extend(finish.map(|directory| (directory, stat)));
        Ok(())
    }

    /// Copies the files that were collected.
    fn flush(&mut self) -> Result<(), StorageError> {
        let bytes = self.bytes;
        let jobs = std::mem::take(&mut self.batch);
        let copied = in_parallel(&jobs, |job| copy_file(&job.pair, &job.name, &job.name, &job.stat, bytes));
        for copied in copied? {
            self.done.add(copied);
        }
        for (directory, stat) in self.finished.drain(..) {
            attributes(&directory, &stat).attempt("set the mode of", "a directory")?;
        }
        self.directories = 0;
        Ok(())
    }
}

impl Pair {
    fn below(&self, name: &CStr) -> PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        self.path.join(std::ffi::OsStr::from_bytes(name.to_bytes()))
    }
}

fn link(pair: &Pair, from: &CStr, to: &CStr) -> Result<(), Errno> {
    let target = rustix::fs::readlinkat(&pair.source, from, Vec::new())?;
    match rustix::fs::symlinkat(&target, &pair.target, to) {
        Err(Errno::EXIST) => {
            clear(&pair.target, to.to_bytes())?;
            rustix::fs::symlinkat(&target, &pair.target, to)?;
        }
        other => other?,
    }
    let Some((user, group)) = pair.heir else { return Ok(()) };
    rustix::fs::chownat(&pair.target, to, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
}

fn copy_file(
    pair: &Pair,
    from: &CStr,
    to: &CStr,
    stat: &Stat,
    allowance: &Allowance,
) -> Result<Transferred, StorageError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let source = match rustix::fs::openat(&pair.source, from, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Transferred::default()),
        other => other.attempt("open", pair.below(from))?,
    };
    let opened = rustix::fs::fstat(&source).attempt("inspect", pair.below(from))?;
    if FileType::from_raw_mode(opened.st_mode) != FileType::RegularFile {
        return Ok(Transferred { skipped: 1, ..Transferred::default() });
    }
    let target = create_file(&pair.target, to.to_bytes()).attempt("create", pair.below(to))?;
    let bytes = copy_allowed(&File::from(source), &target, allowance, || pair.below(from))?;
    if let Some((user, group)) = pair.heir {
        rustix::fs::fchown(&target, Some(user), Some(group)).attempt("give away", pair.below(to))?;
    }
    attributes(&target.into(), stat).attempt("set the mode of", pair.below(to))?;
    Ok(Transferred { files: 1, bytes, skipped: 0 })
}

/// Rights and times.
fn attributes(file: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(stat.st_mode & 0o777))?;
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() };
    rustix::fs::futimens(file, &Timestamps { last_access: time, last_modification: time })
}

/// Does something with each item on a few threads; gives all results, or the first error once all threads are done.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, StorageError> + Sync,
) -> Result<Vec<R>, StorageError> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut results = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = work(item);
            if result.is_err() {
                // The others find nothing left to do.
                next.store(items.len(), Ordering::Relaxed);
            }
            results.push(result?);
        }
        Ok(results)
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(MOST_THREADS).min(items.len() / FILES_PER_THREAD);
    let shares: Vec<Result<Vec<R>, StorageError>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let own = share();
        let joined = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.chain([own]).collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for share in shares {
        all.extend(share?);
    }
    Ok(all)
}
