//! Directories that appear whole: made under another name and renamed, by several processes at once.
//!
//! A draft is a directory `.draft-…` beside its place, on which its maker has a lock as long as it lives. What a killed
//! process left has no lock; who makes the next draft removes it. Both happen under one lock of the directory around.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

const PREFIX: &str = ".draft-";

/// A directory that is being made. Removed when dropped, unless it got its place.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) path: PathBuf,
    is_placed: bool,
    _lock: OwnedFd,
}

impl Draft {
    /// Makes an empty draft in `around`, which is made if it is missing, and removes what dead processes left there.
    pub(crate) fn new(around: &Path) -> io::Result<Self> {
        fs::create_dir_all(around)?;
        let gate = locked(around, FlockOperation::LockExclusive)?;
        sweep(around)?;
        let path = unused(around)?;
        let lock = locked(&path, FlockOperation::LockExclusive)?;
        drop(gate);
        Ok(Self { path, is_placed: false, _lock: lock })
    }

    /// Moves it to its place. If somebody was there before, that stays, and is as good.
    pub(crate) fn publish(mut self, place: &Path) -> io::Result<()> {
        match fs::rename(&self.path, place) {
            Err(_) if place.is_dir() => Ok(()),
            other => {
                self.is_placed = other.is_ok();
                other
            }
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The name may be somebody else's by now if it was given up by renaming.
        if !self.is_placed {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn locked(directory: &Path, operation: FlockOperation) -> io::Result<OwnedFd> {
    let handle = open(directory, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    loop {
        match flock(&handle, operation) {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other.map(|()| handle)?),
        }
    }
}

/// Removes drafts that nobody has locked.
fn sweep(around: &Path) -> io::Result<()> {
    for entry in fs::read_dir(around)? {
        let entry = entry?;
        let is_draft = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // Whoever removes or renames it meanwhile has done with it.
        if is_draft && let Ok(_lock) = locked(&entry.path(), FlockOperation::NonBlockingLockExclusive) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn unused(around: &Path) -> io::Result<PathBuf> {
    for attempt in 0_u32..10_000 {
        let path = around.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Draft;

    #[test]
    fn drafts_of_the_living_stay_and_others_go() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(".draft-1-0");
        fs::create_dir_all(left.join("deep")).unwrap();
        let first = Draft::new(directory.path()).unwrap();
        assert!(!left.exists(), "nobody had it locked");
        fs::write(first.path.join("file"), "1").unwrap();
        let second = Draft::new(directory.path()).unwrap();
        assert!(first.path.join("file").exists(), "its maker lives");
        let place = directory.path().join("place");
        first.publish(&place).unwrap();
        second.publish(&place).unwrap();
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "1", "who was first stays");
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["place"]);
    }
}
