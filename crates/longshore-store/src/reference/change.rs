//! Reading and changing refs.
//!
//! A ref is one file that is replaced as a whole. Changes take turns, so that directories can come and go with the refs
//! in them and a swap compares with what it replaces; they pass the gate, so that no collector sees half of a change.

use crate::lock::{Lock, Sharing};
use crate::record::{Durability, stage};
use crate::{RefName, RefRecord, Store, StoreError, layout};

use super::path;

/// Records with many labels are still far shorter.
const LIMIT: u64 = 8 << 20;

/// What became of a swap.
#[derive(Debug, Clone, PartialEq)]
pub enum Swap {
    /// The ref says now what it was to say.
    Done,
    /// Somebody changed it before; this is what it says.
    Changed(Option<Box<RefRecord>>),
}

impl Store {
    /// Names content. What the ref said before is replaced. When this returns, the ref survives a power failure, and so
    /// does its content, but for what was taken in [`crate::Ingest::unsynced`].
    ///
    /// A lease should hold the content and all that it refers to until then. Or the ref comes first, and what it needs is
    /// looked for after that: a ref keeps what it names from the moment that it is there.
    pub fn put_ref(&self, name: &RefName, record: &RefRecord) -> Result<(), StoreError> {
        self.write_ref(name, record, Durability::Synced)
    }

    /// The same for refs that need not survive a power failure, such as those of containers, which do not either. It
    /// does not wait for the disk.
    pub fn put_ref_unsynced(&self, name: &RefName, record: &RefRecord) -> Result<(), StoreError> {
        self.write_ref(name, record, Durability::Written)
    }

    /// What a ref says, if there is one.
    pub fn reference(&self, name: &RefName) -> Result<Option<RefRecord>, StoreError> {
        self.read_ref(&path::encode(name))
    }

    /// Removes a ref; whether there was one. What it kept goes when it is next collected.
    pub fn remove_ref(&self, name: &RefName) -> Result<bool, StoreError> {
        let _turn = self.turn()?;
        self.unlink_ref(name)
    }

    /// Changes a ref from one thing to another, if nobody else changed it; nothing is no ref.
    pub fn swap_ref(
        &self,
        name: &RefName,
        from: Option<&RefRecord>,
        to: Option<&RefRecord>,
    ) -> Result<Swap, StoreError> {
        let relative = path::encode(name);
        let staged = to.map(|to| self.staged(&relative, to, Durability::Synced)).transpose()?;
        let _turn = self.turn()?;
        let now = self.read_ref(&relative)?;
        if now.as_ref() != from {
            return Ok(Swap::Changed(now.map(Box::new)));
        }
        match staged {
            Some(staged) => self.publish_ref(staged, &relative)?,
            None => self.unlink_ref(name).map(|_| ())?,
        }
        Ok(Swap::Done)
    }

    fn write_ref(
        &self,
        name: &RefName,
        record: &RefRecord,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let relative = path::encode(name);
        let staged = self.staged(&relative, record, durability)?;
        let _turn = self.turn()?;
        self.publish_ref(staged, &relative)
    }

    fn staged(
        &self,
        relative: &str,
        record: &RefRecord,
        durability: Durability,
    ) -> Result<crate::record::Staged<'_>, StoreError> {
        let malformed = |message| StoreError::MalformedRecord { path: self.tree.path(relative), message };
        let staged = stage(&self.tree, &record.write().map_err(malformed)?, durability)?;
        if durability == Durability::Synced {
            // After the record, because writing that out mostly writes out the names of blobs too.
            self.sync_blob_names()?;
        }
        Ok(staged)
    }

    fn publish_ref(&self, mut staged: crate::record::Staged<'_>, relative: &str) -> Result<(), StoreError> {
        // Mostly the directories are there already.
        if !staged.try_publish(relative)? {
            let parent = relative.rsplit_once('/').map_or(layout::REFS, |(parent, _)| parent);
            self.tree.make_directories(parent).map_err(|errno| self.tree.error("create", parent, errno))?;
            staged.publish(relative)?;
        }
        Ok(())
    }

    /// Removes a ref and the directories that only it needed, but for the one of its namespace, which the next one needs
    /// again. It must be the caller's turn.
    pub(crate) fn unlink_ref(&self, name: &RefName) -> Result<bool, StoreError> {
        let relative = path::encode(name);
        let removed =
            self.tree.unlink(&relative).map_err(|errno| self.tree.error("remove", &relative, errno))?;
        let namespace = format!("{}/{}", layout::REFS, name.namespace());
        let mut parent = relative.as_str();
        while let Some((above, _)) = parent.rsplit_once('/') {
            // One that other refs need is not empty, which ends this.
            if above == namespace || self.tree.remove_directory(above).is_err() {
                break;
            }
            parent = above;
        }
        Ok(removed)
    }

    pub(super) fn read_ref(&self, relative: &str) -> Result<Option<RefRecord>, StoreError> {
        let Some(bytes) = self.tree.read(relative, LIMIT)? else { return Ok(None) };
        if RefRecord::is_torn(&bytes) {
            return Ok(None);
        }
        let malformed = |message| StoreError::MalformedRecord { path: self.tree.path(relative), message };
        RefRecord::read(&bytes).map(Some).map_err(malformed)
    }

    fn turn(&self) -> Result<(Lock, Lock), StoreError> {
        Ok((self.tree.gate(Sharing::Shared)?, self.tree.refs_turn()?))
    }

    /// Makes the names of committed blobs durable before a durable ref says that they are there; and before these, the
    /// notes about blobs that are there by name only.
    fn sync_blob_names(&self) -> Result<(), StoreError> {
        let failed = |directory: &str, errno| self.tree.error("write", directory, errno);
        self.tree.sync_directory(layout::UNSYNCED).map_err(|errno| failed(layout::UNSYNCED, errno))?;
        for algorithm in layout::ALGORITHMS {
            let directory = format!("{}/{algorithm}", layout::BLOBS);
            self.tree.sync_directory(&directory).map_err(|errno| failed(&directory, errno))?;
        }
        Ok(())
    }
}
