//! The control group of one container: its directories, and how processes get in.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::absence::Absence;
use crate::controller::Controller;
use crate::error::CgroupError;
use crate::file;
use crate::hierarchy::Hierarchy;

/// How a process comes into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It was born in [`Cgroup::directory`], by `CLONE_INTO_CGROUP`.
    Born,
    /// It runs elsewhere and moves.
    Moved,
}

/// The control group of one container: one directory on version 2, several of the same name on version 1.
#[derive(Debug, Clone)]
pub struct Cgroup {
    pub(crate) name: String,
    pub(crate) hierarchy: Hierarchy,
    /// The directory in the tree of version 2.
    pub(crate) unified: Option<PathBuf>,
    /// The directory for each controller of version 1.
    pub(crate) legacy: BTreeMap<Controller, PathBuf>,
}

/// The directory by which processes are found, stopped and killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracker<'a> {
    /// In a tree of version 2.
    Unified(&'a Path),
    /// Of the controller `freezer`.
    Freezer(&'a Path),
    /// Of another controller: processes can be found, and not be stopped.
    Plain(&'a Path),
}

impl<'a> Tracker<'a> {
    pub(crate) const fn path(self) -> &'a Path {
        match self {
            Self::Unified(path) | Self::Freezer(path) | Self::Plain(path) => path,
        }
    }
}

impl Cgroup {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Files to which a new process writes `0` to become a member, one `write(2)` each.
    ///
    /// They are for a process with one thread, just cloned: on version 1, moving the own thread alone spares the kernel
    /// the lock that waits for all processors.
    ///
    /// # Errors
    ///
    /// When a file cannot be opened.
    pub fn join_files(&self, entry: Entry) -> Result<Vec<OwnedFd>, CgroupError> {
        let tasks = self.legacy_directories().into_iter().map(|path| path.join("tasks"));
        let unified = self.unified.as_deref().filter(|_| entry == Entry::Moved);
        let files = tasks.chain(unified.map(|path| path.join("cgroup.procs")));
        files.map(|path| open(&path, OFlags::WRONLY)).collect()
    }

    /// The directory for `CLONE_INTO_CGROUP`; `None` without a tree of version 2.
    ///
    /// # Errors
    ///
    /// When the directory cannot be opened.
    pub fn directory(&self) -> Result<Option<OwnedFd>, CgroupError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        self.unified.as_deref().map(|path| open(path, flags)).transpose()
    }

    /// The directories to show to the container, with the name of each below `/sys/fs/cgroup`: empty for the one of
    /// version 2, if it is the only one.
    pub fn view(&self) -> Vec<(String, PathBuf)> {
        if let (Hierarchy::V2(_), Some(path)) = (&self.hierarchy, &self.unified) {
            return vec![(String::new(), path.clone())];
        }
        self.legacy
            .iter()
            .map(|(controller, path)| (controller.legacy_name().to_owned(), path.clone()))
            .collect()
    }

    /// All processes in it and in what the container made below it, in no order that means anything.
    ///
    /// # Errors
    ///
    /// When a list cannot be read.
    pub fn processes(&self) -> Result<BTreeSet<i32>, CgroupError> {
        match self.tracker() {
            Some(tracker) => processes_below(tracker.path()),
            None => Ok(BTreeSet::new()),
        }
    }

    /// The directories of version 1, each once.
    pub(crate) fn legacy_directories(&self) -> BTreeSet<&Path> {
        self.legacy.values().map(PathBuf::as_path).collect()
    }

    /// All directories, each once.
    pub(crate) fn directories(&self) -> BTreeSet<&Path> {
        self.legacy.values().chain(&self.unified).map(PathBuf::as_path).collect()
    }

    /// The directory with a controller's files, if it has that controller.
    pub(crate) fn controller(&self, controller: Controller) -> Option<&Path> {
        match self.hierarchy {
            Hierarchy::V2(_) => self.unified.as_deref(),
            Hierarchy::V1(_) | Hierarchy::None(_) => self.legacy.get(&controller).map(PathBuf::as_path),
        }
    }

    pub(crate) fn tracker(&self) -> Option<Tracker<'_>> {
        let freezer = || self.legacy.get(&Controller::Freezer).map(|path| Tracker::Freezer(path));
        let plain = || self.legacy.values().next().map(|path| Tracker::Plain(path));
        self.unified.as_deref().map(Tracker::Unified).or_else(freezer).or_else(plain)
    }

    /// The tracker, or that there is none for `operation`.
    pub(crate) fn require_tracker(&self, operation: &'static str) -> Result<Tracker<'_>, CgroupError> {
        self.tracker().ok_or_else(|| CgroupError::Absent {
            operation,
            absence: self.hierarchy.absence().cloned().unwrap_or(Absence::NotMounted),
        })
    }
}

fn open(path: &Path, flags: OFlags) -> Result<OwnedFd, CgroupError> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| CgroupError::Read { path: path.to_owned(), source: error.into() })
}

/// The processes of a directory and all below it.
pub(crate) fn processes_below(root: &Path) -> Result<BTreeSet<i32>, CgroupError> {
    let mut found = BTreeSet::new();
    for directory in file::tree(root)? {
        found.extend(processes_of(&directory)?);
    }
    Ok(found)
}

/// The processes of one directory itself.
pub(crate) fn processes_of(directory: &Path) -> Result<Vec<i32>, CgroupError> {
    let path = directory.join("cgroup.procs");
    match std::fs::read_to_string(&path) {
        // 0 stands for a process of another namespace.
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 0).collect()),
        Err(error) if file::is_gone(&error) => Ok(Vec::new()),
        // A threaded group: its processes are listed by the one above it.
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => Ok(Vec::new()),
        Err(source) => Err(CgroupError::Read { path, source }),
    }
}
