//! Whether an event starts a workflow, and why not.
//!
//! Follows "Events that trigger workflows", "Workflow syntax" (`on`) and "Skipping workflow runs" of GitHub's
//! documentation. The answer always names the place in the file that decided.

use longshore_expr::Object;
use longshore_syntax::Span;

use crate::event::Event;
use crate::model::{Trigger, Workflow};

mod filters;
mod inputs;
mod occasion;
mod skip;

/// Whether an event starts a workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// It does.
    Starts(Started),
    /// It does not.
    Stopped(Stopped),
}

/// Why a workflow starts, and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The trigger in `on:`.
    pub span: Span,
    /// Why, in one sentence such as ``branch `main` matches `main` ``; lower case, no full stop.
    pub text: String,
    /// The cron entries that may have caused it, for `schedule`.
    pub schedules: Vec<String>,
    /// The inputs with defaults filled in and types applied, for `workflow_dispatch`.
    pub inputs: Object,
}

/// Why a workflow does not start.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    /// What kind of obstacle.
    pub obstacle: Obstacle,
    /// The part of the file that decided, if it was the file.
    pub span: Option<Span>,
    /// Why, in one sentence; lower case, no full stop.
    pub text: String,
}

impl Stopped {
    pub(crate) fn new(obstacle: Obstacle, span: Option<Span>, text: impl Into<String>) -> Self {
        Self { obstacle, span, text: text.into() }
    }
}

/// Whether `event` starts `workflow`. The file must be one that GitHub takes.
pub fn start(workflow: &Workflow, event: &Event) -> Start {
    match decide(workflow, event) {
        Ok(started) => Start::Starts(started),
        Err(stopped) => Start::Stopped(stopped),
    }
}

fn decide(workflow: &Workflow, event: &Event) -> Result<Started, Stopped> {
    let Some(trigger) = workflow.trigger(&event.name) else { return Err(not_listed(workflow, event)) };
    let span = trigger.event.span;
    skip::check(event, span)?;
    if event.name == "push" && event.is_deletion {
        let text = "the push deletes its ref; that is the event `delete`";
        return Err(Stopped::new(Obstacle::Deletion, Some(span), text));
    }
    let mut reasons = Vec::new();
    occasion::activity(trigger, event, &mut reasons)?;
    filters::check(trigger, event, &mut reasons)?;
    occasion::workflow_run(trigger, event, &mut reasons)?;
    occasion::image_version(trigger, event, &mut reasons)?;
    let schedules = occasion::schedules(trigger, event, &mut reasons)?;
    let inputs = inputs::dispatch(trigger, event)?;
    if reasons.is_empty() {
        reasons.push(format!("`on` names `{}`", event.name));
    }
    Ok(Started { span, text: reasons.join(", "), schedules, inputs })
}

fn not_listed(workflow: &Workflow, event: &Event) -> Stopped {
    let names: Vec<String> =
        workflow.triggers.iter().map(|trigger| format!("`{}`", trigger.event.value)).collect();
    let span = workflow.triggers.first().map(|trigger| trigger.event.span);
    if matches!(workflow.triggers.as_slice(), [Trigger { event, .. }] if event.value == "workflow_call") {
        return Stopped::new(Obstacle::CallOnly, span, "it only runs when another workflow calls it");
    }
    let text = format!("`on` does not name `{}`, only {}", event.name, names.join(", "));
    Stopped::new(Obstacle::Event, span, text)
}

/// The kinds of obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Obstacle {
    /// GitHub refuses the file.
    InvalidFile,
    /// `on:` does not name the event.
    Event,
    /// `types:` does not name the activity.
    ActivityType,
    /// `branches:` or `branches-ignore:`.
    Branch,
    /// `tags:` or `tags-ignore:`.
    Tag,
    /// `paths:` or `paths-ignore:`.
    Path,
    /// The push deletes its ref.
    Deletion,
    /// The commit message asks to skip the run.
    SkipMarker,
    /// `workflows:` does not name the workflow that ran.
    Workflow,
    /// No cron entry is the one asked for.
    Schedule,
    /// `names:` or `versions:` of `image_version`.
    ImageVersion,
    /// The inputs of the dispatch are refused.
    Inputs,
    /// Calling is the only way to start it.
    CallOnly,
    /// Too many workflows have followed each other.
    Chain,
}

impl Obstacle {
    /// Whether the workflow waits for such events, and not for this one.
    pub fn is_filter(self) -> bool {
        matches!(
            self,
            Self::ActivityType
                | Self::Branch
                | Self::Tag
                | Self::Path
                | Self::Deletion
                | Self::SkipMarker
                | Self::Workflow
                | Self::Schedule
                | Self::ImageVersion
        )
    }

    /// A stable word for machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFile => "invalid-file",
            Self::Event => "event",
            Self::ActivityType => "activity-type",
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Path => "path",
            Self::Deletion => "deletion",
            Self::SkipMarker => "skip-marker",
            Self::Workflow => "workflow",
            Self::Schedule => "schedule",
            Self::ImageVersion => "image-version",
            Self::Inputs => "inputs",
            Self::CallOnly => "call-only",
            Self::Chain => "chain",
        }
    }
}

#[cfg(test)]
mod tests;
