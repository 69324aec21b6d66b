//! All groups of this machine.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use thiserror::Error;

use super::entry::Entry;
use super::ticket::Ticket;

/// The version of what stands on the disk.
const VERSION: &str = "1";

/// How many may wait with `queue: max`, as on GitHub.
const LONGEST_QUEUE: usize = 100;

/// The groups of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    root: PathBuf,
}

/// What a run or job wants of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupWish {
    /// The group's name.
    pub(crate) name: String,
    /// End the one that runs.
    pub(crate) cancel_in_progress: bool,
    /// Leave those alone that wait.
    pub(crate) queue_all: bool,
}

impl GroupWish {
    /// Whether it is the same group, in one repository.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }
}

/// A group cannot be entered.
#[derive(Debug, Error)]
pub(crate) enum GroupError {
    /// The files cannot be made or read.
    #[error("failed to enter the concurrency group `{group}` in `{}`", path.display())]
    Files { group: String, path: PathBuf, source: io::Error },
    /// Too many wait.
    #[error("the concurrency group `{group}` is full: {LONGEST_QUEUE} wait already")]
    Full { group: String },
}

impl Groups {
    /// The groups in a directory, which need not exist yet.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { root: directory.join(VERSION) }
    }

    /// Enters a group of a repository: at once if nobody is in it, else to wait; who has to go because of it is told.
    pub(crate) fn enter(&self, repository: &str, wish: &GroupWish) -> Result<Ticket, GroupError> {
        let directory = self.root.join(directory_name(repository, &wish.name));
        let failed = |source| {
            let (group, path) = (wish.name.clone(), directory.clone());
            GroupError::Files { group, path, source }
        };
        fs::create_dir_all(&self.root).map_err(failed)?;
        let _turn = self.turn().map_err(failed)?;
        fs::create_dir_all(&directory).map_err(failed)?;
        let others = Entry::living(&directory).map_err(failed)?;
        let (running, mut waiting): (Vec<&Entry>, Vec<&Entry>) =
            others.iter().partition(|entry| entry.runs());
        waiting.retain(|entry| !entry.is_to_end());
        if wish.queue_all && waiting.len() >= LONGEST_QUEUE {
            return Err(GroupError::Full { group: wish.name.clone() });
        }
        let replaced = waiting.iter().filter(|_| !wish.queue_all || wish.cancel_in_progress);
        let ended = running.iter().filter(|_| wish.cancel_in_progress);
        for entry in replaced.chain(ended) {
            entry.tell_to_end().map_err(failed)?;
        }
        let number = others.last().map_or(1, |last| last.number.saturating_add(1));
        let entry = Entry::new(&directory, number);
        let file = OpenOptions::new().create_new(true).write(true).open(entry.path()).map_err(failed)?;
        retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive))
            .map_err(|errno| failed(errno.into()))?;
        if others.is_empty() {
            entry.mark_running().map_err(failed)?;
        }
        Ok(Ticket::new(self.clone(), directory, entry, file, wish.name.clone(), others.is_empty()))
    }

    /// Removes what those have left who were killed.
    pub(crate) fn sweep(&self) {
        let Ok(_turn) = self.turn() else { return };
        for directory in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            if directory.file_type().is_ok_and(|kind| kind.is_dir()) {
                let _ = Entry::living(&directory.path());
                // Not while somebody is in it.
                let _ = fs::remove_dir(directory.path());
            }
        }
    }

    /// Waits until nobody else changes anything, for as long as the file is open.
    pub(super) fn turn(&self) -> io::Result<File> {
        let file = self.lock()?;
        retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))?;
        Ok(file)
    }

    /// The same, unless somebody is at it just now.
    pub(super) fn try_turn(&self) -> io::Result<Option<File>> {
        let file = self.lock()?;
        match retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(Some(file)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    fn lock(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.root.join("lock"))
    }
}

