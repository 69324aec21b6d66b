//! Saving cache entries: of a job's files, or of an archive that somebody uploads.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::store::make;
use super::stored::{ARCHIVE, TREE};
use super::{CacheEntry, CacheForm, CacheKey, CacheStore};
use crate::StorageError;
use crate::content::ContentDraft;
use crate::copy::Allowance;
use crate::error::Attempt as _;
use crate::root::Root;
use crate::transfer::{Transfer, Transferred};

/// What a new entry is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCache {
    /// Its key.
    pub key: CacheKey,
    /// What is in it and how it is packed; see [`super::cache_version`].
    pub version: String,
    /// The ref whose runs may read it.
    pub scope: String,
    /// Now.
    pub created: Timestamp,
}

/// A file or directory of a job for a cache entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePart {
    /// Which of the parts it is; who restores it decides by this where it goes.
    pub label: String,
    /// Where it is for the job.
    pub path: PathBuf,
}

/// What became of saving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is there now.
    New(CacheEntry),
    /// Another had saved the same key and version in the scope before.
    Taken,
}

impl NewCache {
    fn entry(&self, size: u64, form: CacheForm) -> CacheEntry {
        CacheEntry {
            id: 0,
            key: self.key.to_string(),
            version: self.version.clone(),
            scope: self.scope.clone(),
            created: self.created,
            used: self.created,
            size,
            form,
        }
    }
}

impl CacheStore {
    /// Saves files of a job, links as links, with rights and times. Parts that are missing are left out.
    pub fn save_files(
        &self,
        new: &NewCache,
        root: &Root,
        parts: &[CachePart],
    ) -> Result<(Saved, Transferred), StorageError> {
        let mut done = Transferred::default();
        if self.is_taken(new)? {
            return Ok((Saved::Taken, done));
        }
        let draft = self.depot.draft()?;
        let tree = draft.path().join(TREE);
        make(&tree)?;
        let (bytes, entries) = (
            Allowance::new(self.bounds.entry.bytes, "bytes"),
            Allowance::new(self.bounds.entry.entries, "files"),
        );
        let tree = Root::open(&tree)?;
        for (index, part) in parts.iter().enumerate() {
            let (parent, name) = split(&part.path);
            let flags = OFlags::DIRECTORY | OFlags::RDONLY;
            let source = match root.resolve(parent, flags) {
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                other => other.attempt("open", root.shown(parent))?,
            };
            let target = tree.resolve(Path::new("."), flags).attempt("open", TREE)?;
            let (name, number) = (c_string(name)?, c_string(OsStr::new(&index.to_string()))?);
            let transfer = Transfer::new(&bytes, &entries);
            done.add(transfer.copy(source, target, &root.shown(parent), (&name, &number))?);
        }
        let labels = parts.iter().map(|part| part.label.clone()).collect();
        let saved = self.publish(draft, new.entry(done.bytes, CacheForm::Tree(labels)), &new.key)?;
        Ok((saved, done))
    }

    /// Begins an entry whose archive comes in one stream.
    pub fn begin(&self) -> Result<ContentDraft, StorageError> {
        ContentDraft::new(self.depot.draft()?, self.bounds.entry.bytes)
    }

    /// Completes an entry whose archive has come.
    pub fn finish(&self, new: &NewCache, content: ContentDraft) -> Result<Saved, StorageError> {
        let (draft, sealed) = content.seal(ARCHIVE)?;
        self.publish(draft, new.entry(sealed.size, CacheForm::Archive(sealed.digest)), &new.key)
    }
}

/// The directory that holds something, and its name there. What has no name, such as the root, is `.` in itself.
pub(super) fn split(path: &Path) -> (&Path, &OsStr) {
    match (path.parent(), path.file_name()) {
        // `a/.` and `a/` have the name `a`, which is what they are.
        (Some(parent), Some(name)) => (parent, name),
        _ => (path, OsStr::new(".")),
    }
}

pub(super) fn c_string(name: &OsStr) -> Result<CString, StorageError> {
    CString::new(name.as_bytes())
        .map_err(|_| StorageError::entry(name.as_bytes(), "its path holds a zero byte"))
}
