//! A run that has ended, as a tree of jobs and steps with their times.
//!
//! It stays on the screen, so nothing is left out but what says nothing: steps that passed are counted if there are many.

use longshore_event::{Conclusion, JobState, JobStatus, RunState, StepStage, StepState, StepStatus};

use super::duration::{between, duration};
use super::group::{Group, Tally};
use super::node::{Node, branches};
use super::row::Row;
use super::words;
use crate::{Style, count};

/// The steps of jobs that passed are shown one by one if the tree is no longer than this then.
const COMFORTABLE: usize = 40;
/// More cells than these that passed are shown in one line.
const CELLS: usize = 16;
/// The runner's own steps are shown if they take as long as this, in milliseconds.
const NOTABLE: u64 = 1_000;

/// Writes the tree.
pub(super) fn write(state: &RunState, style: Style, out: &mut String) {
    let mut nodes = nodes(state, true);
    if nodes.iter().map(Node::lines).sum::<usize>() > COMFORTABLE {
        nodes = self::nodes(state, false);
    }
    out.push_str(&heading(state).whole(style));
    out.push('\n');
    let mut lines = Vec::new();
    branches(&nodes, "", &mut lines);
    for line in lines {
        out.push_str(&line.row.whole(style));
        out.push('\n');
    }
}

/// What run it is.
pub(super) fn heading(state: &RunState) -> Row {
    let run = state.run.map_or_else(String::new, |run| format!(" (run {run})"));
    Row::default()
        .strong(&words::workflow(state))
        .and(&format!(": {}", words::cause(&state.outline)))
        .faint(&run)
}

/// The step that made the job fail.
pub(super) fn failed_step(job: &JobState) -> Option<&StepState> {
    job.steps.values().find(|step| matches!(step.status, StepStatus::Finished(_, Conclusion::Failure)))
}

fn nodes(state: &RunState, steps: bool) -> Vec<Node> {
    Group::all(state)
        .iter()
        .map(|group| match group.single() {
            Some(job) => job_node(job, &group.title, steps),
            None => group_node(group),
        })
        .collect()
}

fn group_node(group: &Group<'_>) -> Node {
    let tally = Tally::of(group.jobs.iter().copied());
    let (started, finished) = group.times();
    let row = Row::mark(tally.conclusion())
        .and(" ")
        .strong(&group.title)
        .and(&format!(" × {}: {}", group.jobs.len(), tally.final_words().join(", ")))
        .faint(&time(between(started, finished)));
    let folds = group.jobs.len() > CELLS;
    let (plain, special): (Vec<&JobState>, Vec<&JobState>) =
        group.jobs.iter().copied().partition(|job| folds && is_plain(job));
    let mut children: Vec<Node> = special.iter().map(|job| job_node(job, &group.cell(job), false)).collect();
    let passed: Vec<u64> = plain.iter().filter_map(|job| between(job.started, job.finished)).collect();
    let rest = plain.len() - passed.len();
    if let (Some(least), Some(most)) = (passed.iter().min(), passed.iter().max()) {
        let range = if least == most {
            duration(*most)
        } else {
            format!("{} to {}", duration(*least), duration(*most))
        };
        let row = Row::mark(Some(Conclusion::Success)).and(&format!(" {} passed", passed.len()));
        children.push(Node::new(row.faint(&format!(" ({range})"))));
    }
    if rest > 0 {
        let row = Row::mark(Some(Conclusion::Skipped)).and(&format!(" {rest} did not run"));
        children.push(Node::new(row));
    }
    Node { children, ..Node::new(row) }
}

/// Whether a number says as much about a cell as a line.
fn is_plain(job: &JobState) -> bool {
    match job.status {
        JobStatus::Finished(Conclusion::Success) => job.started.is_some() && !has_trouble(job),
        JobStatus::Finished(Conclusion::Skipped) | JobStatus::Skipped(_) => job.started.is_none(),
        JobStatus::Pending | JobStatus::Queued(_) => true,
        _ => false,
    }
}

/// Whether a step failed, though it may not count.
fn has_trouble(job: &JobState) -> bool {
    job.steps.values().any(|step| matches!(step.status, StepStatus::Finished(Conclusion::Failure, _)))
}

fn job_node(job: &JobState, name: &str, steps: bool) -> Node {
    let conclusion = words::job_conclusion(job);
    let mut row = Row::mark(conclusion).and(" ").strong(name);
    row = match &job.status {
        JobStatus::Skipped(reason) => row.faint(&format!(" skipped: {reason}")),
        JobStatus::Pending | JobStatus::Queued(_) => row.faint(" did not run"),
        JobStatus::Running => row.and(" was interrupted"),
        JobStatus::Finished(_) => row.faint(&time(between(job.started, job.finished))),
    };
    if job.continue_on_error && conclusion == Some(Conclusion::Failure) {
        row = row.and(", which does not count");
    }
    if let Some(error) = words::own_error(job) {
        row = row.and(": ").and(error);
    }
    let shown = steps
        || has_trouble(job)
        || matches!(conclusion, None | Some(Conclusion::Failure | Conclusion::Cancelled));
    Node { children: if shown { step_nodes(job, steps) } else { Vec::new() }, ..Node::new(row) }
}

fn step_nodes(job: &JobState, all: bool) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut passed: Vec<&StepState> = Vec::new();
    let mut skipped = 0;
    for step in job.steps.values() {
        match step.status {
            StepStatus::Finished(Conclusion::Skipped, _) => {
                skipped += usize::from(step.stage == StepStage::Main);
            }
            StepStatus::Finished(Conclusion::Success, _) if !all => passed.push(step),
            StepStatus::Finished(Conclusion::Success, _) if !is_notable(step) => {}
            StepStatus::Finished(..) | StepStatus::Running => {
                nodes.extend(folded(&passed));
                passed.clear();
                nodes.push(Node::new(step_row(step)));
            }
            // A job that was stopped leaves steps that nobody told of again.
            StepStatus::Pending => skipped += 1,
        }
    }
    nodes.extend(folded(&passed));
    if skipped > 0 {
        let row =
            Row::mark(Some(Conclusion::Skipped)).faint(&format!(" {} did not run", count(skipped, "step")));
        nodes.push(Node::new(row));
    }
    nodes
}

fn folded(passed: &[&StepState]) -> Option<Node> {
    let taken: u64 = passed.iter().filter_map(|step| between(step.started, step.finished)).sum();
    let row = Row::mark(Some(Conclusion::Success))
        .and(&format!(" {}", count(passed.len(), "step")))
        .faint(&time(Some(taken)));
    (!passed.is_empty()).then_some(Node::new(row))
}

fn is_notable(step: &StepState) -> bool {
    step.stage == StepStage::Main || between(step.started, step.finished).is_some_and(|took| took >= NOTABLE)
}

fn step_row(step: &StepState) -> Row {
    let StepStatus::Finished(outcome, conclusion) = step.status else {
        return Row::plain("● ").and(&words::step_name(step)).and(" was interrupted");
    };
    let mut row = Row::mark(Some(outcome))
        .and(" ")
        .and(&words::step_name(step))
        .faint(&time(between(step.started, step.finished)));
    if outcome == Conclusion::Failure {
        row = row.and(": ").and(&words::failure(step));
    }
    if outcome == conclusion { row } else { row.and(", which does not count") }
}

fn time(milliseconds: Option<u64>) -> String {
    milliseconds.map_or_else(String::new, |milliseconds| format!(" ({})", duration(milliseconds)))
}
