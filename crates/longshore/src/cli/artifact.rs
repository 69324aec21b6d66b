//! `longshore artifact`: the files that runs have left.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use longshore_format::{Table, human};
use longshore_history::{Run, RunSelector};
use longshore_report::run::html;
use longshore_report::visible;
use longshore_syntax::suggest;
use longshore_toolkit::artifact::{Artifact, ArtifactName};
use longshore_toolkit::{ArtifactStore, BackendId, Root, StorageError};
use serde::Serialize;
use thiserror::Error;

use super::runs::select;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::settings::OutputFormat;
use crate::wiring::Wiring;

/// List and fetch the artifacts of runs
///
/// Artifacts are what jobs upload with `actions/upload-artifact`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore artifact ls
  longshore artifact get 7 wheels -o dist
  longshore artifact get last 'report-*'")]
pub(super) struct ArtifactArgs {
    #[command(subcommand)]
    command: ArtifactCommand,
}

#[derive(Debug, Subcommand)]
enum ArtifactCommand {
    Ls(ListArgs),
    Get(GetArgs),
}

/// List the artifacts of a run
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "list",
    after_long_help = "Examples:
  longshore artifact ls
  longshore artifact ls 7 --format json"
)]
struct ListArgs {
    /// The run by its number, or `last`: the newest of this project
    #[arg(value_name = "RUN", default_value = "last")]
    run: RunSelector,

    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

/// Write the files of artifacts into a directory
///
/// One artifact that is named goes into the directory itself; of several, each goes into a directory of its name.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "download",
    after_long_help = "Examples:
  longshore artifact get 7 wheels
  longshore artifact get 7 wheels -o dist
  longshore artifact get last 'report-*' -o reports"
)]
struct GetArgs {
    /// The run by its number, or `last`: the newest of this project
    #[arg(value_name = "RUN", default_value = "last")]
    run: RunSelector,

    /// The artifact, or a pattern with `*` and `?` [default: all]
    #[arg(value_name = "NAME|PATTERN")]
    name: Option<String>,

    /// Where to, made if it is missing
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
}

/// Artifacts cannot be had.
#[derive(Debug, Error)]
enum ArtifactError {
    #[error("failed to read the artifacts of run {run}")]
    Read { run: String, source: StorageError },
    #[error("failed to write the artifact `{name}` into `{}`", path.display())]
    Write { name: String, path: PathBuf, source: StorageError },
    #[error("failed to make the directory `{}`", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("run {run} has no artifact `{name}`")]
    Missing { run: String, name: String, help: String },
}

impl Explained for ArtifactError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. } => Blame::User,
            _ => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { help, .. } => Some(help.clone()),
            _ => None,
        }
    }
}

#[derive(Debug, Serialize)]
struct ArtifactDto<'a> {
    id: u64,
    name: &'a str,
    job: &'a str,
    size: u64,
    digest: &'a str,
    created: String,
    expires: String,
}

pub(super) fn run(args: &ArtifactArgs, session: &mut Session) -> Outcome {
    match &args.command {
        ArtifactCommand::Ls(args) => list(args, session),
        ArtifactCommand::Get(args) => get(args, session),
    }
}

fn list(args: &ListArgs, session: &mut Session) -> Outcome {
    let run = select(session, args.run)?;
    let (_, artifacts) = artifacts(&run, session)?;
    if args.format.unwrap_or(session.settings.format.value) == OutputFormat::Json {
        let documents: Vec<ArtifactDto<'_>> = artifacts
            .iter()
            .map(|artifact| ArtifactDto {
                id: artifact.id,
                name: &artifact.name,
                job: &artifact.job,
                size: artifact.size,
                digest: &artifact.digest,
                created: artifact.created.to_string(),
                expires: artifact.expires.to_string(),
            })
            .collect();
        // Texts and numbers: there is nothing that could fail to serialise.
        let text = serde_json::to_string_pretty(&documents).unwrap_or_default();
        session.output.data(&(text + "\n"))?;
        return Ok(Exit::Success);
    }
    if artifacts.is_empty() {
        session.output.talk(&format!("run {} has left no artifacts\n", run.id()));
        return Ok(Exit::Success);
    }
    let mut table = Table::new(["NAME", "SIZE", "JOB", "EXPIRES"]);
    for artifact in &artifacts {
        let date = artifact.expires.to_string();
        let date = date.get(..10).unwrap_or_default().to_owned();
        let name = visible(&artifact.name).into_owned();
        table.row([name, human::size(artifact.size, 3), artifact.job.clone(), date]);
    }
    session.output.data(&table.render())?;
    Ok(Exit::Success)
}

