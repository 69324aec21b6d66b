//! Longshore's own store as a [`BlobStore`].
//!
//! Content is held by a lease before it is looked for, so that no collector takes it away between the look and the ref
//! that the caller writes in the end.

use std::io::{self, Read, Write};

use longshore_oci::Digest;
use longshore_store::{Download, Ingest, Lease, Store, StoreError};

use crate::store::{BlobIngest, BlobStore, Committed, ContentKind, Intake};

/// A store, and the lease that keeps what is looked for and taken in.
#[derive(Debug, Clone, Copy)]
pub struct LeasedStore<'a> {
    store: &'a Store,
    lease: &'a Lease,
}

impl<'a> LeasedStore<'a> {
    /// Puts both together.
    pub fn new(store: &'a Store, lease: &'a Lease) -> Self {
        Self { store, lease }
    }
}

/// An ingest that keeps what came, unless told otherwise.
struct Suspended(Option<Ingest>);

impl BlobStore for LeasedStore<'_> {
    fn size(&self, digest: &Digest) -> io::Result<Option<u64>> {
        self.lease.hold(digest).map_err(into_io)?;
        self.store.contains(digest).map_err(into_io)
    }

    fn ingest<'a>(&'a self, digest: &Digest, size: u64) -> io::Result<Intake<'a>> {
        self.lease.hold(digest).map_err(into_io)?;
        Ok(match self.store.download(digest, Some(size)).map_err(into_io)? {
            Download::Present(_) => Intake::Present,
            Download::Needed(ingest) => Intake::Needed(Box::new(Suspended(Some(ingest)))),
        })
    }

    fn open<'a>(&'a self, digest: &Digest, offset: u64) -> io::Result<Box<dyn Read + Send + 'a>> {
        let mut reader = self.store.open_blob(digest).map_err(into_io)?;
        io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
        Ok(Box::new(reader))
    }
}

impl Write for Suspended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |ingest| ingest.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobIngest for Suspended {
    fn offset(&self) -> u64 {
        self.0.as_ref().map_or(0, Ingest::offset)
    }

    fn commit(mut self: Box<Self>, kind: ContentKind) -> io::Result<Committed> {
        let commit = |ingest: Ingest| match kind {
            ContentKind::Document => ingest.commit(),
            ContentKind::Layer => ingest.unsynced().commit(),
        };
        match self.0.take().map(commit) {
            Some(Err(StoreError::IngestDigest { actual, .. })) => Ok(Committed::Wrong(Some(actual))),
            Some(Err(error)) => Err(into_io(error)),
            Some(Ok(_)) | None => Ok(Committed::Kept),
        }
    }

    fn discard(mut self: Box<Self>) -> io::Result<()> {
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        if let Some(ingest) = self.0.take() {
            ingest.suspend();
        }
    }
}

fn into_io(error: StoreError) -> io::Error {
    let kind = match &error {
        StoreError::Io { source, .. } => source.kind(),
        StoreError::MissingBlob(_) => io::ErrorKind::NotFound,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use longshore_oci::Digest;
    use longshore_store::Store;

    use super::{BlobStore, Committed, ContentKind, Intake, LeasedStore};

    #[test]
    fn what_is_dropped_goes_on_and_what_is_wrong_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("store")).unwrap();
        let lease = store.lease("test").unwrap();
        let leased = LeasedStore::new(&store, &lease);
        let digest = Digest::of(b"content");
        let begin = || match leased.ingest(&digest, 7).unwrap() {
            Intake::Needed(ingest) => ingest,
            Intake::Present => panic!("it is not here yet"),
        };
        begin().write_all(b"con").unwrap();
        let mut ingest = begin();
        assert_eq!(ingest.offset(), 3);
        ingest.write_all(b"TENT").unwrap();
        assert!(matches!(ingest.commit(ContentKind::Document).unwrap(), Committed::Wrong(Some(_))));
        let mut ingest = begin();
        assert_eq!(ingest.offset(), 0);
        ingest.write_all(b"content").unwrap();
        assert_eq!(ingest.commit(ContentKind::Layer).unwrap(), Committed::Kept);
        assert!(matches!(leased.ingest(&digest, 7).unwrap(), Intake::Present));
        let mut rest = String::new();
        leased.open(&digest, 3).unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), leased.size(&digest).unwrap()), ("tent", Some(7)));
    }
}
