//! `longshore runs show`.

use std::path::PathBuf;

use longshore_event::{JobState, RunState, StepState, Timestamp};
use longshore_format::{Table, human};
use longshore_history::{RunSelector, RunStatus, RunSummary};
use longshore_report::run::{duration, end};
use longshore_report::{Role, Style, count, visible};

use super::{document, words};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::run::documents::write_html;
use crate::settings::OutputFormat;

/// Columns of a name in the table.
const NAME: usize = 60;

/// Show a run: its jobs and steps with their times, what was found, and what to do next
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "view",
    after_long_help = "Examples:
  longshore runs show
  longshore runs show 7 --format json
  longshore runs show --exit-status
  longshore runs show 7 --html report.html"
)]
pub(super) struct ShowArgs {
    /// The run by its number, or `last`: the newest of this project
    #[arg(value_name = "RUN", default_value = "last")]
    run: RunSelector,

    /// End with 1 unless the run has succeeded
    #[arg(long)]
    exit_status: bool,

    /// Write the run as an HTML page into this file, and print nothing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

pub(super) fn run(args: &ShowArgs, session: &mut Session) -> Outcome {
    let run = super::select(session, args.run)?;
    let summary = run.summary()?;
    let succeeded = summary.status == RunStatus::Finished(longshore_event::Conclusion::Success);
    let exit = if args.exit_status && !succeeded { Exit::Failed } else { Exit::Success };
    if let Some(path) = &args.html {
        write_html(&session.wiring().history(), &run, path, session)?;
        return Ok(exit);
    }
    let state = run.state()?;
    let text = match args.format.unwrap_or(session.settings.format.value) {
        OutputFormat::Text => text(&summary, &state, session.output.style()),
        OutputFormat::Json => document::of(&summary, &state),
    };
    session.output.data(&text)?;
    Ok(exit)
}

fn text(run: &RunSummary, state: &RunState, style: Style) -> String {
    let now = super::now();
    let mut text = head(run, now, style);
    text.push('\n');
    let open = run.ended.unwrap_or(now);
    let mut table = Table::new(["JOB", "STATUS", "TIME", "LOG"]);
    for job in &state.jobs {
        table.row(job_row(job, run.status, open));
        for (number, step) in &job.steps {
            table.row(step_row(number.0, step, run.status, open));
        }
    }
    text.push_str(&table.render().lines().flat_map(|line| [line.trim_end(), "\n"]).collect::<String>());
    text.push('\n');
    match run.status {
        RunStatus::Running => text.push_str(&format!("follow it: longshore logs -f {}\n", run.id)),
        RunStatus::Interrupted | RunStatus::Finished(_) => end::write(state, style, &mut text),
    }
    text
}

/// What run it is, and how it went.
fn head(run: &RunSummary, now: Timestamp, style: Style) -> String {
    let outline = &run.outline;
    let name = format!("{} #{}", visible(&outline.workflow), outline.number);
    let mut cause = visible(&outline.event).into_owned();
    if let Some(git_ref) = &outline.git_ref {
        cause.push_str(&format!(" on {}", visible(words::short_ref(git_ref))));
    }
    if let Some(sha) = &outline.sha {
        cause.push_str(&format!(" at {}", visible(sha.get(..7).unwrap_or(sha))));
    }
    let attempt = if outline.attempt > 1 { format!(", attempt {}", outline.attempt) } else { String::new() };
    let verb = if run.status == RunStatus::Running { "for" } else { "after" };
    let mut text = format!("{}, run {}{attempt}: {cause}\n", style.paint(Role::Strong, &name), run.id);
    if !outline.title.is_empty() {
        text.push_str(&format!("{}\n", visible(&outline.title).replace('\n', " ")));
    }
    text.push_str(&format!(
        "{} {verb} {}, began {} ({})\n",
        run.status.as_str(),
        duration(run.duration(now)),
        words::date(run.started),
        words::ago(now, run.started),
    ));
    text
}

fn job_row(job: &JobState, run: RunStatus, open: Timestamp) -> [String; 4] {
    let took = words::took(job.started, job.finished, open).map(duration).unwrap_or_default();
    let lines: u64 = job.steps.values().map(|step| step.lines).sum();
    [name(&job.name), words::job(job, run).to_owned(), took, lines_of(lines)]
}

fn step_row(number: u32, step: &StepState, run: RunStatus, open: Timestamp) -> [String; 4] {
    let took = words::took(step.started, step.finished, open).map(duration).unwrap_or_default();
    let name = name(&format!("  {number} {}", step.name));
    [name, words::step(step, run).to_owned(), took, lines_of(step.lines)]
}

fn name(name: &str) -> String {
    human::ellipsis(&visible(name).replace('\n', " "), NAME)
}

fn lines_of(lines: u64) -> String {
    if lines == 0 { String::new() } else { count(usize::try_from(lines).unwrap_or(usize::MAX), "line") }
}
