//! A run as JSON: `longshore.run/1`, documented in `docs/runs.md`.

use std::collections::BTreeMap;

use longshore_event::{
    Annotation, JobState, JobStatus, RunState, StepNumber, StepStage, StepState, StepStatus, Timestamp,
};
use longshore_history::{RunStatus, RunSummary};
use serde::Serialize;

use super::words;

#[derive(Debug, Serialize)]
struct RunDto<'a> {
    schema: &'static str,
    id: u64,
    number: u64,
    attempt: u32,
    status: &'static str,
    workflow: &'a str,
    path: &'a str,
    title: &'a str,
    event: &'a str,
    #[serde(rename = "ref")]
    git_ref: Option<&'a str>,
    sha: Option<&'a str>,
    directory: &'a str,
    started: String,
    ended: Option<String>,
    duration_ms: Option<u64>,
    jobs: Vec<JobDto<'a>>,
    annotations: Vec<AnnotationDto<'a>>,
}

#[derive(Debug, Serialize)]
struct JobDto<'a> {
    key: &'a str,
    name: &'a str,
    status: &'static str,
    reason: Option<&'a str>,
    needs: &'a [String],
    image: Option<&'a str>,
    started: Option<String>,
    ended: Option<String>,
    duration_ms: Option<u64>,
    continue_on_error: bool,
    outputs: &'a BTreeMap<String, String>,
    url: Option<&'a str>,
    error: Option<&'a str>,
    steps: Vec<StepDto<'a>>,
}

#[derive(Debug, Serialize)]
struct StepDto<'a> {
    number: u32,
    name: &'a str,
    id: &'a str,
    stage: StepStage,
    status: &'static str,
    outcome: Option<&'static str>,
    exit_code: Option<i32>,
    started: Option<String>,
    ended: Option<String>,
    duration_ms: Option<u64>,
    outputs: &'a BTreeMap<String, String>,
    error: Option<&'a str>,
    lines: u64,
    summary: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct AnnotationDto<'a> {
    job: &'a str,
    step: Option<u32>,
    #[serde(flatten)]
    annotation: &'a Annotation,
}

/// The document, with a line feed.
pub(super) fn of(run: &RunSummary, state: &RunState) -> String {
    let outline = &run.outline;
    let document = RunDto {
        schema: "longshore.run/1",
        id: run.id.0,
        number: outline.number,
        attempt: outline.attempt,
        status: run.status.as_str(),
        workflow: &outline.workflow,
        path: &outline.path,
        title: &outline.title,
        event: &outline.event,
        git_ref: outline.git_ref.as_deref(),
        sha: outline.sha.as_deref(),
        directory: &outline.directory,
        started: words::rfc3339(run.started),
        ended: run.ended.map(words::rfc3339),
        duration_ms: run.ended.map(|ended| ended.0.saturating_sub(run.started.0)),
        jobs: state.jobs.iter().map(|job| job_of(job, run.status)).collect(),
        annotations: state
            .annotations
            .iter()
            .map(|(job, step, annotation)| AnnotationDto {
                job: job.as_str(),
                step: step.map(|step| step.0),
                annotation,
            })
            .collect(),
    };
    // Texts and numbers under keys that are texts: there is nothing that could fail to serialise.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn job_of(job: &JobState, run: RunStatus) -> JobDto<'_> {
    JobDto {
        key: job.key.as_str(),
        name: &job.name,
        status: words::job(job, run),
        reason: match &job.status {
            JobStatus::Skipped(reason) | JobStatus::Queued(Some(reason)) => Some(reason),
            _ => None,
        },
        needs: &job.needs,
        image: (!job.image.is_empty()).then_some(job.image.as_str()),
        started: job.started.map(words::rfc3339),
        ended: job.finished.map(words::rfc3339),
        duration_ms: between(job.started, job.finished),
        continue_on_error: job.continue_on_error,
        outputs: &job.outputs,
        url: job.url.as_deref(),
        error: job.error.as_deref(),
        steps: job.steps.iter().map(|(number, step)| step_of(*number, step, run)).collect(),
    }
}

fn step_of(number: StepNumber, step: &StepState, run: RunStatus) -> StepDto<'_> {
    StepDto {
        number: number.0,
        name: &step.name,
        id: &step.id,
        stage: step.stage,
        status: words::step(step, run),
        outcome: match step.status {
            StepStatus::Finished(outcome, _) => Some(outcome.as_str()),
            StepStatus::Pending | StepStatus::Running => None,
        },
        exit_code: step.exit_code,
        started: step.started.map(words::rfc3339),
        ended: step.finished.map(words::rfc3339),
        duration_ms: between(step.started, step.finished),
        outputs: &step.outputs,
        error: step.error.as_deref(),
        lines: step.lines,
        summary: step.summary.as_deref(),
    }
}

fn between(started: Option<Timestamp>, ended: Option<Timestamp>) -> Option<u64> {
    Some(ended?.0.saturating_sub(started?.0))
}
