//! Layers as they are mounted, by chain id.
//!
//! A snapshot that was just unpacked is complete for every process, but its many files are not on the disk yet, so it has
//! a note, see `unsynced.rs`. After a power failure it counts as absent, and is unpacked again from its blobs.

use std::path::{Path, PathBuf};

use longshore_oci::ChainId;

use crate::lock::Sharing;
use crate::{Store, StoreError, layout};

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
        if self.is_stale(&layout::snapshot_note(chain.digest())?)? {
            return Ok(None);
        }
        let there = self.tree.is_directory(&files);
        if !there.map_err(|errno| self.tree.error("look at", &files, errno))? {
            return Ok(None);
        }
        Ok(Some(Snapshot::Unpacked(self.tree.path(&files))))
    }

    /// How many bytes a snapshot has, as who made it noted; nothing if it is not here, or nobody noted it.
    pub fn snapshot_size(&self, chain: &ChainId) -> Result<Option<u64>, StoreError> {
        self.noted_size(&layout::sharded(layout::SNAPSHOTS, chain.digest())?)
    }

    /// The same, for the directory of a snapshot.
    pub(crate) fn noted_size(&self, relative: &str) -> Result<Option<u64>, StoreError> {
        let noted = self.tree.read(&format!("{relative}/{SIZE}"), 64)?;
        Ok(noted.and_then(|text| String::from_utf8(text).ok()?.trim_end().parse().ok()))
    }

    /// Removes a snapshot, whoever needs it; whether it was here.
    pub fn remove_snapshot(&self, chain: &ChainId) -> Result<bool, StoreError> {
        // With the gate closed, nobody makes it anew between the two steps.
        let gate = self.tree.gate(Sharing::Exclusive)?;
        let discarded = self.discard(&layout::sharded(layout::SNAPSHOTS, chain.digest())?)?;
        self.forget_note(&layout::snapshot_note(chain.digest())?)?;
        drop(gate);
        let found = discarded.is_some();
        self.empty_trash(discarded)?;
        Ok(found)
    }
}
