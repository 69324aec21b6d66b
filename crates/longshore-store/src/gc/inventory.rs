//! What there is in the store, with sizes and ages.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use longshore_oci::Digest;
use rustix::fs::Timespec;

use crate::record::Durability;
use crate::snapshot::SIZE;
use crate::{Store, StoreError, layout};

/// Something that takes space.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) digest: Digest,
    pub(crate) relative: String,
    pub(crate) bytes: u64,
    pub(crate) modified: Timespec,
}

/// Everything that the collector may remove.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) blobs: Vec<Item>,
    pub(crate) snapshots: Vec<Item>,
    pub(crate) partials: Vec<Item>,
    pub(crate) quarantined: Vec<Item>,
}

impl Inventory {
    /// Looks at everything. Things that go meanwhile are left out.
    pub(crate) fn take(store: &Store) -> Result<Self, StoreError> {
        let mut inventory = Self {
            partials: flat_items(store, layout::PARTIALS)?,
            quarantined: flat_items(store, layout::QUARANTINE)?,
            ..Self::default()
        };
        for algorithm in layout::ALGORITHMS {
            for (top, list) in
                [(layout::BLOBS, &mut inventory.blobs), (layout::SNAPSHOTS, &mut inventory.snapshots)]
            {
                let directory = format!("{top}/{algorithm}");
                for entry in store.tree.list(&directory)? {
                    let digest = layout::digest_of(algorithm, &entry.name);
                    let wanted = entry.directory == (top == layout::SNAPSHOTS);
                    if let Some(digest) = digest.filter(|_| wanted) {
                        list.extend(item(store, format!("{directory}/{}", entry.name), digest)?);
                    }
                }
            }
        }
        for snapshot in &mut inventory.snapshots {
            snapshot.bytes = snapshot_bytes(store, &snapshot.relative)?;
        }
        Ok(inventory)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Item> {
        [&self.blobs, &self.snapshots, &self.partials, &self.quarantined].into_iter().flatten()
    }

    /// How many bytes all of it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.all().fold(0, |sum, item| sum.saturating_add(item.bytes))
    }
}

fn flat_items(store: &Store, directory: &str) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for entry in store.tree.list(directory)?.into_iter().filter(|entry| !entry.directory) {
        if let Some(digest) = layout::digest_of_flat(&entry.name) {
            items.extend(item(store, format!("{directory}/{}", entry.name), digest)?);
        }
    }
    Ok(items)
}

fn item(store: &Store, relative: String, digest: Digest) -> Result<Option<Item>, StoreError> {
    let stat = store.tree.stat(&relative).map_err(|errno| store.tree.error("look at", &relative, errno))?;
    Ok(stat.map(|stat| Item {
        digest,
        relative,
        bytes: u64::try_from(stat.st_size).unwrap_or_default(),
        modified: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() },
    }))
}

/// How many bytes a snapshot takes: as whoever unpacked it said, else as is counted now and noted for the next time.
fn snapshot_bytes(store: &Store, relative: &str) -> Result<u64, StoreError> {
    if let Some(bytes) = store.noted_size(relative)? {
        return Ok(bytes);
    }
    let record = format!("{relative}/{SIZE}");
    let bytes = allocated(&store.tree.path(relative));
    // It is as right as before if it cannot be noted.
    let _ = crate::record::write(&store.tree, &record, format!("{bytes}\n").as_bytes(), Durability::Written);
    Ok(bytes)
}

/// The bytes that files below a directory take on the disk, each file once. What cannot be seen is not counted.
fn allocated(top: &Path) -> u64 {
    let mut bytes = 0_u64;
    let mut linked: HashSet<(u64, u64)> = HashSet::new();
    let mut pending: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        for (entry, metadata) in
            entries.filter_map(|entry: DirEntry| entry.metadata().ok().map(|m| (entry, m)))
        {
            if metadata.is_dir() {
                pending.push(entry.path());
            } else if metadata.nlink() > 1 && !linked.insert((metadata.dev(), metadata.ino())) {
                continue;
            }
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
        }
    }
    bytes
}
