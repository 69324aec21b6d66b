//! One run of one workflow.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use longshore_core::Secret;
use longshore_event::{Conclusion, RunId};
use longshore_expr::Object;
use longshore_toolkit::cache::CacheScopes;
use longshore_workflow::event::Event;
use longshore_workflow::model::Workflow;
use longshore_workflow::plan::{RunPlan, Selection, SourceSet};

use crate::kept::Resume;

/// One run of one workflow that an event starts.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Its number; `github.run_id`.
    pub id: RunId,
    /// Which run of this workflow, from 1.
    pub number: u64,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// What happened.
    pub event: Event,
    /// The inputs of a dispatch, typed.
    pub inputs: Object,
    /// The configuration variables.
    pub vars: Object,
    /// The secrets. Withheld from pull requests of forks, whatever stands here.
    pub secrets: Vec<(String, Secret<String>)>,
    /// `github.token`; empty if there is none.
    pub token: Secret<String>,
    /// What was planned.
    pub plan: RunPlan,
    /// Called workflows and manifests that were fetched for the plan.
    pub sources: SourceSet,
    /// Which part of the workflow is wanted.
    pub selection: Selection,
    /// Results of an earlier attempt, by the keys of jobs: those jobs are not carried out, unless something that they need
    /// is.
    pub prior: BTreeMap<String, Prior>,
    /// The runs of earlier attempts, the newest first.
    pub earlier: Vec<RunId>,
    /// Jobs that go on where an earlier attempt left them, by their keys.
    pub resume: BTreeMap<String, Arc<Resume>>,
    /// Where failed jobs are kept, if they are; a directory that belongs to the run.
    pub keep: Option<PathBuf>,
    /// The project.
    pub project: Project,
    /// Print what the runner and steps have to say for debugging (`ACTIONS_STEP_DEBUG`).
    pub debug: bool,
}

/// How a job has ended in an earlier attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The attempt.
    pub run: RunId,
    /// The name of the job, by which it is seen that it is still the same one.
    pub name: String,
    /// How.
    pub conclusion: Conclusion,
    /// Whether its failure does not count.
    pub continue_on_error: bool,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// The address of its deployment.
    pub url: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl RunRequest {
    /// Which caches the run sees and may write: GitHub's rules of branches, for built-in and original actions alike. A run
    /// for a fork writes none.
    pub(crate) fn cache_scopes(&self) -> CacheScopes {
        let event = &self.event;
        let reference = event.git_ref.as_deref().filter(|reference| !reference.is_empty());
        CacheScopes::of_ref(
            reference.unwrap_or("refs/heads/HEAD"),
            event.base_ref.as_deref(),
            event.default_branch.as_deref(),
            !event.is_fork,
        )
    }
}

/// The project that a run is of.
#[derive(Debug, Clone)]
pub struct Project {
    /// The root of its files on this machine.
    pub root: PathBuf,
    /// `owner/name`.
    pub repository: String,
}

impl Project {
    /// The repository's name without its owner.
    pub(crate) fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }
}

/// How a run has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// How.
    pub conclusion: Conclusion,
}
