//! Carrying runs out: the flags that say how, and what all verbs that do it share.

use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_engine::{ContainerSpec, ImageSource};
use longshore_event::{Conclusion, RunId};
use longshore_history::{History, RecordError, RunRecorder};
use longshore_report::run::{Display, Format, Options, Verbosity};
use longshore_runner::{ActionMode, ImageMap, RunRequest, Runner, Shutdown, Slots, Stores};
use longshore_workflow::event::Event;
use thiserror::Error;

use super::container::failure::starting;
use super::event::pair;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::output::Output;
use crate::run::documents::{DocumentArgs, Documents};
use crate::run::kept;
use crate::run::recorded::{ActionChoice, Recorded};
use crate::run::secrets::{self, SecretArgs, Secrets};
use crate::run::tidy;
use crate::run::{Actions, Parting, Shared, SharedDisplay, listen, machine, now, window};
use crate::settings::OutputFormat;
use crate::wiring::Wiring;

/// How often the terminal is tried to be had before the process leaves without it.
const PARTING_TRIES: u32 = 100;

/// How runs are carried out and shown.
#[derive(Debug, clap::Args)]
pub(super) struct CarryArgs {
    /// The image for a label of `runs-on`; `host` is this machine, copy on write
    #[arg(long = "runs-on", short = 'P', value_name = "LABEL=IMAGE", value_parser = pair)]
    pub(super) runs_on: Vec<(String, String)>,

    /// How many jobs run at the same time [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    max_jobs: Option<NonZeroUsize>,

    /// Run actions as their authors published them, in place of what is built in [default: native]
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(super) actions: Option<ActionChoice>,

    /// Which jobs stay as they were left, for `longshore shell` and `run --resume`, until the workflow runs again
    #[arg(long, value_enum, default_value_t = Keep::Failed, value_name = "WHICH")]
    keep: Keep,

    #[command(flatten)]
    pub(super) documents: DocumentArgs,

    /// Format of what is shown
    #[arg(long, value_enum)]
    format: Option<RunFormat>,

    /// Show the logs of all steps
    #[arg(short, long)]
    verbose: bool,

    /// Show what steps and runner say for debugging
    #[arg(long)]
    pub(super) debug: bool,

    // The last, because flags behind a group that is flattened stand below its heading.
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
}

/// Which jobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    /// None
    Never,
    /// Those that failed
    Failed,
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

/// Runs cannot be carried out.
#[derive(Debug, Error)]
pub(super) enum CarryError {
    #[error("failed to listen to signals")]
    Signals(#[source] io::Error),
    #[error("failed to find the program of this process")]
    Program(#[source] io::Error),
    #[error("failed to hold a job that goes on")]
    Lock(#[source] io::Error),
    #[error("failed to begin the record of the run")]
    History(#[source] longshore_history::BeginError),
}

impl Explained for CarryError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }
}

/// All that runs of one invocation share.
pub(super) struct Stage<'a> {
    args: &'a CarryArgs,
    pub(super) runner: Runner,
    pub(super) history: History,
    shutdown: Shutdown,
    parting: Parting,
    documents: Documents,
}

/// A run that can begin, with what it holds as long as it lives.
pub(super) struct Begun {
    pub(super) request: RunRequest,
    recorder: RunRecorder,
}

impl<'a> Stage<'a> {
    /// Opens what runs need, and removes what killed ones have left.
    pub(super) fn set(
        args: &'a CarryArgs,
        recorded: Option<&Recorded>,
        session: &mut Session,
    ) -> Result<Self, Failure> {
        let shutdown = Shutdown::default();
        let asked = shutdown.clone();
        let heard = move || {
            asked.ask();
        };
        Ok(Self { shutdown, ..Self::set_listening(args, recorded, heard, session)? })
    }

    /// The same for who wants to hear of signals.
    pub(super) fn set_listening(
        args: &'a CarryArgs,
        recorded: Option<&Recorded>,
        heard: impl FnMut() + Send + 'static,
        session: &mut Session,
    ) -> Result<Self, Failure> {
        let documents = Documents::open(&args.documents)?;
        let runner = runner(args, recorded, session)?;
        let history = session.wiring().history();
        // Before anything that takes time, so that no signal finds nobody.
        let parting = Parting::default();
        listen(parting.clone(), heard).map_err(CarryError::Signals)?;
        sweep(&runner, &history, session);
        Ok(Self { args, runner, history, shutdown: Shutdown::default(), parting, documents })
    }

