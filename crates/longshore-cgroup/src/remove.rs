//! Removing a group with all that the container made below it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cgroup::Cgroup;
use crate::error::CgroupError;
use crate::file;

impl Cgroup {
    /// Removes all directories of the group. Those that are gone already do not matter, so it can be repeated after a
    /// crash.
    ///
    /// Usually all processes are gone, and this is one `rmdir(2)` for each directory. If the kernel says that a directory
    /// is in use, it waits for the last process first.
    ///
    /// # Errors
    ///
    /// When processes are left after `limit`, or a directory cannot be removed.
    pub fn remove(&self, limit: Duration) -> Result<(), CgroupError> {
        for path in self.directories() {
            if remove_tree(path)? {
                continue;
            }
            self.wait_until_empty(limit)?;
            // A process leaves the list a moment before it leaves the group, and there is no event for the latter on
            // version 1.
            self.poll_until("let go of its directories", limit, || remove_tree(path))?;
        }
        Ok(())
    }

    /// Removes the group if nobody is in it, without waiting and without killing; `false` if somebody is. For groups that
    /// are another's, who may begin to use them at any moment: then the first directory, in which processes are born, says
    /// so, and the others stay.
    ///
    /// # Errors
    ///
    /// When a directory cannot be removed.
    pub fn remove_deserted(&self) -> Result<bool, CgroupError> {
        for path in self.unified.iter().map(PathBuf::as_path).chain(self.legacy_directories()) {
            if !remove_tree(path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it is there, with all its directories.
    pub fn is_there(&self) -> bool {
        self.directories().into_iter().all(Path::exists)
    }
}

/// Removes a directory; `false` if it is in use.
fn remove_tree(path: &Path) -> Result<bool, CgroupError> {
    if remove_one(path)? {
        return Ok(true);
    }
    // The deepest first. What is in use keeps its parents.
    let mut is_removed = true;
    for directory in file::tree(path)?.iter().rev() {
        is_removed &= remove_one(directory)?;
    }
    Ok(is_removed)
}

fn remove_one(path: &Path) -> Result<bool, CgroupError> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if file::is_gone(&error) => Ok(true),
        // Some file systems answer so when there are children.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::DirectoryNotEmpty) =>
        {
            Ok(false)
        }
        Err(source) => Err(CgroupError::Remove { path: path.to_owned(), source }),
    }
}
