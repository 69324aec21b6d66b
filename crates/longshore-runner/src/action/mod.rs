//! The actions that a job uses: where they come from, what their manifests say, where they lie inside.

mod resolve;

use std::path::{Path, PathBuf};

use longshore_syntax::SourceRef;
use thiserror::Error;

pub(crate) use resolve::{MAX_DEPTH, PreStep, ResolvedAction, ResolvedActions, manifest_in};

/// Where actions of other repositories come from. Called from several threads.
pub trait ActionSource: Send + Sync {
    /// The files of the repository that a reference names, in the version that it names. The directory stays as it is as
    /// long as this process lives, and nobody writes to it.
    ///
    /// # Errors
    /// It cannot be had.
    fn fetch(&self, reference: &SourceRef) -> Result<FetchedAction, FetchError>;

    /// The directory of Node in this major version, with `bin/node` in it, for an image with glibc, or with musl.
    ///
    /// # Errors
    /// It cannot be had.
    fn node(&self, major: u32, musl: bool) -> Result<PathBuf, FetchError>;
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

/// Something cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FetchError {
    /// What was asked for and why it cannot be had.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The directory of a reference's action in its repository.
pub(crate) fn path_of(reference: &SourceRef) -> &str {
    match reference {
        SourceRef::Local { path } | SourceRef::Remote { path, .. } => path,
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

/// A directory inside of another one.
pub(crate) fn join(directory: &Path, path: &str) -> PathBuf {
    if path.is_empty() { directory.to_owned() } else { directory.join(path) }
}
