//! `longshore run`: the workflows that an event starts, carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_event::RunId;
use longshore_expr::Object;
use longshore_history::RunSelector;
use longshore_report::diagnostic::text;
use longshore_runner::{Project as RunProject, RunRequest};
use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::event::Event;
use longshore_workflow::plan::{Plan, PlanInput, Selection, SourceSet, WorkflowFile, WorkflowPlan};
use longshore_workflow::start::Start;
use thiserror::Error;

use super::carry::{CarryArgs, CarryError, Stage, secrets_for};
use super::event::EventArgs;
use super::plan::{check_inputs, check_matrix, findings};
use super::rerun::{self, Which};
use super::selection::SelectionArgs;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::plan::drive::drive;
use crate::plan::occasion::settle;
use crate::plan::project::Project;
use crate::run::recorded::Recorded;
use crate::run::secrets::{self, Secrets};

/// Run the workflows that an event starts, in containers on this machine
///
/// Without `--event` that is what pushing what is here now would start, files that are not yet committed included. Jobs run
/// in the image that their label stands for: `host`, a copy-on-write view of this machine, unless `--runs-on` or
/// longshore.toml names another one. Nothing that a job does reaches this machine.
///
/// The exit code is 0 if all runs succeed, 1 if one fails or is cancelled, 2 if there is no such workflow, job, event or
/// input. Ctrl-C cancels as GitHub does, a second one kills, a third one leaves at once.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore run ci.yml -e pull_request -j test --matrix python:3.12
  longshore run release.yml -i version=1.2.3 -s TOKEN --html report.html
  longshore run --runs-on ubuntu-22.04=debian:bookworm --format json
  longshore run --resume 7 --from 'Run tests'")]
pub(super) struct RunArgs {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Go on with what did not succeed in this run: failed jobs where they were left, others anew
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["workflow", "matrix", "workflows", "vars", "var_files", "event", "payload", "inputs"]
    )]
    resume: Option<RunSelector>,

    /// Go on with this step of the job, by name, id or number, in place of the one that failed
    #[arg(long, value_name = "STEP", requires = "resume")]
    from: Option<String>,

    #[command(flatten)]
    carry: CarryArgs,

    #[command(flatten)]
    event: EventArgs,
}

/// The run cannot begin.
#[derive(Debug, Error)]
pub(super) enum RunError {
    #[error("the plan has errors")]
    Plan,
    #[error("there is no workflow to run: {why}")]
    Nothing { why: String },
    #[error("there is no workflow to run: no workflow file was found")]
    NoFiles,
}

impl Explained for RunError {
    fn blame(&self) -> Blame {
        match self {
            Self::Plan | Self::Nothing { .. } | Self::NoFiles => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Plan => Some("mend what is said above; `longshore plan` shows the rest".to_owned()),
            Self::Nothing { .. } => {
                Some("`longshore plan` shows which workflows start, and why others do not".to_owned())
            }
            Self::NoFiles => Some(
                "they are looked for in `.github/workflows`; `-C DIR` works in another project, `-W PATH` names files"
                    .to_owned(),
            ),
        }
    }
}

pub(super) fn run(args: &RunArgs, session: &mut Session) -> Outcome {
    if let Some(run) = args.resume {
        let which = Which::Resume { jobs: &args.selection.jobs, from: args.from.as_deref() };
        return rerun::again(run, &which, &args.carry, session);
    }
    let asked = Asked { selection: &args.selection, event: &args.event, carry: &args.carry };
    let prepared = prepare(&asked, session)?;
    let starting: Vec<&WorkflowPlan> = prepared.starting().collect();
    if starting.is_empty() {
        return nothing(&prepared, session);
    }
    let secrets = secrets_for(&prepared.event, &args.carry.secrets, session)?;
    let stage = Stage::set(&args.carry, None, session)?;
    let mut runs = Vec::new();
    for workflow in starting {
        let Some(request) = prepared.request(workflow, &secrets, args.carry.debug) else { continue };
        let root = request.project.root.display().to_string();
        let recorder = stage.history.begin(&root, workflow.file.name()).map_err(CarryError::History)?;
        runs.push(stage.begin(recorder, request, &prepared.recorded(&asked, session), session));
    }
    let exit = stage.carry_out(runs, Vec::new(), session)?;
    Ok(if prepared.has_invalid_files { Exit::Failed } else { exit })
}

/// What is known before anything starts.
pub(super) struct Prepared {
    pub(super) project: Project,
    pub(super) event: Event,
    pub(super) vars: Object,
    pub(super) selection: Selection,
    pub(super) plan: Plan,
    /// A file cannot be used; on GitHub that is a failed run.
    pub(super) has_invalid_files: bool,
}

/// The flags that decide which runs there are.
pub(super) struct Asked<'a> {
    pub(super) selection: &'a SelectionArgs,
    pub(super) event: &'a EventArgs,
    pub(super) carry: &'a CarryArgs,
}

/// What a plan is made of.
pub(super) struct Scene {
    pub(super) project: Project,
    pub(super) event: Event,
    vars: Object,
    selection: Selection,
    has_inputs: bool,
}

/// Reads and plans, and shows what is wrong with the files.
fn prepare(asked: &Asked<'_>, session: &mut Session) -> Result<Prepared, Failure> {
    let scene = Scene::read(asked, session)?;
    let plan = scene.plan(&scene.event, &scene.project.workflows, session);
    let selection = asked.selection;
    check_inputs(&plan, selection.workflow.is_some() || scene.has_inputs)?;
    check_matrix(&selection.matrix, &plan)?;
    scene.prepared(plan, session)
}

