//! The files of a commit, read from git's objects without a checkout.
//!
//! Versions are resolved as GitHub documents for `jobs.<job_id>.uses`: a full commit id, a tag, a branch, and the tag
//! wins where both have the name. A local clone keeps other branches as those of its remote, so they count too.

use std::path::Path;

use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use longshore_syntax::{SourceFile, SourceLoader, SourceRef};
use thiserror::Error;

use crate::path::{MANIFESTS, PathError, RepositoryPath};
use crate::repository::{CommitId, GitError, Repository};
use crate::text::{self, TextError};

/// Links in a tree are followed this often, as Linux does.
const MAX_LINKS: usize = 40;

/// The tree of one commit.
#[derive(Debug)]
pub struct GitTree {
    repository: Repository,
    commit: CommitId,
    tree: gix::ObjectId,
}

/// Why a file of a commit could not be read.
#[derive(Debug, Error)]
pub enum GitTreeError {
    /// Git's data could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The path does not name a place inside the tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The file is not source text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Files of another repository are not in this tree.
    #[error(
        "`{reference}` is in another repository, not in commit {commit}; resolve it through a mirror or the cache"
    )]
    Remote {
        /// The reference.
        reference: String,
        /// The commit.
        commit: CommitId,
    },
}

impl GitTree {
    /// The tree of `version` (full commit id, tag, branch, full reference name, or `HEAD`) in the repository at `directory`,
    /// which may be bare. `None` if there is no repository or it has no such version.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn open(directory: &Path, version: &str) -> Result<Option<Self>, GitError> {
        match Repository::at(directory)? {
            Some(repository) => Self::of(repository, version),
            None => Ok(None),
        }
    }

    /// The tree of `version` in `repository`.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn of(repository: Repository, version: &str) -> Result<Option<Self>, GitError> {
        let Some(id) = resolve(&repository, version)? else { return Ok(None) };
        let commit = repository.git.find_commit(id).map_err(repository.failed("read a commit"))?;
        let tree = commit.tree_id().map_err(repository.failed("read a commit"))?.detach();
        drop(commit);
        Ok(Some(Self { commit: id.into(), tree, repository }))
    }

    /// The repository's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.repository.directory()
    }

    /// The commit.
    pub fn commit(&self) -> &CommitId {
        &self.commit
    }

    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The id of the tree itself.
    pub(crate) fn root(&self) -> gix::ObjectId {
        self.tree
    }

    /// The file at `path`, or the action manifest if `path` is a directory that has one, or `None` if there is no such
    /// file. Links are followed inside of the tree.
    ///
    /// # Errors
    /// See [`GitTreeError`].
    pub fn read(&self, path: &RepositoryPath) -> Result<Option<SourceFile>, GitTreeError> {
        let blob = |name: &RepositoryPath, id| self.blob(name, id).map(Some);
        match self.entry(path)? {
            Some(Entry::File(id)) => blob(path, id),
            Some(Entry::Directory) => {
                for manifest in MANIFESTS {
                    let name = path.child(manifest);
                    if let Some(Entry::File(id)) = self.entry(&name)? {
                        return blob(&name, id);
                    }
                }
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// What is at `path`, through links.
    fn entry(&self, path: &RepositoryPath) -> Result<Option<Entry>, GitTreeError> {
        let mut path = path.clone();
        for _ in 0..MAX_LINKS {
            let mut done: Vec<&str> = Vec::new();
            let mut found = Entry::Directory;
            let mut at = self.tree;
            let mut link = None;
            let mut segments = path.as_str().split('/').filter(|segment| !segment.is_empty());
            for segment in segments.by_ref() {
                if !matches!(found, Entry::Directory) {
                    return Ok(None);
                }
                let Some((kind, id)) = self.child(at, segment)? else { return Ok(None) };
                match kind {
                    EntryKind::Tree => at = id,
                    EntryKind::Blob | EntryKind::BlobExecutable => found = Entry::File(id),
                    // A submodule's files are in another repository.
                    EntryKind::Commit => return Ok(None),
                    EntryKind::Link => {
                        link = Some(self.link_target(id)?);
                        break;
                    }
                }
                done.push(segment);
            }
            let Some(target) = link else { return Ok(Some(found)) };
            let Some(target) = target else { return Ok(None) };
            let rest: Vec<&str> = segments.collect();
            path = RepositoryPath::parse(&[&done[..], &[&target], &rest[..]].concat().join("/"))?;
        }
        Ok(None)
    }

    fn child(
        &self,
        tree: gix::ObjectId,
        name: &str,
    ) -> Result<Option<(EntryKind, gix::ObjectId)>, GitTreeError> {
        let tree = self.repository.git.find_tree(tree).map_err(self.repository.failed("read a tree"))?;
        Ok(tree.find_entry(name).map(|entry| (entry.kind(), entry.object_id())))
    }

    /// Where a link leads; `None` if out of the tree or nowhere.
    fn link_target(&self, id: gix::ObjectId) -> Result<Option<String>, GitTreeError> {
        let blob = self.repository.git.find_blob(id).map_err(self.repository.failed("read a link"))?;
        Ok(blob.data.to_str().ok().filter(|target| !target.starts_with('/')).map(str::to_owned))
    }

    fn blob(&self, name: &RepositoryPath, id: gix::ObjectId) -> Result<SourceFile, GitTreeError> {
        let failed = "read a file's content";
        let header = self.repository.git.find_header(id).map_err(self.repository.failed(failed))?;
        text::check_size(name.as_str(), header.size())?;
        let blob = self.repository.git.find_blob(id).map_err(self.repository.failed(failed))?;
        Ok(text::source_file(name.as_str(), &blob.data)?)
    }
}

impl SourceLoader for GitTree {
    type Error = GitTreeError;

    fn load(&self, reference: &SourceRef) -> Result<Option<SourceFile>, Self::Error> {
        match reference {
            SourceRef::Local { path } => self.read(&RepositoryPath::parse(path)?),
            SourceRef::Remote { .. } => {
                Err(GitTreeError::Remote { reference: reference.to_string(), commit: self.commit.clone() })
            }
        }
    }
}

enum Entry {
    File(gix::ObjectId),
    Directory,
}

/// The commit that `version` names in `repository`.
fn resolve(repository: &Repository, version: &str) -> Result<Option<gix::ObjectId>, GitError> {
    if let Some(id) = CommitId::parse(version).and_then(|id| id.object_id()) {
        let found = repository.git.try_find_object(id).map_err(repository.failed("look up a commit"))?;
        return Ok(found
            .and_then(|object| object.peel_to_kind(gix::objs::Kind::Commit).ok())
            .map(|commit| commit.id));
    }
    if version == "HEAD"
        && let Some(id) = repository.head_commit_id()?
    {
        return Ok(Some(id));
    }
    let names = if version.starts_with("refs/") {
        vec![version.to_owned()]
    } else {
        ["refs/tags/", "refs/heads/", "refs/remotes/origin/"]
            .map(|prefix| format!("{prefix}{version}"))
            .to_vec()
    };
    for name in names {
        if let Some(id) = repository.reference_commit(&name)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
