//! What is written down of a run when it begins, so that it can be carried out again: the event, what was chosen of the
//! workflow, variables, and which images and actions were meant. Secrets are not; they are given again.
//!
//! It is `request.json` beside the record of the run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use longshore_event::RunId;
use longshore_expr::json::JsonError;
use longshore_expr::{Object, Value};
use longshore_runner::{seal_json, unseal_json};
use longshore_workflow::event::{ChangedPaths, Event};
use longshore_workflow::plan::Selection;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::secrets::Secrets;
use crate::cli::Session;
use crate::exit::Blame;
use crate::failure::Explained;

const FILE: &str = "request.json";
const VERSION: u32 = 1;

/// Which actions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ActionChoice {
    /// What is built in, where something is
    #[default]
    Native,
    /// As published
    Upstream,
}

/// What is needed to carry a run out again.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// `-W`, from the root of the file system.
    pub(crate) workflows: Option<PathBuf>,
    pub(crate) event: Event,
    pub(crate) vars: Object,
    pub(crate) selection: Selection,
    pub(crate) runs_on: Vec<(String, String)>,
    pub(crate) actions: ActionChoice,
    /// The runs of earlier attempts, the newest first.
    pub(crate) earlier: Vec<RunId>,
}

/// A run cannot be carried out again.
#[derive(Debug, Error)]
pub(crate) enum RecordedError {
    #[error("failed to read what the run was asked for in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` does not say what the run was asked for", path.display())]
    Format { path: PathBuf },
    #[error("the event of the run holds the secret `{name}`, which is not given")]
    Secret { name: String },
}

impl Explained for RecordedError {
    fn blame(&self) -> Blame {
        match self {
            Self::Secret { .. } => Blame::User,
            Self::Read { .. } | Self::Format { .. } => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Secret { name } => format!("give it again: `-s {name}`"),
            Self::Read { .. } | Self::Format { .. } => {
                "an older version recorded it, or its event cannot be written down: use `longshore run`"
                    .to_owned()
            }
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct RequestDto {
    version: u32,
    workflows: Option<PathBuf>,
    jobs: Vec<String>,
    matrix: Vec<(String, String)>,
    runs_on: Vec<(String, String)>,
    upstream: bool,
    earlier: Vec<u64>,
    /// A value, as JSON.
    vars: String,
    event: EventDto,
}

#[derive(Debug, Serialize, Deserialize)]
struct EventDto {
    name: String,
    action: Option<String>,
    /// A value, as JSON: the order of its entries is its own.
    payload: String,
    git_ref: Option<String>,
    sha: Option<String>,
    before: Option<String>,
    base_ref: Option<String>,
    head_ref: Option<String>,
    repository: Option<String>,
    default_branch: Option<String>,
    actor: Option<String>,
    is_fork: bool,
    is_deletion: bool,
    is_synthetic: bool,
    changed_paths: Option<(Vec<String>, bool)>,
    commit_message: Option<String>,
}

impl Recorded {
    /// Writes it into the directory of a run. A run of which it cannot be written is no worse for that.
    pub(crate) fn write(&self, run: &Path, secrets: &Secrets, session: &mut Session) {
        let written = serde_json::to_value(self.to_dto()).map_err(io::Error::from).and_then(|mut value| {
            if !seal_json(&mut value, secrets) {
                return Err(io::Error::other("it holds parts of secrets"));
            }
            let path = run.join(FILE);
            let new = run.join("request.json.new");
            fs::write(&new, serde_json::to_vec(&value)?)?;
            fs::rename(new, path)
        });
        if let Err(error) = written {
            session.output.talk(&format!("note: what the run was asked for is not written down: {error}\n"));
        }
    }

    /// Reads it.
    pub(crate) fn read(run: &Path, secrets: &Secrets) -> Result<Self, RecordedError> {
        let path = run.join(FILE);
        let text = fs::read(&path).map_err(|source| RecordedError::Read { path: path.clone(), source })?;
        let mut value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|_| RecordedError::Format { path: path.clone() })?;
        unseal_json(&mut value, secrets).map_err(|name| RecordedError::Secret { name })?;
        let dto: RequestDto =
            serde_json::from_value(value).map_err(|_| RecordedError::Format { path: path.clone() })?;
        let known = dto.version == VERSION;
        Self::of_dto(dto).ok().filter(|_| known).ok_or(RecordedError::Format { path })
    }

    fn to_dto(&self) -> RequestDto {
        let event = &self.event;
        RequestDto {
            version: VERSION,
            workflows: self.workflows.clone(),
            jobs: self.selection.jobs.clone(),
            matrix: self.selection.matrix.clone(),
            runs_on: self.runs_on.clone(),
            earlier: self.earlier.iter().map(|run| run.0).collect(),
            upstream: self.actions == ActionChoice::Upstream,
            vars: Value::Object(self.vars.clone()).to_json_compact(),
            event: EventDto {
                name: event.name.clone(),
                action: event.action.clone(),
                payload: event.payload.to_json_compact(),
                git_ref: event.git_ref.clone(),
                sha: event.sha.clone(),
                before: event.before.clone(),
                base_ref: event.base_ref.clone(),
                head_ref: event.head_ref.clone(),
                repository: event.repository.clone(),
                default_branch: event.default_branch.clone(),
                actor: event.actor.clone(),
                is_fork: event.is_fork,
                is_deletion: event.is_deletion,
                is_synthetic: event.is_synthetic,
                changed_paths: event
                    .changed_paths
                    .as_ref()
                    .map(|paths| (paths.paths.clone(), paths.complete)),
                commit_message: event.commit_message.clone(),
            },
        }
    }

    fn of_dto(dto: RequestDto) -> Result<Self, JsonError> {
        let event = dto.event;
        Ok(Self {
            workflows: dto.workflows,
            selection: Selection { jobs: dto.jobs, matrix: dto.matrix },
            runs_on: dto.runs_on,
            earlier: dto.earlier.into_iter().map(RunId).collect(),
            actions: if dto.upstream { ActionChoice::Upstream } else { ActionChoice::Native },
            vars: match Value::from_json(&dto.vars)? {
                Value::Object(vars) => vars,
                _ => Object::default(),
            },
            event: Event {
                name: event.name,
                action: event.action,
                payload: Value::from_json(&event.payload)?,
                git_ref: event.git_ref,
                sha: event.sha,
                before: event.before,
                base_ref: event.base_ref,
                head_ref: event.head_ref,
                repository: event.repository,
                default_branch: event.default_branch,
                actor: event.actor,
                is_fork: event.is_fork,
                is_deletion: event.is_deletion,
                is_synthetic: event.is_synthetic,
                changed_paths: event.changed_paths.map(|(paths, complete)| ChangedPaths { paths, complete }),
                commit_message: event.commit_message,
            },
        })
    }
}
