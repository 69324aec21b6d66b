//! What can go wrong with stored artifacts and caches.
//!
//! Each variant says who can mend it: what a job gave ([`StorageError::is_content`]), what the machine refuses
//! ([`StorageError::Io`], with [`StorageError::is_out_of_space`]), or what somebody did to the files of the store (the
//! rest).

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::artifact::NameError;
use crate::cache::CacheKeyError;

/// An operation on artifacts or caches failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The system refused something.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A newer program made the store.
    #[error("`{}` has version {found}, and this program knows version {known}", path.display())]
    NewerStore {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The version that can be used.
        known: &'static str,
    },
    /// A name breaks the rules for names of artifacts.
    #[error("failed to name an artifact")]
    ArtifactName(#[source] NameError),
    /// A key breaks the rules for keys of caches.
    #[error("failed to use a cache key")]
    CacheKey(#[source] CacheKeyError),
    /// The run has an artifact of this name.
    #[error("an artifact named `{name}` exists already in run `{run}`")]
    ArtifactExists {
        /// The artifact.
        name: String,
        /// The run.
        run: String,
    },
    /// Something that an archive or a job names cannot be taken.
    #[error("`{entry}` cannot be taken: {reason}")]
    Entry {
        /// The name as it came.
        entry: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// An archive cannot be read.
    #[error("the zip archive cannot be read: {0}")]
    Archive(&'static str),
    /// There is more than is allowed.
    #[error("there are more than the {limit} {what} that are allowed")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
}

impl StorageError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io { action, path: path.into(), source: source.into() }
    }

    pub(crate) fn entry(name: impl AsRef<[u8]>, reason: &'static str) -> Self {
        let entry = String::from_utf8_lossy(name.as_ref()).chars().take(200).collect();
        Self::Entry { entry, reason }
    }

    /// Whether the file system is full, or the user's quota.
    pub fn is_out_of_space(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether what the job gave is to blame.
    pub fn is_content(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::NewerStore { .. })
    }
}

/// Says what was attempted on what, for results of system calls.
pub(crate) trait Attempt<T> {
    fn attempt(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, StorageError>;
}

impl<T> Attempt<T> for Result<T, Errno> {
    fn attempt(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, StorageError> {
        self.map_err(|errno| StorageError::io(action, path, errno))
    }
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, StorageError> {
        self.map_err(|error| StorageError::io(action, path, error))
    }
}
