//! Removing runs: renamed out of sight under the lock of the directory, deleted without it. What a crash leaves of that is
//! deleted when the history is next opened.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use longshore_event::RunId;
use thiserror::Error;

use crate::layout::{self, Layout};
use crate::lock;

/// Why a run was not removed.
#[derive(Debug, Error)]
pub enum RemoveError {
    /// There is none.
    #[error("there is no run {run}")]
    Missing {
        /// As asked for.
        run: RunId,
    },
    /// It lives.
    #[error("run {run} is still running")]
    Running {
        /// Which.
        run: RunId,
    },
    /// It cannot be moved away, so it is still there.
    #[error("failed to remove run {run} from `{}`", path.display())]
    Move {
        /// Which.
        run: RunId,
        /// Its directory, or the lock that is needed.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is out of sight, and some of its files are not deleted yet.
    #[error("failed to delete all files of run {run}; what is left of them is in `{}`", path.display())]
    Delete {
        /// Which.
        run: RunId,
        /// Where they are.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Removes a run and all that is kept beside it; gives the bytes that this frees.
pub(crate) fn remove(layout: &Layout, run: RunId) -> Result<u64, RemoveError> {
    let path = layout.run(run);
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
        return Err(RemoveError::Missing { run });
    }
    let moved = move_away(layout, run)?;
    let size = size(&moved);
    delete(&moved).map_err(|source| RemoveError::Delete { run, path: moved, source })?;
    Ok(size)
}

/// Moves a run to the trash. The lock keeps it from being continued between looking and moving.
fn move_away(layout: &Layout, run: RunId) -> Result<PathBuf, RemoveError> {
    let path = layout.run(run);
    let failed = |source| RemoveError::Move { run, path: path.clone(), source };
    let _turn = lock::hold(&layout.lock()).map_err(failed)?;
    if lock::is_held(&layout::run_lock(&path)).map_err(failed)? {
        return Err(RemoveError::Running { run });
    }
    fs::create_dir_all(layout.trash()).map_err(failed)?;
    // What could not be deleted keeps its name there.
    let names = (0_u32..).map(|copy| layout.trash().join(format!("{run}.{copy}")));
    for place in names {
        match fs::rename(&path, &place) {
            Ok(()) => return Ok(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RemoveError::Missing { run });
            }
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(RemoveError::Missing { run })
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
    )
}

/// Deletes what others left in the trash. What cannot be deleted is left for the next time.
pub(crate) fn sweep(layout: &Layout) {
    let Ok(entries) = fs::read_dir(layout.trash()) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let _ = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            delete(&path)
        } else {
            fs::remove_file(&path)
        };
    }
}

/// Deletes a tree. What steps left may have directories that nobody may enter; they are opened first.
fn delete(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path);
            fs::remove_dir_all(path)
        }
        result => result,
    }
}

fn open_up(path: &Path) {
    each_directory(path, &mut |directory| {
        // Whether it helped shows when it is deleted.
        let _ = fs::set_permissions(directory, Permissions::from_mode(0o700));
    });
}

/// The bytes that the files of a tree take on the disk, as far as they can be seen.
pub(crate) fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    each_directory(path, &mut |directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let found = entries.filter_map(|entry| entry.metadata().ok());
        // A file with many names is only freed with the last of them.
        bytes += found
            .filter(|file| !file.is_dir() && file.nlink() == 1)
            .map(|file| file.blocks() * 512)
            .sum::<u64>();
    });
    bytes
}

/// Calls for a directory and all below it, each before what is in it, and follows no links. Needs no stack: trees that
/// steps leave may be deep.
fn each_directory(path: &Path, act: &mut dyn FnMut(&Path)) {
    let mut left = vec![path.to_owned()];
    while let Some(directory) = left.pop() {
        act(&directory);
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        left.extend(directories.map(|entry| entry.path()));
    }
}
