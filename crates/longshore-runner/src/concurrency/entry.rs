//! One that entered a group, as others see it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

/// One that entered a group, as others see it. Used while it is one's turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Who came later has a higher one.
    pub(super) number: u64,
    directory: PathBuf,
}

impl Entry {
    pub(super) fn new(directory: &Path, number: u64) -> Self {
        Self { number, directory: directory.to_owned() }
    }

    /// Those of a group that live, in the order in which they came. Removes what is left of others.
    pub(super) fn living(directory: &Path) -> io::Result<Vec<Self>> {
        let mut entries = Self::all(directory)?;
        entries.retain(|entry| {
            let lives = entry.lives();
            if !lives {
                entry.remove();
            }
            lives
        });
        Ok(entries)
    }

    /// Whether one that came before `number` lives and is to be waited for. Asks as few as it can.
    pub(super) fn is_behind_one(directory: &Path, number: u64) -> io::Result<bool> {
        let before = Self::all(directory)?.into_iter().filter(|entry| entry.number != number);
        // One that was told to end while it waited never runs.
        let counts = |entry: &Self| entry.runs() || entry.number < number && !entry.is_to_end();
        Ok(before.filter(counts).any(|entry| entry.lives()))
    }

    fn all(directory: &Path) -> io::Result<Vec<Self>> {
        let found = match fs::read_dir(directory) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut entries = Vec::new();
        for file in found {
            let name = file?.file_name();
            if let Some(number) = name.to_str().and_then(|name| name.parse().ok()) {
                entries.push(Self::new(directory, number));
            }
        }
        entries.sort();
        Ok(entries)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(self.number.to_string())
    }

    fn run_path(&self) -> PathBuf {
        self.directory.join(format!("{}.run", self.number))
    }

    fn end_path(&self) -> PathBuf {
        self.directory.join(format!("{}.end", self.number))
    }

    /// Whether somebody holds it.
    fn lives(&self) -> bool {
        let Ok(file) = File::open(self.path()) else { return false };
        retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockShared)) == Err(Errno::WOULDBLOCK)
    }

    pub(super) fn runs(&self) -> bool {
        self.run_path().exists()
    }

    pub(super) fn is_to_end(&self) -> bool {
        self.end_path().exists()
    }

    pub(super) fn mark_running(&self) -> io::Result<()> {
        File::create(self.run_path()).map(drop)
    }

    /// Tells it to end; it looks a few times a second.
    pub(super) fn tell_to_end(&self) -> io::Result<()> {
        File::create(self.end_path()).map(drop)
    }

    /// Removes its files. The one that is locked goes last, so that marks are never taken for those of a later one.
    pub(super) fn remove(&self) {
        for path in [self.run_path(), self.end_path(), self.path()] {
            let _ = fs::remove_file(path);
        }
    }
}
