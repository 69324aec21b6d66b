//! A plan as JSON, in a shape that is Longshore's own and stays as documented in `docs/plan-json.md`.
//!
//! Fields may be added; none changes its meaning without a new number in `version`. `docs/plan.schema.json` is the same
//! as a JSON Schema, which tests hold against real plans. Keys that have nothing to say are there with null or an empty
//! list, so that a reader need not ask whether a key exists.

mod job;
mod planned;
mod run;

use longshore_workflow::event::Event;
use longshore_workflow::plan::{FollowUp, WorkflowPlan};
use longshore_workflow::start::Start;
use serde::Serialize;

use self::planned::{PlaceDto, object};
use self::run::RunDto;
use super::{MissingSource, PlanCounts, PlanView, Premise, PremiseOrigin};
use crate::diagnostic::json::{DiagnosticDto, diagnostic_dto};

/// Name and version of the shape.
pub const SCHEMA: &str = "longshore.plan/1";
/// The version alone.
pub const VERSION: u32 = 1;

/// One JSON document with the plan, pretty-printed, ending with a line feed.
pub fn render(view: &PlanView<'_>) -> String {
    let findings = view.findings.iter();
    let document = PlanDto {
        schema: SCHEMA,
        version: VERSION,
        summary: SummaryDto::new(PlanCounts::of(view.plan)),
        event: EventDto::new(view.premise),
        workflows: view.plan.workflows.iter().map(WorkflowDto::new).collect(),
        follow_ups: view.plan.follow_ups.iter().map(FollowUpDto::new).collect(),
        missing: view.missing.iter().map(MissingDto::new).collect(),
        diagnostics: findings
            .flat_map(|found| {
                found.diagnostics.iter().map(|diagnostic| diagnostic_dto(&found.file, diagnostic))
            })
            .collect(),
    };
    // Plain structs of strings and numbers: there is nothing in them that could fail to serialise.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Debug, Serialize)]
struct PlanDto<'a> {
    schema: &'static str,
    version: u32,
    summary: SummaryDto,
    event: EventDto<'a>,
    workflows: Vec<WorkflowDto<'a>>,
    follow_ups: Vec<FollowUpDto<'a>>,
    missing: Vec<MissingDto<'a>>,
    diagnostics: Vec<DiagnosticDto<'a>>,
}

#[derive(Debug, Serialize)]
struct SummaryDto {
    workflows: usize,
    starting: usize,
    running: usize,
    skipped: usize,
    deferred: usize,
    failing: usize,
}

impl SummaryDto {
    fn new(counts: PlanCounts) -> Self {
        let PlanCounts { workflows, starting, running, skipped, deferred, failing } = counts;
        Self { workflows, starting, running, skipped, deferred, failing }
    }
}

/// What is taken for granted.
#[derive(Debug, Serialize)]
struct EventDto<'a> {
    name: &'a str,
    action: Option<&'a str>,
    #[serde(rename = "ref")]
    git_ref: Option<&'a str>,
    sha: Option<&'a str>,
    before: Option<&'a str>,
    base_ref: Option<&'a str>,
    head_ref: Option<&'a str>,
    repository: Option<&'a str>,
    default_branch: Option<&'a str>,
    actor: Option<&'a str>,
    fork: bool,
    /// `git`, `directory` or `payload`.
    origin: &'static str,
    base: Option<BaseDto<'a>>,
    commits: Option<usize>,
    changed_files: Option<usize>,
    uncommitted: bool,
    changed_paths: Option<ChangedPathsDto<'a>>,
    notices: &'a [String],
}

#[derive(Debug, Serialize)]
struct BaseDto<'a> {
    kind: &'static str,
    text: &'a str,
    commit: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ChangedPathsDto<'a> {
    complete: bool,
    paths: &'a [String],
}

impl<'a> EventDto<'a> {
    fn new(premise: &'a Premise) -> Self {
        let Event { name, action, git_ref, sha, before, base_ref, head_ref, repository, .. } = &premise.event;
        Self {
            name,
            action: action.as_deref(),
            git_ref: git_ref.as_deref(),
            sha: sha.as_deref(),
            before: before.as_deref(),
            base_ref: base_ref.as_deref(),
            head_ref: head_ref.as_deref(),
            repository: repository.as_deref(),
            default_branch: premise.event.default_branch.as_deref(),
            actor: premise.event.actor.as_deref(),
            fork: premise.event.is_fork,
            origin: match premise.origin {
                PremiseOrigin::Git => "git",
                PremiseOrigin::Directory => "directory",
                PremiseOrigin::Payload(_) => "payload",
            },
            base: premise.base.as_ref().map(|base| BaseDto {
                kind: base.kind,
                text: &base.text,
                commit: base.commit.as_deref(),
            }),
            commits: premise.commits,
            changed_files: premise.changed_files,
            uncommitted: premise.has_uncommitted,
            changed_paths: premise
                .event
                .changed_paths
                .as_ref()
                .map(|changed| ChangedPathsDto { complete: changed.complete, paths: &changed.paths }),
            notices: &premise.notices,
        }
    }
}

#[derive(Debug, Serialize)]
struct WorkflowDto<'a> {
    path: &'a str,
    name: &'a str,
    start: StartDto<'a>,
    run: Option<RunDto<'a>>,
}

impl<'a> WorkflowDto<'a> {
    fn new(workflow: &'a WorkflowPlan) -> Self {
        let span = match &workflow.start {
            Start::Starts(started) => Some(started.span),
            Start::Stopped(stopped) => stopped.span,
        };
        let place = span.map(|span| PlaceDto::new(&workflow.file, span));
        Self {
            path: workflow.file.name(),
            name: &workflow.name,
            start: StartDto::new(&workflow.start, place),
            run: workflow.run.as_ref().map(|run| RunDto::new(run, &workflow.file)),
        }
    }
}

/// Whether a workflow starts and why.
#[derive(Debug, Serialize)]
struct StartDto<'a> {
    starts: bool,
    reason: &'a str,
    /// The kind of obstacle; null if it starts.
    obstacle: Option<&'static str>,
    place: Option<PlaceDto>,
    schedules: &'a [String],
    inputs: serde_json::Value,
}

impl<'a> StartDto<'a> {
    fn new(start: &'a Start, place: Option<PlaceDto>) -> Self {
        match start {
            Start::Starts(started) => Self {
                starts: true,
                reason: &started.text,
                obstacle: None,
                place,
                schedules: &started.schedules,
                inputs: object(&started.inputs),
            },
            Start::Stopped(stopped) => Self {
                starts: false,
                reason: &stopped.text,
                obstacle: Some(stopped.obstacle.as_str()),
                place,
                schedules: &[],
                inputs: serde_json::Value::Object(serde_json::Map::new()),
            },
        }
    }
}

#[derive(Debug, Serialize)]
struct FollowUpDto<'a> {
    path: &'a str,
    name: &'a str,
    after: &'a [String],
    level: usize,
    start: StartDto<'a>,
}

impl<'a> FollowUpDto<'a> {
    fn new(follow_up: &'a FollowUp) -> Self {
        Self {
            path: &follow_up.path,
            name: &follow_up.name,
            after: &follow_up.after,
            level: follow_up.level,
            start: StartDto::new(&follow_up.start, None),
        }
    }
}

#[derive(Debug, Serialize)]
struct MissingDto<'a> {
    reference: &'a str,
    tried: &'a [String],
    help: &'a str,
}

impl<'a> MissingDto<'a> {
    fn new(missing: &'a MissingSource) -> Self {
        Self { reference: &missing.reference, tried: &missing.tried, help: &missing.help }
    }
}
