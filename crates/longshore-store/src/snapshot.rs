//! Layers as they are mounted, by chain id.
//!
//! A snapshot that was just unpacked is complete for every process, but its many files are not on the disk yet, and to
//! wait for that would cost seconds. So a note under `unsynced/` says during which boot it was made. After a power
//! failure the boot is another one, and the snapshot counts as absent: it is unpacked again from its blobs, which are on
//! the disk. [`Store::settle`] writes everything out and removes the notes.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use longshore_oci::{ChainId, Digest};
use rustix::fs::syncfs;

use crate::lock::Sharing;
use crate::{Store, StoreError, layout};

/// What tells one writing of a note from the next: each is a new file.
type Written = (u64, i64, u64);

/// The directory inside of a snapshot that has the layer's files.
pub(crate) const FILES: &str = "fs";
/// The file inside of a snapshot that says how many bytes it takes.
pub(crate) const SIZE: &str = "size";

/// A layer that is ready to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Snapshot {
    /// A directory that overlayfs takes as it is, with whiteouts in overlayfs' own form.
    Unpacked(PathBuf),
}

impl Snapshot {
    /// The directory with the layer's files.
    pub fn path(&self) -> &Path {
        match self {
            Self::Unpacked(directory) => directory,
        }
    }
}

impl Store {
    /// The snapshot with a chain id, if it is here and whole.
    pub fn snapshot(&self, chain: &ChainId) -> Result<Option<Snapshot>, StoreError> {
        let relative = layout::sharded(layout::SNAPSHOTS, chain.digest())?;
        let files = format!("{relative}/{FILES}");
        // The note is looked at first: a snapshot that is being replaced loses its files before its note.
        if self.is_stale(chain.digest())? {
            return Ok(None);
        }
        let there = self.tree.is_directory(&files);
        if !there.map_err(|errno| self.tree.error("look at", &files, errno))? {
            return Ok(None);
        }
        Ok(Some(Snapshot::Unpacked(self.tree.path(&files))))
    }

    /// Removes a snapshot, whoever needs it; whether it was here.
    pub fn remove_snapshot(&self, chain: &ChainId) -> Result<bool, StoreError> {
        // With the gate closed, nobody makes it anew between the two steps.
        let gate = self.tree.gate(Sharing::Exclusive)?;
        let discarded = self.discard(&layout::sharded(layout::SNAPSHOTS, chain.digest())?)?;
        self.forget_unsynced(chain.digest())?;
        drop(gate);
        let found = discarded.is_some();
        self.empty_trash(discarded)?;
        Ok(found)
    }

    /// Writes to the disk what snapshots have not written yet, so that they survive a power failure. Without it they are
    /// made again after one. This may take as long as the disk takes.
    pub fn settle(&self) -> Result<u64, StoreError> {
        let fresh = self.fresh_notes()?;
        if fresh.is_empty() {
            return Ok(0);
        }
        // `syncfs` wants a file that is open for more than its path, which the root is.
        syncfs(self.tree.root()).map_err(|errno| self.tree.error("write out", "", errno))?;
        // A note that was written meanwhile is about files that were too.
        let _gate = self.tree.gate(Sharing::Exclusive)?;
        let mut settled = 0;
        for (note, written) in &fresh {
            if self.written(note)?.as_ref() == Some(written) {
                self.tree.unlink(note).map_err(|errno| self.tree.error("remove", note, errno))?;
                settled += 1;
            }
        }
        Ok(settled)
    }

    /// The notes of this boot, and which writing of them it is.
    fn fresh_notes(&self) -> Result<Vec<(String, Written)>, StoreError> {
        let mut fresh = Vec::new();
        for entry in self.tree.list(layout::UNSYNCED)? {
            let note = format!("{}/{}", layout::UNSYNCED, entry.name);
            let Some(digest) = layout::digest_of_flat(&entry.name) else { continue };
            if let Some(written) = self.written(&note)?
                && !self.is_stale(&digest)?
            {
                fresh.push((note, written));
            }
        }
        Ok(fresh)
    }

    fn written(&self, note: &str) -> Result<Option<Written>, StoreError> {
        let stat = self.tree.stat(note).map_err(|errno| self.tree.error("look at", note, errno))?;
        Ok(stat.map(|stat| (stat.st_ino, stat.st_mtime, stat.st_mtime_nsec)))
    }

    /// The snapshots that a power failure may have damaged.
    pub(crate) fn stale_snapshots(&self) -> Result<std::collections::HashSet<Digest>, StoreError> {
        let mut stale = std::collections::HashSet::new();
        for note in self.tree.list(layout::UNSYNCED)? {
            if let Some(digest) = layout::digest_of_flat(&note.name)
                && self.is_stale(&digest)?
            {
                stale.insert(digest);
            }
        }
        Ok(stale)
    }

    /// Notes that a snapshot is not on the disk yet.
    pub(crate) fn note_unsynced(&self, digest: &Digest) -> Result<(), StoreError> {
        let note = layout::flat(layout::UNSYNCED, digest)?;
        crate::record::write(&self.tree, &note, boot()?, crate::record::Durability::Written)
    }

    pub(crate) fn forget_unsynced(&self, digest: &Digest) -> Result<(), StoreError> {
        let note = layout::flat(layout::UNSYNCED, digest)?;
        self.tree.unlink(&note).map(|_| ()).map_err(|errno| self.tree.error("remove", &note, errno))
    }

    /// Whether the machine went down before a snapshot was on the disk.
    pub(crate) fn is_stale(&self, digest: &Digest) -> Result<bool, StoreError> {
        match self.tree.read(&layout::flat(layout::UNSYNCED, digest)?, 256)? {
            Some(made) => Ok(made != boot()?),
            None => Ok(false),
        }
    }
}

/// What tells this boot of the machine from all others.
pub(crate) fn boot() -> Result<&'static [u8], StoreError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    static BOOT: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(boot) = BOOT.get() {
        return Ok(boot);
    }
    let read = std::fs::read(PATH);
    let boot = read.map_err(|source| StoreError::Io { action: "read", path: PATH.into(), source })?;
    Ok(BOOT.get_or_init(|| boot))
}
