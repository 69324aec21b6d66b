//! Artifacts of runs: named sets of files that jobs pass on and people download.
//!
//! An artifact is held as it came: a tree of files if one of our own steps made it, a zip archive if the original
//! action uploaded one, or a single file that was uploaded as it is. Each can be read as files and as a zip archive.
//! The rules are those of `upload-artifact` from version 4 on: a name is taken once in a run unless it is overwritten,
//! and never changes afterwards.

mod name;
mod record;
mod save;
mod store;
mod stored;

pub use name::{ArtifactName, NameError};
pub use record::{Artifact, ArtifactForm};
pub use save::{NewArtifact, SourceFile};
pub use store::ArtifactStore;
pub use stored::{ArtifactFile, Blob, StoredArtifact};

pub(crate) use name::check_path;
