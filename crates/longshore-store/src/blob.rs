//! Reading content, verified.
//!
//! Files get damaged: by disks, by people, by power failures under file systems that promise less. So use means
//! verification: a reader computes the digest as it goes, and its end is an error if the content is another one. The
//! damaged file is then moved aside, after which the content counts as absent and can be fetched again.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use longshore_oci::{Descriptor, Digest, Hasher, MAX_DOCUMENT_BYTES};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::io::Errno;

use crate::{Store, StoreError, layout};

/// How much is read at once to get to the end of a blob.
const CHUNK: usize = 128 * 1024;

impl Store {
    /// The length of some content, if it is here. Says nothing about whether it is undamaged, unless the machine went
    /// down before it was on the disk: then it is read and verified, once.
    pub fn contains(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let relative = layout::sharded(layout::BLOBS, digest)?;
        let stat = self.tree.stat(&relative).map_err(|errno| self.tree.error("look at", &relative, errno))?;
        match stat {
            None => Ok(None),
            Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
                let size = u64::try_from(stat.st_size).unwrap_or_default();
                Ok(self.is_sound(digest)?.then_some(size))
            }
            Some(_) => Err(StoreError::Planted { path: self.tree.path(&relative), expected: "a file" }),
        }
    }

    /// Opens content for reading from its beginning to its end, where it is verified.
    pub fn open_blob(&self, digest: &Digest) -> Result<BlobReader, StoreError> {
        let relative = layout::sharded(layout::BLOBS, digest)?;
        let algorithm = digest.algorithm().ok_or_else(|| StoreError::UnsupportedDigest(digest.clone()))?;
        let failed = |errno| self.tree.error("open", &relative, errno);
        let file = match self.tree.open(&relative, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) {
            Err(Errno::NOENT) => return Err(StoreError::MissingBlob(digest.clone())),
            other => other.map_err(failed)?,
        };
        let stat = fstat(&file).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(StoreError::Planted { path: self.tree.path(&relative), expected: "a file" });
        }
        Ok(BlobReader {
            store: self.clone(),
            file: File::from(file),
            relative,
            inode: (stat.st_dev, stat.st_ino),
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            digest: digest.clone(),
            state: State::Reading(Box::new(Hasher::new(algorithm))),
            aside: true,
        })
    }

    /// The whole of some content, verified, if it has at most `limit` bytes.
    pub fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        self.open_blob(digest)?.whole(limit)
    }

    /// The same for the collector, which has closed the gate that moving a damaged file aside goes through.
    pub(crate) fn read_blob_in_place(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        BlobReader { aside: false, ..self.open_blob(digest)? }.whole(limit)
    }

    /// The whole of a document: a manifest, an index, a configuration. Its length must be the one that is stated.
    pub fn read_document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        let bytes = self.read_blob(&descriptor.digest, MAX_DOCUMENT_BYTES as u64)?;
        let actual = bytes.len() as u64;
        if actual == descriptor.size {
            return Ok(bytes);
        }
        Err(StoreError::BlobSize { digest: descriptor.digest.clone(), stated: descriptor.size, actual })
    }

    /// Where content is, for who must hand a path to another program. What is read there is not verified.
    pub fn blob_path(&self, digest: &Digest) -> Result<PathBuf, StoreError> {
        Ok(self.tree.path(&layout::sharded(layout::BLOBS, digest)?))
    }

    /// Removes content, whoever refers to it; whether it was here.
    pub fn remove(&self, digest: &Digest) -> Result<bool, StoreError> {
        let relative = layout::sharded(layout::BLOBS, digest)?;
        self.tree.unlink(&relative).map_err(|errno| self.tree.error("remove", &relative, errno))
    }
}

/// Content being read. The end is reached only if the content is what its digest says; who stops before calls
/// [`BlobReader::finish`], or trusts what was read no more than what came over a network.
#[derive(Debug)]
pub struct BlobReader {
    store: Store,
    file: File,
    relative: String,
    inode: (u64, u64),
    size: u64,
    digest: Digest,
    state: State,
    aside: bool,
}

#[derive(Debug)]
enum State {
    Reading(Box<Hasher>),
    Verified,
    Corrupt,
}

impl BlobReader {
    /// How long the content is.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the content is.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Reads what is left, and verifies.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let mut rest = vec![0; CHUNK];
        while self.read(&mut rest).map_err(|error| self.error(error))? > 0 {}
        Ok(())
    }

    /// All of it, if it has at most `limit` bytes.
    fn whole(mut self, limit: u64) -> Result<Vec<u8>, StoreError> {
        if self.size > limit {
            return Err(StoreError::BlobTooLarge { digest: self.digest, actual: self.size, limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        // A file that grows meanwhile is damaged, which is found out below.
        let read = self.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| self.error(error))?;
        self.finish()?;
        Ok(bytes)
    }

    fn error(&self, error: io::Error) -> StoreError {
        let path = || self.store.tree.path(&self.relative);
        StoreError::from_io(error).unwrap_or_else(|source| StoreError::Io {
            action: "read",
            path: path(),
            source,
        })
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        let right = match std::mem::replace(&mut self.state, State::Corrupt) {
            State::Reading(hasher) => hasher.finish() == self.digest,
            State::Verified => true,
            State::Corrupt => return Err(self.store.corrupt(&self.digest)?),
        };
        if right {
            self.state = State::Verified;
            return Ok(());
        }
        if self.aside {
            self.store.quarantine(&self.digest, self.inode)?;
        }
        Err(self.store.corrupt(&self.digest)?)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.file.read(buffer)?;
        if count == 0 {
            self.verify().map_err(StoreError::into_io)?;
        } else if let (State::Reading(hasher), Some(bytes)) = (&mut self.state, buffer.get(..count)) {
            hasher.update(bytes);
        }
        Ok(count)
    }
}

impl Store {
    fn corrupt(&self, digest: &Digest) -> Result<StoreError, StoreError> {
        let quarantine = self.tree.path(&layout::flat(layout::QUARANTINE, digest)?);
        Ok(StoreError::CorruptBlob { digest: digest.clone(), quarantine })
    }

    /// Moves a damaged file aside, unless somebody has put another one in its place meanwhile.
    fn quarantine(&self, digest: &Digest, inode: (u64, u64)) -> Result<(), StoreError> {
        // No commit may come between looking and renaming.
        let _gate = self.tree.gate(crate::lock::Sharing::Exclusive)?;
        let relative = layout::sharded(layout::BLOBS, digest)?;
        let failed = |errno| self.tree.error("move aside", &relative, errno);
        let now = self.tree.stat(&relative).map_err(failed)?.map(|stat| (stat.st_dev, stat.st_ino));
        if now == Some(inode) {
            let aside = layout::flat(layout::QUARANTINE, digest)?;
            self.tree.rename(&relative, &aside).map_err(failed)?;
        }
        Ok(())
    }
}