fn get(args: &GetArgs, session: &mut Session) -> Outcome {
    let run = select(session, args.run)?;
    let (store, all) = artifacts(&run, session)?;
    let wanted: Vec<&Artifact> = all
        .iter()
        .filter(|artifact| args.name.as_ref().is_none_or(|pattern| fits(pattern, &artifact.name)))
        .collect();
    if wanted.is_empty() {
        let name = args.name.clone().unwrap_or_else(|| "*".to_owned());
        let names = all.iter().map(|artifact| artifact.name.as_str());
        let help = match suggest::nearest(&name, names) {
            Some(near) => format!("did you mean `{}`?", visible(near)),
            None => format!("`longshore artifact ls {}` lists them", run.id()),
        };
        return Err(ArtifactError::Missing { run: run.id().to_string(), name, help }.into());
    }
    let is_named = args.name.as_ref().is_some_and(|name| !name.contains(['*', '?']));
    let directory = session.directory.join(&args.output);
    std::fs::create_dir_all(&directory)
        .map_err(|source| ArtifactError::Directory { path: directory.clone(), source })?;
    for artifact in wanted {
        let place = if is_named { Path::new(".") } else { Path::new(&artifact.name) };
        let files = write(&store, &run, artifact, (&directory, place))?;
        let shown = args.output.join(if is_named { "" } else { artifact.name.as_str() });
        let files = longshore_report::count(usize::try_from(files).unwrap_or(usize::MAX), "file");
        session.output.talk(&format!("{}: {files} in `{}`\n", visible(&artifact.name), shown.display()));
    }
    Ok(Exit::Success)
}

/// Writes the files of an artifact; how many.
fn write(
    store: &ArtifactStore,
    run: &Run,
    artifact: &Artifact,
    (directory, place): (&Path, &Path),
) -> Result<u64, Failure> {
    let failed =
        |source| ArtifactError::Write { name: artifact.name.clone(), path: directory.join(place), source };
    let missing = || ArtifactError::Missing {
        run: run.id().to_string(),
        name: artifact.name.clone(),
        help: "it has just been removed".to_owned(),
    };
    let (id, name) = (id_of(run), artifact.name.parse::<ArtifactName>().ok());
    let (Some(id), Some(name)) = (id, name) else { return Err(missing().into()) };
    let stored = store.find(&id, &name, Wiring::moment()).map_err(failed)?.ok_or_else(missing)?;
    let root = Root::open(directory).map_err(failed)?;
    Ok(stored.extract(&root, place).map_err(failed)?.files)
}

/// The store, and the artifacts of a run in it.
fn artifacts(run: &Run, session: &Session) -> Result<(ArtifactStore, Vec<Artifact>), Failure> {
    let failed = |source| ArtifactError::Read { run: run.id().to_string(), source };
    let store = session.wiring().artifacts().map_err(failed)?;
    let all = match id_of(run) {
        Some(id) => store.list(&id, Wiring::moment()).map_err(failed)?,
        None => Vec::new(),
    };
    Ok((store, all))
}

/// The artifacts of a run, for a document.
pub(crate) fn documented(run: &Run, session: &Session) -> Result<Vec<html::Artifact>, Failure> {
    if !session.wiring().artifacts_directory().is_dir() {
        return Ok(Vec::new());
    }
    let (_, found) = artifacts(run, session)?;
    let shown = |artifact: Artifact| html::Artifact { name: artifact.name, bytes: artifact.size };
    Ok(found.into_iter().map(shown).collect())
}

fn id_of(run: &Run) -> Option<BackendId> {
    run.id().to_string().parse().ok()
}

/// Whether a name fits a pattern, in which `*` is any text and `?` any character.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut star, mut next) = (0, None, 0);
    for _ in 0..(name.len() + 1).saturating_mul(pattern.len() + 2) {
        match (pattern.get(at), name.get(next)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at, next));
                at += 1;
            }
            (Some(wanted), Some(found)) if *wanted == '?' || wanted == found => {
                at += 1;
                next += 1;
            }
            (_, found) => {
                let Some((place, taken)) = star.filter(|_| found.is_some()) else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                next = taken + 1;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("wheels", "wheels", true),
            ("wheels", "wheel", false),
            ("*", "", true),
            ("report-*", "report-3.12", true),
            ("report-*", "reports", false),
            ("*-?.x", "a-b-c.x", true),
            ("*a*a*b", "aaaaaaaaaaaaaaaaac", false),
            ("?", "ä", true),
            ("a*", "b", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
