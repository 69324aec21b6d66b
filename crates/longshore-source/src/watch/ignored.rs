//! What git ignores.

use std::path::Path;

use gix::bstr::{BStr, BString};
use gix::index::entry::Mode;
use gix::worktree::IndexPersistedOrInMemory;
use gix::worktree::stack::state::ignore::Source;

use crate::{GitError, Repository};

/// The rules of one moment: those of a repository, as its files say them now.
pub(super) struct Ignored<'r> {
    repository: &'r Repository,
    stack: gix::AttributeStack<'r>,
    index: IndexPersistedOrInMemory,
    /// The tree's place in the repository, with a `/` at its end; empty for its root.
    prefix: &'r str,
}

impl<'r> Ignored<'r> {
    /// The rules of a repository for the tree at `prefix` in it.
    pub(super) fn of(repository: &'r Repository, prefix: &'r str) -> Result<Self, GitError> {
        let index = repository.git.index_or_empty().map_err(repository.failed("read the index"))?;
        let index = IndexPersistedOrInMemory::Persisted(index);
        let stack = repository
            .git
            .excludes(&index, None, Source::WorktreeThenIdMappingIfNotSkipped)
            .map_err(repository.failed("read what is ignored"))?;
        Ok(Self { repository, stack, index, prefix })
    }

    /// Whether git ignores a file.
    pub(super) fn file(&mut self, path: &str) -> Result<bool, GitError> {
        let full = self.full(path);
        if self.index.entry_by_path(full.as_ref()).is_some() {
            return Ok(false);
        }
        self.is_excluded(full.as_ref(), Mode::FILE)
    }

    /// Whether git ignores a directory and all that is in it. One that holds files that are tracked is not ignored, and
    /// another repository is, unless it is a submodule.
    pub(super) fn directory(&mut self, path: &str, full_path: &Path) -> Result<bool, GitError> {
        let full = self.full(path);
        let is_submodule =
            self.index.entry_by_path(full.as_ref()).is_some_and(|entry| entry.mode == Mode::COMMIT);
        if is_submodule {
            return Ok(false);
        }
        if full_path.join(".git").exists() {
            return Ok(true);
        }
        let mut below = full.clone();
        below.push(b'/');
        if self.index.prefixed_entries_range(below.as_ref()).is_some() {
            return Ok(false);
        }
        self.is_excluded(full.as_ref(), Mode::DIR)
    }

    fn full(&self, path: &str) -> BString {
        BString::from(format!("{}{path}", self.prefix))
    }

    fn is_excluded(&mut self, path: &BStr, mode: Mode) -> Result<bool, GitError> {
        let found = self.stack.at_entry(path, Some(mode));
        Ok(found.map_err(self.repository.failed("find out what is ignored"))?.is_excluded())
    }
}
