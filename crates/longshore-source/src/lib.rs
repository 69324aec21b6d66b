//! Where source text and change information come from.
//!
//! The pure crates never fetch: they name what they lack as a `SourceRef`, and a driver finds it here. A
//! [`WorkTree`] reads the files at hand, a [`GitTree`] those of a commit, a [`Resolver`] those of other repositories.
//! A [`Repository`] says what git knows ([`Observation`]) and what a push would change ([`ChangeSet`]).
//! A [`Resolver`] also gives whole repositories as directories ([`ActionTrees`]), and [`NodeReleases`] the Node that
//! actions run on. [`hash_files`] is the file half of the expression function.
//! A [`DraftIndex`] and its kin are what a copy of a repository is made of. A [`Watcher`] tells which files are saved.
//!
//! **Invariant:** nothing here needs a `git` program, decides by Longshore's environment variables or reads the clock;
//! no type of the git library shows in the public interface; everything is synchronous. The libraries below read
//! git's own configuration and, for a fetch, the usual proxy variables.

#![forbid(unsafe_code)]

mod action_reference;
mod action_tree;
mod cache;
mod change;
mod checkout;
mod difference;
mod draft;
mod export;
mod git_tree;
mod glob;
mod glob_set;
mod hash_files;
mod history;
mod home;
mod http;
mod node;
mod observation;
mod path;
mod remote;
mod remote_url;
mod repository;
mod resolve;
mod text;
mod trust;
mod watch;
mod worktree;

pub use action_reference::ReferenceError;
pub use action_tree::{ActionTrees, Located, TreeError};
pub use cache::{ActionCache, CacheError, CachedReference};
pub use change::{
    Base, COMMIT_LIMIT, ChangeKind, ChangeSet, ChangedPath, Comparison, DiffLimit, FILE_LIMIT,
    LISTED_COMMITS, Notice,
};
pub use checkout::{
    DraftIndex, EntryKind, FileAtHand, FileStat, GitReference, Revision, SparsePatterns, SubmodulePlace,
};
pub use export::ExportError;
pub use git_tree::{GitTree, GitTreeError};
pub use glob_set::{GlobDecision, GlobError, GlobSet};
pub use hash_files::{HashFilesError, hash_files};
pub use home::{HomeEnvironment, default_home};
pub use node::{NodeError, NodeReleases};
pub use observation::{Commit, DefaultBranch, Head, Observation, Person, Remote, Upstream};
pub use path::{PathError, RepositoryPath};
pub use remote::FetchError;
pub use remote_url::RepositoryName;
pub use repository::{CommitId, GitError, Repository};
pub use resolve::{
    Attempt, Mirror, Missing, Origin, OriginKind, Override, Resolution, ResolveError, Resolved, Resolver,
    ResolverSettings,
};
pub use text::{MAX_FILE_BYTES, TextError};
pub use trust::TrustError;
pub use watch::{Saved, WatchError, Watcher};
pub use worktree::{WorkTree, WorkTreeError};