impl Scene {
    /// Reads the files and settles the event.
    pub(super) fn read(asked: &Asked<'_>, session: &mut Session) -> Result<Self, Failure> {
        let request = asked.event.request()?;
        let project = asked.selection.project(session)?;
        let vars = asked.selection.vars(session)?.unwrap_or_default();
        let premise = settle(&request, &project.tree)?;
        Ok(Self {
            project,
            event: premise.event,
            vars,
            selection: asked.selection.selection(),
            has_inputs: !request.inputs.is_empty(),
        })
    }

    /// What an event does with some of the workflows.
    pub(super) fn plan(&self, event: &Event, workflows: &[WorkflowFile], session: &Session) -> Plan {
        let input = PlanInput {
            event,
            workflows,
            sources: &SourceSet::default(),
            vars: Some(&self.vars),
            selection: &self.selection,
            fetch_actions: false,
        };
        drive(input, &self.project.tree, &session.settings, &session.environment).plan
    }

    /// Shows what is wrong with the files, and refuses plans with errors.
    pub(super) fn prepared(self, plan: Plan, session: &mut Session) -> Result<Prepared, Failure> {
        let Self { project, event, vars, selection, .. } = self;
        let style = session.output.talk_style();
        session.output.complain(&text::render(&findings(&project, &plan), style));
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        let runs = plan.workflows.iter().filter_map(|workflow| workflow.run.as_ref());
        if runs.flat_map(|run| &run.diagnostics).any(|found| is_error(&found.diagnostic)) {
            return Err(RunError::Plan.into());
        }
        let has_invalid_files = !project.unreadable.is_empty()
            || project.workflows.iter().any(|workflow| !workflow.parsed.is_valid());
        Ok(Prepared { project, event, vars, selection, plan, has_invalid_files })
    }
}

impl Prepared {
    /// The workflows that start.
    pub(super) fn starting(&self) -> impl Iterator<Item = &WorkflowPlan> {
        self.plan.workflows.iter().filter(|workflow| workflow.run.is_some())
    }

    /// What is needed to carry the runs out again.
    pub(super) fn recorded(&self, asked: &Asked<'_>, session: &Session) -> Recorded {
        Recorded {
            workflows: asked.selection.workflows.as_ref().map(|path| session.directory.join(path)),
            event: self.event.clone(),
            vars: self.vars.clone(),
            selection: self.selection.clone(),
            runs_on: asked.carry.runs_on.clone(),
            actions: asked.carry.actions.unwrap_or_default(),
            earlier: Vec::new(),
        }
    }

    /// The run of a workflow; its numbers come from the history.
    pub(super) fn request(
        &self,
        workflow: &WorkflowPlan,
        secrets: &Secrets,
        debug: bool,
    ) -> Option<RunRequest> {
        let file = self.project.workflows.iter().find(|file| file.file.name() == workflow.file.name())?;
        let root = self.project.tree.root().to_owned();
        let repository = self.event.repository.clone().unwrap_or_else(|| local_name(&root));
        let inputs = match &workflow.start {
            Start::Starts(started) => started.inputs.clone(),
            Start::Stopped(_) => Object::default(),
        };
        Some(RunRequest {
            id: RunId(0),
            number: 0,
            attempt: 0,
            workflow: Arc::new(file.parsed.model.clone()?),
            event: self.event.clone().with_inputs(&inputs),
            inputs,
            vars: self.vars.clone(),
            secrets: secrets.clone(),
            token: secrets::token(secrets),
            plan: workflow.run.clone()?,
            sources: SourceSet::default(),
            selection: self.selection.clone(),
            prior: BTreeMap::new(),
            earlier: Vec::new(),
            resume: BTreeMap::new(),
            keep: None,
            project: RunProject { root, repository },
            debug,
        })
    }
}

/// Nothing starts. That filters let nothing through is an answer, as on GitHub; that nobody waits for the event, or that
/// there is no workflow, is a mistake.
pub(super) fn nothing(prepared: &Prepared, session: &mut Session) -> Outcome {
    if prepared.has_invalid_files {
        return Err(RunError::Plan.into());
    }
    let why = match prepared.plan.workflows.as_slice() {
        [] => return Err(RunError::NoFiles.into()),
        [only] => match &only.start {
            Start::Stopped(stopped) => format!("`{}` does not start: {}", only.file.name(), stopped.text),
            Start::Starts(_) => "it has no jobs".to_owned(),
        },
        many => {
            let reasons: String = many.iter().take(REASONS).map(reason).collect();
            let more = if many.len() > REASONS { "\n…" } else { "" };
            format!("none of the {} workflows starts with this event{reasons}{more}", many.len())
        }
    };
    let is_filtered = |workflow: &WorkflowPlan| match &workflow.start {
        Start::Stopped(stopped) => stopped.obstacle.is_filter(),
        Start::Starts(_) => false,
    };
    if prepared.plan.workflows.iter().any(is_filtered) {
        let why = why.replace('\n', "\n    ");
        session.output.complain(&format!("note: there is nothing to run: {why}\n"));
        return Ok(Exit::Success);
    }
    Err(RunError::Nothing { why }.into())
}

/// For how many workflows it is said why they do not start.
const REASONS: usize = 8;

/// Why a workflow does not start, as a line of its own.
fn reason(workflow: &WorkflowPlan) -> String {
    let why = match &workflow.start {
        Start::Stopped(stopped) => stopped.text.as_str(),
        Start::Starts(_) => "it has no jobs",
    };
    format!("\n`{}`: {why}", workflow.file.name())
}

/// `owner/name` for a repository that nobody has named.
fn local_name(root: &std::path::Path) -> String {
    let name =
        root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("local/{name}")
}
