//! Which runs are kept.

use std::collections::HashMap;
use std::time::Duration;

use longshore_event::{RunId, Timestamp};

use crate::history::{FindError, History};
use crate::removal::{self, RemoveError};
use crate::run::{RunStatus, RunSummary};

/// What is kept of the history. What lives is kept always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How old a run may become, counted from its end; any age if absent.
    pub max_age: Option<Duration>,
    /// So many of the newest runs of each workflow of each project are kept whatever their age and size.
    pub keep_minimum: usize,
    /// How many bytes all runs together may take; the oldest go first.
    pub max_total_bytes: Option<u64>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What was removed, oldest first, with the bytes that it freed.
    pub removed: Vec<(RunSummary, u64)>,
    /// What could not be removed.
    pub failed: Vec<RemoveError>,
}

impl Pruned {
    /// The bytes that were freed.
    pub fn freed(&self) -> u64 {
        self.removed.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl History {
    /// The runs that need not be kept, oldest first.
    pub fn prunable(&self, retention: &Retention, now: Timestamp) -> Result<Vec<RunSummary>, FindError> {
        if retention.max_total_bytes.is_none() && self.ids()?.len() <= retention.keep_minimum {
            // No workflow has more. This is asked after every run, so records are read only if it can matter.
            return Ok(Vec::new());
        }
        let runs: Vec<RunSummary> = self.runs()?.collect();
        let mut kept: HashMap<(&str, &str), usize> = HashMap::new();
        let mut candidates = Vec::new();
        for run in &runs {
            let workflow = (run.outline.directory.as_str(), run.outline.path.as_str());
            let newer = kept.entry(workflow).or_default();
            *newer += 1;
            if *newer > retention.keep_minimum && run.status != RunStatus::Running {
                candidates.push(run);
            }
        }
        candidates.reverse();
        let mut chosen: Vec<RunSummary> = Vec::new();
        let mut excess = self.excess(retention, &runs);
        for run in candidates {
            let age = Duration::from_millis(now.0.saturating_sub(run.ended.unwrap_or(run.started).0));
            let too_old = retention.max_age.is_some_and(|limit| age > limit);
            if too_old || excess > 0 {
                if retention.max_total_bytes.is_some() {
                    excess = excess.saturating_sub(self.size(run.id));
                }
                chosen.push(run.clone());
            }
        }
        Ok(chosen)
    }

    /// Removes the runs that need not be kept. One that fails does not keep the others from being removed. Runs that
    /// never began, because their process was killed just then, go with them.
    pub fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned, FindError> {
        let mut pruned = Pruned::default();
        for run in self.prunable(retention, now)? {
            match self.remove(run.id) {
                Ok(bytes) => pruned.removed.push((run, bytes)),
                // Somebody else removed it, or goes on with it.
                Err(RemoveError::Missing { .. } | RemoveError::Running { .. }) => {}
                Err(error) => pruned.failed.push(error),
            }
        }
        for id in self.headless()? {
            match self.remove(id) {
                Ok(_) | Err(RemoveError::Missing { .. } | RemoveError::Running { .. }) => {}
                Err(error) => pruned.failed.push(error),
            }
        }
        Ok(pruned)
    }

    /// How many bytes a run takes, with all that is kept beside it.
    pub fn size(&self, run: RunId) -> u64 {
        removal::size(&self.layout().run(run))
    }

    /// How many bytes are too many.
    fn excess(&self, retention: &Retention, runs: &[RunSummary]) -> u64 {
        let Some(limit) = retention.max_total_bytes else { return 0 };
        let total: u64 = runs.iter().map(|run| self.size(run.id)).sum();
        total.saturating_sub(limit)
    }
}
