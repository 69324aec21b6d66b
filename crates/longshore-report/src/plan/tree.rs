//! A plan for people: a tree of workflows, stages and jobs.
//!
//! The first line says what is taken for granted, the last one how much would run. In between stands every workflow:
//! those that start with their jobs, those that do not with the reason and the line that decided. The tree says the
//! same without colour. By default it shows what decides whether and where jobs run; [`Detail::Full`] adds steps,
//! inputs, secrets and limits.

mod job;
mod layout;
mod value;
mod workflow;

use longshore_workflow::plan::{FollowUp, Plan};
use longshore_workflow::start::Start;

use self::layout::{Node, Text, paragraph};
use super::{MissingSource, PlanCounts, PlanView, Premise};
use crate::{Role, Style, count};

/// How much is shown of each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What decides whether and where it runs.
    #[default]
    Short,
    /// Everything that is known.
    Full,
}

/// The plan as text, ending with a line feed.
pub fn render(view: &PlanView<'_>, detail: Detail, style: Style) -> String {
    let mut out = String::new();
    premise(view.premise, style, &mut out);
    let workflows = &view.plan.workflows;
    for workflow in workflows.iter().filter(|workflow| workflow.run.is_some()) {
        out.push('\n');
        layout::write(&workflow::started(workflow, detail), style, &mut out);
    }
    let stopped = workflows.iter().filter_map(workflow::stopped).collect();
    section("Does not start", stopped, style, &mut out);
    let follow_ups = view.plan.follow_ups.iter().map(|follow_up| follow_up_node(follow_up, view.plan));
    section("Follows by `workflow_run`", follow_ups.collect(), style, &mut out);
    section("Missing", view.missing.iter().map(missing_node).collect(), style, &mut out);
    out.push('\n');
    paragraph(&summary(PlanCounts::of(view.plan), view.missing.len()), style, &mut out);
    out
}

fn premise(premise: &Premise, style: Style, out: &mut String) {
    let reason = premise.reason();
    let colon = if reason.is_empty() { "" } else { ": " };
    paragraph(&Text::strong(&premise.happening()).and(colon).and(&reason), style, out);
    for notice in &premise.notices {
        paragraph(&Text::default().role(Role::Help, "note").and(": ").and(notice), style, out);
    }
}

fn section(title: &str, children: Vec<Node>, style: Style, out: &mut String) {
    if !children.is_empty() {
        out.push('\n');
        layout::write(&Node { head: Text::strong(title), rows: Vec::new(), children }, style, out);
    }
}

fn follow_up_node(follow_up: &FollowUp, plan: &Plan) -> Node {
    let mut node = Node::new(Text::strong(&follow_up.name).faint(" · ").and(&follow_up.path));
    let names = follow_up.after.iter().map(|path| {
        let followed = plan.workflows.iter().find(|workflow| workflow.file.name() == path);
        format!("`{}`", followed.map_or(path.as_str(), |workflow| workflow.name.as_str()))
    });
    node.row("after", Text::plain(&names.collect::<Vec<_>>().join(" or ")));
    match &follow_up.start {
        Start::Starts(started) => node.row("starts", Text::plain(&started.text)),
        Start::Stopped(stopped) => node.row("does not", Text::plain(&stopped.text)),
    }
    node
}

fn missing_node(missing: &MissingSource) -> Node {
    let mut node = Node::new(Text::strong(&missing.reference));
    for tried in &missing.tried {
        node.row("tried", Text::plain(tried));
    }
    node.row("help", Text::plain(&missing.help));
    node
}

fn summary(counts: PlanCounts, missing: usize) -> Text {
    let jobs = [
        (counts.running, "runs", "run"),
        (counts.skipped, "is skipped", "are skipped"),
        (counts.deferred, "is decided by the run", "are decided by the run"),
        (counts.failing, "fails", "fail"),
    ];
    let mut jobs = jobs.into_iter().filter(|(number, ..)| *number > 0);
    let mut text = format!("{} of {} start", counts.starting, count(counts.workflows, "workflow"));
    if counts.workflows == 1 {
        text.push('s');
    }
    if let Some((number, one, many)) = jobs.next() {
        text += &format!(": {} {}", count(number, "job"), if number == 1 { one } else { many });
    }
    for (number, one, many) in jobs {
        text += &format!(", {number} {}", if number == 1 { one } else { many });
    }
    if missing > 0 {
        text += &format!("; {} missing", count(missing, "source"));
    }
    Text::strong(&text)
}
