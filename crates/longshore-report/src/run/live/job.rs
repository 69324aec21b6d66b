//! One job in the tree of what is not over.

use longshore_event::{
    Conclusion, JobKey, JobState, JobStatus, RunState, ServiceState, StepNumber, StepState, StepStatus,
    Timestamp,
};

use super::super::duration::{between, duration, ticking};
use super::super::line::Line;
use super::super::node::Node;
use super::super::row::Row;
use super::super::tree::failed_step;
use super::super::words;
use super::frame::View;
use crate::{Role, Style};

/// A mark that moves while something runs.
pub(super) fn spinner(now: Timestamp) -> Row {
    const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    let at = usize::try_from(now.0 / 100 % FRAMES.len() as u64).unwrap_or(0);
    Row::default().role(Role::Help, FRAMES.get(at).unwrap_or(&"⠋"))
}

/// Whether it ended otherwise than well.
pub(super) fn has_failed(job: &JobState) -> bool {
    matches!(job.status, JobStatus::Finished(Conclusion::Failure | Conclusion::Cancelled))
}

/// The lines of a job.
pub(super) fn node(view: &View<'_>, state: &RunState, job: &JobState, name: &str) -> Node {
    let row = match &job.status {
        JobStatus::Running => return running(view, job, name),
        JobStatus::Finished(conclusion) => finished(job, *conclusion, name),
        JobStatus::Skipped(reason) => Row::mark(Some(Conclusion::Skipped))
            .and(&format!(" {name}"))
            .faint(&format!("  skipped: {reason}")),
        JobStatus::Queued(reason) => {
            let reason = reason.as_deref().unwrap_or("its turn");
            Row::default().faint("◌").and(&format!(" {name}")).faint(&format!("  waits for {reason}"))
        }
        JobStatus::Pending => {
            let needs = open_needs(state, job);
            let reason =
                if needs.is_empty() { String::new() } else { format!("  waits for {}", needs.join(", ")) };
            Row::default().faint("◌").and(&format!(" {name}")).faint(&reason)
        }
    };
    Node { jobs: 1, ..Node::new(row) }
}

fn finished(job: &JobState, conclusion: Conclusion, name: &str) -> Row {
    let time =
        between(job.started, job.finished).map_or_else(String::new, |taken| format!("  {}", duration(taken)));
    let row = Row::mark(Some(conclusion)).and(" ").strong(name).faint(&time);
    if conclusion == Conclusion::Success {
        return row;
    }
    let row = row.and(&format!("  {}", words::ended(conclusion)));
    let row = match failed_step(job) {
        Some(step) => row.and(&format!(" at {}", words::step_name(step))),
        None => row,
    };
    if job.continue_on_error { row.and(", which does not count") } else { row }
}

/// The jobs that it needs and that have not ended.
fn open_needs<'j>(state: &RunState, job: &'j JobState) -> Vec<&'j str> {
    let is_of = |key: &str, need: &str| {
        key.strip_prefix(need).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    };
    let is_open = |need: &str| {
        state
            .jobs
            .iter()
            .any(|other| is_of(other.key.as_str(), need) && words::job_conclusion(other).is_none())
    };
    job.needs.iter().map(String::as_str).filter(|need| is_open(need)).collect()
}

fn running(view: &View<'_>, job: &JobState, name: &str) -> Node {
    let taken = between(job.started, Some(view.now))
        .map_or_else(String::new, |taken| format!("  {}", ticking(taken)));
    let mut row = spinner(view.now).and(" ").strong(name).faint(&taken);
    let over = job.steps.values().filter(|step| matches!(step.status, StepStatus::Finished(..))).count();
    if over > 0 {
        row = row.faint(&format!("  {over} of {} steps", job.steps.len()));
    }
    let steps = job.steps.iter().filter(|(_, step)| step.status == StepStatus::Running);
    if !view.detail.steps {
        for (_, step) in steps.take(1) {
            row = row.and(&format!("  {}", words::step_name(step))).faint(&elapsed(step, view.now));
        }
        return Node { jobs: 1, ..Node::new(row) };
    }
    let children = steps.map(|(number, step)| step_node(view, &job.key, *number, step)).collect();
    let mut notes: Vec<Row> = services(job).into_iter().collect();
    notes.extend(view.images(Some(&job.key)));
    Node { row, notes, children, jobs: 1 }
}

fn step_node(view: &View<'_>, job: &JobKey, number: StepNumber, step: &StepState) -> Node {
    let row = spinner(view.now).and(&format!(" {}", words::step_name(step))).faint(&elapsed(step, view.now));
    let plain = Style { color: false, width: view.columns };
    let log = view.run.log(job, number).into_iter().flat_map(|log| log.tail(view.detail.tail));
    let notes = log.filter_map(|line| Line::of(line).shown(plain)).map(|line| Row::default().faint(&line));
    Node { notes: notes.collect(), ..Node::new(row) }
}

fn elapsed(step: &StepState, now: Timestamp) -> String {
    between(step.started, Some(now)).map_or_else(String::new, |taken| format!("  {}", ticking(taken)))
}

/// All services in one line.
fn services(job: &JobState) -> Option<Row> {
    let mut row = Row::default().faint("services:");
    for (at, (name, _, state)) in job.services.iter().enumerate() {
        let role = match state {
            ServiceState::Starting => Role::Faint,
            ServiceState::Ready => Role::Note,
            ServiceState::Failed => Role::Error,
        };
        row = row
            .and(&format!("{}{name} ", if at == 0 { " " } else { ", " }))
            .role(role, words::service(*state));
    }
    (!job.services.is_empty()).then_some(row)
}
