//! `actions/upload-artifact`.

use std::path::{Component, Path, PathBuf};

use longshore_source::{GlobError, GlobSet};
use longshore_toolkit::StorageError;
use longshore_toolkit::artifact::{ArtifactName, NameError, SourceFile};
use thiserror::Error;

use super::super::action_version::ActionVersion;
use super::super::files::{FilesError, Found, JobFiles, search};
use super::super::inputs::{Given, InputError};
use super::run::{RunArtifacts, RunError, tell};
use crate::handler::HandlerEnd;
use crate::job::{Kind, chain};
use crate::step::StepCall;

/// An artifact cannot be uploaded.
#[derive(Debug, Error)]
pub(super) enum UploadError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("Unrecognized if-no-files-found input. Provided: {0}. Available options: warn,error,ignore")]
    IfNone(String),
    #[error("The artifact name is not valid: {name}")]
    Name { name: String, source: NameError },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Glob(#[from] GlobError),
    #[error("failed to find the files of the artifact")]
    Files(#[from] FilesError),
    #[error("No files were found with the provided path: {0}. No artifacts will be uploaded.")]
    None(String),
    #[error(
        "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this name already exists on the workflow run (`{0}`; `overwrite: true` replaces it)"
    )]
    Taken(String),
    #[error("{0}")]
    NoArtifacts(String),
    #[error(transparent)]
    Pattern(#[from] super::name_pattern::PatternError),
    #[error("`{}` is neither a file nor a directory, and cannot be uploaded", .0.display())]
    Kind(PathBuf),
    #[error("failed to keep the artifact `{name}`")]
    Store { name: String, source: StorageError },
}

/// What happens if there is nothing to upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfNone {
    Warn,
    Error,
    Ignore,
}

impl IfNone {
    pub(super) fn parse(text: &str, default: Self) -> Result<Self, UploadError> {
        match text {
            "" => Ok(default),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            "ignore" => Ok(Self::Ignore),
            other => Err(UploadError::IfNone(other.to_owned())),
        }
    }
}

/// Carries it out.
pub(crate) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    match upload(call) {
        Ok(()) => HandlerEnd::success(),
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}

fn upload(call: &mut StepCall<'_>) -> Result<(), UploadError> {
    let given = Given(call);
    let version = ActionVersion::of(&call.uses);
    let path = given.required("path")?.to_owned();
    let if_none = IfNone::parse(given.text("if-no-files-found"), IfNone::Warn)?;
    let hidden = given.boolean("include-hidden-files", includes_hidden(version))?;
    let name = artifact_name(given.text_or("name", "artifact"))?;
    let place = call.steps.place;
    let mut files = JobFiles::open(place)?;
    let paths = &place.paths;
    let set = GlobSet::parse(&path, Path::new(&paths.workspace), Some(Path::new(&paths.home)), true)?;
    let found = search(&mut files, &set, hidden)?;
    let found: Vec<Found> = found.into_iter().filter(|found| found.kind != Kind::Directory).collect();
    if found.is_empty() {
        let error = UploadError::None(path);
        match if_none {
            IfNone::Warn => call.voice.warning(&error.to_string()),
            IfNone::Error => return Err(error),
            IfNone::Ignore => call.voice.line(&error.to_string()),
        }
        return Ok(());
    }
    if let Some(other) = found.iter().find(|found| found.kind == Kind::Other) {
        return Err(UploadError::Kind(other.inside.clone()));
    }
    let root = root_directory(call, &set.search_paths(), &found);
    let sources = sources(&found, &root);
    let count = found.len();
    let plural = if count == 1 { "" } else { "s" };
    call.voice.line(&format!("With the provided path, there will be {count} file{plural} uploaded"));
    call.voice.lines(["Artifact name is valid!", "Root directory input is valid!"]);
    let artifacts = RunArtifacts::of(call)?;
    let mut new = artifacts.new_artifact(call, name)?;
    let mut sources = sources;
    if adds_to_artifacts(version) {
        sources = with_earlier(&artifacts, &mut files, &new.name, sources)?;
        new.overwrite = true;
    }
    let failed = |source| match source {
        StorageError::ArtifactExists { name, .. } => UploadError::Taken(name),
        source => UploadError::Store { name: new.name.to_string(), source },
    };
    let saved = artifacts.store.save_files(&new, files.root(), &sources).map_err(failed)?;
    tell(call, &saved);
    Ok(())
}

