//! Taking content in.
//!
//! Content is hashed while it is written to a file of its own, and gets its name only when it is complete and has the
//! digest that was asked for. Its bytes are on the disk before that (`fdatasync`), so that after a power failure a name
//! stands for whole content; the name itself is made durable with the ref that needs it. Content that can be had again is
//! not waited for ([`Ingest::unsynced`]); it gets a note instead, see `unsynced.rs`. An ingest with a known digest
//! works on the *partial* of that digest, which a later process can take up again; see `partial.rs`.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use longshore_oci::{Algorithm, Digest, Hasher};
use rustix::fs::{Mode, OFlags, fchmod, fdatasync, ftruncate};

use crate::lock::{Claim, Sharing};
use crate::record::Durability;
use crate::{Lease, Store, StoreError, layout};

/// Content that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Content on its way into the store. It is written as to a file; [`Ingest::commit`] makes a blob of it. Dropping it
/// forgets everything, [`Ingest::suspend`] keeps what came for [`Store::resume`].
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    file: File,
    relative: String,
    hasher: Box<Hasher>,
    received: u64,
    expected: Option<Digest>,
    announced: Option<u64>,
    durability: Durability,
    /// Whether the file is to be left when this is dropped.
    keep: bool,
}

/// A file to work on, before anything is known about its content.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) file: File,
    pub(crate) relative: String,
}

impl Store {
    /// Begins to take content in, from its first byte. A known digest and a known length are held against what comes.
    ///
    /// This never waits. If another process is already fetching the same digest, both do the work and either result is
    /// as good; [`Store::download`] waits instead.
    pub fn ingest(&self, expected: Option<&Digest>, size: Option<u64>) -> Result<Ingest, StoreError> {
        if let Some(digest) = expected {
            let relative = layout::flat(layout::PARTIALS, digest)?;
            if let Claim::Mine(file) = self.tree.claim_file(&relative, OFlags::CREATE, false)? {
                let mut ingest =
                    Ingest::new(self, Draft { file: File::from(file), relative }, expected, size)?;
                ingest.restart()?;
                return Ok(ingest);
            }
        }
        let (file, relative) = self.tree.claim_new(layout::INGESTS)?;
        Ingest::new(self, Draft { file: File::from(file), relative }, expected, size)
    }

    /// Takes in content that is in memory.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Blob, StoreError> {
        let mut ingest = self.ingest(None, Some(bytes.len() as u64))?;
        ingest.put(bytes)?;
        ingest.commit()
    }
}

impl Ingest {
    pub(crate) fn new(
        store: &Store,
        draft: Draft,
        expected: Option<&Digest>,
        announced: Option<u64>,
    ) -> Result<Self, StoreError> {
        let algorithm = match expected {
            Some(digest) => {
                digest.algorithm().ok_or_else(|| StoreError::UnsupportedDigest(digest.clone()))?
            }
            None => Algorithm::Sha256,
        };
        Ok(Self {
            store: store.clone(),
            file: draft.file,
            relative: draft.relative,
            hasher: Box::new(Hasher::new(algorithm)),
            received: 0,
            expected: expected.cloned(),
            announced,
            durability: Durability::Synced,
            keep: false,
        })
    }

    /// Has the commit not wait for the disk, which is for content that can be had again. After a power failure such content
    /// is verified when it is next looked for, and counts as absent if it is damaged.
    #[must_use]
    pub fn unsynced(mut self) -> Self {
        self.durability = Durability::Written;
        self
    }

    /// How many bytes are here, which is where a resumed transfer goes on.
    pub fn offset(&self) -> u64 {
        self.received
    }

    /// Takes the next bytes, best many at once: each call writes to the file. [`Write`] does the same, with errors from
    /// which [`StoreError::from_io`] gets these.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.refuse_excess(bytes.len() as u64)?;
        let written = self.file.write_all(bytes);
        if written.is_err() {
            // Some of it may have been written. The file must end where the digest does, or resuming would go wrong.
            self.rewind_to(self.received)?;
        }
        crate::store::at(&self.store.tree, "write", &self.relative, written)?;
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what came, because it comes again from the beginning.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.rewind_to(0)?;
        let algorithm = self.expected.as_ref().and_then(Digest::algorithm).unwrap_or(Algorithm::Sha256);
        *self.hasher = Hasher::new(algorithm);
        self.received = 0;
        Ok(())
    }

    /// Makes a blob of what came. Anything but the expected content is an error and is forgotten.
    pub fn commit(mut self) -> Result<Blob, StoreError> {
        let digest = self.checked_digest()?;
        self.publish(digest)
    }

    /// The same for content whose digest was not known before, which the lease holds from its first moment.
    pub fn commit_held(mut self, lease: &Lease) -> Result<Blob, StoreError> {
        let digest = self.checked_digest()?;
        lease.hold(&digest)?;
        self.publish(digest)
    }

    /// Keeps what came so far for a later [`Store::resume`], if the digest is known. Else it is forgotten.
    pub fn suspend(mut self) {
        self.keep = self.is_partial();
    }

    /// Takes over what is in the file already, which the caller has read.
    pub(crate) fn adopt(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
    }

    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    fn is_partial(&self) -> bool {
        self.relative.starts_with(layout::PARTIALS)
    }

    fn refuse_excess(&self, more: u64) -> Result<(), StoreError> {
        match self.announced {
            Some(announced) if more > announced.saturating_sub(self.received) => {
                Err(StoreError::IngestTooLong { announced })
            }
            _ => Ok(()),
        }
    }

    fn rewind_to(&mut self, length: u64) -> Result<(), StoreError> {
        let cut = ftruncate(&self.file, length)
            .map_err(io::Error::from)
            .and_then(|()| self.file.seek(SeekFrom::Start(length)));
        crate::store::at(&self.store.tree, "shorten", &self.relative, cut).map(|_| ())
    }

    fn checked_digest(&self) -> Result<Digest, StoreError> {
        if let Some(announced) = self.announced.filter(|announced| *announced != self.received) {
            return Err(StoreError::IngestTooShort { announced, received: self.received });
        }
        let actual = self.hasher.clone().finish();
        match &self.expected {
            Some(expected) if *expected != actual => {
                Err(StoreError::IngestDigest { expected: expected.clone(), actual })
            }
            _ => Ok(actual),
        }
    }

    fn publish(&mut self, digest: Digest) -> Result<Blob, StoreError> {
        let tree = &self.store.tree;
        let relative = layout::sharded(layout::BLOBS, &digest)?;
        if self.durability == Durability::Synced {
            fdatasync(&self.file).map_err(|errno| tree.error("write", &self.relative, errno))?;
        }
        let _gate = tree.gate(Sharing::Shared)?;
        if self.durability == Durability::Written {
            // Before the name, and behind the gate, as with snapshots.
            self.store.write_note(&layout::blob_note(&digest)?)?;
        }
        tree.rename(&self.relative, &relative).map_err(|errno| tree.error("publish", &relative, errno))?;
        self.keep = true;
        // Nobody writes to a blob by accident. It comes last, because a partial must stay writable for its successor,
        // and it does not matter enough to fail for.
        let _ = fchmod(&self.file, Mode::RUSR);
        Ok(Blob { digest, size: self.received })
    }
}

impl Write for Ingest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes).map_err(StoreError::into_io)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        if !self.keep {
            // The claim is still held, so nobody else works on this file. What cannot be removed is swept later.
            let _ = self.store.tree.unlink(&self.relative);
        }
    }
}
