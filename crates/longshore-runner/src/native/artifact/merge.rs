//! `actions/upload-artifact/merge`: one artifact of several.

use longshore_toolkit::StorageError;
use longshore_toolkit::artifact::{Artifact, SourceFile};

use super::super::files::JobFiles;
use super::super::inputs::Given;
use super::name_pattern::NamePattern;
use super::run::{RunArtifacts, line, tell};
use super::upload::{IfNone, UploadError, artifact_name};
use crate::handler::HandlerEnd;
use crate::job::chain;
use crate::step::StepCall;

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    match merge(call) {
        Ok(()) => HandlerEnd::success(),
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}

fn merge(call: &mut StepCall<'_>) -> Result<(), UploadError> {
    let given = Given(call);
    let name = artifact_name(given.text_or("name", "merged-artifacts"))?;
    let pattern = NamePattern::parse(given.text_or("pattern", "*"))?;
    let if_none = IfNone::parse(given.text("if-no-files-found"), IfNone::Error)?;
    let separate = given.boolean("separate-directories", false)?;
    let delete = given.boolean("delete-merged", false)?;
    let artifacts = RunArtifacts::of(call)?;
    let failed = |source| UploadError::Store { name: name.to_string(), source };
    let listed = artifacts.list().map_err(failed)?;
    let chosen: Vec<Artifact> =
        listed.into_iter().filter(|artifact| pattern.matches(&artifact.name)).collect();
    if chosen.is_empty() {
        let message =
            format!("No artifacts were found with the provided pattern: {}.", given.text_or("pattern", "*"));
        return match if_none {
            IfNone::Error => Err(UploadError::NoArtifacts(message)),
            IfNone::Warn => {
                call.voice.warning(&message);
                Ok(())
            }
            IfNone::Ignore => {
                call.voice.line(&message);
                Ok(())
            }
        };
    }
    call.voice.line("Preparing to download the following artifacts:");
    chosen.iter().for_each(|artifact| call.voice.line(&line(artifact)));
    let files = JobFiles::open(call.steps.place)?;
    let place = files.scratch("merge")?;
    let mut sources: Vec<SourceFile> = Vec::new();
    for artifact in &chosen {
        let stored = artifacts.find(&artifact_name(&artifact.name)?).map_err(failed)?;
        let Some(stored) = stored else { continue };
        let target = if separate { place.join(&artifact.name) } else { place.clone() };
        stored.extract(files.root(), &target).map_err(failed)?;
        for file in stored.files().map_err(failed)? {
            let named = if separate { format!("{}/{}", artifact.name, file.name) } else { file.name.clone() };
            // Of files of one name the last one has stayed.
            sources.retain(|source| source.name != named);
            sources.push(SourceFile { source: target.join(&file.name), name: named });
        }
    }
    let new = artifacts.new_artifact(call, name.clone())?;
    let saved = artifacts.store.save_files(&new, files.root(), &sources).map_err(|source| match source {
        StorageError::ArtifactExists { name, .. } => UploadError::Taken(name),
        source => failed(source),
    })?;
    tell(call, &saved);
    call.voice.line(&format!("The {} artifact(s) have been successfully merged!", chosen.len()));
    if delete {
        for artifact in &chosen {
            artifacts.store.delete(&artifacts.run, &artifact_name(&artifact.name)?).map_err(failed)?;
        }
        call.voice.line(&format!("The {} artifact(s) have been deleted", chosen.len()));
    }
    Ok(())
}
