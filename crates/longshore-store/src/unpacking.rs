//! Making snapshots, one process at a time for each.
//!
//! A layer is unpacked in a directory of its own under `unpacking/`, which is claimed like a partial: by a lock on
//! itself. When it is complete it is renamed to where snapshots are, so a snapshot is whole or absent.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use longshore_oci::ChainId;
use rustix::io::Errno;

use crate::lock::{Claim, Sharing};
use crate::record::Durability;
use crate::snapshot::{FILES, SIZE};
use crate::{Snapshot, Store, StoreError, layout};

/// What there is to do to have a snapshot.
#[derive(Debug)]
pub enum SnapshotClaim {
    /// Nothing: it is here.
    Present(Snapshot),
    /// It must be made, by the caller.
    Needed(SnapshotIngest),
}

/// A snapshot in the making. Dropping it removes what was made.
#[derive(Debug)]
pub struct SnapshotIngest {
    store: Store,
    chain: ChainId,
    relative: String,
    size: Option<u64>,
    committed: bool,
    /// Keeps other processes out.
    _claim: OwnedFd,
}

impl Store {
    /// Sees to it that a snapshot is made once: says that it is here, or gives the caller the making. While another
    /// process makes it, this waits; if that one fails or is killed, the caller begins anew.
    ///
    /// Who makes several at once begins them from the lowest layer up, as everybody does, so that no two wait for each
    /// other.
    pub fn begin_snapshot(&self, chain: &ChainId) -> Result<SnapshotClaim, StoreError> {
        loop {
            if let Some(claim) = self.claim_snapshot(chain, true)? {
                return Ok(claim);
            }
        }
    }

    /// The same for who has better things to do than to wait: nothing, while another process makes the snapshot.
    pub fn try_begin_snapshot(&self, chain: &ChainId) -> Result<Option<SnapshotClaim>, StoreError> {
        self.claim_snapshot(chain, false)
    }

    fn claim_snapshot(&self, chain: &ChainId, wait: bool) -> Result<Option<SnapshotClaim>, StoreError> {
        let relative = layout::flat(layout::UNPACKING, chain.digest())?;
        let failed = |errno| self.tree.error("create", &relative, errno);
        loop {
            if let Some(snapshot) = self.snapshot(chain)? {
                return Ok(Some(SnapshotClaim::Present(snapshot)));
            }
            self.tree.make_directory(&relative).map_err(failed)?;
            let claim = match self.tree.claim_directory(&relative, wait)? {
                Claim::Mine(claim) => claim,
                Claim::Busy => return Ok(None),
                Claim::Gone => continue,
            };
            let (store, chain) = (self.clone(), chain.clone());
            let ingest = SnapshotIngest {
                store,
                chain: chain.clone(),
                relative: relative.clone(),
                size: None,
                committed: false,
                _claim: claim,
            };
            // Another process may have finished between the look and the claim.
            if let Some(snapshot) = self.snapshot(&chain)? {
                return Ok(Some(SnapshotClaim::Present(snapshot)));
            }
            return ingest.prepared().map(|ingest| Some(SnapshotClaim::Needed(ingest)));
        }
    }
}

impl SnapshotIngest {
    /// The empty directory to unpack into.
    pub fn path(&self) -> PathBuf {
        self.store.tree.path(&format!("{}/{FILES}", self.relative))
    }

    /// Which snapshot this becomes.
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Says how many bytes the layer takes, so that nobody has to count them later.
    pub fn set_size(&mut self, bytes: u64) {
        self.size = Some(bytes);
    }

    /// Makes a snapshot of what is in the directory.
    pub fn commit(mut self) -> Result<Snapshot, StoreError> {
        let tree = &self.store.tree;
        if let Some(size) = self.size {
            let record = format!("{}/{SIZE}", self.relative);
            crate::record::write(tree, &record, format!("{size}\n").as_bytes(), Durability::Written)?;
        }
        let target = layout::sharded(layout::SNAPSHOTS, self.chain.digest())?;
        // The note comes before the name: with the name but without the note, the snapshot would be trusted. The gate comes
        // before both, so that nobody takes this note for that of an earlier snapshot.
        let gate = tree.gate(Sharing::Shared)?;
        self.store.write_note(&layout::snapshot_note(self.chain.digest())?)?;
        tree.rename(&self.relative, &target).map_err(|errno| tree.error("publish", &target, errno))?;
        drop(gate);
        self.committed = true;
        Ok(Snapshot::Unpacked(tree.path(&format!("{target}/{FILES}"))))
    }

    /// Clears what an interrupted predecessor left, and what a power failure made worthless.
    fn prepared(self) -> Result<Self, StoreError> {
        let tree = &self.store.tree;
        let failed = |relative: &str, errno: Errno| tree.error("clear", relative, errno);
        let mut old = Vec::new();
        for entry in tree.list(&self.relative)? {
            let relative = format!("{}/{}", self.relative, entry.name);
            if entry.directory {
                old.extend(self.store.discard(&relative)?);
            } else {
                tree.unlink(&relative).map_err(|errno| failed(&relative, errno))?;
            }
        }
        let digest = self.chain.digest();
        old.extend(self.store.discard(&layout::sharded(layout::SNAPSHOTS, digest)?)?);
        self.store.forget_note(&layout::snapshot_note(digest)?)?;
        let files = format!("{}/{FILES}", self.relative);
        tree.make_directory(&files).map_err(|errno| failed(&files, errno))?;
        // A layer need not say what its root directory is like, and then anybody may enter it. The directories above let
        // nobody through but their owner.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(tree.path(&files), open).map_err(|source| StoreError::Io {
            action: "open up",
            path: tree.path(&files),
            source,
        })?;
        self.store.empty_trash(old)?;
        Ok(self)
    }
}

impl Drop for SnapshotIngest {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now is unlocked, and swept later.
            let _ = self.store.discard(&self.relative).and_then(|trash| self.store.empty_trash(trash));
        }
    }
}