    /// Numbers a run, writes down what is needed to carry it out again, and removes what was kept of earlier runs of the
    /// workflow.
    pub(super) fn begin(
        &self,
        recorder: RunRecorder,
        request: RunRequest,
        asked: &Recorded,
        session: &mut Session,
    ) -> Begun {
        asked.write(recorder.directory(), &request.secrets, session);
        let root = request.project.root.display().to_string();
        kept::discard_older(
            &self.history,
            &*self.runner.engine,
            &root,
            request.workflow.file.name(),
            session,
        );
        let keep = match self.args.keep {
            Keep::Never => None,
            Keep::Failed => Some(kept::directory(recorder.directory())),
        };
        let (id, number, attempt) = (recorder.id(), recorder.number(), recorder.attempt());
        Begun { request: RunRequest { id, number, attempt, keep, ..request }, recorder }
    }

    /// Carries all runs out, shows them, and says how it ended. `locks` are held until then.
    pub(super) fn carry_out(self, runs: Vec<Begun>, locks: Vec<File>, session: &mut Session) -> Outcome {
        let display = self.display(session);
        let ids: Vec<RunId> = runs.iter().map(Begun::id).collect();
        let ended: Vec<CarriedOut> = std::thread::scope(|threads| {
            let carry = |begun: Begun| {
                let display = Arc::clone(&display);
                threads.spawn(|| self.carry_one(begun, display, &self.shutdown))
            };
            let started: Vec<_> = runs.into_iter().map(carry).collect();
            started.into_iter().map(|run| run.join().unwrap_or_default()).collect()
        });
        drop(locks);
        let _ = display.lock().unwrap_or_else(PoisonError::into_inner).finish();
        for trouble in ended.iter().filter_map(|ended| ended.trouble.as_deref()) {
            complain_of_record(trouble, session);
        }
        self.conclude(&ids, session)?;
        Ok(if ended.iter().all(CarriedOut::is_good) { Exit::Success } else { Exit::Failed })
    }

    /// Carries one run out.
    pub(super) fn carry_one(&self, begun: Begun, display: SharedDisplay, shutdown: &Shutdown) -> CarriedOut {
        let mut sink = Shared { display, recorder: begun.recorder };
        let conclusion = self.runner.run(begun.request, &mut sink, shutdown).conclusion;
        let told = |trouble: RecordError| format!("{trouble}: {}", trouble.system_error());
        CarriedOut { conclusion, trouble: sink.recorder.take_trouble().map(told) }
    }

    /// What runs are shown on.
    pub(super) fn display(&self, session: &Session) -> SharedDisplay {
        let display = Arc::new(Mutex::new(display(self.args, session)));
        let shown = Arc::clone(&display);
        self.parting.set(move || leave(&shown));
        display
    }

    /// Writes the documents of runs that have ended, and removes what need not be kept any longer.
    pub(super) fn conclude(&self, ids: &[RunId], session: &mut Session) -> Result<(), Failure> {
        let written = self.documents.write(&self.history, ids, session);
        tidy::tidy(&self.history, session);
        written
    }
}

/// How a run has ended.
pub(super) struct CarriedOut {
    pub(super) conclusion: Conclusion,
    /// What of it could not be recorded.
    pub(super) trouble: Option<String>,
}

impl Default for CarriedOut {
    /// A run whose thread has panicked.
    fn default() -> Self {
        Self { conclusion: Conclusion::Failure, trouble: None }
    }
}

impl CarriedOut {
    /// Whether nothing went wrong.
    pub(super) fn is_good(&self) -> bool {
        matches!(self.conclusion, Conclusion::Success | Conclusion::Skipped)
    }
}

impl Begun {
    /// The run's number.
    pub(super) fn id(&self) -> RunId {
        self.request.id
    }

