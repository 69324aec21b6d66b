//! The artifacts of a run, as a step sees them.

use std::sync::Arc;

use jiff::Timestamp;
use longshore_toolkit::artifact::{Artifact, ArtifactName, NewArtifact, StoredArtifact};
use longshore_toolkit::{ArtifactStore, BackendId, StorageError};
use thiserror::Error;

use super::super::inputs::{Given, InputError};
use crate::step::StepCall;

/// As many days as GitHub keeps artifacts at most.
const MOST_DAYS: u32 = 90;

/// The artifacts of a run.
pub(super) struct RunArtifacts {
    pub(super) store: Arc<ArtifactStore>,
    pub(super) run: BackendId,
    /// Earlier attempts, the newest first: what jobs made that are not carried out again is theirs.
    earlier: Vec<BackendId>,
    pub(super) job: BackendId,
    pub(super) now: Timestamp,
}

/// The artifacts of a run cannot be used.
#[derive(Debug, Error)]
pub(super) enum RunError {
    #[error("failed to open the store of artifacts")]
    Store(#[source] StorageError),
    #[error("`{0}` is not the id of a run")]
    Id(String),
}

impl RunArtifacts {
    /// Those of this run.
    pub(super) fn of(call: &StepCall<'_>) -> Result<Self, RunError> {
        let run = call.steps.run;
        let store = run.runner.stores.artifacts().map_err(RunError::Store)?;
        let id = run.task.facts.request.id.to_string();
        let key = run.task.voice.job.as_str();
        let key: String = key
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '.' })
            .take(100)
            .collect();
        let earlier = &run.task.facts.request.earlier;
        let job = key.parse().or_else(|_| "job".parse());
        Ok(Self {
            store,
            run: id.parse().map_err(|_| RunError::Id(id.clone()))?,
            earlier: earlier.iter().filter_map(|run| run.to_string().parse().ok()).collect(),
            job: job.map_err(|_| RunError::Id(key))?,
            now: super::super::now(call),
        })
    }

    /// Those of another run of this machine.
    pub(super) fn of_run(mut self, id: &str) -> Result<Self, RunError> {
        self.run = id.parse().map_err(|_| RunError::Id(id.to_owned()))?;
        self.earlier.clear();
        Ok(self)
    }

    pub(super) fn list(&self) -> Result<Vec<Artifact>, StorageError> {
        let mut all = self.store.list(&self.run, self.now)?;
        for run in &self.earlier {
            let older = self.store.list(run, self.now)?;
            let unknown = |artifact: &Artifact| all.iter().all(|known| known.name != artifact.name);
            let older: Vec<Artifact> = older.into_iter().filter(unknown).collect();
            all.extend(older);
        }
        Ok(all)
    }

    pub(super) fn find(&self, name: &ArtifactName) -> Result<Option<StoredArtifact>, StorageError> {
        for run in std::iter::once(&self.run).chain(&self.earlier) {
            if let Some(found) = self.store.find(run, name, self.now)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A new artifact by the inputs that all have.
    pub(super) fn new_artifact(
        &self,
        call: &StepCall<'_>,
        name: ArtifactName,
    ) -> Result<NewArtifact, InputError> {
        let given = Given(call);
        let days = given.number("retention-days", 0..=u32::MAX, "Invalid retention-days")?;
        let level = given.number("compression-level", 0..=9, "Valid values are 0-9")?;
        let usual = call
            .scope
            .text("github", "retention_days")
            .and_then(|days| days.parse().ok())
            .unwrap_or(MOST_DAYS);
        let days = match days.unwrap_or(0) {
            0 => usual,
            days if days > usual => {
                call.voice.warning(&format!(
                    "Retention days cannot be greater than the maximum allowed retention set within the repository. Using {usual} instead."
                ));
                usual
            }
            days => days,
        };
        Ok(NewArtifact {
            run: self.run.clone(),
            job: self.job.clone(),
            name,
            created: self.now,
            retention_days: days,
            compression: u8::try_from(level.unwrap_or(6)).unwrap_or(6),
            overwrite: given.boolean("overwrite", false)?,
        })
    }
}

/// Says what was made, in the log and as outputs.
pub(super) fn tell(call: &mut StepCall<'_>, artifact: &Artifact) {
    let text = |key: &str| call.scope.text("github", key).unwrap_or_default();
    let url = format!(
        "{}/{}/actions/runs/{}/artifacts/{}",
        text("server_url"),
        text("repository"),
        artifact.run,
        artifact.id
    );
    let digest = artifact.digest.strip_prefix("sha256:").unwrap_or(&artifact.digest).to_owned();
    call.voice.lines([
        format!("SHA256 digest of uploaded artifact is {digest}").as_str(),
        &format!(
            "Artifact {} has been successfully uploaded! Final size is {} bytes. Artifact ID is {}",
            artifact.name, artifact.size, artifact.id
        ),
        &format!("Artifact download URL: {url}"),
    ]);
    call.outputs.push(("artifact-id".to_owned(), artifact.id.to_string()));
    call.outputs.push(("artifact-url".to_owned(), url));
    call.outputs.push(("artifact-digest".to_owned(), digest));
}

/// A line of the list of what is downloaded.
pub(super) fn line(artifact: &Artifact) -> String {
    format!(
        "- {} (ID: {}, Size: {}, Expected Digest: {})",
        artifact.name, artifact.id, artifact.size, artifact.digest
    )
}
