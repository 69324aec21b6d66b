//! Runs and the jobs of a file.

use longshore_syntax::SourceFile;
use longshore_workflow::plan::{ConcurrencyPlan, JobPlan, MatrixPlan, RunPlan, Verdict};
use serde::Serialize;

use super::job::InstanceDto;
use super::planned::{DeferredDto, PermissionsDto, PlaceDto, PlannedDto};

#[derive(Debug, Serialize)]
pub(super) struct RunDto<'a> {
    title: Option<PlannedDto<'a, &'a str>>,
    concurrency: Option<ConcurrencyDto<'a>>,
    permissions: PermissionsDto,
    stages: &'a [Vec<String>],
    jobs: Vec<JobDto<'a>>,
}

impl<'a> RunDto<'a> {
    pub(super) fn new(run: &'a RunPlan, file: &SourceFile) -> Self {
        Self {
            title: run.run_name.as_ref().map(PlannedDto::text),
            concurrency: run.concurrency.as_ref().map(ConcurrencyDto::new),
            permissions: PermissionsDto::new(&run.permissions),
            stages: &run.stages,
            jobs: run.jobs.iter().map(|job| JobDto::new(job, file)).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ConcurrencyDto<'a> {
    group: PlannedDto<'a, &'a str>,
    cancel_in_progress: PlannedDto<'a, bool>,
    queue_all: bool,
}

impl<'a> ConcurrencyDto<'a> {
    pub(super) fn new(plan: &'a ConcurrencyPlan) -> Self {
        Self {
            group: PlannedDto::text(&plan.group),
            cancel_in_progress: PlannedDto::new(&plan.cancel_in_progress, |value| *value),
            queue_all: plan.queue_all,
        }
    }
}

/// One entry of `jobs:`.
#[derive(Debug, Serialize)]
pub(super) struct JobDto<'a> {
    id: &'a str,
    place: PlaceDto,
    needs: &'a [String],
    stage: usize,
    #[serde(rename = "if")]
    condition: Option<&'a str>,
    verdict: VerdictDto<'a>,
    matrix: MatrixDto<'a>,
    instances: Vec<InstanceDto<'a>>,
}

impl<'a> JobDto<'a> {
    pub(super) fn new(job: &'a JobPlan, file: &SourceFile) -> Self {
        Self {
            id: &job.id,
            place: PlaceDto::new(file, job.span),
            needs: &job.needs,
            stage: job.stage,
            condition: job.condition.as_deref(),
            verdict: VerdictDto::new(&job.verdict, file),
            matrix: MatrixDto::new(&job.matrix),
            instances: job.instances.iter().map(InstanceDto::new).collect(),
        }
    }
}

/// Whether a job runs: `runs`, `skipped`, `deferred` or `failed`.
#[derive(Debug, Serialize)]
struct VerdictDto<'a> {
    kind: &'static str,
    reason: Option<&'a str>,
    place: Option<PlaceDto>,
    deferred: Option<DeferredDto<'a>>,
}

impl<'a> VerdictDto<'a> {
    fn new(verdict: &'a Verdict, file: &SourceFile) -> Self {
        let (kind, reason, place, deferred) = match verdict {
            Verdict::Runs => ("runs", None, None, None),
            Verdict::Skipped { text, span } => {
                ("skipped", Some(text.as_str()), Some(PlaceDto::new(file, *span)), None)
            }
            Verdict::Deferred(later) => ("deferred", None, None, Some(DeferredDto::new(later))),
            Verdict::Failed(why) => ("failed", Some(why.as_str()), None, None),
        };
        Self { kind, reason, place, deferred }
    }
}

/// The matrix: `none`, `cells`, `deferred` or `failed`.
#[derive(Debug, Serialize)]
struct MatrixDto<'a> {
    kind: &'static str,
    fail_fast: Option<PlannedDto<'a, bool>>,
    max_parallel: Option<PlannedDto<'a, f64>>,
    deferred: Option<DeferredDto<'a>>,
    reason: Option<&'a str>,
}

impl<'a> MatrixDto<'a> {
    fn new(matrix: &'a MatrixPlan) -> Self {
        let empty = |kind| Self { kind, fail_fast: None, max_parallel: None, deferred: None, reason: None };
        match matrix {
            MatrixPlan::None => empty("none"),
            MatrixPlan::Cells { fail_fast, max_parallel } => Self {
                fail_fast: Some(PlannedDto::new(fail_fast, |value| *value)),
                max_parallel: max_parallel.as_ref().map(|most| PlannedDto::new(most, |value| *value)),
                ..empty("cells")
            },
            MatrixPlan::Deferred(later) => {
                Self { deferred: Some(DeferredDto::new(later)), ..empty("deferred") }
            }
            MatrixPlan::Failed(why) => Self { reason: Some(why), ..empty("failed") },
        }
    }
}
