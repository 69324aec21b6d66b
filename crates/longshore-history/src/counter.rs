//! The numbers that are given out: ids of runs, and which run of its workflow each is.
//!
//! They are kept in one small file, so that a number is not given out again when the runs that had it are gone. If it is
//! lost, it is made anew of the runs that are there. It is read and written under the lock of the whole directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{fs, io};

use longshore_event::RunId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::layout::Layout;
use crate::run::Run;

/// The version of the directory.
const VERSION: u32 = 1;

/// Why there is no number for a new run.
#[derive(Debug, Error)]
pub enum CounterError {
    /// The directory was written by a program that is newer.
    #[error("the history in `{}` has version {found}, which this program does not know", path.display())]
    Newer {
        /// The file that says so.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A file cannot be read.
    #[error("failed to read the counters in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("failed to write the counters in `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct CountersDto {
    version: u32,
    /// The last id that was given out.
    last: u64,
    /// The last number of each workflow, by directory of the project and path of the workflow.
    workflows: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What every version has.
#[derive(Debug, Deserialize)]
struct VersionDto {
    version: u32,
}

impl CountersDto {
    /// What the file says; if there is none, or it is damaged, what the runs say.
    pub(crate) fn load(layout: &Layout) -> Result<Self, CounterError> {
        let path = layout.counters();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(CounterError::Read { path, source }),
        };
        match serde_json::from_slice::<VersionDto>(&bytes) {
            Ok(VersionDto { version: found }) if found > VERSION => Err(CounterError::Newer { path, found }),
            _ => match serde_json::from_slice(&bytes) {
                Ok(counters) => Ok(counters),
                Err(_) => Self::of_runs(layout).map_err(|source| CounterError::Read { path, source }),
            },
        }
    }

    fn of_runs(layout: &Layout) -> io::Result<Self> {
        let mut counters = Self { version: VERSION, ..Self::default() };
        for id in layout.ids()? {
            counters.last = counters.last.max(id.0);
            if let Ok(summary) = Run::at(id, layout.run(id)).summary() {
                let last = counters.number_mut(&summary.outline.directory, &summary.outline.path);
                *last = summary.outline.number.max(*last);
            }
        }
        Ok(counters)
    }

    /// The id after the last; `None` after the very last.
    pub(crate) fn next_id(&mut self) -> Option<RunId> {
        self.last = self.last.checked_add(1)?;
        Some(RunId(self.last))
    }

    /// The next number of a workflow.
    pub(crate) fn next_number(&mut self, directory: &str, workflow: &str) -> u64 {
        let last = self.number_mut(directory, workflow);
        *last = last.saturating_add(1);
        *last
    }

    fn number_mut(&mut self, directory: &str, workflow: &str) -> &mut u64 {
        let workflows = self.workflows.entry(directory.to_owned()).or_default();
        workflows.entry(workflow.to_owned()).or_default()
    }

    /// Writes the file: elsewhere, and renamed.
    pub(crate) fn store(&self, layout: &Layout) -> Result<(), CounterError> {
        let path = layout.counters();
        let temporary = path.with_extension("json.new");
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        let written =
            bytes.and_then(|bytes| fs::write(&temporary, bytes)).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|source| CounterError::Write { path, source })
    }
}
