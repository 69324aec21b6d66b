//! Small files that are replaced as a whole.

use std::fs::File;
use std::io::Write;

use rustix::fs::fdatasync;
use rustix::io::Errno;

use crate::tree::Tree;
use crate::{StoreError, layout};

/// What a record outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The death of every process.
    Written,
    /// A power failure too.
    Synced,
}

/// A new file that has its content and waits for its name.
pub(crate) struct Staged<'t> {
    tree: &'t Tree,
    relative: String,
    durability: Durability,
    /// Keeps sweeps away.
    claim: File,
}

/// Writes content to a new file beside everything.
pub(crate) fn stage<'t>(
    tree: &'t Tree,
    bytes: &[u8],
    durability: Durability,
) -> Result<Staged<'t>, StoreError> {
    let (file, relative) = tree.claim_new(layout::INGESTS)?;
    let mut staged = Staged { tree, relative, durability, claim: File::from(file) };
    let written = staged.claim.write_all(bytes);
    crate::store::at(tree, "write", &staged.relative, written)?;
    if durability == Durability::Synced {
        fdatasync(&staged.claim).map_err(|errno| tree.error("write", &staged.relative, errno))?;
    }
    Ok(staged)
}

impl Staged<'_> {
    /// Gives it its name, replacing what had it.
    pub(crate) fn publish(mut self, relative: &str) -> Result<(), StoreError> {
        if self.try_publish(relative)? {
            return Ok(());
        }
        Err(self.tree.error("replace", relative, Errno::NOENT))
    }

    /// The same; says whether there is a directory for it.
    pub(crate) fn try_publish(&mut self, relative: &str) -> Result<bool, StoreError> {
        let failed = |errno| self.tree.error("replace", relative, errno);
        match self.tree.rename(&self.relative, relative) {
            Err(Errno::NOENT) => return Ok(false),
            other => other.map_err(failed)?,
        }
        if self.durability == Durability::Synced {
            let parent = relative.rsplit_once('/').map_or(".", |(parent, _)| parent);
            self.tree.sync_directory(parent).map_err(failed)?;
        }
        self.relative.clear();
        Ok(true)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.relative.is_empty() {
            // What cannot be removed now is found by the next sweep.
            let _ = self.tree.unlink(&self.relative);
        }
    }
}

/// Writes a record under its name.
pub(crate) fn write(
    tree: &Tree,
    relative: &str,
    bytes: &[u8],
    durability: Durability,
) -> Result<(), StoreError> {
    stage(tree, bytes, durability)?.publish(relative)
}
