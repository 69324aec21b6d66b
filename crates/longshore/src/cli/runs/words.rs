//! How facts of a run are worded.

use std::time::Duration;

use longshore_event::{JobState, JobStatus, StepState, StepStatus, Timestamp};
use longshore_format::human;
use longshore_history::RunStatus;

use crate::cli::container::moment;

/// A branch, tag or pull request without the beginning that all refs have.
pub(super) fn short_ref(git_ref: &str) -> &str {
    let prefixes = ["refs/heads/", "refs/tags/", "refs/"];
    prefixes.iter().find_map(|prefix| git_ref.strip_prefix(prefix)).unwrap_or(git_ref)
}

/// `5 minutes ago`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", human::ago(Duration::from_millis(now.0.saturating_sub(then.0))))
}

/// `2026-01-02T03:04:05.678Z`.
pub(super) fn rfc3339(at: Timestamp) -> String {
    moment::rfc3339(i128::from(at.0) * 1_000_000)
}

/// `2026-01-02 03:04:05 UTC`.
pub(super) fn date(at: Timestamp) -> String {
    moment::listed(i128::from(at.0) * 1_000_000).replace(" +0000", "")
}

/// How far a job is, in a word. What a run that lives no more left open was interrupted, or never began.
pub(super) fn job(job: &JobState, run: RunStatus) -> &'static str {
    match (&job.status, run) {
        (JobStatus::Finished(conclusion), _) => conclusion.as_str(),
        (JobStatus::Skipped(_), _) => "skipped",
        (JobStatus::Running, RunStatus::Running) => "running",
        (JobStatus::Running, _) => "interrupted",
        (JobStatus::Queued(_), RunStatus::Running) => "queued",
        (JobStatus::Pending, RunStatus::Running) => "waiting",
        (JobStatus::Queued(_) | JobStatus::Pending, _) => "did not run",
    }
}

/// How far a step is, in a word.
pub(super) fn step(step: &StepState, run: RunStatus) -> &'static str {
    match (step.status, run) {
        (StepStatus::Finished(_, conclusion), _) => conclusion.as_str(),
        (StepStatus::Running, RunStatus::Running) => "running",
        (StepStatus::Running, _) => "interrupted",
        (StepStatus::Pending, RunStatus::Running) => "waiting",
        (StepStatus::Pending, _) => "did not run",
    }
}

/// The milliseconds that something took: to its end, or to `open` if it has none.
pub(super) fn took(started: Option<Timestamp>, ended: Option<Timestamp>, open: Timestamp) -> Option<u64> {
    Some(ended.unwrap_or(open).0.saturating_sub(started?.0))
}
