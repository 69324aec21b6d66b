//! Jobs of a plan, with the cells of their matrices.

use longshore_expr::Object;
use longshore_syntax::Span;

use super::{ActionUse, CallPlan, Deferred, Planned, StepPlan, TokenPermissions};

/// One job of a workflow file.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// Its key in the file.
    pub id: String,
    /// Where it stands.
    pub span: Span,
    /// The ids of the jobs it needs, in file order.
    pub needs: Vec<String>,
    /// Which stage it is in, from 0.
    pub stage: usize,
    /// Its `if:` as written.
    pub condition: Option<String>,
    /// Whether it runs.
    pub verdict: Verdict,
    /// Its matrix.
    pub matrix: MatrixPlan,
    /// What runs: one without a matrix, one per cell with one, one that stands for all cells if the matrix is deferred.
    /// A skipped job has one, named as GitHub shows it.
    pub instances: Vec<JobInstance>,
}

/// Whether a job runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It runs, if what it needs succeeds.
    Runs,
    /// It does not.
    Skipped {
        /// Why, in one sentence; lower case, no full stop.
        text: String,
        /// The part of the file that decided.
        span: Span,
    },
    /// The run decides.
    Deferred(Deferred),
    /// Its condition cannot be evaluated; the job fails.
    Failed(String),
}

/// The matrix of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum MatrixPlan {
    /// The job has none.
    None,
    /// The job has one cell per instance.
    Cells {
        /// `fail-fast`.
        fail_fast: Planned<bool>,
        /// `max-parallel`.
        max_parallel: Option<Planned<f64>>,
    },
    /// The cells are known later.
    Deferred(Deferred),
    /// The matrix cannot be expanded; the job fails. The same text is a diagnostic of the plan.
    Failed(String),
}

/// A job as GitHub shows it: one cell of a matrix, or the whole job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobInstance {
    /// Unique in the plan of its workflow and stable: the path of job ids with cell numbers, such as `test`, `test/2`
    /// for the second cell, and `deploy.build/1` for a job in a called workflow.
    pub key: String,
    /// The name GitHub shows, such as `test (linux, 20)`, with the calling job's in front: `deploy / build`.
    pub name: Planned<String>,
    /// The values of the matrix; `None` without one.
    pub cell: Option<Object>,
    /// What its token may do.
    pub permissions: TokenPermissions,
    /// `concurrency`.
    pub concurrency: Option<ConcurrencyPlan>,
    /// What it does.
    pub body: JobBody,
}

/// The two kinds of jobs.
#[derive(Debug, Clone, PartialEq)]
pub enum JobBody {
    /// Steps on a runner.
    Steps(Box<StepsPlan>),
    /// A reusable workflow.
    Call(Box<CallPlan>),
}

/// A job of steps on a runner.
#[derive(Debug, Clone, PartialEq)]
pub struct StepsPlan {
    /// Which runner.
    pub runs_on: Planned<RunsOn>,
    /// `environment`.
    pub environment: Option<EnvironmentPlan>,
    /// `container`.
    pub container: Option<ContainerPlan>,
    /// `services` by name, in file order.
    pub services: Vec<(String, ContainerPlan)>,
    /// `timeout-minutes`; 360 without one.
    pub timeout_minutes: Planned<f64>,
    /// `continue-on-error`.
    pub continue_on_error: Planned<bool>,
    /// The names of its outputs, in file order.
    pub outputs: Vec<String>,
    /// Its steps.
    pub steps: Vec<StepPlan>,
    /// The actions it uses, each once, in order of first use.
    pub actions: Vec<ActionUse>,
    /// The names of the secrets it reads, sorted. `*` stands for all of them.
    pub secrets: Vec<String>,
    /// The names of the configuration variables it reads, sorted. `*` stands for all of them.
    pub vars: Vec<String>,
}

/// Which runner a job wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunsOn {
    /// All of these labels.
    pub labels: Vec<String>,
    /// A runner of this group.
    pub group: Option<String>,
}

/// `environment` of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentPlan {
    /// Its name.
    pub name: Planned<String>,
    /// The address shown with the deployment; usually known when the steps have ended.
    pub url: Option<Planned<String>>,
    /// Whether a deployment is recorded (`deployment: false` turns it off).
    pub deployment: Planned<bool>,
}

/// `container` or one of `services`.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerPlan {
    /// The image; empty for a service or container that is switched off.
    pub image: Planned<String>,
}

/// `concurrency` of a workflow or job.
#[derive(Debug, Clone, PartialEq)]
pub struct ConcurrencyPlan {
    /// Runs with the same group wait for each other.
    pub group: Planned<String>,
    /// Whether a newer one cancels the one in progress.
    pub cancel_in_progress: Planned<bool>,
    /// Whether every waiting run is kept (`queue: max`), not just the newest.
    pub queue_all: bool,
}
