//! The store of all runs' artifacts.
//!
//! `runs/<run>/<digest of the name>/` holds `record.json`, and `tree/` with `files.ndjson`, or `archive.zip`, or
//! `content`. A tree of which somebody wanted an archive has that beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Artifact, ArtifactName, StoredArtifact};
use crate::StorageError;
use crate::content::slot;
use crate::depot::{Depot, Draft, directories, hold, remove_empty};
use crate::identifier::BackendId;
use crate::limits::Limits;

pub(super) const RECORD: &str = "record.json";
const RUNS: &str = "runs";

/// Artifacts of all runs, in one directory.
///
/// Several processes may use it at once. Whoever is killed leaves nothing that others see.
#[derive(Debug)]
pub struct ArtifactStore {
    pub(super) depot: Depot,
    pub(super) limits: Limits,
}

impl ArtifactStore {
    /// Opens the store in a directory, which is made if it is missing.
    pub fn open(directory: &Path, limits: Limits) -> Result<Self, StorageError> {
        Ok(Self { depot: Depot::open(directory)?, limits })
    }

    /// What one artifact may hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The artifacts of a run that have not expired, in the order in which they were made.
    pub fn list(&self, run: &BackendId, now: Timestamp) -> Result<Vec<Artifact>, StorageError> {
        let mut all = Vec::new();
        for path in directories(&self.depot.path(RUNS).join(run.as_str()))? {
            all.extend(read(&path)?.filter(|artifact| artifact.expires > now));
        }
        all.sort_by_key(|artifact| artifact.id);
        Ok(all)
    }

    /// Opens an artifact for reading; it stays readable while the value is kept.
    pub fn find(
        &self,
        run: &BackendId,
        name: &ArtifactName,
        now: Timestamp,
    ) -> Result<Option<StoredArtifact>, StorageError> {
        let path = self.depot.path(place(run, name));
        let Some(directory) = hold(&path)? else { return Ok(None) };
        let found = StoredArtifact::open(directory, path, self.limits)?;
        Ok(found.filter(|found| found.artifact().expires > now))
    }

    /// Removes an artifact; gives what was known of it, or `None` if there was none.
    pub fn delete(&self, run: &BackendId, name: &ArtifactName) -> Result<Option<Artifact>, StorageError> {
        let path = self.depot.path(place(run, name));
        let _turn = self.depot.turn()?;
        let known = read(&path)?;
        self.depot.discard(&path)?;
        Ok(known)
    }

    /// Removes all artifacts of a run.
    pub fn delete_run(&self, run: &BackendId) -> Result<(), StorageError> {
        let _turn = self.depot.turn()?;
        let path = self.depot.path(RUNS).join(run.as_str());
        for artifact in directories(&path)? {
            self.depot.discard(&artifact)?;
        }
        remove_empty(&path)
    }

    /// The runs that have left something.
    pub fn runs(&self) -> Result<Vec<BackendId>, StorageError> {
        let found = directories(&self.depot.path(RUNS))?;
        Ok(found.iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect())
    }

    /// Removes what has expired; says what.
    pub fn prune(&self, now: Timestamp) -> Result<Vec<Artifact>, StorageError> {
        let _turn = self.depot.turn()?;
        let mut gone = Vec::new();
        for run in directories(&self.depot.path(RUNS))? {
            for path in directories(&run)? {
                let known = read(&path)?;
                if known.as_ref().is_none_or(|artifact| artifact.expires <= now) {
                    self.depot.discard(&path)?;
                    gone.extend(known);
                }
            }
            remove_empty(&run)?;
        }
        Ok(gone)
    }

    /// Completes a draft: gives it a number, a record and its place.
    pub(super) fn publish(
        &self,
        mut draft: Draft,
        mut artifact: Artifact,
        place: &Path,
        overwrite: bool,
    ) -> Result<Artifact, StorageError> {
        let turn = self.depot.turn()?;
        artifact.id = self.depot.next_id(&turn)?;
        draft.write(RECORD, &artifact.to_json())?;
        if self.depot.publish(&mut draft, place, &turn)? {
            return Ok(artifact);
        }
        // One that has expired, or cannot be read, is in nobody's way.
        let old = read(&self.depot.path(place))?;
        if overwrite || old.is_none_or(|old| old.expires <= artifact.created) {
            self.depot.supersede(draft, place, &turn)?;
            return Ok(artifact);
        }
        Err(StorageError::ArtifactExists { name: artifact.name, run: artifact.run })
    }
}

/// Where an artifact stands. Names hold what paths cannot, so their digest is used.
pub(super) fn place(run: &BackendId, name: &ArtifactName) -> PathBuf {
    Path::new(RUNS).join(run.as_str()).join(slot(name.as_str()))
}

fn read(path: &Path) -> Result<Option<Artifact>, StorageError> {
    let path = path.join(RECORD);
    match fs::read(&path) {
        Ok(bytes) => Ok(Artifact::read(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", path, error)),
    }
}
