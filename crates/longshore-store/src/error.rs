//! What can go wrong with the store.
//!
//! Each variant says who can mend it: what a remote sent ([`StoreError::is_content`]), what the machine refuses
//! ([`StoreError::Io`], with [`StoreError::is_out_of_space`]), or what somebody did to the store's files (the rest).

use std::io;
use std::path::PathBuf;

use longshore_oci::Digest;
use rustix::io::Errno;

/// An operation of the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused something.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The directory holds something else, so no store is made of it.
    #[error("`{}` is no store, and it is not empty: it holds `{foreign}`", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The name of something that does not belong to a store.
        foreign: String,
    },
    /// The version file cannot be understood.
    #[error("`{}` does not say which version the store has", path.display())]
    VersionFile {
        /// The file.
        path: PathBuf,
    },
    /// A newer program made the store.
    #[error("the store at `{}` has version {found}, and this program knows versions up to {known}", path.display())]
    NewerStore {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The newest version that can be used.
        known: String,
    },
    /// The digest's algorithm is not known, so content with it can be neither verified nor stored.
    #[error("the digest `{0}` has an algorithm that is not supported")]
    UnsupportedDigest(Digest),
    /// The content is not in the store.
    #[error("there is no content `{0}` in the store")]
    MissingBlob(Digest),
    /// Stored content is not what it was; it was moved aside, so that fetching it again mends the store.
    #[error(
        "the stored content `{digest}` is damaged; it was moved to `{}`, and fetching it again mends the store",
        quarantine.display()
    )]
    CorruptBlob {
        /// What the content should be.
        digest: Digest,
        /// Where the damaged file is now.
        quarantine: PathBuf,
    },
    /// Stored content is longer or shorter than its descriptor says, though its digest is right.
    #[error("the content `{digest}` has {actual} bytes, but {stated} are stated")]
    BlobSize {
        /// The content.
        digest: Digest,
        /// What the descriptor says.
        stated: u64,
        /// What the content has.
        actual: u64,
    },
    /// The content is longer than the caller can use.
    #[error("the content `{digest}` has {actual} bytes, of which at most {limit} are allowed here")]
    BlobTooLarge {
        /// The content.
        digest: Digest,
        /// What it has.
        actual: u64,
        /// What the caller allows.
        limit: u64,
    },
    /// More content came than was announced.
    #[error("more content came than the {announced} bytes that were announced")]
    IngestTooLong {
        /// What was announced.
        announced: u64,
    },
    /// Less content came than was announced.
    #[error("only {received} bytes came of the {announced} that were announced")]
    IngestTooShort {
        /// What was announced.
        announced: u64,
        /// What came.
        received: u64,
    },
    /// Other content came than was asked for.
    #[error("the content has the digest `{actual}`, but `{expected}` was expected")]
    IngestDigest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A record of the store cannot be read.
    #[error("`{}` is no record of the store: {message}", path.display())]
    MalformedRecord {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Something in the store is not what the store put there, such as a symbolic link.
    #[error("`{}` is not {expected}, as the store makes them", path.display())]
    Planted {
        /// The path.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, errno: Errno) -> Self {
        Self::Io { action, path: path.into(), source: errno.into() }
    }

    /// The same as an error of reading or writing, with the kind that the system gave.
    pub fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Io { source, .. } => source.kind(),
            Self::MissingBlob(_) => io::ErrorKind::NotFound,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }

    /// The error inside of one that came through [`io::Read`] or [`io::Write`]; another error as it was.
    pub fn from_io(error: io::Error) -> Result<Self, io::Error> {
        error.downcast::<Self>()
    }

    /// Whether the file system is full, or the user's quota.
    pub fn is_out_of_space(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether the content that came in is to blame, and so whoever sent it.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::IngestTooLong { .. }
                | Self::IngestTooShort { .. }
                | Self::IngestDigest { .. }
                | Self::BlobSize { .. }
                | Self::UnsupportedDigest(_)
        )
    }
}
