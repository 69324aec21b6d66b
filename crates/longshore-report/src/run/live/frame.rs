//! The tree of what is not over, in as many lines as the window has.
//!
//! The more there is to show, the less is shown of each job: first the ends of logs become shorter, then steps move into the
//! line of their job, then jobs that have ended are counted, then those that wait. If that is still too much, the rest is
//! counted in the last line.

use longshore_event::{JobStatus, RunState, Timestamp};

use super::super::duration::{between, ticking};
use super::super::group::{Group, Tally};
use super::super::node::{Branch, Node, branches};
use super::super::row::Row;
use super::super::tracked::{Tracked, Tracking};
use super::super::tree;
use super::Size;
use super::job::{self, spinner};
use crate::{Role, Style, count};

/// How much is shown of a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Lines of the log of a step that runs.
    pub(super) tail: usize,
    /// Lines about images.
    pub(super) images: usize,
    /// Whether steps have lines of their own.
    pub(super) steps: bool,
    /// Whether jobs that have ended have lines.
    pub(super) ended: bool,
    /// Whether jobs that wait have lines.
    pub(super) waiting: bool,
}

/// From the most to the least.
const DETAILS: [Detail; 7] = [
    Detail { tail: 5, images: 5, steps: true, ended: true, waiting: true },
    Detail { tail: 3, images: 3, steps: true, ended: true, waiting: true },
    Detail { tail: 1, images: 1, steps: true, ended: true, waiting: true },
    Detail { tail: 0, images: 1, steps: true, ended: true, waiting: true },
    Detail { tail: 0, images: 0, steps: false, ended: true, waiting: true },
    Detail { tail: 0, images: 0, steps: false, ended: false, waiting: true },
    Detail { tail: 0, images: 0, steps: false, ended: false, waiting: false },
];

/// The lines, each narrower than the window and together lower than it.
pub(super) fn frame(tracking: &Tracking, now: Timestamp, size: Size, style: Style) -> Vec<String> {
    // The cursor stands below the last line, and some terminals break a line that is as wide as they are.
    let (rows, columns) = (size.rows.saturating_sub(1), size.columns.saturating_sub(1));
    let mut lines = Vec::new();
    for detail in DETAILS {
        lines.clear();
        for run in tracking.runs.values().filter(|run| run.state.is_open()) {
            let view = View { run, detail, now, columns };
            lines.push(Branch { row: view.heading(), jobs: 0 });
            branches(&view.nodes(), "", &mut lines);
        }
        if lines.len() <= rows {
            break;
        }
    }
    fit(&mut lines, rows);
    lines.iter().map(|line| line.row.cut(columns, style)).collect()
}

/// Counts the jobs that do not fit in the last line.
fn fit(lines: &mut Vec<Branch>, rows: usize) {
    if lines.len() <= rows {
        return;
    }
    let kept = rows.saturating_sub(1);
    let jobs = lines[kept..].iter().map(|line| line.jobs).sum();
    lines.truncate(kept);
    if rows > 0 {
        let row = Row::default().faint(&format!("┄ and {}", count(jobs, "more job")));
        lines.push(Branch { row, jobs });
    }
}

/// A run at a moment.
pub(super) struct View<'a> {
    pub(super) run: &'a Tracked,
    pub(super) detail: Detail,
    pub(super) now: Timestamp,
    pub(super) columns: usize,
}

impl View<'_> {
    fn heading(&self) -> Row {
        let state = &self.run.state;
        let mut row = spinner(self.now).and(" ").and_row(tree::heading(state));
        if let Some(taken) = between(state.started, Some(self.now)) {
            row = row.faint(&format!("  {}", ticking(taken)));
        }
        if let Some(reason) = &state.cancelling {
            return row.role(Role::Warning, "  is being cancelled: ").and(reason);
        }
        match &state.waiting {
            Some(reason) => row.and("  waits for ").and(reason),
            None => row,
        }
    }

    fn nodes(&self) -> Vec<Node> {
        let state = &self.run.state;
        let mut nodes: Vec<Node> = self.images(None).into_iter().map(Node::new).collect();
        let mut folded = Tally::default();
        for group in Group::all(state) {
            match group.single() {
                Some(job) if self.is_shown(&job.status) => {
                    nodes.push(job::node(self, state, job, &group.title));
                }
                Some(job) => folded.add(job),
                None => self.group(&group, state, &mut folded, &mut nodes),
            }
        }
        if folded != Tally::default() {
            let row = Row::default().faint(&format!("┄ {}", folded.words().join(", ")));
            nodes.push(Node { jobs: folded.total(), ..Node::new(row) });
        }
        nodes
    }

    /// The cells of a matrix that run or failed, below what all of them add up to.
    fn group(&self, group: &Group<'_>, state: &RunState, folded: &mut Tally, nodes: &mut Vec<Node>) {
        let tally = Tally::of(group.jobs.iter().copied());
        if !group.jobs.iter().any(|job| self.is_shown(&job.status)) {
            group.jobs.iter().for_each(|job| folded.add(job));
            return;
        }
        let (started, finished) = group.times();
        let mark = match tally.conclusion() {
            None if tally.running > 0 => spinner(self.now),
            None => Row::default().faint("◌"),
            ended => Row::mark(ended),
        };
        let until = if tally.conclusion().is_some() { finished } else { Some(self.now) };
        let time = between(started, until).map_or_else(String::new, |taken| format!("  {}", ticking(taken)));
        let row = mark
            .and(" ")
            .strong(&group.title)
            .and(&format!(" × {}: {}", group.jobs.len(), tally.words().join(", ")))
            .faint(&time);
        let children: Vec<Node> = group
            .jobs
            .iter()
            .filter(|job| job.status == JobStatus::Running || (self.detail.ended && job::has_failed(job)))
            .map(|job| job::node(self, state, job, &group.cell(job)))
            .collect();
        nodes.push(Node { jobs: group.jobs.len() - children.len(), children, ..Node::new(row) });
    }

    fn is_shown(&self, status: &JobStatus) -> bool {
        match status {
            JobStatus::Running => true,
            JobStatus::Finished(_) | JobStatus::Skipped(_) => self.detail.ended,
            JobStatus::Pending | JobStatus::Queued(_) => self.detail.waiting,
        }
    }

    /// The transfers of images for a job.
    pub(super) fn images(&self, job: Option<&longshore_event::JobKey>) -> Vec<Row> {
        let Some(transfers) = self.run.transfers(job) else { return Vec::new() };
        let lines = transfers.lines(self.now, Style { color: false, width: self.columns });
        lines.iter().take(self.detail.images).map(|line| Row::default().faint(line)).collect()
    }
}
