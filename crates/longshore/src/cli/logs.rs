//! `longshore logs`: what the steps of a run printed.

use std::ops::ControlFlow;

use longshore_event::{Conclusion, JobState, JobStatus, RunState, StepNumber, StepState, StepStatus};
use longshore_history::{LogEntry, LogQuery, Run, RunSelector};
use longshore_report::run::log_line;
use longshore_report::{Role, Style, visible};
use longshore_syntax::suggest;
use serde::Serialize;
use thiserror::Error;

use super::runs::select;
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::output::{Output, WriteError};
use crate::settings::OutputFormat;

/// Print what the steps of a run printed
///
/// Without a job, everything is printed, job by job and step by step; a heading says where each part is from. Into files
/// and pipes, lines go as GitHub's raw logs have them; on a terminal, groups and errors are shown as such.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore logs --failed
  longshore logs 7 -j 'test (3.12)' --step 'Run tests'
  longshore logs -f
  longshore logs 7 -j build --tail 20 --timestamps")]
pub(super) struct LogsArgs {
    /// The run by its number, or `last`: the newest of this project
    #[arg(value_name = "RUN", default_value = "last")]
    run: RunSelector,

    /// Only of this job, by name or key; of a matrix, all its jobs by the id. May be given several times
    #[arg(short, long = "job", value_name = "JOB")]
    jobs: Vec<String>,

    /// Only of this step, by number, name or id
    #[arg(short, long, value_name = "STEP")]
    step: Option<String>,

    /// Only of steps that failed
    #[arg(long, conflicts_with = "follow")]
    failed: bool,

    /// Go on until the run, or what is chosen of it, ends
    #[arg(short, long)]
    follow: bool,

    /// So many lines from the end of each step's log
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,

    /// Begin lines with when they were printed
    #[arg(short, long)]
    timestamps: bool,

    /// Format of the result: `json` is an object for each line
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

/// What was asked for is not in the run.
#[derive(Debug, Error)]
enum LogsError {
    /// No job is called so.
    #[error("run {run} has no job `{job}`")]
    Job { run: String, job: String, help: String },
    /// No step is called so in the jobs that are meant.
    #[error("run {run} has no step `{step}` in {place}")]
    Step { run: String, step: String, place: String, help: String },
}

impl Explained for LogsError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        let (Self::Job { help, .. } | Self::Step { help, .. }) = self;
        Some(help.clone())
    }
}

pub(super) fn run(args: &LogsArgs, session: &mut Session) -> Outcome {
    let run = select(session, args.run)?;
    let state = run.replay()?;
    args.check(&run, &state)?;
    let named = |number, step: &StepState| {
        args.step.as_deref().is_none_or(|name| is_step(number, step, name))
            && (!args.failed || has_failed(step))
    };
    let one_step = args.step.is_some() && state.jobs.iter().filter(|job| args.is_meant(job)).count() <= 1;
    let mut printer = Printer {
        form: args.form(session),
        timestamps: args.timestamps,
        headings: !one_step,
        last: None,
        lines: 0,
        error: None,
        output: &mut session.output,
    };
    let query = LogQuery {
        job: &|job| args.is_meant(job),
        step: (args.step.is_some() || args.failed).then_some(&named),
        tail: args.tail,
        follow: args.follow,
    };
    // Both closures print, one at a time.
    let printer_cell = std::cell::RefCell::new(&mut printer);
    run.read_logs(&query, &mut |entry| printer_cell.borrow_mut().print(entry), &mut || {
        printer_cell.borrow_mut().flush()
    })?;
    let (lines, error) = (printer.lines, printer.error.take());
    if let Some(error) = error {
        return Err(error.into());
    }
    if lines == 0 {
        let what = if args.failed { "no step failed that printed anything" } else { "nothing was printed" };
        session.output.talk(&format!("{what} in run {}\n", run.id()));
    }
    Ok(Exit::Success)
}

impl LogsArgs {
    fn form(&self, session: &Session) -> Form {
        match self.format.unwrap_or(session.settings.format.value) {
            OutputFormat::Json => Form::Json,
            OutputFormat::Text if Output::is_terminal() || session.output.style().color => {
                Form::Shown(session.output.style())
            }
            OutputFormat::Text => Form::Raw,
        }
    }

    fn is_meant(&self, job: &JobState) -> bool {
        self.jobs.is_empty() || self.jobs.iter().any(|name| is_job(job, name))
    }

    /// Refuses names that nothing in the run has. While it runs, cells of a matrix and steps may still come.
    fn check(&self, run: &Run, state: &RunState) -> Result<(), Failure> {
        let growing = self.follow && run.is_alive()?;
        for name in &self.jobs {
            let id = name.rsplit_once('/').map_or(name.as_str(), |(id, _)| id);
            let fits = |job: &JobState| is_job(job, name) || (growing && is_job(job, id));
            if !state.jobs.iter().any(fits) {
                let known = state.jobs.iter().flat_map(|job| [job.key.as_str(), job.name.as_str()]);
                let help = nearest(name, known, "jobs");
                return Err(LogsError::Job { run: run.id().to_string(), job: name.clone(), help }.into());
            }
        }
        let Some(name) = self.step.as_deref().filter(|_| !growing) else { return Ok(()) };
        let steps = || state.jobs.iter().filter(|job| self.is_meant(job)).flat_map(|job| &job.steps);
        if steps().any(|(number, step)| is_step(*number, step, name)) {
            return Ok(());
        }
        let place =
            if self.jobs.is_empty() { "any job".to_owned() } else { format!("`{}`", self.jobs.join("`, `")) };
        let help = nearest(name, steps().map(|(_, step)| step.name.as_str()), "steps");
        Err(LogsError::Step { run: run.id().to_string(), step: name.to_owned(), place, help }.into())
    }
}

