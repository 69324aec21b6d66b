//! Where source text and change information come from.
//!
//! The pure crates never fetch: they name what they lack as a `SourceRef`, and a driver finds it here. A
//! [`WorkTree`] reads the files at hand. A [`Repository`] says what git knows ([`Observation`]) and what a push
//! would change ([`ChangeSet`]). [`hash_files`] is the expression function's file half.
//!
//! **Invariant:** nothing here needs a `git` program, nothing reads the environment or the clock for itself, and no
//! type of the git library shows in the public interface. Everything is synchronous.

#![forbid(unsafe_code)]

mod change;
mod difference;
mod glob;
mod hash_files;
mod history;
mod home;
mod observation;
mod path;
mod remote_url;
mod repository;
mod text;
mod worktree;

pub use change::{
    Base, COMMIT_LIMIT, ChangeKind, ChangeSet, ChangedPath, Comparison, DiffLimit, FILE_LIMIT,
    LISTED_COMMITS, Notice,
};
pub use hash_files::{HashFilesError, hash_files};
pub use home::{HomeEnvironment, default_home};
pub use observation::{Commit, DefaultBranch, Head, Observation, Person, Remote, Upstream};
pub use path::{PathError, RepositoryPath};
pub use remote_url::RepositoryName;
pub use repository::{CommitId, GitError, Repository};
pub use text::{MAX_FILE_BYTES, TextError};
pub use worktree::{WorkTree, WorkTreeError};
