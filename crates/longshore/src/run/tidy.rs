//! What is removed with time: runs by the settings, with what they have left, artifacts that have expired, caches that nobody
//! used for a week or that no longer fit.
//!
//! Old runs are looked for whenever runs have ended. The rest is looked for once an hour at most, by whoever ends a run then:
//! what has expired is never given out, so nobody waits for it to go. Artifacts whose run is gone go then, too, so that it does
//! not matter when a removal was interrupted.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use longshore_event::RunId;
use longshore_history::{FindError, History};
use longshore_report::render_error;
use longshore_runner::Stores;
use longshore_toolkit::StorageError;
use thiserror::Error;

use crate::cli::Session;
use crate::exit::Blame;
use crate::failure::Explained;
use crate::wiring::Wiring;

/// How often artifacts and caches are looked through.
const INTERVAL: Duration = Duration::from_hours(1);

/// Something that need not be kept was not removed.
#[derive(Debug, Error)]
pub(crate) enum TidyError {
    #[error("failed to look for old runs")]
    Runs(#[source] FindError),
    #[error("failed to remove the artifacts of run {run}")]
    Artifacts { run: RunId, source: StorageError },
    #[error("failed to look for artifacts that have expired")]
    Expired(#[source] StorageError),
    #[error("failed to look for caches that nobody uses in `{}`", path.display())]
    Caches { path: PathBuf, source: StorageError },
}

impl Explained for TidyError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }
}

/// Removes what the settings say need not be kept. What cannot be removed is told, and is no failure of whoever ends a run.
pub(crate) fn tidy(history: &History, session: &mut Session) {
    let stamp = session.settings.home.value.join("tidied");
    let age = fs::metadata(&stamp).and_then(|found| found.modified()).ok().and_then(|at| {
        // A time that lies ahead says nothing.
        Wiring::now().duration_since(at).ok()
    });
    let mut tidied = runs(history, session);
    if age.is_none_or(|age| age >= INTERVAL) {
        tidied = tidied.and_then(|()| leftovers(history, session));
        // If it cannot be written, the next one looks again.
        let _ = fs::write(&stamp, "");
    }
    if let Err(error) = tidied {
        let style = session.output.talk_style();
        session.output.talk(&format!("note: {}", render_error(&error, None, style)));
    }
}

fn runs(history: &History, session: &Session) -> Result<(), TidyError> {
    let pruned = history.prune(&session.wiring().retention(), super::now()).map_err(TidyError::Runs)?;
    pruned.removed.iter().try_for_each(|(run, _)| artifacts_of(run.id, session))
}

/// Removes the artifacts of a run that was removed.
pub(crate) fn artifacts_of(run: RunId, session: &Session) -> Result<(), TidyError> {
    let failed = |source| TidyError::Artifacts { run, source };
    if !session.wiring().artifacts_directory().is_dir() {
        return Ok(());
    }
    let Ok(id) = run.to_string().parse() else { return Ok(()) };
    session.wiring().artifacts().and_then(|store| store.delete_run(&id)).map_err(failed)
}

/// Removes artifacts that have expired or whose run is gone, and caches that are not kept.
pub(crate) fn leftovers(history: &History, session: &Session) -> Result<(), TidyError> {
    let now = Wiring::moment();
    if session.wiring().artifacts_directory().is_dir() {
        let store = session.wiring().artifacts().map_err(TidyError::Expired)?;
        store.prune(now).map_err(TidyError::Expired)?;
        for id in store.runs().map_err(TidyError::Expired)? {
            let run = id.as_str().parse().ok().map(RunId);
            if let Some(run) = run.filter(|run| matches!(history.run(*run), Err(FindError::Missing { .. }))) {
                store.delete_run(&id).map_err(|source| TidyError::Artifacts { run, source })?;
            }
        }
    }
    let caches = session.wiring().caches_directory();
    Stores::prune_caches(&caches, now).map_err(|(path, source)| TidyError::Caches { path, source })
}
