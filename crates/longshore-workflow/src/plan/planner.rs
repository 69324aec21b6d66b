//! From an event to a plan.

use longshore_syntax::Progress;

use super::{Plan, PlanInput, WorkflowFile, WorkflowPlan};
use crate::event::Event;
use crate::start::{Obstacle, Start, Stopped, start};

/// What the event would run.
pub fn plan(input: &PlanInput<'_>) -> Progress<Plan> {
    let workflows = input.workflows.iter().map(|workflow| plan_workflow(input.event, workflow)).collect();
    Progress::Ready(Plan { workflows, follow_ups: Vec::new() })
}

fn plan_workflow(event: &Event, workflow: &WorkflowFile) -> WorkflowPlan {
    let model = workflow.parsed.model.as_ref();
    let start = match model.filter(|_| workflow.parsed.is_valid()) {
        Some(model) => start(model, event),
        None => Start::Stopped(invalid(workflow)),
    };
    let name = model.map_or(workflow.file.name(), |model| model.display_name()).to_owned();
    WorkflowPlan { file: workflow.file.clone(), name, start, run: None }
}

fn invalid(workflow: &WorkflowFile) -> Stopped {
    let diagnostics = workflow.parsed.diagnostics();
    let first = diagnostics.first();
    let text = first.map_or_else(String::new, |diagnostic| diagnostic.message.clone());
    Stopped { obstacle: Obstacle::InvalidFile, span: first.map(|diagnostic| diagnostic.span), text }
}
