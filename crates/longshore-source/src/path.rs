//! Paths inside a repository, as workflow files spell them.
//!
//! A path comes from a `uses:` that anybody may have written, so it is taken apart once, here, before anything touches
//! a file system or a git tree: it cannot be absolute, cannot leave the repository through `..`, and cannot hold
//! control characters. What is left is the spelling git uses: segments joined by `/`.

use std::fmt;

use thiserror::Error;

/// Longer paths are refused; Linux itself stops at this length.
const MAX_BYTES: usize = 4096;

/// A path below the root of a repository: no leading `/`, no empty, `.` or `..` segments. The empty path is the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepositoryPath(String);

/// Why a spelling is not a path inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// The path starts at the root of a file system.
    #[error("path `{0}` is absolute; write it relative to the root of the repository")]
    Absolute(String),
    /// A `..` leads above the root.
    #[error("path `{0}` leaves the repository; only files inside of it can be used")]
    Escapes(String),
    /// A control character, NUL included.
    #[error("path {0:?} holds a control character; remove it")]
    Control(String),
    /// The path is longer than any file system takes.
    #[error("path of {0} bytes is longer than the {MAX_BYTES} that are allowed; shorten it")]
    TooLong(usize),
}

impl RepositoryPath {
    /// Reads `text`, with or without a leading `./`.
    ///
    /// # Errors
    /// The path is absolute, escapes, holds control characters, or is too long.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_BYTES {
            return Err(PathError::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control(text.to_owned()));
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        let mut segments: Vec<&str> = Vec::new();
        for segment in text.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop().ok_or_else(|| PathError::Escapes(text.to_owned()))?;
                }
                _ => segments.push(segment),
            }
        }
        Ok(Self(segments.join("/")))
    }

    /// The path with `/` between its segments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root of the repository.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of the file called `name` in this directory.
    pub(crate) fn child(&self, name: &str) -> Self {
        if self.is_root() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// The files that make a directory an action, in the order GitHub's runner looks for them (documentation: "Metadata
/// syntax for GitHub Actions"; the file must be `action.yml` or `action.yaml`, and a bare `Dockerfile` makes a
/// container action).
pub(crate) const MANIFESTS: [&str; 3] = ["action.yml", "action.yaml", "Dockerfile"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let cases: [(&str, Result<&str, &str>); 12] = [
            ("", Ok("")),
            ("./", Ok("")),
            ("./a/b.yml", Ok("a/b.yml")),
            ("a//b/./c/", Ok("a/b/c")),
            ("a/../b", Ok("b")),
            ("a/..", Ok("")),
            ("..", Err("leaves the repository")),
            ("a/../../etc/passwd", Err("leaves the repository")),
            ("/etc/passwd", Err("is absolute")),
            ("a\0b", Err("control character")),
            ("a\nb", Err("control character")),
            (&"a/".repeat(3000), Err("longer than")),
        ];
        for (text, expected) in cases {
            match (RepositoryPath::parse(text), expected) {
                (Ok(path), Ok(expected)) => assert_eq!(path.as_str(), expected, "{text:?}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text:?}: {error}"),
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }
}