/// The directory of a group. Names are anything, so they are digested.
fn directory_name(repository: &str, group: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::new()
        .chain_update(repository.to_lowercase())
        .chain_update([0])
        .chain_update(group.to_lowercase())
        .finalize();
    let mut name = String::with_capacity(40);
    for byte in digest.iter().take(20) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    fn wish(cancel_in_progress: bool, queue_all: bool) -> GroupWish {
        GroupWish { name: "Prod".to_owned(), cancel_in_progress, queue_all }
    }

    fn groups() -> (tempfile::TempDir, Groups) {
        let place = tempfile::tempdir().unwrap();
        let groups = Groups::new(place.path());
        (place, groups)
    }

    #[test]
    fn one_runs_and_the_newest_waits() {
        let (_place, groups) = groups();
        let mut first = groups.enter("o/r", &wish(false, false)).unwrap();
        let mut second =
            groups.enter("o/r", &GroupWish { name: "prod".to_owned(), ..wish(false, false) }).unwrap();
        let mut other = groups.enter("o/other", &wish(false, false)).unwrap();
        assert_eq!(first.standing(), Standing::Running);
        assert_eq!(second.standing(), Standing::Waiting);
        assert_eq!(other.standing(), Standing::Running);
        let mut third = groups.enter("o/r", &wish(false, false)).unwrap();
        assert_eq!(second.standing(), Standing::Cancelled);
        assert_eq!(first.standing(), Standing::Running);
        assert_eq!(third.standing(), Standing::Waiting);
        drop(second);
        assert_eq!(third.standing(), Standing::Waiting);
        drop(first);
        assert_eq!(third.standing(), Standing::Running);
    }

    #[test]
    fn a_cancelled_one_is_waited_for_only_if_it_runs() {
        let (_place, groups) = groups();
        let mut first = groups.enter("o/r", &wish(false, false)).unwrap();
        let mut second = groups.enter("o/r", &wish(false, false)).unwrap();
        let mut third = groups.enter("o/r", &wish(true, false)).unwrap();
        assert_eq!(first.standing(), Standing::Cancelled);
        assert_eq!(second.standing(), Standing::Cancelled);
        assert_eq!(third.standing(), Standing::Waiting, "the first clears up");
        drop(first);
        assert_eq!(third.standing(), Standing::Running, "the second never ran");
    }

    #[test]
    fn a_queue_keeps_all_in_their_order_up_to_its_length() {
        let (_place, groups) = groups();
        let first = groups.enter("o/r", &wish(false, true)).unwrap();
        let mut queue: Vec<Ticket> =
            (0..LONGEST_QUEUE).map(|_| groups.enter("o/r", &wish(false, true)).unwrap()).collect();
        assert!(matches!(groups.enter("o/r", &wish(false, true)), Err(GroupError::Full { .. })));
        drop(first);
        let standing: Vec<Standing> = queue.iter_mut().rev().map(Ticket::standing).collect();
        assert!(standing.iter().rev().skip(1).all(|standing| *standing == Standing::Waiting));
        assert_eq!(standing.last(), Some(&Standing::Running));
    }

    #[test]
    fn who_was_killed_is_not_waited_for() {
        let (place, groups) = groups();
        let ticket = groups.enter("o/r", &wish(false, false)).unwrap();
        let directory = ticket.directory().to_owned();
        // What a killed process leaves: the files, and no lock.
        ticket.abandon();
        assert!(directory.join("1.run").exists());
        let mut next = groups.enter("o/r", &wish(false, false)).unwrap();
        assert_eq!(next.standing(), Standing::Running);
        drop(next);
        assert!(!directory.exists(), "nothing is left of a group that nobody is in");
        let abandoned = groups.enter("o/r", &wish(false, false)).unwrap();
        abandoned.abandon();
        Groups::new(place.path()).sweep();
        assert!(!directory.exists());
    }

    #[test]
    fn of_many_at_once_one_runs() {
        let (_place, groups) = groups();
        let running = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    let mut ticket = groups.enter("o/r", &wish(false, true)).unwrap();
                    while ticket.standing() != Standing::Running {
                        std::thread::yield_now();
                    }
                    let others = running.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    assert_eq!(others, 0);
                    running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                });
            }
        });
    }
}
