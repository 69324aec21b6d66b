//! Why images were not loaded.

use std::io;
use std::path::PathBuf;

use longshore_layer::DecompressError;
use longshore_layer::archive::ArchiveError;
use longshore_oci::{Digest, DocumentError};
use longshore_store::StoreError;

use crate::{NameError, ReadError, UnpackError};

/// Why images were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error("failed to open `{}`", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The whole is compressed in a way that cannot be read.
    #[error("failed to decompress the archive")]
    Decompress(#[source] DecompressError),
    /// It is no archive, or a damaged one.
    #[error("failed to read the archive")]
    Archive(#[from] ArchiveError),
    /// Content of an entry cannot be read.
    #[error("failed to read {entry}")]
    Read {
        /// Which.
        entry: String,
        /// Why.
        source: io::Error,
    },
    /// An entry cannot be accepted.
    #[error("the archive has the entry {entry}, which cannot be: {problem}")]
    Entry {
        /// Which.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There are more files than any archive of images has.
    #[error("the archive has more than {limit} files")]
    TooManyFiles {
        /// How many there may be.
        limit: usize,
    },
    /// Content is not what its name says.
    #[error("the content of {entry} has another digest than its name says")]
    Digest {
        /// Which entry.
        entry: String,
    },
    /// There is no list of images in it.
    #[error("there is neither `manifest.json` nor `index.json`, so this is no archive of images")]
    NoImages,
    /// A document is none.
    #[error("failed to read `{name}`")]
    Document {
        /// Its name.
        name: String,
        /// What is wrong.
        source: Box<DocumentError>,
    },
    /// The list of images is none.
    #[error("failed to read `{name}`: {message}")]
    List {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        message: String,
    },
    /// An image refers to a file that the archive does not have.
    #[error("`manifest.json` refers to `{path}`, which the archive does not have")]
    MissingFile {
        /// Its name.
        path: String,
    },
    /// An image refers to content that the archive does not have.
    #[error("the content `{digest}` is not in the archive{}", of(parent.as_ref()))]
    Missing {
        /// The content.
        digest: Digest,
        /// Who refers to it.
        parent: Option<Digest>,
    },
    /// Content is longer or shorter than is stated.
    #[error("the content `{digest}` has {actual} bytes, but {stated} are stated")]
    Size {
        /// The content.
        digest: Digest,
        /// What the manifest says.
        stated: u64,
        /// What there is.
        actual: u64,
    },
    /// A layer is not what the configuration says.
    #[error("the layer `{path}` has the digest `{actual}`, but the configuration says `{expected}`")]
    DiffId {
        /// The name of the layer.
        path: String,
        /// What the configuration says.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// An image has more or fewer layers than its configuration says.
    #[error("the image has {layers} layers, but its configuration speaks of {diff_ids}")]
    Layers {
        /// How many there are.
        layers: usize,
        /// How many there should be.
        diff_ids: usize,
    },
    /// There is no image for the platform.
    #[error("`{digest}` has no image for the platform that was asked for, but for {}", offered.join(", "))]
    Platform {
        /// The index or manifest.
        digest: Digest,
        /// What there is.
        offered: Vec<String>,
    },
    /// A name of the archive is none.
    #[error("the archive gives an image the name `{name}`")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        source: longshore_oci::ReferenceError,
    },
    /// A document that came cannot be read.
    #[error(transparent)]
    Image(Box<ReadError>),
    /// A layer cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// A name cannot be given.
    #[error(transparent)]
    Naming(#[from] NameError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> Self {
        Self::Image(Box::new(error))
    }
}

fn of(parent: Option<&Digest>) -> String {
    parent.map_or_else(String::new, |parent| format!(", but `{parent}` needs it"))
}
