//! A job or step in one row: mark, name, bar on the scale of the run, time.

use longshore_event::{Conclusion, JobState, JobStatus, RunState, StepState, StepStatus, Timestamp};

use super::super::duration::{between, duration};
use super::super::words::{self, one_line};
use super::escaped;

/// The length of the whole run in the units of bars.
const UNITS: u64 = 1_000;

/// From when to when the run went.
pub(super) struct Scale {
    start: u64,
    length: u64,
}

impl Scale {
    pub(super) fn of(run: &RunState) -> Self {
        let start = run.started.map_or(0, |time| time.0);
        let end = run.finished.unwrap_or(run.last).0;
        Self { start, length: end.saturating_sub(start).max(1) }
    }

    fn at(&self, time: Timestamp) -> u64 {
        let since = time.0.saturating_sub(self.start).min(self.length);
        u64::try_from(u128::from(since) * u128::from(UNITS) / u128::from(self.length)).unwrap_or(UNITS)
    }

    fn bar(&self, class: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> String {
        let (Some(from), Some(to)) = (from, to) else { return String::new() };
        let (x, end) = (self.at(from), self.at(to));
        // What took no time is seen nevertheless.
        let (x, width) = if end - x.min(end) < 2 { (x.min(UNITS - 2), 2) } else { (x, end - x) };
        format!("<rect class=\"{class}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"10\" />")
    }

    fn end(&self) -> Timestamp {
        Timestamp(self.start + self.length)
    }
}

type Times = (Option<Timestamp>, Option<Timestamp>);

/// The row of a step.
pub(super) fn row(name: &str, class: &str, times: Times, scale: &Scale) -> String {
    whole(name, class, times, "", scale)
}

/// The row of a job, with the time that it waited for.
pub(super) fn job(job: &JobState, scale: &Scale) -> String {
    let class = words::job_conclusion(job).map_or("open", Conclusion::as_str);
    let waited =
        if job.started.is_some() { scale.bar("queue", job.queued, job.started) } else { String::new() };
    whole(&one_line(&job.name), class, (job.started, job.finished), &waited, scale)
}

fn whole(name: &str, class: &str, (from, to): Times, before: &str, scale: &Scale) -> String {
    let mark = match class {
        "success" => "✓",
        "failure" => "✗",
        "cancelled" => "⊘",
        "skipped" => "○",
        _ => "●",
    };
    let end = to.or(Some(scale.end()));
    let bar = if from.is_some() { scale.bar("work", from, end) } else { String::new() };
    let time = between(from, to).map_or_else(String::new, duration);
    let svg = format!(
        "<svg aria-hidden=\"true\" viewBox=\"0 0 {UNITS} 10\" preserveAspectRatio=\"none\">{before}{bar}</svg>"
    );
    let name = escaped(name);
    format!(
        "<span class=\"row {class}\"><span class=\"mark\">{mark}</span><span class=\"name\">{name}</span>{svg}\
         <span class=\"time\">{time}</span></span>"
    )
}

/// How a step ended, as a class.
pub(super) fn step_class(step: &StepState) -> &'static str {
    match step.status {
        StepStatus::Finished(outcome, _) => outcome.as_str(),
        StepStatus::Running => "open",
        StepStatus::Pending => "skipped",
    }
}

/// What there is to say about a job beside its steps.
pub(super) fn remark(job: &JobState) -> Option<String> {
    match (&job.status, &job.error) {
        (_, Some(error)) => Some(error.clone()),
        (JobStatus::Skipped(reason), None) => Some(format!("Skipped: {reason}")),
        (JobStatus::Running, None) => Some("Interrupted".to_owned()),
        (JobStatus::Finished(Conclusion::Failure), None) if job.continue_on_error => {
            Some("Its failure does not count".to_owned())
        }
        _ => None,
    }
}
