//! `longshore plan`: what an event would run, and why not more.

use clap::ValueEnum;

use longshore_report::diagnostic::{FileFindings, text};
use longshore_report::plan::tree::Detail;
use longshore_report::plan::{PlanView, dot, json, mermaid, tree};
use longshore_syntax::suggest;
use longshore_workflow::plan::{JobPlan, Plan, PlanInput, SourceSet, WorkflowFile};
use longshore_workflow::start::{Obstacle, Start};
use thiserror::Error;

use super::event::EventArgs;
use super::selection::SelectionArgs;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;
use crate::plan::drive::drive;
use crate::plan::occasion::settle;
use crate::plan::project::Project;
use crate::settings::OutputFormat;

/// Show which workflows an event starts, what they would run, and why the others do not start
///
/// Nothing is run. Without `--event` the plan is for pushing what is here now, files that are not yet committed
/// included: git says which branch it is and which files change. A value that only the run can tell is shown with what
/// it waits for.
///
/// The exit code is 0 if there is a plan, also if nothing starts, and 2 if there is no such workflow, job, event or
/// input.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore plan
  longshore plan ci.yml -e pull_request --base main
  longshore plan deploy -i environment=staging -j build
  longshore plan --ref refs/tags/v1.2.3 --format mermaid")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Look into actions of other repositories too, for the actions that they use
    #[arg(long)]
    resolve_actions: bool,

    /// Format of the plan
    #[arg(long, value_enum)]
    format: Option<PlanFormat>,

    /// Show steps, inputs, secrets, variables and limits too
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    event: EventArgs,
}

/// What a plan can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// A tree, for people
    Text,
    /// Longshore's own shape, see docs/plan-json.md
    Json,
    /// A Mermaid flowchart of jobs and their needs
    Mermaid,
    /// The same for Graphviz
    Dot,
}

/// What was asked for is not in the workflows.
#[derive(Debug, Error)]
pub(super) enum PlanError {
    #[error("no workflow here has a job `{job}`")]
    Job { job: String, help: String },
    #[error("no cell of a matrix has {asked}")]
    Matrix { asked: String },
    #[error("the inputs do not fit `{workflow}`: {why}")]
    Inputs { workflow: String, why: String, place: String },
}

impl Explained for PlanError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Job { help, .. } => help.clone(),
            Self::Matrix { .. } => "leave out `--matrix` to see every cell".to_owned(),
            Self::Inputs { place, .. } => {
                format!("give inputs as `-i NAME=VALUE`; they are declared at {place}")
            }
        })
    }
}

pub(super) fn run(args: &PlanArgs, session: &mut Session) -> Outcome {
    let request = args.event.request()?;
    let project = args.selection.project(session)?;
    let premise = settle(&request, &project.tree)?;
    let vars = args.selection.vars(session)?;
    let input = PlanInput {
        event: &premise.event,
        workflows: &project.workflows,
        sources: &SourceSet::default(),
        vars: vars.as_ref(),
        selection: &args.selection.selection(),
        fetch_actions: args.resolve_actions,
    };
    let planned = drive(input, &project.tree, &session.settings, &session.environment);
    let is_meant = args.selection.workflow.is_some() || !request.inputs.is_empty();
    check_inputs(&planned.plan, is_meant)?;
    check_matrix(&args.selection.matrix, &planned.plan)?;
    let findings = findings(&project, &planned.plan);
    let view =
        PlanView { premise: &premise, plan: &planned.plan, findings: &findings, missing: &planned.missing };
    show(args, &view, session)?;
    Ok(Exit::Success)
}

fn show(
    args: &PlanArgs,
    view: &PlanView<'_>,
    session: &mut Session,
) -> Result<(), crate::output::WriteError> {
    let format = args.format.unwrap_or(match session.settings.format.value {
        OutputFormat::Text => PlanFormat::Text,
        OutputFormat::Json => PlanFormat::Json,
    });
    if format != PlanFormat::Json {
        let style = session.output.talk_style();
        session.output.complain(&text::render(view.findings, style));
    }
    let detail = if args.verbose { Detail::Full } else { Detail::Short };
    let shown = match format {
        PlanFormat::Text => tree::render(view, detail, session.output.style()),
        PlanFormat::Json => json::render(view),
        PlanFormat::Mermaid => mermaid::render(view),
        PlanFormat::Dot => dot::render(view),
    };
    session.output.data(&shown)
}