    /// The file of its workflow.
    pub(super) fn workflow(&self) -> &str {
        self.request.workflow.file.name()
    }
}

/// Says that a record has holes.
pub(super) fn complain_of_record(trouble: &str, session: &mut Session) {
    session.output.complain(&format!("warning: the run was not recorded whole: {trouble}\n"));
}

/// Leaves the terminal as somebody wants to find it who does not wait for the end.
fn leave(display: &Mutex<Display<io::Stdout>>) {
    // Who draws does so for a moment, unless nobody reads what is written: then there is nothing to be left.
    for _ in 0..PARTING_TRIES {
        if let Ok(mut shown) = display.try_lock() {
            let _ = shown.finish();
            let _ = writeln!(
                io::stderr(),
                "note: left at once; what still runs is removed by the next `longshore run`"
            );
            // Nobody draws any more.
            std::mem::forget(shown);
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The secrets for an event. Nothing is asked for, or opened, that is withheld anyway.
pub(super) fn secrets_for(
    event: &Event,
    args: &SecretArgs,
    session: &mut Session,
) -> Result<Secrets, Failure> {
    if longshore_runner::is_untrusted(event) {
        return Ok(Secrets::new());
    }
    Ok(secrets::read(args, &session.directory, &session.environment, &mut session.output)?)
}

/// Removes what runs that were killed have left.
fn sweep(runner: &Runner, history: &History, session: &mut Session) {
    let owners = kept::owners(history);
    let is_wanted = |run: RunId| {
        owners.contains(&run) || history.run(run).is_ok_and(|run| run.is_alive().unwrap_or(true))
    };
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

fn runner(args: &CarryArgs, recorded: Option<&Recorded>, session: &Session) -> Result<Runner, Failure> {
    let engine = session.wiring().engine().map_err(|error| starting(error, Exit::Environment.code()))?;
    let set = session.settings.images.iter().map(|(label, image)| (label, &image.value));
    let before = recorded.map_or(&[][..], |recorded| &recorded.runs_on);
    let given = before.iter().chain(&args.runs_on).map(|(label, image)| (label, image));
    let images = set.chain(given).map(|(label, image)| (label.clone(), ImageSource::parse(image)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let actions = args.actions.or(recorded.map(|recorded| recorded.actions)).unwrap_or_default();
    Ok(Runner {
        engine: Arc::new(engine.handing_networks_on()),
        images: ImageMap::new(images),
        actions: Arc::new(Actions::new(&session.settings, &session.environment, Wiring::now())),
        action_mode: match actions {
            ActionChoice::Native => ActionMode::Native,
            ActionChoice::Upstream => ActionMode::Upstream,
        },
        container_options,
        program: std::env::current_exe().map_err(CarryError::Program)?,
        work: session.settings.home.value.join("work"),
        stores: Stores::new(session.wiring().artifacts_directory(), session.wiring().caches_directory()),
        concurrency: session.settings.home.value.join("concurrency"),
        keys: session.settings.home.value.join("keys"),
        machine: machine(&session.environment),
        slots: Slots::new(args.max_jobs.map_or(cores, NonZeroUsize::get)),
        clock: now,
    })
}

/// What `options:` of a container in a workflow asks for. The job's network comes first and is named later.
fn container_options(image: &str, words: &[String]) -> Result<ContainerSpec, String> {
    let network = ["--network".to_owned(), "the job's".to_owned()];
    super::container::options(image, &[&network[..], words].concat())
}

impl CarryArgs {
    /// The form that was asked for.
    pub(super) fn format(&self, session: &Session) -> Format {
        match self.format {
            Some(RunFormat::Json) => Format::Json,
            Some(RunFormat::Github) => Format::GitHub,
            None if session.settings.format.value == OutputFormat::Json => Format::Json,
            Some(RunFormat::Text) | None => Format::Text,
        }
    }
}

fn display(args: &CarryArgs, session: &Session) -> Display<io::Stdout> {
    let format = args.format(session);
    let verbosity = match (session.output.is_quiet(), args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Brief,
    };
    let style = session.output.style();
    let window = Output::is_terminal().then(|| window(style.color));
    Display::new(io::stdout(), Options { format, verbosity, style, window })
}

/// The directory of what was kept of a run, for verbs that look for it.
pub(super) fn kept_of(run: &longshore_history::Run) -> PathBuf {
    kept::directory(run.directory())
}
