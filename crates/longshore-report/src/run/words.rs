//! The words and marks that all displays of runs share. Every mark stands beside a word or a time, so nothing depends on
//! colour.

use std::borrow::Cow;

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, JobKey, JobState, JobStatus, RunOutline, RunState, ServiceState,
    StepState, Timestamp,
};

use super::ansi;
use super::duration::{between, duration};
use super::row::Row;
use crate::{Role, Style};

/// Stands before what has ended.
pub(super) fn mark(conclusion: Conclusion, style: Style) -> String {
    Row::mark(Some(conclusion)).whole(style)
}

/// How something has ended.
pub(super) fn ended(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "passed",
        Conclusion::Failure => "failed",
        Conclusion::Cancelled => "cancelled",
        Conclusion::Skipped => "skipped",
    }
}

/// What a service is, in a word.
pub(super) fn service(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Starting => "starting",
        ServiceState::Ready => "ready",
        ServiceState::Failed => "failed",
    }
}

/// Text of a run in one line, without anything that a terminal obeys.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        let lines = text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty());
        return Cow::Owned(ansi::terminal(&lines.collect::<Vec<_>>().join(" "), false).into_owned());
    }
    ansi::terminal(text, false)
}

/// The step's name, never empty.
pub(super) fn step_name(step: &StepState) -> Cow<'_, str> {
    if step.name.is_empty() { Cow::Borrowed("a step") } else { one_line(&step.name) }
}

/// Why the step failed.
pub(super) fn failure(step: &StepState) -> Cow<'_, str> {
    match (&step.error, step.exit_code) {
        (Some(error), _) => one_line(error),
        (None, Some(code)) => Cow::Owned(format!("exit code {code}")),
        (None, None) => Cow::Borrowed("failed"),
    }
}

/// What the job failed by, unless one of its steps says the same.
pub(super) fn own_error(job: &JobState) -> Option<&str> {
    let error = job.error.as_deref()?;
    job.steps.values().all(|step| step.error.as_deref() != Some(error)).then_some(error)
}

/// How long the step took, in words.
pub(super) fn step_time(step: &StepState) -> Option<String> {
    between(step.started, step.finished).map(duration)
}

/// How long the job took, in words.
pub(super) fn job_time(job: &JobState) -> Option<String> {
    between(job.started, job.finished).map(duration)
}

/// How the job has ended, if it has.
pub(super) fn job_conclusion(job: &JobState) -> Option<Conclusion> {
    match &job.status {
        JobStatus::Finished(conclusion) => Some(*conclusion),
        JobStatus::Skipped(_) => Some(Conclusion::Skipped),
        _ => None,
    }
}

/// The name of the job with this key.
pub(super) fn job_name<'s>(state: &'s RunState, key: &'s JobKey) -> Cow<'s, str> {
    match state.job(key) {
        Some(job) if !job.name.is_empty() => one_line(&job.name),
        _ => one_line(key.as_str()),
    }
}

/// The name of the workflow, or its file, or the run.
pub(super) fn workflow(state: &RunState) -> String {
    let outline = &state.outline;
    let name = if outline.workflow.is_empty() { &outline.path } else { &outline.workflow };
    match (name.is_empty(), state.run) {
        (true, Some(run)) => format!("run {run}"),
        _ => one_line(name).into_owned(),
    }
}

/// `push to main at 8e8c483`.
pub(super) fn cause(outline: &RunOutline) -> String {
    let mut text = one_line(&outline.event).into_owned();
    if let Some(name) = &outline.git_ref {
        let short = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/"));
        text.push_str(&format!(" to {}", one_line(short.unwrap_or(name))));
    }
    if let Some(sha) = &outline.sha {
        text.push_str(&format!(" at {}", one_line(sha.get(..7).unwrap_or(sha))));
    }
    text
}

/// Where a finding is: `src/main.rs:12:5`.
pub(super) fn place(annotation: &Annotation) -> Option<String> {
    let mut text = one_line(annotation.file.as_deref().filter(|file| !file.is_empty())?).into_owned();
    if let Some(line) = annotation.line {
        text.push_str(&format!(":{line}"));
        if let Some(column) = annotation.column {
            text.push_str(&format!(":{column}"));
        }
    }
    Some(text)
}

/// The role that the level of a finding plays.
pub(super) fn level_role(level: AnnotationLevel) -> Role {
    match level {
        AnnotationLevel::Error => Role::Error,
        AnnotationLevel::Warning => Role::Warning,
        AnnotationLevel::Notice => Role::Note,
    }
}

/// A word for the shell.
pub(super) fn shell_word(text: &str) -> String {
    let shown = one_line(text);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+=,".contains(letter);
    if !shown.is_empty() && shown.chars().all(plain) {
        return shown.into_owned();
    }
    format!("'{}'", shown.replace('\'', r"'\''"))
}

/// The command that shows the log of a job.
pub(super) fn logs_command(state: &RunState, key: &JobKey) -> String {
    format!("longshore logs {} -j {}", state.run.map_or(0, |run| run.0), shell_word(key.as_str()))
}

/// A time as `2025-11-21T15:00:00Z`, if the calendar has it.
pub(super) fn date(time: Timestamp) -> Option<String> {
    let seconds = i64::try_from(time.0 / 1000).ok()?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}
