//! A run that has ended, as a tree of jobs and steps with their times.
//!
//! It stays on the screen, so nothing is left out but what says nothing: steps that passed are counted if there are many.

use longshore_event::{Conclusion, JobState, JobStatus, RunState, StepStage, StepState, StepStatus};

use super::duration::{between, duration};
use super::group::{Group, Tally};
use super::row::Row;
use super::words;
use crate::{Role, Style, count};

/// The steps of jobs that passed are shown one by one if the tree is no longer than this then.
const COMFORTABLE: usize = 40;
/// More cells than these that passed are shown in one line.
const CELLS: usize = 16;
/// The runner's own steps are shown if they take as long as this, in milliseconds.
const NOTABLE: u64 = 1_000;

/// A line and what is below it.
#[derive(Debug, Default)]
struct Node {
    row: Row,
    children: Vec<Node>,
}

/// Writes the tree.
pub(super) fn write(state: &RunState, style: Style, out: &mut String) {
    let mut nodes = nodes(state, true);
    if nodes.iter().map(Node::lines).sum::<usize>() > COMFORTABLE {
        nodes = self::nodes(state, false);
    }
    out.push_str(&heading(state).whole(style));
    out.push('\n');
    branches(&nodes, "", style, out);
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
    Group::all(&state.jobs)
        .iter()
        .map(|group| match group.single() {
            Some(job) => job_node(job, &group.title(), steps),
            None => group_node(group),
        })
        .collect()
}

fn group_node(group: &Group<'_>) -> Node {
    let tally = Tally::of(group.jobs.iter().copied());
    let (started, finished) = group.times();
    let row = Row::mark(tally.conclusion())
        .and(" ")
        .strong(&group.title())
        .and(&format!(" × {}: {}", group.jobs.len(), tally.words().join(", ")))
        .faint(&time(between(started, finished)));
    let (plain, special): (Vec<_>, Vec<_>) =
        group.jobs.iter().copied().partition(|job| words::job_conclusion(job) == Some(Conclusion::Success));
    let mut children: Vec<Node> = special.iter().map(|job| job_node(job, &group.cell(job), false)).collect();
    if plain.len() <= CELLS {
        children = group.jobs.iter().map(|job| job_node(job, &group.cell(job), false)).collect();
    } else {
        let times: Vec<u64> = plain.iter().filter_map(|job| between(job.started, job.finished)).collect();
        let range = match (times.iter().min(), times.iter().max()) {
            (Some(least), Some(most)) => format!(" ({} to {})", duration(*least), duration(*most)),
            _ => String::new(),
        };
        let row = Row::mark(Some(Conclusion::Success)).and(&format!(" {} passed", plain.len())).faint(&range);
        children.push(Node { row, children: Vec::new() });
    }
    Node { row, children }
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
    if let Some(error) = &job.error {
        row = row.and(": ").and(error);
    }
    let shown = steps || matches!(conclusion, None | Some(Conclusion::Failure | Conclusion::Cancelled));
    Node { row, children: if shown { step_nodes(job, steps) } else { Vec::new() } }
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
                nodes.push(Node { row: step_row(step), children: Vec::new() });
            }
            // A job that was stopped leaves steps that nobody told of again.
            StepStatus::Pending => skipped += 1,
        }
    }
    nodes.extend(folded(&passed));
    if skipped > 0 {
        let row =
            Row::mark(Some(Conclusion::Skipped)).faint(&format!(" {} did not run", count(skipped, "step")));
        nodes.push(Node { row, children: Vec::new() });
    }
    nodes
}

fn folded(passed: &[&StepState]) -> Option<Node> {
    let taken: u64 = passed.iter().filter_map(|step| between(step.started, step.finished)).sum();
    let row = Row::mark(Some(Conclusion::Success))
        .and(&format!(" {}", count(passed.len(), "step")))
        .faint(&time(Some(taken)));
    (!passed.is_empty()).then_some(Node { row, children: Vec::new() })
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
        row = match (&step.error, step.exit_code) {
            (Some(error), _) => row.and(": ").and(error),
            (None, Some(code)) => row.and(&format!(": exit code {code}")),
            (None, None) => row.and(": failed"),
        };
    }
    if outcome == conclusion { row } else { row.and(", which does not count") }
}

fn time(milliseconds: Option<u64>) -> String {
    milliseconds.map_or_else(String::new, |milliseconds| format!(" ({})", duration(milliseconds)))
}

impl Node {
    fn lines(&self) -> usize {
        1 + self.children.iter().map(Self::lines).sum::<usize>()
    }
}

fn branches(nodes: &[Node], guide: &str, style: Style, out: &mut String) {
    let last = nodes.len().saturating_sub(1);
    for (at, node) in nodes.iter().enumerate() {
        let (branch, trunk) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        out.push_str(&format!(
            "{}{}\n",
            style.paint(Role::Faint, &format!("{guide}{branch}")),
            node.row.whole(style)
        ));
        branches(&node.children, &format!("{guide}{trunk}"), style, out);
    }
}
