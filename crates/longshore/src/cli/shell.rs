//! `longshore shell`: a shell in a failed job as it was left.

use longshore_event::RunId;
use longshore_history::{FindError, RunSelector};
use longshore_report::visible;
use longshore_runner::{KeptJob, Missing, ReviveError};
use longshore_syntax::suggest;
use std::sync::Arc;
use thiserror::Error;

use super::carry::kept_of;
use super::container::failure::starting;
use super::container::{attend, is_terminal};
use super::runs::select;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::run::kept;
use crate::run::secrets::{self, SecretArgs};

/// Open a shell in a failed job as it was left, or run a command in it
///
/// The container's files, the workspace and the services are as the job left them; variables, `PATH` and working directory
/// are those of the step that failed. Failed jobs are kept until their workflow runs again. What is changed stays changed:
/// `longshore run --resume` goes on with it. The exit code is the one of the shell or command.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "longshore shell [OPTIONS] [RUN] [JOB] [-- COMMAND...]",
    after_long_help = "Examples:
  longshore shell
  longshore shell 7 test
  longshore shell 7 'test (3.12)' -- pytest -x tests/test_api.py
  longshore shell --last-failed -- env"
)]
pub(super) struct ShellArgs {
    /// The run by its number, or `last` [default: the newest of this project of which a job is kept]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    /// The job, by name or key; needed if several are kept
    #[arg(value_name = "JOB")]
    job: Option<String>,

    /// In the newest run of this project of which a job is kept
    #[arg(long)]
    last_failed: bool,

    /// What to run in place of a shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,

    #[command(flatten)]
    secrets: SecretArgs,
}

/// There is no job to open a shell in.
#[derive(Debug, Error)]
enum ShellError {
    #[error("no failed job of this project is kept")]
    Nothing,
    #[error("no job of run {run} is kept")]
    Run { run: RunId },
    #[error("of run {run} several jobs are kept")]
    Several { run: RunId, help: String },
    #[error("of run {run} no job `{job}` is kept")]
    Job { run: RunId, job: String, help: String },
    #[error("`{text}` is neither a run nor the only thing that is said of a job")]
    Words { text: String },
}

impl Explained for ShellError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Nothing | Self::Run { .. } => {
                "failed jobs are kept until their workflow runs again, unless `--keep never` is given"
                    .to_owned()
            }
            Self::Several { help, .. } | Self::Job { help, .. } => help.clone(),
            Self::Words { .. } => "write `longshore shell RUN JOB`".to_owned(),
        })
    }
}

impl Explained for ReviveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Kept(error) => error.blame(),
            Self::Start { .. } => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Kept(error) => error.help(),
            Self::Start { .. } => Some("`longshore rerun` carries the job out anew".to_owned()),
        }
    }
}

pub(super) fn run(args: &ShellArgs, session: &mut Session) -> Outcome {
    let (run, job) = find(args, session)?;
    let secrets =
        secrets::read(&args.secrets, &session.directory, &session.environment, &mut session.output)?;
    let engine = session.wiring().engine().map_err(|error| starting(error, Exit::Environment.code()))?;
    let (number, step) = job.step();
    let place = format!(
        "the job `{}` of run {run}, as step {number} `{}` left it, in `{}`",
        visible(job.name()),
        visible(step),
        job.working_directory()
    );
    let revived = job.revive(Arc::new(engine))?;
    let tty = is_terminal();
    let process = revived.process(&args.command, &secrets, tty);
    for missing in &process.missing {
        session.output.talk(&format!("note: {}\n", missing_text(missing)));
    }
    if args.command.is_empty() {
        session.output.talk(&format!("{place}\n"));
    }
    let engine = session.wiring().engine().map_err(|error| starting(error, Exit::Environment.code()))?;
    let Some(container) = &process.container else { return Err(ShellError::Nothing.into()) };
    attend(&engine, container, &process.spec)
}

/// Why a variable is missing.
fn missing_text(Missing { name, secret }: &Missing) -> String {
    match secret {
        Some(secret) => format!("`{name}` is not set: it holds the secret `{secret}`; give `-s {secret}`"),
        None => format!("`{name}` is not set: a step had masked its value, which is written down nowhere"),
    }
}

/// The run and the job that are meant.
fn find(args: &ShellArgs, session: &Session) -> Result<(RunId, KeptJob), Failure> {
    let (run, job) = match (&args.run, &args.job) {
        (Some(run), job) => match (run.parse::<RunSelector>(), job) {
            (Ok(run), job) => (Some(run), job.as_deref()),
            (Err(_), None) => (None, Some(run.as_str())),
            (Err(_), Some(_)) => return Err(ShellError::Words { text: run.clone() }.into()),
        },
        (None, job) => (None, job.as_deref()),
    };
    let run = if args.last_failed { None } else { run };
    let (run, jobs) = match run {
        Some(run) => {
            let run = select(session, run)?;
            (run.id(), KeptJob::list(&kept_of(&run)))
        }
        None => newest(session)?,
    };
    Ok((run, choose(run, jobs, job)?))
}

/// The newest run of the project of which jobs are kept.
fn newest(session: &Session) -> Result<(RunId, Vec<KeptJob>), Failure> {
    let history = session.wiring().history();
    let project = super::runs::project(session)?;
    let is_own = |run: RunId| -> Result<bool, FindError> {
        let run = history.run(run)?;
        Ok(run.summary().is_ok_and(|summary| summary.outline.directory == project))
    };
    for (run, jobs) in kept::all(&history) {
        if is_own(run)? {
            return Ok((run, jobs));
        }
    }
    Err(ShellError::Nothing.into())
}

fn choose(run: RunId, jobs: Vec<KeptJob>, wanted: Option<&str>) -> Result<KeptJob, ShellError> {
    let names: Vec<String> = jobs.iter().map(|job| job.job().to_owned()).collect();
    let all = format!("there are `{}`", visible(&names.join("`, `")));
    let Some(wanted) = wanted else {
        let mut jobs = jobs;
        return match jobs.len() {
            0 => Err(ShellError::Run { run }),
            1 => Ok(jobs.remove(0)),
            _ => Err(ShellError::Several { run, help: format!("name one: {all}") }),
        };
    };
    let is_meant = |job: &KeptJob| {
        job.job() == wanted
            || job.name().eq_ignore_ascii_case(wanted)
            || job.job().rsplit_once('/').is_some_and(|(id, _)| id == wanted)
    };
    let mut meant: Vec<KeptJob> = jobs.into_iter().filter(is_meant).collect();
    match meant.len() {
        1 => Ok(meant.remove(0)),
        0 if names.is_empty() => Err(ShellError::Run { run }),
        0 => {
            let near = suggest::nearest(wanted, names.iter().map(String::as_str));
            let help = near.map_or(all, |near| format!("did you mean `{}`?", visible(near)));
            Err(ShellError::Job { run, job: wanted.to_owned(), help })
        }
        _ => Err(ShellError::Several { run, help: format!("name one: {all}") }),
    }
}
