//! What a client needs of a content store.
//!
//! These traits say it in three questions, so that content can also come from and go to other places than
//! [`longshore_store`]: a layout of the OCI, or memory.

use std::io::{self, Read, Write};

use longshore_oci::{Descriptor, Digest, MediaKind};

/// Content by its digest. All content in it is what its digest says.
pub trait BlobStore: Sync {
    /// How long some content is; nothing if it is not here.
    fn size(&self, digest: &Digest) -> io::Result<Option<u64>>;

    /// Begins to take in content, or goes on where an earlier attempt ended. If another process is at it, this waits for
    /// it.
    fn ingest<'a>(&'a self, digest: &Digest, size: u64) -> io::Result<Intake<'a>>;

    /// Reads content from an offset on. Fails with [`io::ErrorKind::NotFound`] if it is not here.
    fn open<'a>(&'a self, digest: &Digest, offset: u64) -> io::Result<Box<dyn Read + Send + 'a>>;
}

/// What there is to do to have some content.
pub enum Intake<'a> {
    /// Nothing: it is here.
    Present,
    /// It must come from somewhere.
    Needed(Box<dyn BlobIngest + 'a>),
}

/// Content on its way in. What is dropped before it is whole is kept for a later attempt.
pub trait BlobIngest: Write + Send {
    /// How many bytes there are already.
    fn offset(&self) -> u64;

    /// Ends the way in: the content is here from now on, if its digest is the right one. Whatever happens, no partial
    /// content is left that another attempt would go on with.
    fn commit(self: Box<Self>, kind: ContentKind) -> io::Result<Committed>;

    /// Gives up, and leaves nothing.
    fn discard(self: Box<Self>) -> io::Result<()>;
}

/// How much depends on some content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// It says what else there is; a store lets it survive a power failure.
    Document,
    /// It is large, and is fetched again if a power failure damages it: a store need not wait for its disk.
    Layer,
}

impl ContentKind {
    pub(crate) fn of(descriptor: &Descriptor) -> Self {
        match descriptor.media_type.kind() {
            MediaKind::Layer(_) => Self::Layer,
            _ => Self::Document,
        }
    }
}

/// How the way in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// The content is in the store.
    Kept,
    /// It was something else, and is gone. Its digest, if the store tells.
    Wrong(Option<Digest>),
}

/// A listener to layers while they arrive, so that they can be unpacked at the same time.
///
/// It is called from the threads that transfer. To inflate and unpack on another core, an implementation passes the
/// bytes on to a thread of its own, over a channel with a bound; waiting there slows the transfer down, as it should.
pub trait LayerTap: Sync {
    /// A layer begins to arrive. Who wants its bytes gives a stream for them.
    ///
    /// There is no stream for a layer that was here, or of which a part was here: these are announced by
    /// [`Self::present`] and [`Self::arrived`] only.
    fn open<'a>(&'a self, layer: &Descriptor) -> Option<Box<dyn LayerStream + 'a>>;

    /// A layer was here before.
    fn present(&self, _layer: &Descriptor) {}

    /// A layer without stream is here now.
    fn arrived(&self, _layer: &Descriptor) {}
}

/// Takes the bytes of one layer. They are not verified before [`Self::finish`]; a stream that is dropped without that
/// must undo what it did.
pub trait LayerStream: Write + Send {
    /// All bytes have come, and they are what they should be.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTap;

impl LayerTap for NoTap {
    fn open<'a>(&'a self, _layer: &Descriptor) -> Option<Box<dyn LayerStream + 'a>> {
        None
    }
}

/// Takes in a whole document.
pub(crate) fn put(store: &dyn BlobStore, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
    if store.size(digest)?.is_some() {
        return Ok(());
    }
    let Intake::Needed(mut ingest) = store.ingest(digest, bytes.len() as u64)? else { return Ok(()) };
    let rest =
        usize::try_from(ingest.offset()).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
    ingest.write_all(rest)?;
    match ingest.commit(ContentKind::Document)? {
        Committed::Kept => Ok(()),
        Committed::Wrong(_) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the store took in something else"))
        }
    }
}

/// Reads a whole document, if it is here.
pub(crate) fn read(store: &dyn BlobStore, digest: &Digest, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match store.size(digest)? {
        None => Ok(None),
        Some(size) if size > limit => Err(io::ErrorKind::FileTooLarge.into()),
        Some(_) => {
            let mut bytes = Vec::new();
            store.open(digest, 0)?.take(limit + 1).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
    }
}
