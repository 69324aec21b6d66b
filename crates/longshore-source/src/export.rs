//! The whole tree of a commit as files: what running an action needs, and a checkout of another repository.
//!
//! A tree comes from strangers, so its names are checked and everything is made one name at a time below an open directory
//! (openat(2) with `O_NOFOLLOW` and `O_EXCL`): nothing in it decides where something is written, whatever already lies
//! there. Links are made as they are written in the tree and never followed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use gix::bstr::BStr;
use gix::objs::tree::EntryKind;
use rustix::fs::{Mode, OFlags, fchmod, mkdirat, open, openat, symlinkat};
use thiserror::Error;

use crate::git_tree::GitTree;
use crate::repository::GitError;

/// Trees that are larger or deeper than any action are refused.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;
const MAX_ENTRIES: u64 = 1_000_000;
const MAX_DEPTH: usize = 200;

/// Why a tree could not be written as files.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Git's data could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The system refused.
    #[error("failed to write `{}` of commit {commit}", path.display())]
    Write {
        /// The path in the tree.
        path: PathBuf,
        /// The commit.
        commit: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A name that no file may have.
    #[error("refused to write `{}` of commit {commit}: git itself would not check out this name", path.display())]
    Name {
        /// The path in the tree.
        path: PathBuf,
        /// The commit.
        commit: String,
    },
    /// The tree is too large.
    #[error("refused to write commit {commit}: it has more than {limit} {what}")]
    TooLarge {
        /// The commit.
        commit: String,
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
}

/// What is still allowed.
struct Allowance {
    bytes: u64,
    entries: u64,
}

impl GitTree {
    /// Writes all files of the tree into an existing directory, in which nothing of the tree's names may be yet.
    /// Executable files are executable, links are links, submodules are empty directories.
    ///
    /// # Errors
    /// See [`ExportError`]. What was written until then is left.
    pub fn write_into(&self, directory: &Path) -> Result<(), ExportError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = open(directory, flags, Mode::empty())
            .map_err(|errno| self.write_failed(Path::new(""), errno.into()))?;
        self.write_below(&root)
    }

    /// The same into a directory that is open.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn write_below(&self, directory: impl AsFd) -> Result<(), ExportError> {
        let mut left = Allowance { bytes: MAX_BYTES, entries: MAX_ENTRIES };
        self.write_tree(directory.as_fd(), self.root(), Path::new(""), &mut left)
    }

    fn write_tree(
        &self,
        directory: BorrowedFd<'_>,
        tree: gix::ObjectId,
        at: &Path,
        left: &mut Allowance,
    ) -> Result<(), ExportError> {
        if at.components().count() > MAX_DEPTH {
            return Err(self.too_large("levels of directories", MAX_DEPTH as u64));
        }
        let repository = self.repository();
        let tree = repository.git.find_tree(tree).map_err(repository.failed("read a tree"))?;
        for entry in tree.iter() {
            let entry = entry.map_err(repository.failed("read a tree"))?;
            let name = entry.filename();
            let path = at.join(OsStr::from_bytes(name));
            if !is_harmless(name) {
                return Err(ExportError::Name { path, commit: self.commit().to_string() });
            }
            left.entries =
                left.entries.checked_sub(1).ok_or_else(|| self.too_large("entries", MAX_ENTRIES))?;
            let id = entry.object_id();
            match entry.kind() {
                EntryKind::Tree => {
                    let child = enter(directory, name).map_err(|error| self.write_failed(&path, error))?;
                    self.write_tree(child.as_fd(), id, &path, left)?;
                }
                EntryKind::Commit => {
                    enter(directory, name).map_err(|error| self.write_failed(&path, error))?;
                }
                kind @ (EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link) => {
                    let content = self.content(id, left)?;
                    let written = match kind {
                        EntryKind::Link => {
                            symlinkat(&content[..], directory, &**name).map_err(io::Error::from)
                        }
                        kind => {
                            let mode = if kind == EntryKind::BlobExecutable { 0o755 } else { 0o644 };
                            write_file(directory, name, &content, mode)
                        }
                    };
                    written.map_err(|error| self.write_failed(&path, error))?;
                }
            }
        }
        Ok(())
    }

    fn content(&self, id: gix::ObjectId, left: &mut Allowance) -> Result<Vec<u8>, ExportError> {
        let repository = self.repository();
        let failed = "read a file's content";
        let header = repository.git.find_header(id).map_err(repository.failed(failed))?;
        left.bytes =
            left.bytes.checked_sub(header.size()).ok_or_else(|| self.too_large("bytes", MAX_BYTES))?;
        let mut blob = repository.git.find_blob(id).map_err(repository.failed(failed))?;
        Ok(blob.take_data())
    }

    fn write_failed(&self, path: &Path, source: io::Error) -> ExportError {
        ExportError::Write { path: path.to_owned(), commit: self.commit().to_string(), source }
    }

    fn too_large(&self, what: &'static str, limit: u64) -> ExportError {
        ExportError::TooLarge { commit: self.commit().to_string(), what, limit }
    }
}

/// Whether a name of a tree may become a file: one component, and none that git gives a meaning.
fn is_harmless(name: &BStr) -> bool {
    let is_component = !name.is_empty() && !name.contains(&b'/') && !name.contains(&0);
    is_component && !matches!(&**name, b"." | b"..") && !name.eq_ignore_ascii_case(b".git")
}

/// Makes a directory and opens it.
fn enter(directory: BorrowedFd<'_>, name: &BStr) -> io::Result<OwnedFd> {
    mkdirat(directory, &**name, Mode::from_raw_mode(0o755))?;
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(directory, &**name, flags, Mode::empty())?;
    // The mask of this process is not what others may read the tree by.
    fchmod(&made, Mode::from_raw_mode(0o755))?;
    Ok(made)
}

fn write_file(directory: BorrowedFd<'_>, name: &BStr, content: &[u8], mode: u32) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, &**name, flags, Mode::from_raw_mode(mode))?);
    file.write_all(content)?;
    fchmod(&file, Mode::from_raw_mode(mode))?;
    Ok(())
}
