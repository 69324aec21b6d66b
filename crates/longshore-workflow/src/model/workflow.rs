//! The workflow.

use std::borrow::Cow;

use longshore_syntax::{SourceFile, Spanned};

use super::{Job, Permissions, Trigger};
use crate::template::Token;

/// One workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The file.
    pub file: SourceFile,
    /// `name:`.
    pub name: Option<Spanned<String>>,
    /// `run-name:`, evaluated when a run starts.
    pub run_name: Option<Token>,
    /// `on:`, one entry per event in file order.
    pub triggers: Vec<Trigger>,
    /// `permissions:`; `None` leaves the repository's default.
    pub permissions: Option<Permissions>,
    /// `env:`.
    pub env: Option<Token>,
    /// `defaults.run:`.
    pub defaults: Defaults,
    /// `concurrency:`.
    pub concurrency: Option<Concurrency>,
    /// `jobs:` in file order.
    pub jobs: Vec<Job>,
    /// The whole file as tokens; lint rules look here for what the model does not keep.
    pub root: Token,
}

impl Workflow {
    /// What GitHub calls it: its name, or its path without one.
    pub fn display_name(&self) -> &str {
        self.name.as_ref().map_or(self.file.name(), |name| name.value.as_str())
    }

    /// Its path in the repository. A file from elsewhere counts as one of `.github/workflows`, where GitHub reads them.
    pub fn repository_path(&self) -> Cow<'_, str> {
        match self.file.name() {
            path if path.starts_with('/') => {
                let name = path.rsplit('/').next().unwrap_or(path);
                Cow::Owned(format!(".github/workflows/{name}"))
            }
            path => Cow::Borrowed(path),
        }
    }

    /// `github.workflow`: its name, or its path without one.
    pub fn context_name(&self) -> Cow<'_, str> {
        match &self.name {
            Some(name) => Cow::Borrowed(name.value.as_str()),
            None => self.repository_path(),
        }
    }

    /// The job with this id, without regard to letter case.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id.value.eq_ignore_ascii_case(id))
    }

    /// The trigger for an event.
    pub fn trigger(&self, event: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.event.value == event)
    }
}

/// `defaults.run:` of a workflow or job.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The shell of `run` steps.
    pub shell: Option<Token>,
    /// Where `run` steps start.
    pub working_directory: Option<Token>,
}

/// `concurrency:` of a workflow or job.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// The whole value; if it is one expression, the other fields are empty.
    pub token: Token,
    /// Runs with the same group do not overlap.
    pub group: Option<Token>,
    /// Whether a newer run cancels the one in progress; a boolean or an expression.
    pub cancel_in_progress: Option<Token>,
    /// `queue: max` keeps every waiting run, `single` (the default) the newest alone.
    pub queue: Option<Spanned<String>>,
}
