//! What a copy of a repository is made of: files, an index, references, and where the objects are.
//!
//! Nothing is written here. A [`DraftIndex`] stands for the index that the copy will have; [`Repository::files_at_hand`]
//! says which files a copy of the work tree has, [`Repository::content`] what those of a commit hold.
//!
//! Follows git's "gitformat-index", "gitrepository-layout" and "gitformat-shallow".

mod draft;
mod files;
mod graph;
mod sparse;

pub use draft::{DraftIndex, EntryKind, FileStat};
pub use files::{FileAtHand, SubmodulePlace};
pub use graph::{GitReference, Revision};
pub use sparse::SparsePatterns;
