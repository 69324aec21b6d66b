//! Deleting directories that may be large, deep, or unwilling.
//!
//! What is to go is renamed into `trash/` first, which takes one instant and can be done while others wait; then it is
//! deleted. A directory inside of trash is not descended into but renamed up, so no depth exhausts stack, file
//! descriptors or path lengths, and threads and processes can share the work without knowing of each other. A crash
//! leaves trash, which is emptied later.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::lock::unique_name;
use crate::{Store, StoreError, layout};

/// More threads wait for the same journal.
const MOST_THREADS: usize = 4;

impl Store {
    /// Takes a file or directory out of the store; gives its path in the trash, or nothing if there was none.
    pub(crate) fn discard(&self, relative: &str) -> Result<Option<String>, StoreError> {
        let mut unlocked = false;
        loop {
            let target = format!("{}/{}", layout::TRASH, unique_name());
            match self.tree.rename_new(relative, &target) {
                Ok(()) => return Ok(Some(target)),
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::EXIST | Errno::NOTEMPTY) => {}
                Err(Errno::ACCESS) if !unlocked => {
                    unlocked = true;
                    self.make_movable(relative)?;
                }
                Err(errno) => return Err(self.tree.error("discard", relative, errno)),
            }
        }
    }

    /// Deletes what is in the trash: files, and directories with everything in them.
    pub(crate) fn empty_trash(&self, paths: impl IntoIterator<Item = String>) -> Result<(), StoreError> {
        let mut round: Vec<String> = paths.into_iter().collect();
        while !round.is_empty() {
            let found = in_parallel(&round, |directory| self.empty_directory(directory))?;
            // Directories in them have left for the trash itself, so they are empty. Where a file system skips entries
            // while others are removed, they are not, and come again.
            let left = in_parallel(&round, |directory| match self.tree.remove_directory(directory) {
                Ok(_) => Ok(Vec::new()),
                Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(vec![directory.to_owned()]),
                Err(errno) => Err(self.tree.error("delete", directory, errno)),
            })?;
            round = left.into_iter().chain(found).collect();
        }
        Ok(())
    }

    /// Deletes everything that is in the trash, whoever left it there.
    pub(crate) fn empty_all_trash(&self) -> Result<(), StoreError> {
        let entries = self.tree.list(layout::TRASH)?;
        self.empty_trash(entries.iter().map(|entry| format!("{}/{}", layout::TRASH, entry.name)))
    }

    /// Deletes the files in a directory, and moves the directories in it up; gives these. A file is deleted itself.
    fn empty_directory(&self, directory: &str) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let failed = |relative: &str, errno| self.tree.error("delete", relative, errno);
        let open = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        let mut opened = self.tree.open(directory, open, Mode::empty());
        if matches!(opened, Err(Errno::ACCESS)) {
            self.make_movable(directory)?;
            opened = self.tree.open(directory, open, Mode::empty());
        }
        let opened = match opened {
            Err(Errno::NOENT) => return Ok(found),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                self.tree.unlink(directory).map_err(|errno| failed(directory, errno))?;
                return Ok(found);
            }
            other => other.map_err(|errno| failed(directory, errno))?,
        };
        let mut unlocked = false;
        for entry in rustix::fs::Dir::read_from(&opened).map_err(|errno| failed(directory, errno))? {
            let entry = entry.map_err(|errno| failed(directory, errno))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            loop {
                match rustix::fs::unlinkat(&opened, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(Errno::ISDIR) => found.extend(self.move_up(&opened, name, directory)?),
                    Err(Errno::ACCESS) if !unlocked => {
                        unlocked = true;
                        self.make_movable(directory)?;
                        continue;
                    }
                    Err(errno) => return Err(failed(directory, errno)),
                }
                break;
            }
        }
        Ok(found)
    }

    /// Moves a directory to the trash's top.
    fn move_up(
        &self,
        parent: &rustix::fd::OwnedFd,
        name: &std::ffi::CStr,
        within: &str,
    ) -> Result<Option<String>, StoreError> {
        let trash = self
            .tree
            .open(layout::TRASH, rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY, Mode::empty())
            .map_err(|errno| self.tree.error("open", layout::TRASH, errno))?;
        let mut unlocked = false;
        loop {
            let target = unique_name();
            match rustix::fs::renameat(parent, name, &trash, target.as_str()) {
                Ok(()) => return Ok(Some(format!("{}/{target}", layout::TRASH))),
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(Errno::ACCESS) if !unlocked => {
                    // Moving a directory writes its `..`, so it must be writable, and so must the one that it is in.
                    unlocked = true;
                    self.make_movable(within)?;
                    let changed = rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty());
                    changed.map_err(|errno| self.tree.error("unlock", within, errno))?;
                }
                Err(errno) => return Err(self.tree.error("delete", within, errno)),
            }
        }
    }

    /// Gives the owner all rights to a directory, without which an ordinary user can neither move nor empty it.
    fn make_movable(&self, relative: &str) -> Result<(), StoreError> {
        self.tree.unlock_directory(relative).map_err(|errno| self.tree.error("unlock", relative, errno))
    }
}

/// Does something with each path, on a few threads; gives all results, or the first error once all are done.
fn in_parallel(
    paths: &[String],
    work: impl Fn(&str) -> Result<Vec<String>, StoreError> + Sync,
) -> Result<Vec<String>, StoreError> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut results = Vec::new();
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            results.push(work(path));
        }
        results
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    // Starting a thread costs as much as deleting a few directories.
    let threads = cores.min(MOST_THREADS).min(paths.len() / 16);
    let results: Vec<Result<Vec<String>, StoreError>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let own = share();
        others
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .chain(own)
            .collect()
    });
    let mut all = Vec::new();
    for result in results {
        all.extend(result?);
    }
    Ok(all)
}
