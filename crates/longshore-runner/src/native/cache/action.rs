//! `actions/cache`, `actions/cache/restore` and `actions/cache/save`.

use longshore_event::Conclusion;
use thiserror::Error;

use super::super::files::{FilesError, JobFiles};
use super::super::inputs::{Given, InputError};
use super::store::{CacheError, JobCaches};
use super::{CachePaths, Restored};
use crate::environment::{get, set};
use crate::handler::HandlerEnd;
use crate::job::chain;
use crate::step::StepCall;

/// State for the end of the action.
const PRIMARY: &str = "CACHE_KEY";
const MATCHED: &str = "CACHE_RESULT";

/// A cache cannot be restored.
#[derive(Debug, Error)]
enum RestoreError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {0}")]
    Miss(String),
}

/// `actions/cache`: restores now, and saves at the end.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    match find(call) {
        Ok((primary, restored)) => {
            set(&mut call.state, PRIMARY, primary);
            if let Some(restored) = restored {
                set(&mut call.state, MATCHED, restored.key);
            }
            HandlerEnd::success()
        }
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}

/// `actions/cache/restore`.
pub(crate) fn restore(call: &mut StepCall<'_>) -> HandlerEnd {
    match find(call) {
        Ok((primary, restored)) => {
            set(&mut call.outputs, "cache-primary-key", primary);
            if let Some(restored) = restored {
                set(&mut call.outputs, "cache-matched-key", restored.key);
            }
            HandlerEnd::success()
        }
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}

/// Restores, says what was found, and gives the key that was asked for.
fn find(call: &mut StepCall<'_>) -> Result<(String, Option<Restored>), RestoreError> {
    let given = Given(call);
    let primary = given.required("key")?.to_owned();
    given.required("path")?;
    let paths = CachePaths(given.lines("path"));
    let mut keys = vec![primary.clone()];
    keys.extend(given.lines("restore-keys"));
    let fail = given.boolean("fail-on-cache-miss", false)?;
    let look = given.boolean("lookup-only", false)?;
    given.boolean("enableCrossOsArchive", false)?;
    let caches = JobCaches::open(call)?;
    let mut files = JobFiles::open(call.steps.place)?;
    let restored = caches.restore(&mut files, &paths, &keys, look)?;
    let Some(restored) = restored else {
        if fail {
            return Err(RestoreError::Miss(primary));
        }
        call.voice.line(&format!("Cache not found for input keys: {}", keys.join(", ")));
        return Ok((primary, None));
    };
    let kind = if restored.is_exact { "Cache hit for" } else { "Cache hit for restore-key" };
    call.voice.line(&format!("{kind}: {}", restored.key));
    if look {
        call.voice.line(&format!("Cache found and can be restored from key: {}", restored.key));
    } else {
        let size = restored.size;
        call.voice.line(&format!("Cache Size: ~{} MB ({size} B)", (size + (1 << 19)) >> 20));
        call.voice.line("Cache restored successfully");
        call.voice.line(&format!("Cache restored from key: {}", restored.key));
    }
    set(&mut call.outputs, "cache-hit", restored.is_exact.to_string());
    Ok((primary, Some(restored)))
}

/// The end of `actions/cache`.
pub(crate) fn post(call: &mut StepCall<'_>) -> HandlerEnd {
    // An action without a condition of its own would also end after a failure.
    if call.scope.status != Conclusion::Success {
        return HandlerEnd::success();
    }
    let key = get(&call.state, PRIMARY).map(str::to_owned);
    let key = key.unwrap_or_else(|| Given(call).text("key").to_owned());
    let matched = get(&call.state, MATCHED).unwrap_or_default().to_lowercase();
    if matched == key.to_lowercase() {
        call.voice.line(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
        return HandlerEnd::success();
    }
    save_key(call, &key);
    HandlerEnd::success()
}

/// `actions/cache/save`.
pub(crate) fn save(call: &mut StepCall<'_>) -> HandlerEnd {
    let given = Given(call);
    let (key, path) = (given.required("key"), given.required("path"));
    match (key.map(str::to_owned), path.map(drop)) {
        (Ok(key), Ok(())) => {
            if !save_key(call, &key) {
                call.voice.warning("Cache save failed.");
            }
            HandlerEnd::success()
        }
        (Err(error), _) | (_, Err(error)) => HandlerEnd::failed(call, error.to_string()),
    }
}

/// Saves; that it fails is a warning. Whether it was saved.
fn save_key(call: &StepCall<'_>, key: &str) -> bool {
    let paths = CachePaths(Given(call).lines("path"));
    save_paths(call, &paths, key)
}

/// Saves some paths; that it fails is a warning. Whether they were saved.
pub(crate) fn save_paths(call: &StepCall<'_>, paths: &CachePaths, key: &str) -> bool {
    let saved = JobCaches::open(call).and_then(|caches| {
        let mut files = JobFiles::open(call.steps.place)?;
        caches.save(&mut files, paths, key)
    });
    match saved {
        Ok(done) => {
            let size = done.bytes;
            call.voice.line(&format!("Cache Size: ~{} MB ({size} B)", (size + (1 << 19)) >> 20));
            if done.skipped > 0 {
                call.voice.warning(&format!("{} devices, pipes and sockets were not cached", done.skipped));
            }
            call.voice.line(&format!("Cache saved with key: {key}"));
            true
        }
        Err(error @ (CacheError::Taken(_) | CacheError::Untrusted)) => {
            call.voice.line(&error.to_string());
            false
        }
        Err(error) => {
            call.voice.warning(&chain(&error));
            false
        }
    }
}
