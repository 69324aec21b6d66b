//! A directory of a job that files are put into.
//!
//! Names come from archives, so each is split and walked by single components, none of them through a link. The
//! directories met last are kept open, since lists are sorted.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::Mode;
use rustix::process::{Gid, Uid};

use crate::StorageError;
use crate::error::Attempt as _;
use crate::root::{Root, components, create_file, enter, heir};

const KEPT: usize = 64;

/// A directory that files are put into.
pub(crate) struct Target {
    directory: Arc<OwnedFd>,
    heir: Option<(Uid, Gid)>,
    shown: PathBuf,
    kept: HashMap<PathBuf, Arc<OwnedFd>>,
}

/// The place of one file.
pub(crate) struct Spot {
    directory: Arc<OwnedFd>,
    name: Vec<u8>,
    heir: Option<(Uid, Gid)>,
    shown: PathBuf,
}

impl Target {
    /// Opens the directory, made if it is missing.
    pub(crate) fn open(root: &Root, path: &Path) -> Result<Self, StorageError> {
        let directory = root.ensure_directory(path)?;
        let shown = root.shown(path);
        let heir = heir(&directory).attempt("inspect", &shown)?;
        Ok(Self { directory: Arc::new(directory), heir, shown, kept: HashMap::new() })
    }

    /// The place of a file, with the directories on the way made.
    pub(crate) fn locate(&mut self, name: &[u8]) -> Result<Spot, StorageError> {
        let parts = components(name)?;
        let Some((last, parents)) = parts.split_last() else {
            return Err(StorageError::entry(name, "it names no file"));
        };
        let directory = self.walk(parents)?;
        let shown = self.shown.join(parts.iter().collect::<PathBuf>());
        Ok(Spot { directory, name: last.as_encoded_bytes().to_vec(), heir: self.heir, shown })
    }

    /// Makes a directory.
    pub(crate) fn directory(&mut self, name: &[u8]) -> Result<(), StorageError> {
        self.walk(&components(name)?).map(drop)
    }

    /// Makes one file.
    pub(crate) fn create(&mut self, name: &[u8]) -> Result<File, StorageError> {
        self.locate(name)?.create()
    }

    /// Gives a file its rights and owner.
    pub(crate) fn finish(&self, file: &File, mode: u32) -> Result<(), StorageError> {
        finish(file, mode, self.heir, &self.shown)
    }

    fn walk(&mut self, parts: &[&OsStr]) -> Result<Arc<OwnedFd>, StorageError> {
        let path: PathBuf = parts.iter().collect();
        if let Some(directory) = self.kept.get(&path) {
            return Ok(Arc::clone(directory));
        }
        let mut directory = Arc::clone(&self.directory);
        let mut at = self.shown.clone();
        for part in parts {
            at.push(part);
            let (next, made) = enter(&directory, part.as_encoded_bytes()).attempt("create", &at)?;
            if made {
                let rights = Mode::from_raw_mode(0o755);
                rustix::fs::fchmod(&next, rights).attempt("set the mode of", &at)?;
                if let Some((user, group)) = self.heir {
                    rustix::fs::fchown(&next, Some(user), Some(group)).attempt("give away", &at)?;
                }
            }
            directory = Arc::new(next);
        }
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        self.kept.insert(path, Arc::clone(&directory));
        Ok(directory)
    }
}

impl Spot {
    /// Makes the file, in place of one that is there.
    pub(crate) fn create(&self) -> Result<File, StorageError> {
        create_file(&self.directory, &self.name).attempt("create", &self.shown)
    }

    /// Gives the file its rights and owner.
    pub(crate) fn finish(&self, file: &File, mode: u32) -> Result<(), StorageError> {
        finish(file, mode, self.heir, &self.shown)
    }
}

fn finish(file: &File, mode: u32, heir: Option<(Uid, Gid)>, shown: &Path) -> Result<(), StorageError> {
    if let Some((user, group)) = heir {
        rustix::fs::fchown(file, Some(user), Some(group)).attempt("give away", shown)?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o777)).attempt("set the mode of", shown)
}
