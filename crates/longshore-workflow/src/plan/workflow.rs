//! The plan of all workflows, and of one.

use longshore_syntax::{Diagnostic, SourceFile};

use super::{ConcurrencyPlan, JobPlan, Planned, TokenPermissions};
use crate::start::Start;

/// What an event would run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Every workflow that was given, in that order, whether it starts or not.
    pub workflows: Vec<WorkflowPlan>,
    /// What would start when one of these has run, by level and then in the order of the workflows given.
    pub follow_ups: Vec<FollowUp>,
}

/// One workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowPlan {
    /// Its file.
    pub file: SourceFile,
    /// What GitHub calls it.
    pub name: String,
    /// Whether it starts.
    pub start: Start,
    /// What runs, if it starts.
    pub run: Option<RunPlan>,
}

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// Its title: `run-name`, or what GitHub shows without one, if that is known.
    pub run_name: Option<Planned<String>>,
    /// The workflow's `concurrency`.
    pub concurrency: Option<ConcurrencyPlan>,
    /// What the token may do unless a job says otherwise.
    pub permissions: TokenPermissions,
    /// The jobs in file order; those left out by the selection are not here.
    pub jobs: Vec<JobPlan>,
    /// The ids of the jobs by stage: each job is in the first stage after all it needs.
    pub stages: Vec<Vec<String>>,
    /// What is wrong with the run, in its file or a called one: calls that do not fit, matrices that make no job, …
    pub diagnostics: Vec<PlanDiagnostic>,
}

/// A finding with the file it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanDiagnostic {
    /// The file.
    pub file: SourceFile,
    /// The finding.
    pub diagnostic: Diagnostic,
}

/// A workflow that starts when another one has run.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp {
    /// The file of the workflow that would start.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The files of the workflows that it follows; any of them starts it.
    pub after: Vec<String>,
    /// How far from the event: 1 follows a workflow that the event starts. GitHub ends the chain after 3.
    pub level: usize,
    /// Whether it starts. `Stopped` says what its filters have against it, or that the chain is too long.
    pub start: Start,
}
