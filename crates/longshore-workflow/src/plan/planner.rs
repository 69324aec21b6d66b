//! From an event to a plan.

use longshore_expr::Object;
use longshore_syntax::Progress;

use super::{Plan, PlanInput, WorkflowFile, WorkflowPlan};
use crate::event::Event;
use crate::start::{Obstacle, Start, Started, Stopped};

/// What the event would run.
pub fn plan(input: &PlanInput<'_>) -> Progress<Plan> {
    let workflows = input.workflows.iter().map(|workflow| plan_workflow(input.event, workflow)).collect();
    Progress::Ready(Plan { workflows, follow_ups: Vec::new() })
}

fn plan_workflow(event: &Event, workflow: &WorkflowFile) -> WorkflowPlan {
    let model = workflow.parsed.model.as_ref();
    let trigger = model.and_then(|model| model.trigger(&event.name));
    let start = match trigger {
        Some(trigger) => Start::Starts(Started {
            span: trigger.event.span,
            text: format!("`on` names `{}`", event.name),
            schedules: Vec::new(),
            inputs: Object::default(),
        }),
        None => Start::Stopped(Stopped {
            obstacle: Obstacle::Event,
            span: None,
            text: format!("`on` does not name `{}`", event.name),
        }),
    };
    let name = model.map_or(workflow.file.name(), |model| model.display_name()).to_owned();
    WorkflowPlan { file: workflow.file.clone(), name, start, run: None }
}
