//! The files of one container: its own tree with everything that is mounted into it.
//!
//! Paths are followed part by part as the container sees them, so that a link leads to a place of the container also
//! where it lies in a directory of the machine. Directories of the machine are read and written as they are; owners
//! cannot be changed there.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault};
use thiserror::Error;

use super::tree::{Attributes, Entry, Kind, Node, SharedTree};

/// How many links one path may have.
const LINKS: usize = 40;

/// A file of a container cannot be had.
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error("there is no `{0}` in the container")]
    Missing(String),
    #[error("`{0}` is not a directory")]
    NotDirectory(String),
    #[error("`{0}` is not a file")]
    NotFile(String),
    #[error("`{0}` has too many links")]
    Links(String),
    #[error("failed to change `{0}`: Read-only file system")]
    ReadOnly(String),
    #[error("failed to {what} `{path}` of this machine")]
    Machine {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl From<FileError> for EngineError {
    fn from(error: FileError) -> Self {
        let fault = match &error {
            FileError::Missing(_) => Fault::NotFound,
            FileError::NotDirectory(_) | FileError::NotFile(_) | FileError::Links(_) => Fault::Invalid,
            FileError::ReadOnly(_) | FileError::Machine { .. } => Fault::Environment,
        };
        let message = error.to_string();
        match error {
            FileError::Machine { source, .. } => Self::new(fault, message).because(source),
            _ => Self::new(fault, message),
        }
    }
}

/// Where the files of a mount are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In memory, below a directory of a tree.
    Tree(SharedTree, Vec<String>),
    /// On this machine.
    Machine(PathBuf),
}

/// One mount; the container's root is one, too.
#[derive(Debug, Clone)]
pub(super) struct Mounted {
    pub(super) target: Vec<String>,
    pub(super) place: Place,
    pub(super) read_only: bool,
}

/// One entry in the place where it is.
enum Located {
    Tree(SharedTree, Vec<String>),
    Machine(PathBuf),
}

/// The files of one container.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The longest targets first.
    mounts: Vec<Mounted>,
}

/// The parts of a path, without what means nothing.
pub(super) fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

/// A path of parts.
pub(super) fn joined(parts: &[String]) -> String {
    format!("/{}", parts.join("/"))
}

