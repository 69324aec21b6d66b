//! `actions/download-artifact`.

use std::path::Path;

use longshore_toolkit::StorageError;
use longshore_toolkit::artifact::{Artifact, ArtifactName};
use thiserror::Error;

use super::super::files::{FilesError, JobFiles};
use super::super::inputs::{Given, InputError};
use super::name_pattern::{NamePattern, PatternError};
use super::run::{RunArtifacts, RunError, line};
use crate::handler::HandlerEnd;
use crate::job::chain;
use crate::step::StepCall;

/// Artifacts cannot be downloaded.
#[derive(Debug, Error)]
enum DownloadError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.")]
    Both,
    #[error("Invalid artifact ID: '{0}'. Must be a number.")]
    Id(String),
    #[error("No valid artifact IDs provided in 'artifact-ids' input")]
    NoIds,
    #[error(
        "the artifacts of `{0}` are not on this machine: only those of this repository's runs here are; `--actions=upstream` with `github-token` downloads from GitHub"
    )]
    Repository(String),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error("Artifact not found for name: {name}. {there}")]
    NotFound { name: String, there: String },
    #[error("None of the provided artifact IDs were found")]
    NoneFound,
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("failed to read the artifacts of the run")]
    List(#[source] StorageError),
    #[error("failed to download the artifact `{name}`")]
    Extract { name: String, source: StorageError },
}

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    match download(call) {
        Ok(()) => HandlerEnd::success(),
        Err(error) => HandlerEnd::failed(call, format!("Unable to download artifact(s): {}", chain(&error))),
    }
}

fn download(call: &mut StepCall<'_>) -> Result<(), DownloadError> {
    let given = Given(call);
    let name = given.text("name");
    let merge = given.boolean("merge-multiple", false)?;
    let artifacts = open(call)?;
    let chosen = choose(call, &artifacts, name)?;
    if !chosen.is_empty() {
        call.voice.line("Preparing to download the following artifacts:");
        chosen.iter().for_each(|artifact| call.voice.line(&line(artifact)));
    }
    let mut files = JobFiles::open(call.steps.place)?;
    let target = files.absolute(given.text("path"));
    // One that is asked for by its name or number needs no directory of its own.
    let by_id = !given.text("artifact-ids").is_empty() && chosen.len() == 1;
    let flat = !name.is_empty() || merge || by_id;
    for artifact in &chosen {
        let directory = if flat { target.clone() } else { target.join(&artifact.name) };
        extract(&artifacts, &mut files, artifact, &directory)?;
        call.voice.line(&format!("Artifact `{}` is in {}", artifact.name, directory.display()));
    }
    files.deliver()?;
    call.voice.line(&format!("Total of {} artifact(s) downloaded", chosen.len()));
    call.outputs.push(("download-path".to_owned(), target.display().to_string()));
    call.voice.line("Download artifact has finished successfully");
    Ok(())
}

/// The artifacts of the run that is meant.
fn open(call: &StepCall<'_>) -> Result<RunArtifacts, DownloadError> {
    let given = Given(call);
    let artifacts = RunArtifacts::of(call)?;
    let own = call.scope.text("github", "repository").unwrap_or_default();
    let repository = given.text_or("repository", &own).to_owned();
    if !repository.eq_ignore_ascii_case(&own) {
        return Err(DownloadError::Repository(repository));
    }
    match given.text("run-id") {
        "" => Ok(artifacts),
        id => Ok(artifacts.of_run(id)?),
    }
}

/// The artifacts that are asked for.
fn choose(call: &StepCall<'_>, artifacts: &RunArtifacts, name: &str) -> Result<Vec<Artifact>, DownloadError> {
    let given = Given(call);
    let ids = given.text("artifact-ids");
    let listed = artifacts.list().map_err(DownloadError::List)?;
    if !name.is_empty() {
        if !ids.is_empty() {
            return Err(DownloadError::Both);
        }
        call.voice.line("Downloading single artifact");
        let there = there(&listed);
        let found = listed.into_iter().find(|artifact| artifact.name == name);
        return found
            .map(|found| vec![found])
            .ok_or_else(|| DownloadError::NotFound { name: name.to_owned(), there });
    }
    if !ids.is_empty() {
        return by_ids(call, listed, ids);
    }
    match given.text("pattern") {
        "" => {
            call.voice
                .line("No input name, artifact-ids or pattern filtered specified, downloading all artifacts");
            if !given.boolean("merge-multiple", false)? {
                call.voice
                    .line("An extra directory with the artifact name will be created for each download");
            }
            Ok(listed)
        }
        text => {
            call.voice.line(&format!("Filtering artifacts by pattern '{text}'"));
            let pattern = NamePattern::parse(text)?;
            Ok(listed.into_iter().filter(|artifact| pattern.matches(&artifact.name)).collect())
        }
    }
}

fn by_ids(call: &StepCall<'_>, listed: Vec<Artifact>, ids: &str) -> Result<Vec<Artifact>, DownloadError> {
    call.voice.line("Downloading artifacts by ID");
    let texts = ids.split(',').map(str::trim).filter(|text| !text.is_empty());
    let ids = texts.map(|text| text.parse::<u64>().map_err(|_| DownloadError::Id(text.to_owned())));
    let ids: Vec<u64> = ids.collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Err(DownloadError::NoIds);
    }
    let missing: Vec<String> = ids
        .iter()
        .filter(|id| !listed.iter().any(|known| known.id == **id))
        .map(ToString::to_string)
        .collect();
    let found: Vec<Artifact> = listed.into_iter().filter(|artifact| ids.contains(&artifact.id)).collect();
    if found.is_empty() {
        return Err(DownloadError::NoneFound);
    }
    if !missing.is_empty() {
        call.voice.warning(&format!("Could not find the following artifact IDs: {}", missing.join(", ")));
    }
    Ok(found)
}

/// What there is, for who asked for something else.
fn there(listed: &[Artifact]) -> String {
    if listed.is_empty() {
        return "The run has no artifacts (a job that uploads them must be in `needs`).".to_owned();
    }
    let names: Vec<&str> = listed.iter().map(|artifact| artifact.name.as_str()).collect();
    format!("The run has: {}.", names.join(", "))
}

fn extract(
    artifacts: &RunArtifacts,
    files: &mut JobFiles<'_>,
    artifact: &Artifact,
    directory: &Path,
) -> Result<(), DownloadError> {
    let failed = |source| DownloadError::Extract { name: artifact.name.clone(), source };
    let name: ArtifactName =
        artifact.name.parse().map_err(|error| failed(StorageError::ArtifactName(error)))?;
    let stored = artifacts.find(&name).map_err(failed)?;
    let stored = stored.ok_or_else(|| DownloadError::NotFound {
        name: artifact.name.clone(),
        there: "It was removed meanwhile.".to_owned(),
    })?;
    let place = files.destination(directory)?;
    stored.extract(files.root(), &place).map_err(failed)?;
    Ok(())
}
