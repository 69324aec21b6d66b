//! A git repository on disk, read without a `git` program.
//!
//! Everything that other modules learn from git passes through [`Repository`], so that the library's types stay inside
//! of this crate. Opening follows git's rule of ownership (`safe.directory`): the configuration of a repository that
//! belongs to somebody else is not obeyed.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The full hexadecimal id of a git object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// The id as git prints it, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }

    /// Reads a full id; `None` if `text` is anything but 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        gix::ObjectId::from_hex(text.as_bytes()).ok().map(Self::from)
    }

    /// The library's form of this id.
    pub(crate) fn object_id(&self) -> Option<gix::ObjectId> {
        gix::ObjectId::from_hex(self.0.as_bytes()).ok()
    }
}

impl From<gix::ObjectId> for CommitId {
    fn from(id: gix::ObjectId) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cause that the git library gave.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// Why git's data could not be read.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is a repository, but it cannot be opened.
    #[error("failed to open the git repository at `{}`; check it with `git fsck`", path.display())]
    Open {
        /// Its directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A part of the repository could not be read.
    #[error("failed to {action} in the git repository at `{}`; check it with `git fsck`", path.display())]
    Read {
        /// What was attempted.
        action: &'static str,
        /// The repository's directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A revision that the user named does not exist here.
    #[error("revision `{revision}` is not in the git repository at `{}`; fetch it or name another", path.display())]
    Revision {
        /// As given.
        revision: String,
        /// The repository's directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
}

/// An opened git repository.
pub struct Repository {
    pub(crate) git: gix::Repository,
}

impl Repository {
    /// The repository that `directory` is in, or `None` if it is in none.
    ///
    /// # Errors
    /// There is a repository but it is damaged or of an unknown format.
    pub fn discover(directory: &Path) -> Result<Option<Self>, GitError> {
        match gix::ThreadSafeRepository::discover(directory) {
            Ok(git) => Ok(Some(Self::prepare(&git))),
            Err(error) if is_no_repository(directory) => {
                drop(error);
                Ok(None)
            }
            Err(error) => Err(GitError::Open { path: directory.to_owned(), source: Box::new(error) }),
        }
    }

    /// The repository at exactly `directory`: a work tree, a `.git` directory, or a bare repository. `None` if it is
    /// none of them.
    ///
    /// # Errors
    /// There is a repository but it is damaged or of an unknown format.
    pub fn at(directory: &Path) -> Result<Option<Self>, GitError> {
        if !looks_like_repository(directory) {
            return Ok(None);
        }
        match gix::ThreadSafeRepository::open(directory) {
            Ok(git) => Ok(Some(Self::prepare(&git))),
            Err(error) => Err(GitError::Open { path: directory.to_owned(), source: Box::new(error) }),
        }
    }

    fn prepare(git: &gix::ThreadSafeRepository) -> Self {
        let mut git = git.to_thread_local();
        // Trees near the root are read for every comparison; a few megabytes hold them all.
        git.object_cache_size_if_unset(4 * 1024 * 1024);
        Self { git }
    }

    /// The directory that identifies the repository to a person: its work tree, or else its git directory.
    pub fn directory(&self) -> &Path {
        self.git.workdir().unwrap_or_else(|| self.git.git_dir())
    }

    /// Turns a failure of the library into one that says what was attempted where.
    pub(crate) fn failed<E>(&self, action: &'static str) -> impl FnOnce(E) -> GitError + use<E>
    where
        E: Into<Cause>,
    {
        let path = self.directory().to_owned();
        move |source| GitError::Read { action, path, source: source.into() }
    }

    /// The commit that `revision` names, in any of git's spellings.
    pub(crate) fn commit_of(&self, revision: &str) -> Result<gix::ObjectId, GitError> {
        let unknown = |source: Cause| GitError::Revision {
            revision: revision.to_owned(),
            path: self.directory().to_owned(),
            source,
        };
        let id = self.git.rev_parse_single(revision).map_err(|error| unknown(error.into()))?;
        let object = id.object().map_err(|error| unknown(error.into()))?;
        let commit = object.peel_to_kind(gix::objs::Kind::Commit).map_err(|error| unknown(error.into()))?;
        Ok(commit.id)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.directory()).finish()
    }
}

/// Whether `directory` holds what every git repository does, so that opening it is worth an error message.
fn looks_like_repository(directory: &Path) -> bool {
    directory.join(".git").exists() || (directory.join("HEAD").exists() && directory.join("objects").exists())
}

/// Whether neither `directory` nor a parent looks like a repository.
fn is_no_repository(directory: &Path) -> bool {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    !directory.ancestors().any(looks_like_repository)
}