impl Files {
    /// The files of a root and what is mounted over it.
    pub(super) fn new(mut mounts: Vec<Mounted>) -> Self {
        // Stable, and reversed before: of two mounts at one place the later one is seen.
        mounts.reverse();
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.target.len()));
        Self { mounts }
    }

    /// What is mounted over the root, shortest targets first.
    pub(super) fn mounted(&self) -> impl Iterator<Item = &Mounted> {
        self.mounts.iter().rev().filter(|mount| !mount.target.is_empty())
    }

    fn locate(&self, path: &[String]) -> Option<(Located, &Mounted)> {
        let mount = self.mounts.iter().find(|mount| path.starts_with(&mount.target))?;
        let below = path.get(mount.target.len()..).unwrap_or_default();
        let located = match &mount.place {
            Place::Tree(tree, root) => Located::Tree(tree.clone(), [root.as_slice(), below].concat()),
            Place::Machine(root) if below.is_empty() => Located::Machine(root.clone()),
            Place::Machine(root) => Located::Machine(root.join(below.join("/"))),
        };
        Some((located, mount))
    }

    fn writable(&self, path: &[String]) -> Result<Located, FileError> {
        match self.locate(path) {
            Some((_, mount)) if mount.read_only => Err(FileError::ReadOnly(joined(path))),
            Some((located, _)) => Ok(located),
            None => Err(FileError::Missing(joined(path))),
        }
    }

    /// What is at a place that was [resolved](Self::resolve).
    pub(super) fn entry(&self, path: &[String]) -> Option<Entry> {
        match self.locate(path)?.0 {
            Located::Tree(tree, path) => tree.lock().at(&path).map(Node::entry),
            Located::Machine(path) => {
                let found = fs::symlink_metadata(&path).ok()?;
                let kind = if found.is_symlink() {
                    Kind::Link(fs::read_link(&path).ok()?.to_string_lossy().into_owned())
                } else if found.is_dir() {
                    Kind::Directory
                } else {
                    Kind::File
                };
                let modified = u64::try_from(found.mtime()).unwrap_or_default();
                let (uid, gid) = (found.uid().into(), found.gid().into());
                Some(Entry {
                    kind,
                    attributes: Attributes { mode: found.mode() & 0o7777, uid, gid, modified },
                })
            }
        }
    }

    /// Follows the links of a path, the last one only if asked to. What the last part names need not exist.
    pub(super) fn resolve(&self, path: &str, follow_last: bool) -> Result<Vec<String>, FileError> {
        let mut todo: Vec<String> = parts(path).into_iter().rev().collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                at.pop();
                continue;
            }
            at.push(part);
            if todo.is_empty() && !follow_last {
                break;
            }
            match self.entry(&at).map(|entry| entry.kind) {
                Some(Kind::Link(target)) => {
                    links += 1;
                    if links > LINKS {
                        return Err(FileError::Links(path.to_owned()));
                    }
                    at.pop();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    todo.extend(parts(&target).into_iter().rev());
                }
                Some(Kind::File) if !todo.is_empty() => return Err(FileError::NotDirectory(joined(&at))),
                None if !todo.is_empty() => return Err(FileError::Missing(joined(&at))),
                _ => {}
            }
        }
        Ok(at)
    }

    /// Whether there is something; links are followed.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.resolve(path, true).is_ok_and(|at| self.entry(&at).is_some())
    }

    /// Whether there is a directory; links are followed.
    pub(super) fn is_directory(&self, path: &str) -> bool {
        let entry = self.resolve(path, true).ok().and_then(|at| self.entry(&at));
        entry.is_some_and(|entry| entry.kind == Kind::Directory)
    }

    /// The content of a file; links are followed.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.content(&self.resolve(path, true)?)
    }

    /// The content of a file at a place that was resolved.
    pub(super) fn content(&self, at: &[String]) -> Result<Vec<u8>, FileError> {
        match self.entry(at) {
            None => return Err(FileError::Missing(joined(at))),
            Some(entry) if entry.kind != Kind::File => return Err(FileError::NotFile(joined(at))),
            Some(_) => {}
        }
        match self.locate(at) {
            Some((Located::Tree(tree, path), _)) => {
                let tree = tree.lock();
                let bytes = tree.at(&path).and_then(Node::bytes);
                bytes.map(<[u8]>::to_vec).ok_or_else(|| FileError::Missing(joined(at)))
            }
            Some((Located::Machine(path), _)) => fs::read(&path).map_err(machine("read", &path)),
            None => Err(FileError::Missing(joined(at))),
        }
    }

    /// Writes a file, in place of what is there or after it. Directories above are made.
    pub(super) fn write(&self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.make_directories(above)?;
        }
        let at = self.resolve(path, true)?;
        if self.entry(&at).is_some_and(|entry| entry.kind != Kind::File) {
            return Err(FileError::NotFile(joined(&at)));
        }
        match self.writable(&at)? {
            Located::Tree(tree, path) => {
                let mut tree = tree.lock();
                match tree.at_mut(&path).and_then(Node::bytes_mut) {
                    Some(old) => {
                        if !append {
                            old.clear();
                        }
                        old.extend_from_slice(bytes);
                    }
                    None => {
                        tree.put(&path, Node::file(bytes.to_vec(), Attributes::of(0o644)));
                    }
                }
                Ok(())
            }
            Located::Machine(path) => {
                let mut options = fs::OpenOptions::new();
                options.create(true).append(append).write(true).truncate(!append);
                let mut file = options.open(&path).map_err(machine("write", &path))?;
                file.write_all(bytes).map_err(machine("write", &path))
            }
        }
    }

    /// Makes directories where there is nothing.
    pub(super) fn make_directories(&self, path: &str) -> Result<(), FileError> {
        let mut so_far = String::new();
        for part in parts(path) {
            so_far = format!("{so_far}/{part}");
            let at = self.resolve(&so_far, true)?;
            match self.entry(&at).map(|entry| entry.kind) {
                Some(Kind::Directory) => {}
                Some(_) => return Err(FileError::NotDirectory(joined(&at))),
                None => self.put(&at, Node::directory(Attributes::of(0o755)))?,
            }
        }
        Ok(())
    }

    /// Puts an entry at a place that was resolved, in place of what is there; a directory takes over a directory.
    pub(super) fn put(&self, at: &[String], node: Node) -> Result<(), FileError> {
        match self.writable(at)? {
            Located::Tree(tree, path) => {
                if tree.lock().put(&path, node) {
                    Ok(())
                } else {
                    Err(FileError::Missing(joined(at)))
                }
            }
            Located::Machine(path) => put_on_machine(&path, &node).map_err(machine("write", &path)),
        }
    }

    /// The names in a directory that was resolved.
    pub(super) fn names(&self, at: &[String]) -> Vec<String> {
        match self.locate(at) {
            Some((Located::Tree(tree, path), _)) => tree.lock().names(&path),
            Some((Located::Machine(path), _)) => {
                let entries = fs::read_dir(path).into_iter().flatten().flatten();
                let mut names: Vec<String> =
                    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                names.sort();
                names
            }
            None => Vec::new(),
        }
    }
}

fn machine(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Machine { what, path, source }
}

fn put_on_machine(path: &Path, node: &Node) -> io::Result<()> {
    let entry = node.entry();
    let there = fs::symlink_metadata(path).ok();
    let is_directory = there.as_ref().is_some_and(fs::Metadata::is_dir);
    if there.is_some() && !is_directory {
        fs::remove_file(path)?;
    }
    match &entry.kind {
        Kind::Directory if is_directory => {}
        Kind::Directory => fs::create_dir(path)?,
        Kind::File => fs::write(path, node.bytes().unwrap_or_default())?,
        Kind::Link(target) => return symlink(target, path),
    }
    fs::set_permissions(path, fs::Permissions::from_mode(entry.attributes.mode))
}