/// What is wrong with files, and with the runs that they would make, file by file.
pub(super) fn findings(project: &Project, plan: &Plan) -> Vec<FileFindings> {
    let mut found = project.unreadable.clone();
    for workflow in &project.workflows {
        let diagnostics = workflow.parsed.diagnostics();
        if !diagnostics.is_empty() {
            found.push(FileFindings { file: workflow.file.clone(), diagnostics });
        }
    }
    let runs = plan.workflows.iter().filter_map(|workflow| workflow.run.as_ref());
    for finding in runs.flat_map(|run| &run.diagnostics) {
        let diagnostic = finding.diagnostic.clone();
        match found.iter_mut().find(|found| found.file.name() == finding.file.name()) {
            Some(found) if found.diagnostics.contains(&diagnostic) => {}
            Some(found) => found.diagnostics.push(diagnostic),
            None => found.push(FileFindings { file: finding.file.clone(), diagnostics: vec![diagnostic] }),
        }
    }
    found
}

/// A job that is in none of the workflows would leave nothing to plan.
pub(super) fn check_jobs(asked: &[String], workflows: &[WorkflowFile]) -> Result<(), PlanError> {
    let models = workflows.iter().filter_map(|workflow| workflow.parsed.model.as_ref());
    let ids: Vec<&str> = models.flat_map(|model| &model.jobs).map(|job| job.id.value.as_str()).collect();
    for job in asked {
        if ids.iter().any(|id| id.eq_ignore_ascii_case(job)) {
            continue;
        }
        let near = suggest::nearest(job, ids.iter().copied());
        let help = near.map_or_else(|| listed(&ids), |near| format!("did you mean `{near}`?"));
        return Err(PlanError::Job { job: job.clone(), help });
    }
    Ok(())
}

/// Whether the workflow has one of the jobs asked for; any has if none is.
pub(super) fn has_one_of(workflow: &WorkflowFile, jobs: &[String]) -> bool {
    let model = workflow.parsed.model.as_ref();
    jobs.is_empty() || jobs.iter().any(|id| model.is_some_and(|model| model.job(id).is_some()))
}

fn listed(ids: &[&str]) -> String {
    let mut known: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    known.sort();
    known.dedup();
    if known.is_empty() {
        "there are no jobs at all".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    }
}

/// Inputs that no workflow takes are a slip if somebody meant one.
pub(super) fn check_inputs(plan: &Plan, is_meant: bool) -> Result<(), PlanError> {
    if !is_meant || plan.workflows.iter().any(|workflow| matches!(workflow.start, Start::Starts(_))) {
        return Ok(());
    }
    for workflow in &plan.workflows {
        if let Start::Stopped(stopped) = &workflow.start
            && stopped.obstacle == Obstacle::Inputs
        {
            let line = stopped.span.map(|span| format!(":{}", workflow.file.position(span.start).line));
            return Err(PlanError::Inputs {
                workflow: workflow.name.clone(),
                why: stopped.text.clone(),
                place: format!("{}{}", workflow.file.name(), line.unwrap_or_default()),
            });
        }
    }
    Ok(())
}

/// A value that no cell has would leave nothing to plan.
pub(super) fn check_matrix(asked: &[(String, String)], plan: &Plan) -> Result<(), PlanError> {
    let mut jobs =
        plan.workflows.iter().filter_map(|workflow| workflow.run.as_ref()).flat_map(|run| &run.jobs);
    let has_cells = |job: &JobPlan| job.instances.iter().any(|instance| instance.cell.is_some());
    let has_runs = plan.workflows.iter().any(|workflow| workflow.run.is_some());
    if asked.is_empty() || !has_runs || jobs.any(has_cells) {
        return Ok(());
    }
    let asked: Vec<String> = asked.iter().map(|(key, value)| format!("`{key}: {value}`")).collect();
    Err(PlanError::Matrix { asked: asked.join(", ") })
}
