//! Directories in which roots are made, beside the store, so that they are on the same file system.
//!
//! **Invariants:** who works in a directory holds a lock on it, so the directories of killed processes are recognised and
//! removed by the next who makes one. Directories are made and swept under a lock on the place of all.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use longshore_engine::ImageSource;
use longshore_engine_native::NativeEngine;
use rustix::fs::{FlockOperation, flock};

use super::failure::BootstrapFailure;

/// A directory that is removed in the end.
pub(super) struct Workspace {
    path: PathBuf,
    /// Locked as long as the directory is used.
    _lock: File,
}

impl Workspace {
    /// Makes one in `place`, after removing those that killed processes left there.
    pub(super) fn make(place: &Path, engine: &NativeEngine) -> Result<Self, BootstrapFailure> {
        let failed = |source| BootstrapFailure::Workspace { path: place.to_owned(), source };
        fs::create_dir_all(place).map_err(failed)?;
        let guard = File::open(place).map_err(failed)?;
        flock(&guard, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
        sweep(place, &|abandoned| end_containers(engine, abandoned));
        Self::make_in(place).map_err(failed)
    }

    fn make_in(place: &Path) -> io::Result<Self> {
        let mut number = 0;
        loop {
            let path = place.join(format!("bootstrap-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = File::open(&path)?;
                    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the root goes. The directory above keeps other users of the machine away from it.
    pub(super) fn root(&self) -> PathBuf {
        self.path.join("root")
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes directories that nobody works in.
fn sweep(place: &Path, before: &dyn Fn(&Path)) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        let abandoned = File::open(&path)
            .ok()
            .filter(|lock| flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok());
        if abandoned.is_some() {
            before(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// A step outlives who started it. It is ended before its root is taken away.
fn end_containers(engine: &NativeEngine, abandoned: &Path) {
    for container in engine.containers().unwrap_or_default() {
        if matches!(&container.spec.image, ImageSource::Directory(root) if root.starts_with(abandoned)) {
            let _ = engine.remove(&container.id, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;

    use super::{Workspace, sweep};

    #[test]
    fn what_killed_processes_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let used = Workspace::make_in(place.path()).unwrap();
        fs::create_dir(used.root()).unwrap();
        let left = place.path().join("bootstrap-7");
        fs::create_dir_all(left.join("root/etc")).unwrap();
        let swept = RefCell::new(Vec::new());
        sweep(place.path(), &|path| swept.borrow_mut().push(path.to_owned()));
        assert_eq!(swept.into_inner(), std::slice::from_ref(&left));
        assert!(used.root().exists() && !left.exists());
        let other = Workspace::make_in(place.path()).unwrap();
        assert_ne!(other.root(), used.root());
        drop((used, other));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
