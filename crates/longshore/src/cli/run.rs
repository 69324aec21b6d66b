//! `longshore run`: the workflows that an event starts, carried out.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::Secret;
use longshore_engine::{ContainerSpec, ImageSource};
use longshore_event::Conclusion;
use longshore_expr::Object;
use longshore_history::History;
use longshore_report::diagnostic::text;
use longshore_report::run::{Json, Plain, Verbosity};
use longshore_runner::{ActionMode, ImageMap, Project as RunProject, RunRequest, Runner, Shutdown, Slots};
use longshore_syntax::Severity;
use longshore_workflow::plan::{PlanInput, Selection, SourceSet, WorkflowPlan};
use longshore_workflow::start::Start;
use thiserror::Error;

use super::container::failure::starting;
use super::event::{EventArgs, pair};
use super::plan::{cell_value, check_inputs, check_jobs, check_matrix, findings, has_one_of, vars};
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;
use crate::plan::drive::drive;
use crate::plan::occasion::settle;
use crate::plan::project::Project;
use crate::run::{Actions, Display, Shared, listen, machine, now};
use crate::settings::OutputFormat;

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
  longshore run
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

    /// A secret: `NAME=VALUE`, or `NAME` to take it from the environment
    #[arg(short, long = "secret", value_name = "NAME[=VALUE]")]
    secrets: Vec<String>,

    /// A file of secrets, a `NAME=VALUE` on each line [default: `.secrets`, if there is one]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

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
}

/// The run cannot begin.
#[derive(Debug, Error)]
enum RunError {
    #[error("the plan has errors")]
    Plan,
    #[error("there is no workflow to run: {why}")]
    Nothing { why: String },
    #[error("the secret `{name}` is not set in the environment")]
    Secret { name: String },
    #[error("failed to read the secrets in `{}`", path.display())]
    SecretFile { path: PathBuf, source: io::Error },
    #[error("`{}` line {line} is not NAME=VALUE", path.display())]
    SecretLine { path: PathBuf, line: usize },
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
            Self::Plan | Self::Nothing { .. } | Self::Secret { .. } | Self::SecretLine { .. } => Blame::User,
            Self::SecretFile { .. } | Self::Signals(_) | Self::Program(_) | Self::History(_) => {
                Blame::Environment
            }
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Plan => Some("mend what is said above; `longshore plan` shows the rest".to_owned()),
            Self::Nothing { .. } => {
                Some("`longshore plan` shows which workflows start, and why others do not".to_owned())
            }
            Self::Secret { name } => Some(format!("set it, or give `-s {name}=VALUE`")),
            _ => None,
        }
    }
}

pub(super) fn run(args: &RunArgs, session: &mut Session) -> Outcome {
    let request = args.event.request()?;
    let mut project = Project::load(&session.directory, args.workflows.as_deref())?;
    if let Some(name) = &args.workflow {
        project.select(&session.directory, name)?;
    }
    check_jobs(&args.jobs, &project.workflows)?;
    project.workflows.retain(|workflow| has_one_of(workflow, &args.jobs));
    let premise = settle(&request, &project.tree)?;
    let known = vars(&args.vars, &session.settings).unwrap_or_default();
    let selection = Selection { jobs: args.jobs.clone(), matrix: args.matrix.clone() };
    let input = PlanInput {
        event: &premise.event,
        workflows: &project.workflows,
        sources: &SourceSet::default(),
        vars: Some(&known),
        selection: &selection,
        fetch_actions: false,
    };
    let planned = drive(input, &project.tree, &session.settings);
    check_inputs(&planned.plan, args.workflow.is_some() || !request.inputs.is_empty())?;
    check_matrix(&args.matrix, &planned.plan)?;
    let findings = findings(&project, &planned.plan);
    let errors =
        findings.iter().flat_map(|found| &found.diagnostics).any(|found| found.severity == Severity::Error);
    let style = session.output.talk_style();
    session.output.complain(&text::render(&findings, style));
    if errors {
        return Err(RunError::Plan.into());
    }
    let starting: Vec<&WorkflowPlan> =
        planned.plan.workflows.iter().filter(|workflow| workflow.run.is_some()).collect();
    if starting.is_empty() {
        return nothing(&planned.plan.workflows);
    }
    let secrets = secrets(args, session)?;
    let root = project.tree.root().to_owned();
    let repository = premise.event.repository.clone().unwrap_or_else(|| local_name(&root));
    let runner = runner(args, session)?;
    let history = History::open(session.settings.home.value.join("runs"));
    let shutdown = Shutdown::default();
    listen(shutdown.clone()).map_err(RunError::Signals)?;
    let display = Arc::new(Mutex::new(display(args, session)));
    let mut runs = Vec::new();
    for workflow in starting {
        let file = project.workflows.iter().find(|file| file.file.name() == workflow.file.name());
        let (Some(model), Some(plan)) =
            (file.and_then(|file| file.parsed.model.clone()), workflow.run.clone())
        else {
            continue;
        };
        let recorder =
            history.begin(&root.display().to_string(), workflow.file.name()).map_err(RunError::History)?;
        let inputs = match &workflow.start {
            Start::Starts(started) => started.inputs.clone(),
            Start::Stopped(_) => Object::default(),
        };
        let request = RunRequest {
            id: recorder.id(),
            number: recorder.number(),
            attempt: recorder.attempt(),
            workflow: Arc::new(model),
            event: premise.event.clone(),
            inputs,
            vars: known.clone(),
            secrets: secrets.clone(),
            token: token(&secrets),
            plan,
            sources: SourceSet::default(),
            selection: selection.clone(),
            project: RunProject { root: root.clone(), repository: repository.clone() },
            debug: args.debug,
        };
        runs.push((request, Shared { display: Arc::clone(&display), recorder }));
    }
    let conclusions: Vec<Conclusion> = std::thread::scope(|threads| {
        let (runner, shutdown) = (&runner, &shutdown);
        let started: Vec<_> = runs
            .into_iter()
            .map(|(request, mut sink)| {
                threads.spawn(move || runner.run(request, &mut sink, shutdown).conclusion)
            })
            .collect();
        started.into_iter().map(|run| run.join().unwrap_or(Conclusion::Failure)).collect()
    });
    let _ = display.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let good =
        conclusions.iter().all(|conclusion| matches!(conclusion, Conclusion::Success | Conclusion::Skipped));
    Ok(if good { Exit::Success } else { Exit::Failed })
}

