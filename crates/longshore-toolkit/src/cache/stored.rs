//! Restoring cache entries.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::save::{c_string, split};
use super::{CacheEntry, CacheForm};
use crate::StorageError;
use crate::copy::Allowance;
use crate::error::Attempt as _;
use crate::limits::Limits;
use crate::root::Root;
use crate::transfer::{Transfer, Transferred};

pub(super) const TREE: &str = "tree";
pub(super) const ARCHIVE: &str = "archive";

/// A cache entry that is open for reading. It stays complete while this value lives, also if it is evicted meanwhile.
#[derive(Debug)]
pub struct StoredCache {
    entry: CacheEntry,
    directory: OwnedFd,
    path: PathBuf,
    limits: Limits,
}

impl StoredCache {
    pub(super) fn new(entry: CacheEntry, directory: OwnedFd, path: PathBuf, limits: Limits) -> Self {
        Self { entry, directory, path, limits }
    }

    /// What is known of it.
    pub fn entry(&self) -> &CacheEntry {
        &self.entry
    }

    /// Puts the parts of a tree to where `place` says by their labels; a part without a place is left out.
    ///
    /// Files and links that are there are replaced. An archive has no parts, and is opened with [`Self::archive`].
    pub fn restore(
        &self,
        root: &Root,
        mut place: impl FnMut(&str) -> Option<PathBuf>,
    ) -> Result<Transferred, StorageError> {
        let mut done = Transferred::default();
        let CacheForm::Tree(labels) = &self.entry.form else { return Ok(done) };
        let (bytes, entries) =
            (Allowance::new(self.limits.bytes, "bytes"), Allowance::new(self.limits.entries, "files"));
        for (index, label) in labels.iter().enumerate() {
            let Some(path) = place(label) else { continue };
            let (parent, name) = split(&path);
            let target = root.ensure_directory(parent)?;
            let source = self.open(TREE, OFlags::DIRECTORY)?;
            let (number, name) = (c_string(OsStr::new(&index.to_string()))?, c_string(name)?);
            let transfer = Transfer::new(&bytes, &entries);
            done.add(transfer.copy(source, target, &root.shown(parent), (&number, &name))?);
        }
        Ok(done)
    }

    /// The archive that was uploaded; `None` if the entry is held as files.
    pub fn archive(&self) -> Result<Option<File>, StorageError> {
        match self.entry.form {
            CacheForm::Tree(_) => Ok(None),
            CacheForm::Archive(_) => Ok(Some(self.open(ARCHIVE, OFlags::empty())?.into())),
        }
    }

    fn open(&self, name: &str, flags: OFlags) -> Result<OwnedFd, StorageError> {
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.directory, name, flags, Mode::empty())
            .attempt("open", Path::new(&self.path).join(name))
    }
}
