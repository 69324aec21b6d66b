//! The caches that a job reads and writes.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use longshore_source::GlobError;
use longshore_toolkit::cache::{
    CacheForm, CacheKey, CacheKeyError, CacheScopes, NewCache, Saved, cache_version,
};
use longshore_toolkit::{CacheStore, StorageError, Transferred};
use thiserror::Error;

use super::super::files::{FilesError, JobFiles};
use super::paths::{CachePaths, place_of};
use crate::step::StepCall;

/// How entries of our own are packed: not at all.
const PACKING: &str = "longshore-tree";

/// As many keys as GitHub takes.
const MOST_KEYS: usize = 10;

/// The caches that a job reads and writes.
pub(crate) struct JobCaches {
    store: Arc<CacheStore>,
    scopes: CacheScopes,
    now: Timestamp,
}

/// What was restored, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Its key.
    pub(crate) key: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// Whether the first key was asked for and found.
    pub(crate) is_exact: bool,
}

/// A cache cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CacheError {
    #[error("failed to open the store of caches")]
    Open(#[source] StorageError),
    #[error("Key Validation Error: {key} cannot be used")]
    Key { key: String, source: CacheKeyError },
    #[error("Key Validation Error: Keys are limited to a maximum of {MOST_KEYS}.")]
    Keys,
    #[error(transparent)]
    Glob(#[from] GlobError),
    #[error("failed to use the files of the cache")]
    Files(#[from] FilesError),
    #[error("failed to look for a cache")]
    Find(#[source] StorageError),
    #[error("failed to restore the cache `{key}`")]
    Restore { key: String, source: StorageError },
    #[error(
        "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved."
    )]
    Nothing,
    #[error("Failed to save: Unable to reserve cache with key {0}, another job may be creating this cache.")]
    Taken(String),
    #[error("this run comes from a fork, so it saves no cache")]
    Untrusted,
    #[error("failed to save the cache `{key}`")]
    Save { key: String, source: StorageError },
}

impl JobCaches {
    pub(crate) fn open(call: &StepCall<'_>) -> Result<Self, CacheError> {
        let run = call.steps.run;
        let request = &run.task.facts.request;
        let store = run.runner.stores.caches(&request.project).map_err(CacheError::Open)?;
        let scopes = request.cache_scopes();
        Ok(Self { store, scopes, now: super::super::now(call) })
    }

    /// Restores what the first of some keys finds, that failing by their beginnings; with `look` it is only looked for.
    pub(crate) fn restore(
        &self,
        files: &mut JobFiles<'_>,
        paths: &CachePaths,
        keys: &[String],
        look: bool,
    ) -> Result<Option<Restored>, CacheError> {
        if keys.len() > MOST_KEYS {
            return Err(CacheError::Keys);
        }
        let parsed: Vec<CacheKey> = keys.iter().map(|key| parse(key)).collect::<Result<_, _>>()?;
        let version = cache_version(&paths.0, PACKING);
        let found = self.store.find(&parsed, &version, &self.scopes, self.now).map_err(CacheError::Find)?;
        let Some(found) = found else { return Ok(None) };
        let key = found.entry().key.clone();
        if !look && let CacheForm::Tree(labels) = &found.entry().form {
            let mut places: Vec<(String, PathBuf)> = Vec::new();
            for label in labels {
                let place = files.destination(&place_of(files.paths(), label))?;
                places.push((label.clone(), place));
            }
            let place =
                |label: &str| places.iter().find(|(known, _)| known == label).map(|(_, place)| place.clone());
            found
                .restore(files.root(), place)
                .map_err(|source| CacheError::Restore { key: key.clone(), source })?;
            files.deliver()?;
        }
        let is_exact = keys.first().is_some_and(|first| first.to_lowercase() == key.to_lowercase());
        Ok(Some(Restored { size: found.entry().size, key, is_exact }))
    }

    /// Saves what is there of some paths.
    pub(crate) fn save(
        &self,
        files: &mut JobFiles<'_>,
        paths: &CachePaths,
        key: &str,
    ) -> Result<Transferred, CacheError> {
        let new = NewCache {
            key: parse(key)?,
            version: cache_version(&paths.0, PACKING),
            scope: self.scopes.write.clone().ok_or(CacheError::Untrusted)?,
            created: self.now,
        };
        let parts = paths.parts(files)??;
        if parts.is_empty() {
            return Err(CacheError::Nothing);
        }
        match self.store.save_files(&new, files.root(), &parts) {
            Ok((Saved::New(_), done)) => Ok(done),
            Ok((Saved::Taken, _)) => Err(CacheError::Taken(key.to_owned())),
            Err(source) => Err(CacheError::Save { key: key.to_owned(), source }),
        }
    }
}

fn parse(key: &str) -> Result<CacheKey, CacheError> {
    key.parse().map_err(|source| CacheError::Key { key: key.to_owned(), source })
}
