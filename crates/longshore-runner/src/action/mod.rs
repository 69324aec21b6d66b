//! The actions that a job uses: where they come from, what their manifests say, where they lie inside.

mod late;
mod manifest;
mod resolve;

use std::path::{Path, PathBuf};

use longshore_syntax::SourceRef;
use thiserror::Error;

pub(crate) use late::LateActions;
pub(crate) use manifest::manifest_in;
pub(crate) use resolve::{MAX_DEPTH, PreStep, ResolvedAction, ResolvedActions, Using};

/// Where actions of other repositories come from. Called from several threads.
pub trait ActionSource: Send + Sync {
    /// The files of the repository that a reference names, in the version that it names. The directory stays as it is as
    /// long as this process lives, and nobody writes to it.
    ///
    /// # Errors
    /// It cannot be had.
    fn fetch(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError>;

    /// The directory below which [`node`](Self::node) puts what it finds. Jobs see it as a whole, because what they need of
    /// it may only be known when they run.
    fn nodes(&self) -> &Path;

    /// Where the repository that a reference names is, in the version that it names; `HEAD` is what it has checked out, or
    /// its default branch. The place stays as it is as long as this process lives, unless a person works in it.
    ///
    /// # Errors
    /// It cannot be had.
    fn repository(&self, reference: &SourceRef) -> Result<FetchedRepository, FetchError>;

    /// The directory of Node in this major version, with `bin/node` in it, for an image with glibc.
    ///
    /// # Errors
    /// It cannot be had.
    fn node(&self, major: u32) -> Result<PathBuf, FetchError>;
}

/// An action's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedAction {
    /// Its files.
    pub directory: PathBuf,
    /// The commit, unless it is a plain directory.
    pub commit: Option<String>,
    /// Where it was found, for the log.
    pub origin: String,
}

/// A repository to be checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRepository {
    /// Where it is.
    pub place: RepositoryPlace,
    /// Where it was found, for the log.
    pub origin: String,
}

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryPlace {
    /// A directory whose files are taken as they are.
    Files(PathBuf),
    /// A commit of the git repository in a directory.
    Commit {
        /// The directory.
        directory: PathBuf,
        /// The full id of the commit.
        commit: String,
    },
}

/// Something cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FetchError {
    /// What was asked for and why it cannot be had.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl FetchError {
    /// What happened and what to do, on one line.
    pub(crate) fn advice(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }
}

/// `owner/repository/path@version` as a reference; none for local actions and images.
pub(crate) fn remote(uses: &str) -> Option<SourceRef> {
    if uses.starts_with("./") || uses.starts_with("docker://") {
        return None;
    }
    let (path, version) = uses.split_once('@')?;
    let mut parts = path.splitn(3, '/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    let path: Vec<&str> =
        parts.next().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    Some(SourceRef::Remote {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        path: path.join("/"),
        version: version.to_owned(),
    })
}

/// The path of an action of the workspace, if `uses:` names one.
pub(crate) fn local(uses: &str) -> Option<&str> {
    let path = uses.strip_prefix("./").or_else(|| (uses == ".").then_some(""))?;
    Some(path.trim_end_matches('/'))
}
