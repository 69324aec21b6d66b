//! Locks between processes, all of them `flock`: the kernel drops them with the process, so none is ever stale.
//!
//! There are two kinds. The gate and the lock of refs are files that stay; who needs them waits. A *claim* is a lock on
//! the very file or directory that somebody works on: a download, a layer being unpacked, a lease. When the owner
//! finishes, the thing is renamed or removed; whoever waited then finds that the name stands for something else, and
//! looks again. So there are no lock files to clean up. Locks belong to open files, so threads exclude each other too.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    FileType, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, flock, fstat, futimens,
};
use rustix::io::Errno;

use crate::tree::Tree;
use crate::{StoreError, layout};

/// How a lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    Shared,
    Exclusive,
}

/// What a claim found.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is the caller's, until the file is closed.
    Mine(OwnedFd),
    /// Another process has it.
    Busy,
    /// The name stands for nothing, or for something else than before.
    Gone,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock(OwnedFd);

impl Lock {
    /// What the time is by the clock that stamps the store's files, so that ages can be told without another clock.
    pub(crate) fn now(&self) -> Result<Timespec, Errno> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        futimens(&self.0, &Timestamps { last_access: now, last_modification: now })?;
        let stat = fstat(&self.0)?;
        Ok(Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() })
    }
}

impl Tree {
    /// Waits at the gate: shared for whoever adds or holds something, exclusive for whoever decides what is garbage.
    pub(crate) fn gate(&self, sharing: Sharing) -> Result<Lock, StoreError> {
        self.lock(layout::GATE, sharing)
    }

    /// Waits for the turn to change refs.
    pub(crate) fn refs_turn(&self) -> Result<Lock, StoreError> {
        self.lock(layout::REFS_LOCK, Sharing::Exclusive)
    }

    fn lock(&self, name: &str, sharing: Sharing) -> Result<Lock, StoreError> {
        let failed = |errno| self.error("lock", name, errno);
        let file = self.open(name, OFlags::RDWR | OFlags::CREATE, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let operation = match sharing {
            Sharing::Shared => FlockOperation::LockShared,
            Sharing::Exclusive => FlockOperation::LockExclusive,
        };
        retried(&file, operation).map_err(failed)?;
        Ok(Lock(file))
    }

    /// Claims a file, which is made if `flags` say so.
    pub(crate) fn claim_file(&self, relative: &str, flags: OFlags, wait: bool) -> Result<Claim, StoreError> {
        self.claim(relative, flags | OFlags::RDWR | OFlags::NONBLOCK, FileType::RegularFile, wait)
    }

    /// Claims a directory that exists.
    pub(crate) fn claim_directory(&self, relative: &str, wait: bool) -> Result<Claim, StoreError> {
        self.claim(relative, OFlags::DIRECTORY | OFlags::RDONLY, FileType::Directory, wait)
    }

    fn claim(&self, relative: &str, flags: OFlags, kind: FileType, wait: bool) -> Result<Claim, StoreError> {
        let failed = |errno| self.error("claim", relative, errno);
        let file = match self.open(relative, flags, Mode::RUSR | Mode::WUSR) {
            // What is made in a directory that is gone is an error, which must not look like a reason to try again.
            Err(Errno::NOENT) if !flags.contains(OFlags::CREATE) => return Ok(Claim::Gone),
            other => other.map_err(failed)?,
        };
        let own = fstat(&file).map_err(failed)?;
        if FileType::from_raw_mode(own.st_mode) != kind {
            let expected = if kind == FileType::Directory { "a directory" } else { "a file" };
            return Err(StoreError::Planted { path: self.path(relative), expected });
        }
        let operation =
            if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
        match retried(&file, operation) {
            Err(Errno::WOULDBLOCK) => return Ok(Claim::Busy),
            other => other.map_err(failed)?,
        }
        let named = self.stat(relative).map_err(failed)?;
        let same = named.is_some_and(|named| (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino));
        Ok(if same { Claim::Mine(file) } else { Claim::Gone })
    }

    /// Claims a new file with a name of its own; gives the path as well.
    pub(crate) fn claim_new(&self, directory: &str) -> Result<(OwnedFd, String), StoreError> {
        loop {
            let relative = format!("{directory}/{}", unique_name());
            match self.claim_file(&relative, OFlags::CREATE | OFlags::EXCL, true) {
                Ok(Claim::Mine(file)) => return Ok((file, relative)),
                // A sweep took it before it was locked, or a process with the same number in another name space uses
                // the name.
                Ok(_) => {}
                Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A name that no other thread of this process gets, and hardly any other process.
pub(crate) fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn retried(file: impl AsFd, operation: FlockOperation) -> Result<(), Errno> {
    rustix::io::retry_on_intr(|| flock(&file, operation))
}
