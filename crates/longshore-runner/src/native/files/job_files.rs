//! Where the files of a job are.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use longshore_engine::EngineError;
use longshore_layer::ApplyError;
use longshore_toolkit::{Root, StorageError};
use thiserror::Error;

use crate::job::{Directory, Kind, Paths, Place};

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// The files of a job, by the paths that the job knows.
pub(crate) struct JobFiles<'p> {
    pub(super) place: &'p Place,
    pub(super) directory: Directory,
    root: Root,
    /// Where copies lie, below the job's directory; the job does not see it.
    pub(super) staging: PathBuf,
    /// What was copied out of the container: paths inside, with their places below the job's directory.
    pub(super) fetched: Vec<(PathBuf, PathBuf)>,
    /// What is to be copied into the container: paths inside.
    pub(super) outgoing: Vec<PathBuf>,
}

/// Files of a job cannot be used.
#[derive(Debug, Error)]
pub(crate) enum FilesError {
    #[error("failed to look at `{}`", path.display())]
    Look { path: PathBuf, source: io::Error },
    #[error("failed to use the job's files")]
    Open(#[source] io::Error),
    #[error("failed to use the job's files")]
    Root(#[source] StorageError),
    #[error("failed to prepare a copy of `{}`", path.display())]
    Stage { path: PathBuf, source: io::Error },
    #[error("failed to copy `{}` out of the job's container", path.display())]
    Fetch { path: PathBuf, source: EngineError },
    #[error("failed to unpack `{}` from the job's container", path.display())]
    Unpack { path: PathBuf, source: ApplyError },
    #[error("failed to copy `{}` into the job's container", path.display())]
    Deliver { path: PathBuf, source: EngineError },
    #[error("`{}` is more than can be searched: name a directory below it", path.display())]
    Broad { path: PathBuf },
    #[error("there is too much to search in `{}`: use narrower patterns", path.display())]
    TooMuch { path: PathBuf },
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Real {
    /// Something in a directory of the job, by its path inside without links.
    Here(PathBuf, Kind),
    /// Something elsewhere in the container, by a path that begins with no link that we know.
    Elsewhere(PathBuf),
    /// Nothing.
    Absent,
}

impl<'p> JobFiles<'p> {
    pub(crate) fn open(place: &'p Place) -> Result<Self, FilesError> {
        let directory = Directory::open(&place.paths.root).map_err(FilesError::Open)?;
        let root = Root::open(&place.paths.root).map_err(FilesError::Root)?;
        let staging = Path::new("staging").join(crate::step::unique());
        Ok(Self { place, directory, root, staging, fetched: Vec::new(), outgoing: Vec::new() })
    }

    /// Where the directories of the job are.
    pub(crate) fn paths(&self) -> &'p Paths {
        &self.place.paths
    }

    /// What all places are below of.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// A path as a step writes it, from the root: `~` is the home directory, others begin at the workspace.
    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        let paths = &self.place.paths;
        let joined = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                PathBuf::from(format!("{}{rest}", paths.home))
            }
            _ => Path::new(&paths.workspace).join(path),
        };
        clean(&joined)
    }

    /// The place of a path inside that has no links, below the job's directory.
    pub(super) fn at(&self, inside: &Path) -> Option<PathBuf> {
        let fetched = self.fetched.iter().map(|(inside, place)| (inside.as_path(), place.as_path()));
        let root = &self.place.paths.root;
        let mounts = self.place.paths.mounts.iter();
        let mounts = mounts
            .filter_map(|(inside, outside)| Some((Path::new(inside), outside.strip_prefix(root).ok()?)));
        let known = fetched
            .chain(mounts)
            .filter_map(|(prefix, place)| Some((prefix, inside.strip_prefix(prefix).ok()?, place)));
        let (_, rest, place) = known.max_by_key(|(prefix, ..)| prefix.components().count())?;
        Some(if rest.as_os_str().is_empty() { place.to_owned() } else { place.join(rest) })
    }

    /// Follows the links of a path inside.
    pub(super) fn real(&self, inside: &Path) -> Result<Real, FilesError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FilesError::Look { path, source }
        };
        let mut left: VecDeque<OsString> = names(inside).collect();
        let (mut at, mut links) = (PathBuf::from("/"), 0);
        let mut kind = None;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                at.pop();
                kind = None;
                continue;
            }
            let next = at.join(&name);
            let Some(place) = self.at(&next) else {
                (at, kind) = (next, None);
                continue;
            };
            kind = self.directory.kind(&place).map_err(failed(&next))?;
            match kind {
                None => return Ok(Real::Absent),
                Some(Kind::Link) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Ok(Real::Absent);
                    }
                    let target = self.directory.link(&place).map_err(failed(&next))?;
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    names(&target).rev().for_each(|name| left.push_front(name));
                    kind = None;
                }
                Some(_) => at = next,
            }
        }
        match (self.at(&at), kind) {
            (Some(_), Some(kind)) => Ok(Real::Here(at, kind)),
            // A link or `..` has led to a directory that was looked at before.
            (Some(place), None) => {
                let kind = self.directory.kind(&place).map_err(failed(&at))?;
                Ok(kind.map_or(Real::Absent, |kind| Real::Here(at, kind)))
            }
            (None, _) => Ok(Real::Elsewhere(at)),
        }
    }

    /// The same, copied out of the container if it is elsewhere; the path inside without links, and what is there.
    pub(crate) fn find(&mut self, inside: &Path) -> Result<Option<(PathBuf, Kind)>, FilesError> {
        for _ in 0..MOST_LINKS {
            match self.real(inside)? {
                Real::Here(path, kind) => return Ok(Some((path, kind))),
                Real::Absent => return Ok(None),
                Real::Elsewhere(path) => {
                    if self.holds_mounts(&path) {
                        return Err(FilesError::Broad { path });
                    }
                    if !self.fetch(&path)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether something is at a path.
    pub(crate) fn exists(&mut self, inside: &Path) -> Result<bool, FilesError> {
        Ok(self.find(inside)?.is_some())
    }

    /// The content of a file, at most `limit` bytes of it. `None` if there is no such file.
    pub(crate) fn read(&mut self, inside: &Path, limit: u64) -> Result<Option<Vec<u8>>, FilesError> {
        let Some((real, Kind::File)) = self.find(inside)? else { return Ok(None) };
        let Some(place) = self.at(&real) else { return Ok(None) };
        let content = self.directory.read(&place.to_string_lossy(), limit);
        content
            .map(|(content, _)| Some(content))
            .map_err(|source| FilesError::Look { path: inside.to_owned(), source })
    }

    /// The place below the root of something that [`find`](Self::find) has found.
    pub(crate) fn source(&self, real: &Path) -> PathBuf {
        self.at(real).unwrap_or_else(|| self.staging.join("nowhere"))
    }

    /// Where to put what is to be at a path inside. What is elsewhere gets there by [`deliver`](Self::deliver).
    pub(crate) fn destination(&mut self, inside: &Path) -> Result<PathBuf, FilesError> {
        let mut prefix = inside.to_owned();
        loop {
            match self.real(&prefix)? {
                Real::Here(real, _) => {
                    let rest = inside.strip_prefix(&prefix).unwrap_or(Path::new(""));
                    let place = self.source(&real);
                    return Ok(if rest.as_os_str().is_empty() { place } else { place.join(rest) });
                }
                Real::Elsewhere(real) => {
                    let rest = inside.strip_prefix(&prefix).unwrap_or(Path::new(""));
                    return self.stage(&real.join(rest));
                }
                Real::Absent => {
                    if !prefix.pop() {
                        return self.stage(inside);
                    }
                }
            }
        }
    }

    /// Whether directories of the job lie below a path.
    fn holds_mounts(&self, path: &Path) -> bool {
        self.place.paths.mounts.iter().any(|(inside, _)| Path::new(inside).starts_with(path))
    }
}

impl Drop for JobFiles<'_> {
    fn drop(&mut self) {
        // What is left goes with the job's directory.
        let _ = std::fs::remove_dir_all(self.place.paths.root.join(&self.staging));
    }
}

/// The names of a path; `.` is left out.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// A path without `.` and `..`, by its text.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for name in names(path) {
        if name == ".." {
            cleaned.pop();
        } else {
            cleaned.push(name);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::clean;

    #[test]
    fn paths_are_cleaned_by_their_text() {
        for (path, wanted) in [("/a/./b/../c", "/a/c"), ("/..", "/"), ("/a//b/", "/a/b")] {
            assert_eq!(clean(Path::new(path)), Path::new(wanted), "{path}");
        }
    }
}
