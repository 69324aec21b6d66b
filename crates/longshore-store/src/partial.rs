//! Downloads that go on where an earlier process was interrupted.
//!
//! The partial of a digest is one file that one process works on at a time; it is claimed by a lock on itself. Who comes
//! second may wait, and then finds the content complete, or the partial free: the first process failed or was killed,
//! and its work is taken over. What was written before is hashed again, because nobody knows how it got there. After a
//! power failure a partial may hold rubbish; then the digest is wrong in the end, and the next attempt begins anew.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use longshore_oci::Digest;
use rustix::fs::OFlags;

use crate::ingest::Draft;
use crate::lock::Claim;
use crate::{Ingest, Store, StoreError, layout};

/// How much of a partial is hashed at once.
const CHUNK: usize = 256 * 1024;

/// What there is to do to have some content.
#[derive(Debug)]
pub enum Download {
    /// Nothing: it is here, and this long.
    Present(u64),
    /// It must be fetched, from [`Ingest::offset`] on.
    Needed(Ingest),
}

impl Store {
    /// Takes up an interrupted transfer. Nothing if there is none, or if another process is at it.
    pub fn resume(&self, digest: &Digest, size: Option<u64>) -> Result<Option<Ingest>, StoreError> {
        let relative = layout::flat(layout::PARTIALS, digest)?;
        match self.tree.claim_file(&relative, OFlags::empty(), false)? {
            Claim::Mine(file) => {
                let ingest = self.adopted(Draft { file: File::from(file), relative }, digest, size)?;
                if ingest.offset() > 0 {
                    return Ok(Some(ingest));
                }
                Ok(None)
            }
            Claim::Busy | Claim::Gone => Ok(None),
        }
    }

    /// Sees to it that content is fetched once: says that it is here, or gives the caller the transfer, with what an
    /// interrupted one left. While another process is fetching the same content, this waits for it.
    ///
    /// Other threads count as other processes do. So a thread that has a download in hand finishes it before it asks for
    /// the next one; else two could wait for each other, or one for itself, as images name the same layer twice.
    pub fn download(&self, digest: &Digest, size: Option<u64>) -> Result<Download, StoreError> {
        let relative = layout::flat(layout::PARTIALS, digest)?;
        loop {
            if let Some(size) = self.contains(digest)? {
                return Ok(Download::Present(size));
            }
            let Claim::Mine(file) = self.tree.claim_file(&relative, OFlags::CREATE, true)? else { continue };
            let ingest =
                self.adopted(Draft { file: File::from(file), relative: relative.clone() }, digest, size)?;
            // Whoever had it before may have finished between the two looks; then this is a new, empty partial.
            if let Some(size) = self.contains(digest)? {
                return Ok(Download::Present(size));
            }
            return Ok(Download::Needed(ingest));
        }
    }

    /// An ingest with what is in the file. A partial that is longer than the content can be is worth nothing.
    fn adopted(&self, draft: Draft, digest: &Digest, size: Option<u64>) -> Result<Ingest, StoreError> {
        let path = self.tree.path(&draft.relative);
        let failed = |source: io::Error| StoreError::Io { action: "read", path: path.clone(), source };
        let mut ingest = Ingest::new(self, draft, Some(digest), size)?;
        let length = ingest.file().metadata().map_err(failed)?.len();
        if size.is_some_and(|size| length > size) {
            ingest.restart()?;
            return Ok(ingest);
        }
        ingest.file().seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = ingest.file().read(&mut chunk).map_err(failed)?;
            match chunk.get(..count) {
                Some(bytes) if count > 0 => ingest.adopt(bytes),
                _ => return Ok(ingest),
            }
        }
    }
}