/// Nothing starts: that is an answer if there are workflows, and a mistake if there are none.
fn nothing(workflows: &[WorkflowPlan]) -> Outcome {
    let why = match workflows {
        [] => "`.github/workflows` holds none".to_owned(),
        [only] => match &only.start {
            Start::Stopped(stopped) => format!("`{}` does not start: {}", only.file.name(), stopped.text),
            Start::Starts(_) => "it has no jobs".to_owned(),
        },
        many => format!("none of the {} workflows starts with this event", many.len()),
    };
    Err(RunError::Nothing { why }.into())
}

fn runner(args: &RunArgs, session: &Session) -> Result<Runner, crate::failure::Failure> {
    let engine = session.wiring().engine().map_err(|error| starting(error, Exit::Environment.code()))?;
    let set = session.settings.images.iter().map(|(label, image)| (label, &image.value));
    let given = args.runs_on.iter().map(|(label, image)| (label, image));
    let images = set.chain(given).map(|(label, image)| (label.clone(), ImageSource::parse(image)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Runner {
        engine: Arc::new(engine),
        images: ImageMap::new(images),
        actions: Arc::new(Actions),
        action_mode: match args.actions {
            ActionChoice::Native => ActionMode::Native,
            ActionChoice::Upstream => ActionMode::Upstream,
        },
        container_options,
        program: std::env::current_exe().map_err(RunError::Program)?,
        work: session.settings.home.value.join("work"),
        machine: machine(&session.environment),
        slots: Slots::new(args.max_jobs.unwrap_or(cores)),
        clock: now,
    })
}

/// What `options:` of a container in a workflow asks for.
fn container_options(image: &str, words: &[String]) -> Result<ContainerSpec, String> {
    super::container::options(image, words)
}

fn display(args: &RunArgs, session: &Session) -> Display {
    let json = match args.format {
        Some(format) => format == RunFormat::Json,
        None => session.settings.format.value == OutputFormat::Json,
    };
    if json {
        return Display::Json(Json::new(io::stdout()));
    }
    let verbosity = match (session.output.is_quiet(), args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Brief,
    };
    Display::Plain(Plain::new(io::stdout(), verbosity, session.output.style()))
}

fn secrets(args: &RunArgs, session: &Session) -> Result<Vec<(String, Secret<String>)>, RunError> {
    let mut secrets = Vec::new();
    let usual = session.directory.join(".secrets");
    let file = args.secret_file.clone().or_else(|| usual.is_file().then_some(usual));
    if let Some(path) = file {
        let content = std::fs::read_to_string(&path)
            .map_err(|source| RunError::SecretFile { path: path.clone(), source })?;
        for (number, line) in content.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                return Err(RunError::SecretLine { path, line: number + 1 });
            };
            secrets.push((name.trim().to_owned(), Secret::new(unquoted(value.trim()).to_owned())));
        }
    }
    for given in &args.secrets {
        let (name, value) = match given.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => {
                let value =
                    session.environment.var(given).ok_or_else(|| RunError::Secret { name: given.clone() })?;
                (given.as_str(), value.to_owned())
            }
        };
        secrets.retain(|(known, _): &(String, Secret<String>)| !known.eq_ignore_ascii_case(name));
        secrets.push((name.to_owned(), Secret::new(value)));
    }
    Ok(secrets)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// `github.token`: the secret `GITHUB_TOKEN`, if it was given.
fn token(secrets: &[(String, Secret<String>)]) -> Secret<String> {
    let given = secrets.iter().find(|(name, _)| name.eq_ignore_ascii_case("GITHUB_TOKEN"));
    given.map_or_else(|| Secret::new(String::new()), |(_, token)| token.clone())
}

/// `owner/name` for a repository that nobody has named.
fn local_name(root: &std::path::Path) -> String {
    let name =
        root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("local/{name}")
}
