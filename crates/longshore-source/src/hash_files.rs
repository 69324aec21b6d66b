//! `hashFiles`: one digest over the files of a workspace that match patterns.
//!
//! Follows GitHub's documentation "Evaluate expressions in workflows and actions", section "hashFiles", and the
//! published package `@actions/glob` in what that leaves open: each argument holds one pattern per line, `#` starts a
//! comment, `!` excludes, later patterns decide, a directory that matches brings all below, hidden files count, names are
//! visited in the order of their bytes with a directory's content in its place, and the digest is the SHA-256 of the
//! files' SHA-256 digests. No match gives the empty string.
//!
//! Symbolic links to directories are not entered unless asked for; a link to a file stands for the file's content.
//! Only what is under the workspace counts, and nothing outside of it is searched.

use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::glob_set::{GlobError, GlobSet, segments_of};

/// A search that sees more entries than this is given up.
const MAX_ENTRIES: usize = 5_000_000;
/// The only option that the function takes, as its first argument.
const FOLLOW: &str = "--follow-symbolic-links";

/// Why no digest could be made.
#[derive(Debug, Error)]
pub enum HashFilesError {
    /// A pattern is not allowed.
    #[error(
        "pattern `{pattern}` of `hashFiles` holds a relative `.` or `..`; write it from the workspace's root"
    )]
    RelativeSegment {
        /// The pattern.
        pattern: String,
    },
    /// The first argument looks like an option but is none.
    #[error("`{option}` is no option of `hashFiles`; the only one is `{FOLLOW}`")]
    UnknownOption {
        /// The argument.
        option: String,
    },
    /// There is no pattern at all.
    #[error("`hashFiles` was given no pattern; name at least one file or glob")]
    NoPattern,
    /// A file or directory could not be read.
    #[error("`hashFiles` failed to read `{}`; check that it exists and may be read", path.display())]
    Read {
        /// The place.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The search did not come to an end.
    #[error("`hashFiles` saw more than {MAX_ENTRIES} files and directories; use a narrower pattern")]
    TooManyEntries,
}

/// The value of `hashFiles(arguments…)` in `workspace`, which must be absolute. `home` is what `~` stands for.
///
/// # Errors
/// See [`HashFilesError`].
pub fn hash_files(
    workspace: &Path,
    home: Option<&Path>,
    arguments: &[&str],
) -> Result<String, HashFilesError> {
    let (follow, arguments) = match arguments.split_first() {
        Some((first, rest)) if first.eq_ignore_ascii_case(FOLLOW) => (true, rest),
        Some((first, _)) if first.starts_with("--") => {
            return Err(HashFilesError::UnknownOption { option: (*first).to_owned() });
        }
        _ => (false, arguments),
    };
    if arguments.is_empty() {
        return Err(HashFilesError::NoPattern);
    }
    let patterns =
        GlobSet::parse(&arguments.join("\n"), workspace, home, true).map_err(|error| match error {
            GlobError::Relative { pattern } => HashFilesError::RelativeSegment { pattern },
            GlobError::Empty => HashFilesError::NoPattern,
        })?;
    let mut search = Search { workspace, patterns, follow, entries: 0 };
    let mut digest = Sha256::new();
    let mut found = false;
    search.run(|file| {
        digest.update(file_digest(file)?);
        found = true;
        Ok(())
    })?;
    if !found {
        return Ok(String::new());
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// The digest of one file's content.
fn file_digest(path: &Path) -> Result<[u8; 32], HashFilesError> {
    let read = |source| HashFilesError::Read { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(read)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = file.read(&mut buffer).map_err(read)?;
        if length == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(buffer.get(..length).unwrap_or_default());
    }
}

struct Search<'a> {
    workspace: &'a Path,
    patterns: GlobSet,
    follow: bool,
    entries: usize,
}

/// Something to visit: its place, its segments from the root, and the real directories it was reached through.
struct Visit {
    path: PathBuf,
    segments: Vec<String>,
    chain: Vec<PathBuf>,
}

impl Search<'_> {
    /// Where to start: the beginnings of the patterns. Nothing outside of the workspace can count, so a search from above it
    /// starts at it.
    fn starts(&self) -> Vec<Vec<String>> {
        let workspace = segments_of(self.workspace);
        let mut starts: Vec<Vec<String>> = Vec::new();
        for prefix in self.patterns.search_paths() {
            let start = if workspace.starts_with(&prefix) { workspace.clone() } else { prefix };
            if start.starts_with(&workspace) && !starts.contains(&start) {
                starts.push(start);
            }
        }
        starts
    }

    /// Calls `found` with each matching file, in the reference's order.
    fn run(
        &mut self,
        mut found: impl FnMut(&Path) -> Result<(), HashFilesError>,
    ) -> Result<(), HashFilesError> {
        let depth = segments_of(self.workspace).len();
        let mut stack = Vec::new();
        for segments in self.starts().into_iter().rev() {
            let path =
                segments.iter().skip(depth).fold(self.workspace.to_owned(), |path, name| path.join(name));
            match fs::symlink_metadata(&path) {
                Ok(_) => stack.push(Visit { path, segments, chain: Vec::new() }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(HashFilesError::Read { path, source }),
            }
        }
        while let Some(visit) = stack.pop() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(HashFilesError::TooManyEntries);
            }
            let decision = self.patterns.decide(&visit.segments);
            if !decision.file && !decision.descend {
                continue;
            }
            let Some((is_directory, chain)) = self.examine(&visit)? else { continue };
            if is_directory {
                push_children(&visit, &chain, &mut stack)?;
            } else if decision.file && visit.segments.len() > depth && !visit.path.is_dir() {
                found(&visit.path)?;
            }
        }
        Ok(())
    }

    /// Whether this is a directory to enter, and the chain of real directories with it. `None` if it is gone, a broken
    /// link, or a directory that it is itself inside of.
    fn examine(&self, visit: &Visit) -> Result<Option<(bool, Vec<PathBuf>)>, HashFilesError> {
        let read = |source| HashFilesError::Read { path: visit.path.clone(), source };
        if !self.follow {
            let metadata = fs::symlink_metadata(&visit.path).map_err(read)?;
            return Ok(Some((metadata.is_dir(), Vec::new())));
        }
        let metadata = match fs::metadata(&visit.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(read(source)),
        };
        if !metadata.is_dir() {
            return Ok(Some((false, Vec::new())));
        }
        let resolved = fs::canonicalize(&visit.path).map_err(read)?;
        if visit.chain.contains(&resolved) {
            return Ok(None);
        }
        Ok(Some((true, visit.chain.iter().cloned().chain([resolved]).collect())))
    }
}

/// Queues what is in a directory, so that it is visited in the order of its bytes.
fn push_children(visit: &Visit, chain: &[PathBuf], stack: &mut Vec<Visit>) -> Result<(), HashFilesError> {
    let read = |source| HashFilesError::Read { path: visit.path.clone(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(&visit.path).map_err(read)? {
        names.push(entry.map_err(read)?.file_name());
    }
    names.sort();
    stack.extend(names.into_iter().rev().map(|name| {
        let mut segments = visit.segments.clone();
        segments.push(name.to_string_lossy().into_owned());
        Visit { path: visit.path.join(&name), segments, chain: chain.to_vec() }
    }));
    Ok(())
}
