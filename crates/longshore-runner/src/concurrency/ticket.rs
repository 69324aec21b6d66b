//! A place in a group.

use std::fs::{self, File};
use std::path::PathBuf;

use super::entry::Entry;
use super::group::Groups;

/// A place in a group; it is given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    groups: Groups,
    directory: PathBuf,
    entry: Entry,
    /// Holds the lock.
    file: Option<File>,
    name: String,
    runs: bool,
}

/// How one stands in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another one runs.
    Waiting,
    /// It may run.
    Running,
    /// A newer one wants it to end.
    Cancelled,
}

impl Ticket {
    pub(super) fn new(
        groups: Groups,
        directory: PathBuf,
        entry: Entry,
        file: File,
        name: String,
        runs: bool,
    ) -> Self {
        Self { groups, directory, entry, file: Some(file), name, runs }
    }

    /// The group's name as it was written.
    pub(crate) fn group(&self) -> &str {
        &self.name
    }

    /// How it stands now. Whoever waits and is next runs from here on.
    pub(crate) fn standing(&mut self) -> Standing {
        if self.entry.is_to_end() {
            return Standing::Cancelled;
        }
        if !self.runs {
            self.runs = self.is_next();
        }
        if self.runs { Standing::Running } else { Standing::Waiting }
    }

    fn is_next(&self) -> bool {
        // What cannot be read now is looked at again soon.
        let Ok(Some(_turn)) = self.groups.try_turn() else { return false };
        // It may have been told to end since.
        !self.entry.is_to_end()
            && Entry::is_behind_one(&self.directory, self.entry.number).is_ok_and(|behind| !behind)
            && self.entry.mark_running().is_ok()
    }

    #[cfg(test)]
    pub(super) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// Goes as a killed process does.
    #[cfg(test)]
    pub(super) fn abandon(mut self) {
        self.file = None;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.file.is_none() {
            return;
        }
        // Without a turn, the lock alone says that it is gone.
        if let Ok(_turn) = self.groups.turn() {
            self.entry.remove();
            // Not while somebody is in it.
            let _ = fs::remove_dir(&self.directory);
        }
    }
}
