//! Why a layer was not unpacked, and whose fault that is.

use std::io;
use std::path::PathBuf;

use longshore_oci::Digest;

use crate::archive::{ArchiveError, shown};
use crate::decompress::DecompressError;

/// Why a layer was not unpacked. What was made until then stays in the target, which is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The target cannot be opened.
    #[error("failed to open the directory `{}` to unpack a layer into it", .path.display())]
    Target {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The layer cannot be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// The layer is no archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// An entry's name leads out of the layer.
    #[error("the entry {entry} leads out of the layer")]
    Escape {
        /// The entry.
        entry: String,
    },
    /// An entry is below a symbolic link that leads out of the layer.
    #[error("the entry {entry} is below the symbolic link {link}, which leads out of the layer")]
    EscapeThroughLink {
        /// The entry.
        entry: String,
        /// The link.
        link: String,
    },
    /// A hard link to something outside, to something behind a symbolic link, or to something that is not there.
    #[error("the entry {entry} is a hard link to {target}, which {reason}")]
    HardLink {
        /// The entry.
        entry: String,
        /// What it links to.
        target: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// A name that cannot be made.
    #[error("the entry {entry} cannot be made: {reason}")]
    Name {
        /// The entry.
        entry: String,
        /// Why.
        reason: &'static str,
    },
    /// Something that is no directory stands where a directory is needed.
    #[error("the entry {entry} is below {parent}, which is no directory")]
    NotADirectory {
        /// The entry.
        entry: String,
        /// What is no directory.
        parent: String,
    },
    /// A device where devices are refused.
    #[error("the entry {entry} is a device, and devices cannot be made without root")]
    Device {
        /// The entry.
        entry: String,
    },
    /// More than is allowed.
    #[error("the layer has more than {limit} {what}, the limit{}", .entry.as_ref().map(|entry| format!(", at the entry {entry}")).unwrap_or_default())]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
        /// Where the limit was hit, if that is known.
        entry: Option<String>,
    },
    /// A decompression bomb.
    #[error(
        "the layer decompresses to more than {ratio} times its size ({bytes} bytes so far), which no honest layer does"
    )]
    Ratio {
        /// The ratio that is allowed.
        ratio: u64,
        /// How many bytes came out.
        bytes: u64,
    },
    /// The content is not the expected one.
    #[error("the layer's content has the digest {actual}, not {expected} as the image says")]
    DiffId {
        /// What the image says.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// The system refused something.
    #[error("failed to {action} {entry}")]
    System {
        /// What was attempted.
        action: &'static str,
        /// On which entry.
        entry: String,
        /// What the system said.
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("failed to start a thread to unpack the layer")]
    Thread(#[source] io::Error),
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The layer's: it is damaged, hostile, or too large.
    Layer,
    /// Of where it comes from: it could not be read to its end.
    Source,
    /// This machine's: no space, no permission, no support.
    Machine,
}

impl ApplyError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Target { .. } | Self::System { .. } | Self::Thread(_) => Fault::Machine,
            Self::Decompress(DecompressError::Read(_)) | Self::Archive(ArchiveError::Read { .. }) => {
                Fault::Source
            }
            _ => Fault::Layer,
        }
    }

    pub(crate) fn system(action: &'static str, entry: &[u8], source: impl Into<io::Error>) -> Self {
        Self::System { action, entry: shown(entry), source: source.into() }
    }

    pub(crate) fn limit(what: &'static str, limit: u64, entry: &[u8]) -> Self {
        Self::Limit { what, limit, entry: Some(shown(entry)) }
    }
}
