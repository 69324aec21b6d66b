//! Packing a directory tree as a layer.
//!
//! The same tree gives the same bytes: names are sorted, nothing is written that the tree does not have, and records of
//! PAX only where ustar does not suffice. The root of the tree has no entry, as in layers that Docker makes. Sockets are
//! left out, since no archive can hold them; sparse files are written with their holes filled.

mod error;
mod hashed;
mod walk;

use std::io::Write;
use std::path::{Path, PathBuf};

use longshore_oci::Digest;

pub use error::PackError;

use crate::Ownership;
use crate::archive::Timestamp;

/// What is packed and how.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// What the tree is.
    pub tree: TreeForm,
    /// With [`Ownership::Ignore`], everything belongs to root.
    pub ownership: Ownership,
    /// Times later than this one become this one, as `SOURCE_DATE_EPOCH` asks for.
    pub latest_time: Option<Timestamp>,
    /// Whether times keep their fractions of seconds, which costs a record for nearly every entry. Docker cuts them off.
    pub fractions: bool,
    /// Paths below the root that are left out, with all that is in them.
    pub exclude: Vec<PathBuf>,
}

/// What a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeForm {
    /// A tree as one sees it. It becomes a layer, so names that mean something there are refused.
    Plain,
    /// A tree as one sees it, in an archive that is no layer: every name means itself.
    Literal,
    /// An upper directory of overlayfs, whose whiteouts and opaque directories become those of layers.
    Overlay,
    /// The same for overlayfs with the option `userxattr`.
    OverlayUser,
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The digest of the archive.
    pub diff_id: Digest,
    /// How many bytes the archive has.
    pub bytes: u64,
    /// How many entries it has.
    pub entries: u64,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            tree: TreeForm::Plain,
            ownership: Ownership::Keep,
            latest_time: None,
            fractions: false,
            exclude: Vec::new(),
        }
    }
}

/// Packs the tree below `root`. Nothing outside of it is read, and no link followed.
pub fn pack(root: &Path, writer: impl Write, options: &PackOptions) -> Result<Packed, PackError> {
    std::thread::scope(|scope| {
        let hashed = hashed::HashedWriter::start(scope, writer).map_err(PackError::Thread)?;
        let (entries, hashed) = walk::Walk::new(hashed, options).run(root)?;
        let (diff_id, bytes) = hashed.finish().map_err(PackError::Thread)?;
        Ok(Packed { diff_id, bytes, entries })
    })
}
