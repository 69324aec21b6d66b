//! `longshore run`: the workflows that an event starts, carried out.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_engine::{ContainerSpec, ImageSource};
use longshore_event::{Conclusion, RunId};
use longshore_expr::Object;
use longshore_history::History;
use longshore_report::diagnostic::text;
use longshore_report::run::{Display, Format, Options, Verbosity};
use longshore_runner::{
    ActionMode, ImageMap, Project as RunProject, RunRequest, Runner, Shutdown, Slots, Stores,
};
use longshore_syntax::{Diagnostic, Severity};
use longshore_workflow::event::Event;
use longshore_workflow::plan::{Plan, PlanInput, Selection, SourceSet, WorkflowPlan};
use longshore_workflow::start::Start;
use thiserror::Error;

use super::container::failure::starting;
use super::event::{EventArgs, pair};
use super::plan::{cell_value, check_inputs, check_jobs, check_matrix, findings, has_one_of, vars};
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::output::Output;
use crate::plan::drive::drive;
use crate::plan::occasion::settle;
use crate::plan::project::Project;
use crate::run::secrets::{self, SecretArgs, Secrets};
use crate::run::{Actions, Shared, listen, machine, now, window};
use crate::settings::OutputFormat;
use crate::wiring::Wiring;

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
  longshore run ci.yml -j test --matrix python:3.12
  longshore run -e pull_request --base main
  longshore run release.yml -i version=1.2.3 -s TOKEN
  longshore run --runs-on ubuntu-22.04=debian:bookworm --format json")]
pub(super) struct RunArgs {
    /// The workflow to run: its name, its file's name, or a path [default: all]
    #[arg(value_name = "WORKFLOW")]
    workflow: Option<String>,

    /// Run this job and what it needs; may be given again
    #[arg(short, long = "job", value_name = "JOB")]
    jobs: Vec<String>,

    /// Run the cells of matrices that have this value; may be given again
    #[arg(long, value_name = "KEY:VALUE", value_parser = cell_value)]
    matrix: Vec<(String, String)>,

    /// A directory of workflows, or one file, in place of `.github/workflows`
    #[arg(short = 'W', long = "workflows", value_name = "PATH")]
    workflows: Option<PathBuf>,

    /// The image for a label of `runs-on`; `host` is this machine, copy on write
    #[arg(long = "runs-on", short = 'P', value_name = "LABEL=IMAGE", value_parser = pair)]
    runs_on: Vec<(String, String)>,

    /// A configuration variable, besides those in `longshore.toml`
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    vars: Vec<(String, String)>,

    /// A file of configuration variables, a `NAME=VALUE` on each line; may be given again [default: `.vars`, if there is one]
    #[arg(long = "var-file", value_name = "FILE")]
    var_files: Vec<PathBuf>,

    #[command(flatten)]
    secrets: SecretArgs,

    /// How many jobs run at the same time [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    max_jobs: Option<usize>,

    /// Run actions as their authors published them, in place of what is built in
    #[arg(long, value_enum, default_value_t = ActionChoice::Native, value_name = "WHICH")]
    actions: ActionChoice,

    /// Format of what is shown
    #[arg(long, value_enum)]
    format: Option<RunFormat>,

    /// Show the logs of all steps
    #[arg(short, long)]
    verbose: bool,

    /// Show what steps and runner say for debugging
    #[arg(long)]
    debug: bool,

    #[command(flatten)]
    event: EventArgs,
}

/// Which actions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ActionChoice {
    /// What is built in, where something is
    Native,
    /// As published
    Upstream,
}

/// What a run is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RunFormat {
    /// For people
    Text,
    /// The events, a line each, see docs/events.md
    Json,
    /// Commands of a hosted runner, for runs inside of its steps
    Github,
}