/// Whether a name means a job: its key, its name, or the id that the cells of a matrix have in common.
pub(super) fn is_job(job: &JobState, name: &str) -> bool {
    let key = job.key.as_str();
    key == name
        || job.name.eq_ignore_ascii_case(name)
        || key.rsplit_once('/').is_some_and(|(id, _)| id == name)
}

fn is_step(number: StepNumber, step: &StepState, name: &str) -> bool {
    name.parse() == Ok(number.0)
        || step.name.eq_ignore_ascii_case(name)
        || (!name.is_empty() && step.id == name)
}

fn has_failed(step: &StepState) -> bool {
    matches!(step.status, StepStatus::Finished(_, Conclusion::Failure))
}

/// What could be meant, or what there is.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone, kind: &str) -> String {
    if let Some(near) = suggest::nearest(name, known.clone()) {
        return format!("did you mean `{}`?", visible(near));
    }
    let mut names: Vec<String> = Vec::new();
    for name in known.filter(|name| !name.is_empty()) {
        let quoted = format!("`{}`", visible(name));
        if !names.contains(&quoted) {
            names.push(quoted);
        }
    }
    match names.as_slice() {
        [] => format!("it has no {kind}"),
        [.., _] if names.len() > 20 => format!("it has {} and more", names[..20].join(", ")),
        _ => format!("it has {}", names.join(", ")),
    }
}

/// How lines are written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As they are.
    Raw,
    /// For a terminal.
    Shown(Style),
    /// As objects.
    Json,
}

/// A line as an object.
#[derive(Debug, Serialize)]
struct LineDto<'a> {
    job: &'a str,
    step: u32,
    name: &'a str,
    at: Option<&'a str>,
    text: &'a str,
}

struct Printer<'o> {
    form: Form,
    timestamps: bool,
    headings: bool,
    /// Of which step the last line was.
    last: Option<(longshore_event::JobKey, StepNumber)>,
    lines: u64,
    error: Option<WriteError>,
    output: &'o mut Output,
}

impl Printer<'_> {
    fn print(&mut self, entry: &LogEntry<'_>) -> ControlFlow<()> {
        self.lines += 1;
        let written = self.heading(entry).and_then(|()| self.line(entry));
        self.settle(written)
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let flushed = self.output.flush();
        self.settle(flushed)
    }

    /// Stops when nobody reads on.
    fn settle(&mut self, written: Result<(), WriteError>) -> ControlFlow<()> {
        match written {
            Ok(()) if self.output.is_closed() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Says where the next lines are from, as `tail -f` does for several files.
    fn heading(&mut self, entry: &LogEntry<'_>) -> Result<(), WriteError> {
        let same = |(key, number): &(longshore_event::JobKey, StepNumber)| {
            *key == entry.job.key && *number == entry.number
        };
        if !self.headings || matches!(self.form, Form::Json) || self.last.as_ref().is_some_and(same) {
            return Ok(());
        }
        let first = self.last.replace((entry.job.key.clone(), entry.number)).is_none();
        let LogEntry { job, number, step, .. } = entry;
        let ended = match (&job.status, step.status) {
            (_, StepStatus::Finished(_, Conclusion::Failure)) => " (failed)",
            (JobStatus::Finished(Conclusion::Cancelled), StepStatus::Running) => " (cancelled)",
            _ => "",
        };
        let (name, place) = (visible(&step.name), visible(&job.name));
        let text = format!("==> {place} / {} {name}{ended} <==", number.0).replace('\n', " ");
        let text = match self.form {
            Form::Shown(style) => style.paint(Role::Strong, &text),
            Form::Raw | Form::Json => text,
        };
        self.output.data(&format!("{}{text}\n", if first { "" } else { "\n" }))
    }

    fn line(&mut self, entry: &LogEntry<'_>) -> Result<(), WriteError> {
        let text = match self.form {
            Form::Json => {
                let line = LineDto {
                    job: entry.job.key.as_str(),
                    step: entry.number.0,
                    name: &entry.step.name,
                    at: entry.at,
                    text: entry.text,
                };
                // Texts and a number: there is nothing that could fail to serialise.
                return self.output.data(&(serde_json::to_string(&line).unwrap_or_default() + "\n"));
            }
            Form::Raw => None,
            Form::Shown(style) => match log_line(entry.text, style) {
                Some(text) => Some(text),
                // The end of a group is nothing to be seen.
                None => return Ok(()),
            },
        };
        if let Some(at) = entry.at.filter(|_| self.timestamps) {
            self.output.data(at)?;
            self.output.data(" ")?;
        }
        self.output.data(text.as_deref().unwrap_or(entry.text))?;
        self.output.data("\n")
    }
}
