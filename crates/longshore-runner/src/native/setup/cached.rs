//! The caches of package managers that set-up actions keep: restored when the tool is set up, saved at the end of the job.

use longshore_event::Conclusion;

use super::super::cache::{CachePaths, JobCaches, save_paths};
use super::super::files::JobFiles;
use super::failure::SetupError;
use crate::environment::{get, set};
use crate::handler::HandlerEnd;
use crate::step::StepCall;

/// State for the end of the action.
const PRIMARY: &str = "SETUP_CACHE_KEY";
const MATCHED: &str = "SETUP_CACHE_RESULT";
const PATHS: &str = "SETUP_CACHE_PATHS";
/// Save even if the job fails.
const ALWAYS: &str = "SETUP_CACHE_ALWAYS";

/// A cache of a package manager.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    /// What keys begin with.
    pub(super) prefix: String,
    /// What else than the first key may be restored.
    pub(super) restore: Vec<String>,
    /// What is cached.
    pub(super) paths: Vec<String>,
    /// Whether it is saved at the end.
    pub(super) save: bool,
    /// Whether it is saved even if the job fails.
    pub(super) always: bool,
}

/// What keys of caches call this machine, as the actions do.
pub(super) fn platform() -> String {
    format!("Linux-{}", crate::step::variables::architecture().to_lowercase())
}

/// The digest of the files that patterns ask for; empty if there are none.
pub(super) fn hash(call: &StepCall<'_>, patterns: &[&str]) -> Result<String, SetupError> {
    let paths = &call.steps.place.paths;
    let home = paths.outside(&paths.home);
    longshore_source::hash_files(&paths.workspace_outside(), home.as_deref(), patterns)
        .map_err(SetupError::Hash)
}

impl Cached {
    /// Restores it, for files with this digest, and says in `cache-hit` whether there was exactly that.
    pub(super) fn restore(&self, call: &mut StepCall<'_>, hash: &str) -> Result<(), SetupError> {
        let is_exact = self.find(call, hash)?;
        set(&mut call.outputs, "cache-hit", is_exact.to_string());
        Ok(())
    }

    fn find(&self, call: &mut StepCall<'_>, hash: &str) -> Result<bool, SetupError> {
        let key = format!("{}-{hash}", self.prefix);
        let mut keys = vec![key.clone()];
        keys.extend(self.restore.iter().cloned());
        let paths = CachePaths(self.paths.clone());
        let caches = JobCaches::open(call)?;
        let mut files = JobFiles::open(call.steps.place)?;
        let restored = caches.restore(&mut files, &paths, &keys, false)?;
        drop(files);
        if self.save {
            set(&mut call.state, PRIMARY, key.clone());
            set(&mut call.state, PATHS, self.paths.join("\n"));
            set(&mut call.state, ALWAYS, self.always.to_string());
        }
        let Some(restored) = restored else {
            call.voice.line(&format!("Cache is not found for {key}"));
            return Ok(false);
        };
        call.voice.line(&format!("Cache restored from key: {}", restored.key));
        set(&mut call.state, MATCHED, restored.key);
        Ok(restored.is_exact)
    }
}

/// The end of an action that keeps a cache.
pub(crate) fn post(call: &mut StepCall<'_>) -> HandlerEnd {
    let state = |name: &str| get(&call.state, name).unwrap_or_default().to_owned();
    let (key, paths) = (state(PRIMARY), CachePaths(state(PATHS).lines().map(str::to_owned).collect()));
    let wanted = call.scope.status == Conclusion::Success || state(ALWAYS) == "true";
    if key.is_empty() || !wanted {
        return HandlerEnd::success();
    }
    if state(MATCHED) == key {
        call.voice.line(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
    } else {
        save_paths(call, &paths, &key);
    }
    HandlerEnd::success()
}