/// The run cannot begin.
#[derive(Debug, Error)]
enum RunError {
    #[error("the plan has errors")]
    Plan,
    #[error("there is no workflow to run: {why}")]
    Nothing { why: String },
    #[error("failed to listen to signals")]
    Signals(#[source] io::Error),
    #[error("failed to find the program of this process")]
    Program(#[source] io::Error),
    #[error("failed to begin the record of the run")]
    History(#[source] longshore_history::BeginError),
}

impl Explained for RunError {
    fn blame(&self) -> Blame {
        match self {
            Self::Plan | Self::Nothing { .. } => Blame::User,
            Self::Signals(_) | Self::Program(_) | Self::History(_) => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Plan => Some("mend what is said above; `longshore plan` shows the rest".to_owned()),
            Self::Nothing { .. } => {
                Some("`longshore plan` shows which workflows start, and why others do not".to_owned())
            }
            _ => None,
        }
    }
}

pub(super) fn run(args: &RunArgs, session: &mut Session) -> Outcome {
    let prepared = prepare(args, session)?;
    let starting: Vec<&WorkflowPlan> = prepared.starting().collect();
    if starting.is_empty() {
        return nothing(&prepared);
    }
    // Nothing is asked for, or opened, that is withheld anyway.
    let secrets: Secrets = if longshore_runner::is_untrusted(&prepared.event) {
        Secrets::new()
    } else {
        secrets::read(&args.secrets, &session.directory, &session.environment, &mut session.output)?
    };
    let runner = runner(args, session)?;
    let history = session.wiring().history();
    sweep(&runner, &history, session);
    let shutdown = Shutdown::default();
    listen(shutdown.clone()).map_err(RunError::Signals)?;
    let display = Arc::new(Mutex::new(display(args, session)));
    let mut runs = Vec::new();
    for workflow in starting {
        let Some(request) = prepared.request(workflow, &secrets, args.debug) else { continue };
        let root = request.project.root.display().to_string();
        let recorder = history.begin(&root, workflow.file.name()).map_err(RunError::History)?;
        let request = RunRequest {
            id: recorder.id(),
            number: recorder.number(),
            attempt: recorder.attempt(),
            ..request
        };
        runs.push((request, Shared { display: Arc::clone(&display), recorder }));
    }
    let conclusions = carry_out(&runner, runs, &shutdown, session);
    let _ = display.lock().unwrap_or_else(PoisonError::into_inner).finish();
    if let Err(error) = history.prune(&session.wiring().retention(), now()) {
        session.output.talk(&format!("note: old runs are kept: {error}\n"));
    }
    let good = |conclusion: &Conclusion| matches!(conclusion, Conclusion::Success | Conclusion::Skipped);
    let passed = conclusions.iter().all(good) && !prepared.has_invalid_files;
    Ok(if passed { Exit::Success } else { Exit::Failed })
}

/// What is known before anything starts.
struct Prepared {
    project: Project,
    event: Event,
    vars: Object,
    selection: Selection,
    plan: Plan,
    /// A file cannot be used; on GitHub that is a failed run.
    has_invalid_files: bool,
}

/// Reads and plans, and shows what is wrong with the files.
fn prepare(args: &RunArgs, session: &mut Session) -> Result<Prepared, Failure> {
    let request = args.event.request()?;
    let mut project = Project::load(&session.directory, args.workflows.as_deref())?;
    if let Some(name) = &args.workflow {
        project.select(&session.directory, name)?;
    }
    check_jobs(&args.jobs, &project.workflows)?;
    project.workflows.retain(|workflow| has_one_of(workflow, &args.jobs));
    let mut given = secrets::variables(&args.var_files, &session.directory)?;
    given.extend(args.vars.iter().cloned());
    let premise = settle(&request, &project.tree)?;
    let vars = vars(&given, &session.settings).unwrap_or_default();
    let selection = Selection { jobs: args.jobs.clone(), matrix: args.matrix.clone() };
    let input = PlanInput {
        event: &premise.event,
        workflows: &project.workflows,
        sources: &SourceSet::default(),
        vars: Some(&vars),
        selection: &selection,
        fetch_actions: false,
    };
    let plan = drive(input, &project.tree, &session.settings, &session.environment).plan;
    check_inputs(&plan, args.workflow.is_some() || !request.inputs.is_empty())?;
    check_matrix(&args.matrix, &plan)?;
    let style = session.output.talk_style();
    session.output.complain(&text::render(&findings(&project, &plan), style));
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    let runs = plan.workflows.iter().filter_map(|workflow| workflow.run.as_ref());
    if runs.flat_map(|run| &run.diagnostics).any(|found| is_error(&found.diagnostic)) {
        return Err(RunError::Plan.into());
    }
    let has_invalid_files = !project.unreadable.is_empty()
        || project.workflows.iter().any(|workflow| !workflow.parsed.is_valid());
    Ok(Prepared { project, event: premise.event, vars, selection, plan, has_invalid_files })
}

impl Prepared {
    /// The workflows that start.
    fn starting(&self) -> impl Iterator<Item = &WorkflowPlan> {
        self.plan.workflows.iter().filter(|workflow| workflow.run.is_some())
    }

    /// The run of a workflow; its numbers come from the history.
    fn request(&self, workflow: &WorkflowPlan, secrets: &Secrets, debug: bool) -> Option<RunRequest> {
        let file = self.project.workflows.iter().find(|file| file.file.name() == workflow.file.name())?;
        let root = self.project.tree.root().to_owned();
        let repository = self.event.repository.clone().unwrap_or_else(|| local_name(&root));
        Some(RunRequest {
            id: RunId(0),
            number: 0,
            attempt: 0,
            workflow: Arc::new(file.parsed.model.clone()?),
            event: self.event.clone(),
            inputs: match &workflow.start {
                Start::Starts(started) => started.inputs.clone(),
                Start::Stopped(_) => Object::default(),
            },
            vars: self.vars.clone(),
            secrets: secrets.clone(),
            token: secrets::token(secrets),
            plan: workflow.run.clone()?,
            sources: SourceSet::default(),
            selection: self.selection.clone(),
            project: RunProject { root, repository },
            debug,
        })
    }
}

/// Carries all runs out, each on a thread of its own.
fn carry_out(
    runner: &Runner,
    runs: Vec<(RunRequest, Shared)>,
    shutdown: &Shutdown,
    session: &mut Session,
) -> Vec<Conclusion> {
    let ended: Vec<(Conclusion, Option<String>)> = std::thread::scope(|threads| {
        let started: Vec<_> = runs
            .into_iter()
            .map(|(request, mut sink)| {
                threads.spawn(move || {
                    let conclusion = runner.run(request, &mut sink, shutdown).conclusion;
                    (conclusion, sink.recorder.take_trouble().map(|trouble| trouble.to_string()))
                })
            })
            .collect();
        started.into_iter().map(|run| run.join().unwrap_or((Conclusion::Failure, None))).collect()
    });
    for trouble in ended.iter().filter_map(|(_, trouble)| trouble.as_ref()) {
        session.output.complain(&format!("warning: the run was not recorded whole: {trouble}\n"));
    }
    ended.into_iter().map(|(conclusion, _)| conclusion).collect()
}

/// Removes what runs that were killed have left.
fn sweep(runner: &Runner, history: &History, session: &mut Session) {
    let is_wanted = |run: RunId| history.run(run).is_ok_and(|run| run.is_alive().unwrap_or(true));
    match runner.sweep(&is_wanted) {
        Ok(swept) if swept.sandboxes > 0 => {
            let jobs = longshore_report::count(swept.sandboxes, "job");
            session.output.talk(&format!("note: what {jobs} of killed runs left was removed\n"));
        }
        Ok(_) => {}
        Err(error) => {
            session.output.talk(&format!("note: what killed runs left could not be removed: {error}\n"));
        }
    }
}

/// Nothing starts: that is an answer if there are workflows, and a mistake if there are none.
fn nothing(prepared: &Prepared) -> Outcome {
    if prepared.has_invalid_files {
        return Err(RunError::Plan.into());
    }
    let why = match prepared.plan.workflows.as_slice() {
        [] => "`.github/workflows` holds none".to_owned(),
        [only] => match &only.start {
            Start::Stopped(stopped) => format!("`{}` does not start: {}", only.file.name(), stopped.text),
            Start::Starts(_) => "it has no jobs".to_owned(),
        },
        many => format!("none of the {} workflows starts with this event", many.len()),
    };
    Err(RunError::Nothing { why }.into())
}

fn runner(args: &RunArgs, session: &Session) -> Result<Runner, Failure> {
    let engine = session.wiring().engine().map_err(|error| starting(error, Exit::Environment.code()))?;
    let set = session.settings.images.iter().map(|(label, image)| (label, &image.value));
    let given = args.runs_on.iter().map(|(label, image)| (label, image));
    let images = set.chain(given).map(|(label, image)| (label.clone(), ImageSource::parse(image)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Runner {
        engine: Arc::new(engine),
        images: ImageMap::new(images),
        actions: Arc::new(Actions::new(&session.settings, &session.environment, Wiring::now())),
        action_mode: match args.actions {
            ActionChoice::Native => ActionMode::Native,
            ActionChoice::Upstream => ActionMode::Upstream,
        },
        container_options,
        program: std::env::current_exe().map_err(RunError::Program)?,
        work: session.settings.home.value.join("work"),
        stores: Stores::new(
            session.settings.home.value.join("artifacts"),
            session.settings.home.value.join("caches"),
        ),
        concurrency: session.settings.home.value.join("concurrency"),
        keys: session.settings.home.value.join("keys"),
        machine: machine(&session.environment),
        slots: Slots::new(args.max_jobs.unwrap_or(cores)),
        clock: now,
    })
}

/// What `options:` of a container in a workflow asks for.
fn container_options(image: &str, words: &[String]) -> Result<ContainerSpec, String> {
    super::container::options(image, words)
}

fn display(args: &RunArgs, session: &Session) -> Display<io::Stdout> {
    let format = match args.format {
        Some(RunFormat::Json) => Format::Json,
        Some(RunFormat::Github) => Format::GitHub,
        None if session.settings.format.value == OutputFormat::Json => Format::Json,
        Some(RunFormat::Text) | None => Format::Text,
    };
    let verbosity = match (session.output.is_quiet(), args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Brief,
    };
    let style = session.output.style();
    let window = Output::is_terminal().then(|| window(style.color));
    Display::new(io::stdout(), Options { format, verbosity, style, window })
}

/// `owner/name` for a repository that nobody has named.
fn local_name(root: &std::path::Path) -> String {
    let name =
        root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("local/{name}")
}
