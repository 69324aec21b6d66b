//! What is kept of failed jobs, beside the records of their runs: only of the newest run of each workflow.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use longshore_engine::Engine;
use longshore_event::RunId;
use longshore_history::{History, Run};
use longshore_runner::{KeptError, KeptJob};

use crate::cli::Session;
use crate::exit::Blame;
use crate::failure::Explained;

impl Explained for KeptError {
    fn blame(&self) -> Blame {
        match self {
            Self::Busy { .. } => Blame::User,
            Self::Record { .. } | Self::Remove { .. } => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Busy { .. } => Some("leave the shell first, or wait for the end of the run".to_owned()),
            Self::Record { .. } | Self::Remove { .. } => None,
        }
    }
}

/// Where a run keeps its failed jobs.
pub(crate) fn directory(run: &Path) -> PathBuf {
    run.join("kept")
}

/// The runs of which jobs are kept, with these jobs; newest first. Few have any, so that no record of others is read.
pub(crate) fn all(history: &History) -> Vec<(RunId, Vec<KeptJob>)> {
    let entries = std::fs::read_dir(history.directory()).into_iter().flatten().flatten();
    let mut kept: Vec<(RunId, Vec<KeptJob>)> = entries
        .filter_map(|entry| {
            let run = RunId(entry.file_name().to_str()?.parse().ok()?);
            let jobs = KeptJob::list(&directory(&entry.path()));
            (!jobs.is_empty()).then_some((run, jobs))
        })
        .collect();
    kept.sort_by_key(|(run, _)| std::cmp::Reverse(*run));
    kept
}

/// The runs whose sandboxes are still wanted. A job that was resumed has the sandbox of the run that made it.
pub(crate) fn owners(history: &History) -> HashSet<RunId> {
    all(history).iter().flat_map(|(_, jobs)| jobs.iter().map(KeptJob::run)).collect()
}

/// Removes what is kept of earlier runs of a workflow. What somebody works with stays.
pub(crate) fn discard_older(
    history: &History,
    engine: &dyn Engine,
    project: &str,
    workflow: &str,
    session: &mut Session,
) {
    for (run, jobs) in all(history) {
        let Ok(found) = history.run(run) else { continue };
        let is_older = found
            .summary()
            .is_ok_and(|summary| summary.outline.directory == project && summary.outline.path == workflow);
        if is_older && !found.is_alive().unwrap_or(true) {
            discard(engine, &jobs, session);
        }
    }
}

/// Removes what is kept of a run that is removed itself.
pub(crate) fn discard_run(run: &Run, session: &mut Session) {
    let jobs = KeptJob::list(&directory(run.directory()));
    if jobs.is_empty() {
        return;
    }
    // What cannot be removed now is swept by the next run, which finds no record that wants it.
    if let Ok(engine) = session.wiring().engine() {
        discard(&engine, &jobs, session);
    }
}

fn discard(engine: &dyn Engine, jobs: &[KeptJob], session: &mut Session) {
    for job in jobs {
        if let Err(error) = job.discard(engine) {
            session.output.talk(&format!("note: {error}\n"));
        }
    }
}
