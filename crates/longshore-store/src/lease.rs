//! What a process needs for now.
//!
//! A lease is a file that its owner has locked for as long as the lease lives, and into which a line is written for each
//! thing that is held. When the process dies, the lock goes, and the next collector removes the file. Lines are written
//! with the gate open to many, and collectors close it: so a line is either read by a collector, or it is written after
//! the collector is done, and what is looked up after holding stays.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use longshore_oci::{ChainId, Descriptor, Digest};

use crate::lock::{Claim, Sharing};
use crate::{Store, StoreError, layout};

/// The longest that a lease file is read.
const LIMIT: u64 = 64 << 20;

/// Keeps content alive until it is dropped or the process ends. Threads may share one.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    relative: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    held: HashSet<String>,
}

/// One line of a lease.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Hold {
    /// This content, and nothing that it refers to.
    Blob(Digest),
    /// This document, and what it refers to. The media type says how to read it.
    Tree { media_type: String, digest: Digest },
    /// The snapshot with this chain id.
    Snapshot(Digest),
}

impl Store {
    /// Begins to keep things alive; `why` is for who looks into the store.
    pub fn lease(&self, why: &str) -> Result<Lease, StoreError> {
        let (file, relative) = self.tree.claim_new(layout::LEASES)?;
        let mut lease_file = File::from(file);
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        let written = lease_file.write_all(format!("# {why}\n").as_bytes());
        crate::store::at(&self.tree, "write", &relative, written)?;
        let inner = Mutex::new(Inner { file: lease_file, held: HashSet::new() });
        Ok(Lease { store: self.clone(), relative, inner })
    }

    /// What all live leases hold; leases of dead processes are removed, unless this is to look only. The gate must be
    /// closed.
    pub(crate) fn live_holds(&self, look_only: bool) -> Result<LiveHolds, StoreError> {
        let mut live = LiveHolds::default();
        for entry in self.tree.list(layout::LEASES)?.into_iter().filter(|entry| !entry.directory) {
            let relative = format!("{}/{}", layout::LEASES, entry.name);
            match self.tree.claim_file(&relative, rustix::fs::OFlags::empty(), false)? {
                Claim::Mine(_claim) => {
                    live.dead += 1;
                    if !look_only {
                        let removed = self.tree.unlink(&relative);
                        removed.map_err(|errno| self.tree.error("remove", &relative, errno))?;
                    }
                }
                Claim::Busy => {
                    let text = self.tree.read(&relative, LIMIT)?.unwrap_or_default();
                    live.holds.extend(self.holds(&relative, &text)?);
                }
                Claim::Gone => {}
            }
        }
        Ok(live)
    }

    fn holds(&self, relative: &str, text: &[u8]) -> Result<Vec<Hold>, StoreError> {
        let malformed = |line: &str| StoreError::MalformedRecord {
            path: self.tree.path(relative),
            message: format!("the line `{}` of a lease is not known", line.escape_debug()),
        };
        let text = String::from_utf8_lossy(text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| Hold::read(line).ok_or_else(|| malformed(line))).collect()
    }
}

/// What leases keep.
#[derive(Debug, Default)]
pub(crate) struct LiveHolds {
    pub(crate) holds: Vec<Hold>,
    /// How many leases of dead processes were removed.
    pub(crate) dead: u64,
}

impl Lease {
    /// Keeps this content, whether it is here already or not. What it refers to is not kept.
    pub fn hold(&self, digest: &Digest) -> Result<(), StoreError> {
        self.write([Hold::Blob(digest.clone())])
    }

    /// Keeps many.
    pub fn hold_all<'d>(&self, digests: impl IntoIterator<Item = &'d Digest>) -> Result<(), StoreError> {
        self.write(digests.into_iter().map(|digest| Hold::Blob(digest.clone())))
    }

    /// Keeps a document and all that it refers to, as far as that is here when a collector looks.
    pub fn hold_tree(&self, descriptor: &Descriptor) -> Result<(), StoreError> {
        self.write([Hold::Tree {
            media_type: descriptor.media_type.to_string(),
            digest: descriptor.digest.clone(),
        }])
    }

    /// Keeps the snapshots with these chain ids. Those of the layers below must be named too.
    pub fn hold_snapshots<'c>(&self, ids: impl IntoIterator<Item = &'c ChainId>) -> Result<(), StoreError> {
        self.write(ids.into_iter().map(|id| Hold::Snapshot(id.digest().clone())))
    }

    fn write(&self, holds: impl IntoIterator<Item = Hold>) -> Result<(), StoreError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: Vec<String> = holds.into_iter().map(|hold| hold.line()).collect();
        new.retain(|line| !inner.held.contains(line));
        if new.is_empty() {
            return Ok(());
        }
        let tree = &self.store.tree;
        let _gate = tree.gate(Sharing::Shared)?;
        let length = inner.file.stream_position();
        let written = inner.file.write_all(new.concat().as_bytes());
        if let (Err(_), Ok(length)) = (&written, length) {
            // Half a line would make the lease unreadable. If even this fails, collectors say so and remove nothing.
            let _ = inner.file.set_len(length).and_then(|()| inner.file.seek(SeekFrom::Start(length)));
        }
        crate::store::at(tree, "write", &self.relative, written)?;
        inner.held.extend(new);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What cannot be removed loses its lock with this process, and is swept.
        let _ = self.store.tree.unlink(&self.relative);
    }
}

impl Hold {
    fn line(&self) -> String {
        match self {
            Self::Blob(digest) => format!("blob {digest}\n"),
            Self::Tree { media_type, digest } => format!("tree {digest} {media_type}\n"),
            Self::Snapshot(digest) => format!("snapshot {digest}\n"),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (kind, digest) = (words.next()?, Digest::parse(words.next()?).ok()?);
        match (kind, words.next()) {
            ("blob", None) => Some(Self::Blob(digest)),
            ("snapshot", None) => Some(Self::Snapshot(digest)),
            ("tree", Some(media_type)) => Some(Self::Tree { media_type: media_type.to_owned(), digest }),
            _ => None,
        }
    }
}
