//! Why a tree was not packed.

use std::io;
use std::path::PathBuf;

use crate::archive::ArchiveError;

/// Why a tree was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The tree cannot be opened.
    #[error("failed to open the directory `{}` to pack it", .path.display())]
    Root {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something in the tree cannot be read.
    #[error("failed to {action} {entry}")]
    Read {
        /// What was attempted.
        action: &'static str,
        /// On what.
        entry: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file became shorter, or something else, while it was packed.
    #[error("{entry} was changed while it was packed")]
    Changed {
        /// The file.
        entry: String,
    },
    /// An upper directory says that its content is elsewhere, which no layer can express.
    #[error("{entry} is redirected by overlayfs, so its content is not in this directory")]
    Redirected {
        /// The file or directory.
        entry: String,
    },
    /// A name that means a whiteout in layers.
    #[error("{entry} cannot be packed: names that begin with `.wh.` mean removals in layers")]
    Reserved {
        /// The name.
        entry: String,
    },
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The thread that hashes cannot be started.
    #[error("failed to start a thread to hash the layer")]
    Thread(#[source] io::Error),
}
