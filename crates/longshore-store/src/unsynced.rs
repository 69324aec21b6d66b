//! Notes about what is not on the disk yet.
//!
//! To wait for the disk would make a pull last several times as long. What can be had again is therefore published without
//! waiting, and a note under `unsynced/` says during which boot of the machine. After a power failure the boot is another
//! one, and the note is *stale*: a snapshot counts as absent, and a blob is verified when it is next looked for, and
//! counts as absent if it is damaged. A note that the power failure emptied is stale too. [`Store::settle`] writes
//! everything out and removes the notes.

use std::collections::HashSet;
use std::sync::OnceLock;

use longshore_oci::Digest;
use rustix::fs::syncfs;

use crate::lock::Sharing;
use crate::record::Durability;
use crate::{Store, StoreError, layout};

/// What tells one writing of a note from the next: each is a new file.
type Written = (u64, i64, u64);

impl Store {
    /// Writes to the disk what was published without waiting for it, so that it survives a power failure. Without it,
    /// snapshots are made again after one, and blobs verified. This may take as long as the disk takes.
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
                self.forget_note(note)?;
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
            if let Some(written) = self.written(&note)?
                && !self.is_stale(&note)?
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
    pub(crate) fn stale_snapshots(&self) -> Result<HashSet<Digest>, StoreError> {
        let mut stale = HashSet::new();
        for entry in self.tree.list(layout::UNSYNCED)? {
            if let Some(digest) = layout::digest_of_flat(&entry.name)
                && self.is_stale(&format!("{}/{}", layout::UNSYNCED, entry.name))?
            {
                stale.insert(digest);
            }
        }
        Ok(stale)
    }

    /// Whether a blob is none that a power failure damaged. It is read once after such a failure, which settles it:
    /// damaged content is moved aside.
    pub(crate) fn is_sound(&self, digest: &Digest) -> Result<bool, StoreError> {
        let note = layout::blob_note(digest)?;
        if !self.is_stale(&note)? {
            return Ok(true);
        }
        let seen = self.written(&note)?;
        let sound = match self.open_blob(digest).and_then(crate::BlobReader::finish) {
            Ok(()) => true,
            Err(StoreError::MissingBlob(_) | StoreError::CorruptBlob { .. }) => false,
            Err(error) => return Err(error),
        };
        // Whoever commits the same content anew meanwhile writes another note, which stays.
        let _gate = self.tree.gate(Sharing::Exclusive)?;
        if seen.is_some() && self.written(&note)? == seen {
            self.forget_note(&note)?;
        }
        Ok(sound)
    }

    /// Notes that something is not on the disk yet.
    pub(crate) fn write_note(&self, note: &str) -> Result<(), StoreError> {
        crate::record::write(&self.tree, note, boot()?, Durability::Written)
    }

    /// Removes a note, if there is one.
    pub(crate) fn forget_note(&self, note: &str) -> Result<(), StoreError> {
        self.tree.unlink(note).map(|_| ()).map_err(|errno| self.tree.error("remove", note, errno))
    }

    /// Whether the machine went down before something was on the disk.
    pub(crate) fn is_stale(&self, note: &str) -> Result<bool, StoreError> {
        match self.tree.read(note, 256)? {
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
