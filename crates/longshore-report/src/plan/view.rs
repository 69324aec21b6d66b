//! A plan with what belongs to it when it is shown.

use longshore_workflow::plan::{CalledWorkflow, JobBody, JobInstance, JobPlan, MatrixPlan, Plan, Verdict};
use longshore_workflow::start::Start;

use super::Premise;
use crate::diagnostic::FileFindings;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// What is taken for granted.
    pub premise: &'a Premise,
    /// The plan.
    pub plan: &'a Plan,
    /// What is wrong with workflow files and with the runs that the plan makes of them.
    pub findings: &'a [FileFindings],
    /// Sources that could not be had, in the order they were needed.
    pub missing: &'a [MissingSource],
}

/// A file of another repository, or of this one, that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSource {
    /// What was referred to, such as `octo/build/.github/workflows/image.yml@v2`.
    pub reference: String,
    /// Where it was looked for and why it was not there, each as half a sentence.
    pub tried: Vec<String>,
    /// How to get it.
    pub help: String,
}

/// How much a plan holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanCounts {
    /// Workflows that were looked at.
    pub workflows: usize,
    /// Workflows that start.
    pub starting: usize,
    /// Jobs that run, each cell of a matrix counted; those whose number is not known yet count once.
    pub running: usize,
    /// Jobs that are skipped.
    pub skipped: usize,
    /// Jobs of which the run decides whether they run.
    pub deferred: usize,
    /// Jobs that fail before they start.
    pub failing: usize,
}

impl PlanCounts {
    /// Counts a plan. A job that calls a workflow counts as the jobs of that workflow, if they are known.
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self { workflows: plan.workflows.len(), ..Self::default() };
        for workflow in &plan.workflows {
            counts.starting += usize::from(matches!(workflow.start, Start::Starts(_)));
            let jobs = workflow.run.iter().flat_map(|run| &run.jobs);
            jobs.for_each(|job| counts.add(job));
        }
        counts
    }

    fn add(&mut self, job: &JobPlan) {
        match Outcome::of(job) {
            Outcome::Skipped => self.skipped += 1,
            Outcome::Deferred => self.deferred += job.instances.len().max(1),
            Outcome::Fails => self.failing += 1,
            Outcome::Runs => {
                for instance in &job.instances {
                    match called_jobs(&instance.body) {
                        Some(jobs) => jobs.iter().for_each(|job| self.add(job)),
                        None => self.running += 1,
                    }
                }
            }
        }
    }
}

/// What becomes of a job, everything considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It runs, if what it needs succeeds.
    Runs,
    /// It does not.
    Skipped,
    /// The run decides.
    Deferred,
    /// It fails before it starts.
    Fails,
}

impl Outcome {
    pub(super) fn of(job: &JobPlan) -> Self {
        let is_refused = |instance: &JobInstance| match &instance.body {
            JobBody::Call(call) => matches!(call.called, CalledWorkflow::Refused(_)),
            JobBody::Steps(_) => false,
        };
        match &job.verdict {
            Verdict::Skipped { .. } => Self::Skipped,
            Verdict::Failed(_) => Self::Fails,
            _ if matches!(job.matrix, MatrixPlan::Failed(_)) || job.instances.iter().any(is_refused) => {
                Self::Fails
            }
            Verdict::Deferred(_) => Self::Deferred,
            Verdict::Runs => Self::Runs,
        }
    }
}

/// The jobs of the workflow that a job calls; `None` if it calls none, or one that is not at hand.
pub(super) fn called_jobs(body: &JobBody) -> Option<&[JobPlan]> {
    match body {
        JobBody::Call(call) => match &call.called {
            CalledWorkflow::Jobs { jobs, .. } => Some(jobs),
            CalledWorkflow::Missing(_) | CalledWorkflow::Refused(_) | CalledWorkflow::Skipped => None,
        },
        JobBody::Steps(_) => None,
    }
}