/// A name, or what is wrong with it.
pub(super) fn artifact_name(text: &str) -> Result<ArtifactName, UploadError> {
    text.parse().map_err(|source| UploadError::Name { name: text.to_owned(), source })
}

/// The directory that paths in the artifact begin at: what all searches have in common, or the directory of a single file.
fn root_directory(call: &StepCall<'_>, searches: &[Vec<String>], found: &[Found]) -> PathBuf {
    let path = |segments: &[String]| Path::new("/").join(segments.iter().collect::<PathBuf>());
    match (searches, found) {
        ([only], [file]) if path(only) == file.inside => {
            file.inside.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned)
        }
        ([only], _) => path(only),
        (many, _) => {
            let first = many.first().map_or(&[][..], Vec::as_slice);
            let common = (0..first.len())
                .take_while(|at| many.iter().all(|search| search.get(*at) == first.get(*at)))
                .count();
            let root = path(first.get(..common).unwrap_or_default());
            call.voice.lines([
                "Multiple search paths detected. Calculating the least common ancestor of all paths",
                &format!(
                    "The least common ancestor is {}. This will be the root directory of the artifact",
                    root.display()
                ),
            ]);
            root
        }
    }
}

fn sources(found: &[Found], root: &Path) -> Vec<SourceFile> {
    let name = |found: &Found| {
        let rest = found.inside.strip_prefix(root).unwrap_or(&found.inside);
        let parts = rest.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        });
        parts.collect::<Vec<_>>().join("/")
    };
    found.iter().map(|found| SourceFile { source: found.source.clone(), name: name(found) }).collect()
}

/// The files with those that the artifact has already, as far as they are not replaced.
fn with_earlier(
    artifacts: &RunArtifacts,
    files: &mut JobFiles<'_>,
    name: &ArtifactName,
    sources: Vec<SourceFile>,
) -> Result<Vec<SourceFile>, UploadError> {
    let failed = |source| UploadError::Store { name: name.to_string(), source };
    let Some(earlier) = artifacts.find(name).map_err(failed)? else { return Ok(sources) };
    let place = files.scratch("earlier")?;
    earlier.extract(files.root(), &place).map_err(failed)?;
    let mut all: Vec<SourceFile> = Vec::new();
    for file in earlier.files().map_err(failed)? {
        if !sources.iter().any(|source| source.name == file.name) {
            all.push(SourceFile { source: place.join(&file.name), name: file.name });
        }
    }
    all.extend(sources);
    Ok(all)
}

/// Until version 3 an artifact was a directory to which anybody could add.
fn adds_to_artifacts(version: ActionVersion) -> bool {
    version.major <= 3
}

/// Until version 4.3 files whose names begin with a dot were uploaded; `v3` moved with that.
fn includes_hidden(version: ActionVersion) -> bool {
    version.major < 3 || (version.major == 4 && version.minor.is_some_and(|minor| minor < 4))
}

#[cfg(test)]
mod tests {
    use super::{ActionVersion, adds_to_artifacts, includes_hidden};

    #[test]
    fn versions_tell_what_is_expected() {
        let table = [
            ("actions/upload-artifact@v4", false, false),
            ("actions/upload-artifact@v4.3.1", false, true),
            ("actions/upload-artifact@v4.4.0", false, false),
            ("actions/upload-artifact@v3", true, false),
            ("actions/upload-artifact@v2", true, true),
            ("actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", false, false),
            ("actions/upload-artifact@main", false, false),
        ];
        for (uses, adds, hidden) in table {
            let version = ActionVersion::of(uses);
            assert_eq!((adds_to_artifacts(version), includes_hidden(version)), (adds, hidden), "{uses}");
        }
    }
}
