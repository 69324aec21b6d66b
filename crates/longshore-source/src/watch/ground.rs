//! The directories of a tree that are watched.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, WatchFlags};
use rustix::io::Errno;

use super::WatchError;
use super::burst::Look;
use super::ignored::Ignored;
use crate::Repository;

/// A tree, and which of its directories are watched.
#[derive(Debug)]
pub(super) struct Ground {
    root: PathBuf,
    repository: Option<Repository>,
    /// The tree's place in the repository, with a `/` at its end; empty for its root.
    prefix: String,
    excluded: Vec<PathBuf>,
    /// The directories by their watches, from the root with `/`.
    watched: HashMap<i32, String>,
}

impl Ground {
    pub(super) fn new(root: &Path, excluded: &[PathBuf]) -> Result<Self, WatchError> {
        let failed = |source| WatchError::Directory { path: root.to_owned(), source };
        let root = root.canonicalize().map_err(failed)?;
        let repository = Repository::discover(&root)?;
        let top = repository.as_ref().and_then(|repository| repository.directory().canonicalize().ok());
        let inside = top.as_deref().and_then(|top| root.strip_prefix(top).ok()).unwrap_or(Path::new(""));
        let prefix = inside.to_string_lossy().into_owned();
        let prefix = if prefix.is_empty() { prefix } else { prefix + "/" };
        let excluded = excluded.iter().filter_map(|path| real(path)).collect();
        Ok(Self { root, repository, prefix, excluded, watched: HashMap::new() })
    }

    pub(super) fn directories(&self) -> usize {
        self.watched.len()
    }

    /// The directory that a watch is of.
    pub(super) fn directory(&self, watch: i32) -> Option<&str> {
        self.watched.get(&watch).map(String::as_str)
    }

    /// A watch has ended.
    pub(super) fn forget(&mut self, watch: i32) {
        self.watched.remove(&watch);
    }

    pub(super) fn gone(&self) -> WatchError {
        WatchError::Gone { path: self.root.clone() }
    }

    /// Watches a directory and all below it. Files of directories that were not watched yet are told.
    pub(super) fn enter(
        &mut self,
        events: &OwnedFd,
        path: &str,
        file: &mut dyn FnMut(&str),
    ) -> Result<(), WatchError> {
        let mut ignored = match &self.repository {
            Some(repository) => Some(Ignored::of(repository, &self.prefix)?),
            None => None,
        };
        let mut left = vec![path.to_owned()];
        while let Some(path) = left.pop() {
            let full = self.root.join(&path);
            if !path.is_empty() && (is_private(&path) || is_within(&full, &self.excluded)) {
                continue;
            }
            if let Some(ignored) = ignored.as_mut().filter(|_| !path.is_empty())
                && ignored.directory(&path, &full)?
            {
                continue;
            }
            let Some(watch) = watch(events, &full)? else {
                if path.is_empty() {
                    return Err(WatchError::Gone { path: self.root.clone() });
                }
                continue;
            };
            // A directory keeps its watch when it is renamed.
            let is_new = self.watched.insert(watch, path.clone()).as_ref() != Some(&path);
            each_entry(&full, &mut |name, is_directory| {
                let entry = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                if is_directory {
                    left.push(entry);
                } else if is_new {
                    file(&entry);
                }
            })
            .or_else(|source| {
                if is_absence(&source) { Ok(()) } else { Err(WatchError::Directory { path: full, source }) }
            })?;
        }
        Ok(())
    }

    /// Whether a directory is watched.
    pub(super) fn knows(&self, directory: &str) -> bool {
        self.watched.values().any(|known| known == directory)
    }

    /// Watches no more what was moved out of the tree.
    pub(super) fn leave(&mut self, events: &OwnedFd, departed: &BTreeSet<String>) {
        let is_below = |path: &str, gone: &str| {
            path.strip_prefix(gone).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_gone =
            |path: &str| departed.iter().any(|gone| is_below(path, gone)) && !self.root.join(path).is_dir();
        let gone: Vec<i32> =
            self.watched.iter().filter(|(_, path)| is_gone(path)).map(|(watch, _)| *watch).collect();
        for watch in &gone {
            // It may have gone by itself.
            let _ = inotify::remove_watch(events, *watch);
            self.watched.remove(watch);
        }
    }

    /// What a file is now.
    pub(super) fn look(&self, path: &str) -> Look {
        match fs::symlink_metadata(self.root.join(path)) {
            Err(_) => Look::Absent,
            Ok(found) if found.is_symlink() || found.is_file() && found.nlink() > 1 => Look::Linked,
            Ok(found) if found.is_file() => Look::File,
            Ok(_) => Look::Other,
        }
    }

    /// Leaves out what nobody asked for: files that git ignores, and excluded ones.
    pub(super) fn retain_known(&self, paths: &mut Vec<String>) -> Result<(), WatchError> {
        paths.retain(|path| !is_private(path) && !is_within(&self.root.join(path), &self.excluded));
        let Some(repository) = &self.repository else { return Ok(()) };
        let mut ignored = Ignored::of(repository, &self.prefix)?;
        let mut kept = Vec::with_capacity(paths.len());
        for path in paths.drain(..) {
            if !ignored.file(&path)? {
                kept.push(path);
            }
        }
        *paths = kept;
        Ok(())
    }
}

/// Watches one directory. Nothing if it is gone, is none, or is not ours to read.
fn watch(events: &OwnedFd, path: &Path) -> Result<Option<i32>, WatchError> {
    let flags = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::ONLYDIR
        | WatchFlags::DONT_FOLLOW
        | WatchFlags::EXCL_UNLINK;
    match inotify::add_watch(events, path, flags) {
        Ok(watch) => Ok(Some(watch)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => Ok(None),
        Err(Errno::NOSPC) => Err(WatchError::Full { path: path.to_owned() }),
        Err(error) => Err(WatchError::Directory { path: path.to_owned(), source: error.into() }),
    }
}

/// Calls for each entry with whether it is a directory. No workflow can name what is not UTF-8.
fn each_entry(path: &Path, act: &mut dyn FnMut(&str, bool)) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if let (Some(name), Ok(kind)) = (entry.file_name().to_str(), entry.file_type()) {
            act(name, kind.is_dir());
        }
    }
    Ok(())
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    )
}

/// Whether a path is, or lies in, a repository's own directory.
fn is_private(path: &str) -> bool {
    path.split('/').any(|part| part == ".git")
}

fn is_within(path: &Path, places: &[PathBuf]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

/// A path without links; of a file that is not there yet, that of its directory.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(parent.canonicalize().ok()?.join(path.file_name()?))
}
