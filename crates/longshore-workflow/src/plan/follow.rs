//! Workflows that start when others have run (`workflow_run`).

use longshore_expr::{Object, Value};

use super::{FollowUp, PlanInput, WorkflowPlan};
use crate::event::Event;
use crate::model::{Trigger, Workflow};
use crate::start::{Obstacle, Start, Stopped, start};

/// GitHub starts no workflow further than this from the event.
const MAX_LEVEL: usize = 3;

/// What follows the workflows that start, level by level; one level more than GitHub starts, to say that it ends.
pub(super) fn follow_ups(input: &PlanInput<'_>, plans: &[WorkflowPlan]) -> Vec<FollowUp> {
    let models: Vec<&Workflow> = input
        .workflows
        .iter()
        .filter(|workflow| workflow.parsed.is_valid())
        .filter_map(|workflow| workflow.parsed.model.as_ref())
        .collect();
    let starts = |path: &str| {
        plans.iter().any(|plan| plan.file.name() == path && matches!(plan.start, Start::Starts(_)))
    };
    let mut before: Vec<&Workflow> =
        models.iter().copied().filter(|workflow| starts(workflow.file.name())).collect();
    let mut found = Vec::new();
    for level in 1..=MAX_LEVEL + 1 {
        let mut next = Vec::new();
        for workflow in &models {
            let Some(trigger) = workflow.trigger("workflow_run") else { continue };
            let follows =
                |first: &&&Workflow| trigger.workflows.iter().any(|name| name.value == first.display_name());
            let after: Vec<&Workflow> = before.iter().filter(follows).copied().collect();
            let Some(first) = after.first() else { continue };
            let start = match level {
                _ if level > MAX_LEVEL => too_long(trigger),
                _ => start(workflow, &run_of(first, trigger, input.event, level)),
            };
            if matches!(start, Start::Starts(_)) {
                next.push(*workflow);
            }
            found.push(FollowUp {
                path: workflow.file.name().to_owned(),
                name: workflow.display_name().to_owned(),
                after: after.iter().map(|workflow| workflow.file.name().to_owned()).collect(),
                level,
                start,
            });
        }
        before = next;
    }
    found
}

/// The event that the run of a workflow is for those that follow it. From the second level on it is a run on the
/// default branch.
fn run_of(workflow: &Workflow, trigger: &Trigger, event: &Event, level: usize) -> Event {
    let types = trigger.types.as_deref().unwrap_or_default();
    let completed = types.is_empty() || types.iter().any(|name| name.value == "completed");
    let action = if completed { "completed" } else { types.first().map_or("completed", |name| &name.value) };
    let branch = if level > 1 {
        event.default_branch.as_deref()
    } else if event.is_pull_request() {
        event.head_ref.as_deref()
    } else {
        event.branch().or(event.tag())
    };
    let mut run = Object::default().with("name", Value::from(workflow.display_name()));
    if let Some(branch) = branch {
        run = run.with("head_branch", Value::from(branch));
    }
    let payload = Object::default().with("action", Value::from(action)).with("workflow_run", run.into());
    Event::from_payload(Some("workflow_run"), payload.into())
}

fn too_long(trigger: &Trigger) -> Start {
    let text = format!("GitHub starts no workflow more than {MAX_LEVEL} levels after the event");
    Start::Stopped(Stopped::new(Obstacle::Chain, Some(trigger.event.span), text))
}
