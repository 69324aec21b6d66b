//! `actions/cache` with its `restore` and `save`, and the caches of the actions that set up tools.
//!
//! Entries are kept as files, and neither packed nor unpacked. Their paths are told apart as the workflow writes them, so
//! that a cache of `~/.npm` fits wherever a job's home is. A run reads the caches of its own branch, the branch that it is
//! to be merged into, and the default branch, and writes those of its own; a run that comes from a fork writes none.

mod action;
mod paths;
mod store;

pub(super) use action::{main, post, restore, save, save_paths};
pub(super) use paths::CachePaths;
pub(super) use store::{CacheError, JobCaches, Restored};
