//! Repositories fetched before, kept for work without a network.
//!
//! On disk, below `$LONGSHORE_HOME/cache/actions`, readable with `ls` and `cat`:
//!
//! ```text
//! OWNER/NAME/COMMIT.git     a bare repository with that one commit; never changed after it is there
//! OWNER/NAME/refs/VERSION   what a branch or tag stood for: commit, when, and from where
//! ```
//!
//! Owner and name are in lower case, as GitHub ignores case in them. Everything is made under a temporary name and
//! renamed, so processes need no lock: whoever comes second finds the work done.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use thiserror::Error;

use crate::action_reference::ActionReference;
use crate::git_tree::GitTree;
use crate::repository::{CommitId, GitError};

/// First line of a file that records a reference; the number is the format's version.
const HEADING: &str = "longshore action reference 1";

/// The cache of fetched repositories.
#[derive(Debug, Clone)]
pub struct ActionCache {
    root: PathBuf,
}

/// What a branch or tag stood for when it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedReference {
    /// The commit.
    pub commit: CommitId,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub fetched_at: u64,
    /// The URL it came from.
    pub url: String,
}

/// Why the cache could not be used.
#[derive(Debug, Error)]
pub enum CacheError {
    /// A file or directory of the cache.
    #[error("failed to {action} `{}` in the action cache; check its permissions and free space", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A cached repository cannot be read.
    #[error("failed to read `{}` in the action cache; remove it to fetch it again", path.display())]
    Damaged {
        /// The repository.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<GitError>,
    },
}

impl ActionCache {
    /// The cache in the state directory `home`. Nothing is created before something is stored.
    pub fn in_home(home: &Path) -> Self {
        Self { root: home.join("cache").join("actions") }
    }

    fn directory(&self, reference: &ActionReference) -> PathBuf {
        self.root.join(reference.owner.to_ascii_lowercase()).join(reference.repository.to_ascii_lowercase())
    }

    fn repository(&self, reference: &ActionReference, commit: &CommitId) -> PathBuf {
        self.directory(reference).join(format!("{commit}.git"))
    }

    fn record(&self, reference: &ActionReference) -> PathBuf {
        self.directory(reference).join("refs").join(file_name(&reference.version))
    }

    /// What the version stood for when it was last fetched. A full commit id stands for itself. A record that cannot
    /// be understood counts as none.
    pub(crate) fn lookup(&self, reference: &ActionReference) -> Result<Option<CachedReference>, CacheError> {
        if let Some(commit) = reference.commit() {
            return Ok(Some(CachedReference { commit, fetched_at: u64::MAX, url: String::new() }));
        }
        let path = self.record(reference);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(parse_record(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CacheError::Io { action: "read", path, source }),
        }
    }

    /// The tree of a cached commit.
    pub(crate) fn tree(
        &self,
        reference: &ActionReference,
        commit: &CommitId,
    ) -> Result<Option<GitTree>, CacheError> {
        let path = self.repository(reference, commit);
        GitTree::open(&path, commit.as_str())
            .map_err(|source| CacheError::Damaged { path, source: Box::new(source) })
    }

    /// Makes an empty directory to fetch into, beside where the result will be.
    pub(crate) fn workspace(&self, reference: &ActionReference) -> Result<Workspace, CacheError> {
        let directory = self.directory(reference);
        let failed = |source| CacheError::Io { action: "create", path: directory.clone(), source };
        fs::create_dir_all(&directory).map_err(failed)?;
        let path = unused(&directory, |path| fs::create_dir(path)).map_err(failed)?;
        Ok(Workspace { path })
    }

    /// Moves a fetched repository to its place and records what the version stood for.
    pub(crate) fn store(
        &self,
        reference: &ActionReference,
        fetched: &Workspace,
        entry: &CachedReference,
    ) -> Result<(), CacheError> {
        let target = self.repository(reference, &entry.commit);
        let moved = fs::rename(&fetched.path, &target);
        // Another process may have stored the same commit meanwhile; its content is the same.
        if let Err(source) =
            moved.or_else(|error| if target.join("HEAD").exists() { Ok(()) } else { Err(error) })
        {
            return Err(CacheError::Io { action: "move a fetched repository to", path: target, source });
        }
        if reference.commit().is_some() {
            return Ok(());
        }
        let path = self.record(reference);
        let failed = |source| CacheError::Io { action: "write", path: path.clone(), source };
        let directory = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(directory).map_err(failed)?;
        let CachedReference { commit, fetched_at, url } = entry;
        let text = format!("{HEADING}\ncommit {commit}\nfetched {fetched_at}\nfrom {url}\n");
        let draft = unused(directory, |path| fs::File::create_new(path)?.write_all(text.as_bytes()))
            .map_err(failed)?;
        fs::rename(&draft, &path).map_err(failed)
    }
}

/// Makes something under a name that nobody else uses.
fn unused(directory: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    // A name is used once by a process: its first user may remove what it gave up long ago.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..10_000 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".fetch-{}-{number}", std::process::id()));
        match make(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A directory that is removed unless it was stored.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) path: PathBuf,
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // After a successful rename there is nothing left to remove.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn parse_record(text: &str) -> Option<CachedReference> {
    let mut lines = text.lines();
    if lines.next()? != HEADING {
        return None;
    }
    let commit = CommitId::parse(lines.next()?.strip_prefix("commit ")?)?;
    let fetched_at = lines.next()?.strip_prefix("fetched ")?.parse().ok()?;
    let url = lines.next()?.strip_prefix("from ")?.to_owned();
    Some(CachedReference { commit, fetched_at, url })
}

/// A version as a file name: what is not a letter, digit, `-`, `_` or an inner `.` is written as `%` and its code.
fn file_name(version: &str) -> String {
    let mut name = String::new();
    for (at, byte) in version.bytes().enumerate() {
        let is_plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0);
        if is_plain {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_distinct_file_names() {
        let cases = [
            ("v1.2", "v1.2"),
            ("feature/a", "feature%2fa"),
            (".x", "%2ex"),
            ("a%2fb", "a%252fb"),
            ("é", "%c3%a9"),
        ];
        for (version, expected) in cases {
            assert_eq!(file_name(version), expected);
        }
    }

    #[test]
    fn records_of_another_format_count_as_none() {
        let id = "0123456789012345678901234567890123456789";
        let good = format!("{HEADING}\ncommit {id}\nfetched 12\nfrom https://x\n");
        assert_eq!(parse_record(&good).map(|entry| entry.fetched_at), Some(12));
        for bad in ["", "x", &good.replace('1', "z"), &good.replace("fetched 12", "fetched -1")] {
            assert_eq!(parse_record(bad), None, "{bad}");
        }
    }
}
