//! Workflows of the tree: those that start, and those that do not.

use longshore_syntax::{SourceFile, Span};
use longshore_workflow::plan::{ConcurrencyPlan, JobPlan, Planned, RunPlan, TokenPermissions, WorkflowPlan};
use longshore_workflow::start::Start;

use super::layout::{Node, Text};
use super::{Detail, job, value};

/// A workflow that starts.
pub(super) fn started(workflow: &WorkflowPlan, detail: Detail) -> Node {
    let span = match &workflow.start {
        Start::Starts(started) => Some(started.span),
        Start::Stopped(stopped) => stopped.span,
    };
    let mut node = Node::new(heading(&workflow.name, &workflow.file, span));
    if let Start::Starts(started) = &workflow.start {
        node.row("starts", Text::plain(&started.text));
        if !started.schedules.is_empty() {
            node.row("schedule", Text::plain(&started.schedules.join(", ")));
        }
        node.row("inputs", Text::plain(&value::cell(&started.inputs)));
    }
    let Some(run) = &workflow.run else { return node };
    rows(run, detail, &mut node);
    node.children = stages(&run.jobs, &run.stages, &run.permissions, &workflow.file, detail);
    node
}

fn rows(run: &RunPlan, detail: Detail, node: &mut Node) {
    if let Some(name) = run.run_name.as_ref().filter(|_| detail == Detail::Full) {
        node.row("title", value::planned(name, |name| value::one_line(name)));
    }
    if let Some(concurrency) = &run.concurrency {
        node.row("concurrency", self::concurrency(concurrency));
    }
    node.row("permissions", Text::plain(&value::permissions(&run.permissions)));
}

/// A workflow that does not start; `None` if it does.
pub(super) fn stopped(workflow: &WorkflowPlan) -> Option<Node> {
    let Start::Stopped(stopped) = &workflow.start else { return None };
    let mut node = Node::new(heading(&workflow.name, &workflow.file, stopped.span));
    node.row("", Text::plain(&stopped.text));
    Some(node)
}

/// Name, file and line.
fn heading(name: &str, file: &SourceFile, span: Option<Span>) -> Text {
    let line = span.map(|span| format!(":{}", file.position(span.start).line)).unwrap_or_default();
    let place = format!("{}{line}", file.name());
    if name == file.name() { Text::strong(&place) } else { Text::strong(name).faint(" · ").and(&place) }
}

/// Jobs by stage; stages are named only if there are several.
pub(super) fn stages(
    jobs: &[JobPlan],
    stages: &[Vec<String>],
    permissions: &TokenPermissions,
    file: &SourceFile,
    detail: Detail,
) -> Vec<Node> {
    let context = job::Context { permissions, file, detail };
    if stages.len() <= 1 {
        return jobs.iter().map(|job| context.job(job)).collect();
    }
    let number = |at: usize| format!("stage {} of {}", at + 1, stages.len());
    let node = |(at, ids): (usize, &Vec<String>)| {
        let here = ids.iter().filter_map(|id| jobs.iter().find(|job| job.id == *id));
        let children: Vec<Node> = here.map(|job| context.job(job)).collect();
        Node { head: Text::default().faint(&number(at)), rows: Vec::new(), children }
    };
    stages.iter().enumerate().map(node).collect()
}

/// A concurrency group with what happens when it is taken.
pub(super) fn concurrency(plan: &ConcurrencyPlan) -> Text {
    let group = value::planned(&plan.group, |group| format!("`{}`", value::one_line(group)));
    let group = match &plan.cancel_in_progress {
        Planned::Known(true) => group.faint(", cancels the one in progress"),
        Planned::Known(false) => group,
        Planned::Deferred(later) => {
            group.faint(&format!(", cancels the one in progress if {}", value::one_line(&later.text)))
        }
        Planned::Failed(why) => group.and(&format!(", `cancel-in-progress` fails: {why}")),
    };
    if plan.queue_all { group.faint(", all that wait are kept") } else { group }
}
