//! `longshore runs list`, which is also what `longshore runs` does.

use clap::builder::PossibleValuesParser;
use longshore_event::Timestamp;
use longshore_format::{Format, Listing, Value, human};
use longshore_history::{RunStatus, RunSummary};
use longshore_report::run::duration;
use longshore_report::visible;

use super::words;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::settings::OutputFormat;

/// What is said where a project has no run that was asked for.
const NONE_HERE: &str = "no such runs of this project; `--all` lists those of all projects";

/// Columns of a title in the table.
const TITLE: usize = 40;

/// List the runs of this project, newest first
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_long_help = "Examples:
  longshore runs list
  longshore runs list --status failure --status interrupted
  longshore runs list --all -n 0 --format json

Fields of --format: Attempt, Directory, Duration, DurationMs, Ended, Event, ID, Number, Path, Ref,
SHA, Started, StartedSince, Status, Title, Workflow"
)]
pub(super) struct ListCommand {
    #[command(flatten)]
    pub(super) list: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Runs of all projects, not only of this one
    #[arg(short, long)]
    all: bool,

    /// Only those of a workflow: its name, the name of its file, or its path
    #[arg(short, long, value_name = "WORKFLOW")]
    workflow: Option<String>,

    /// Only those that are so; may be given several times
    #[arg(short, long, value_name = "STATUS", value_parser = PossibleValuesParser::new(RunStatus::WORDS))]
    status: Vec<String>,

    /// At most so many; 0 for all
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,

    /// `table`, `json`, or a template of Go, with or without `table` before it
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

const LISTING: Listing = Listing {
    titles: &[
        ("ID", "RUN"),
        ("Status", "STATUS"),
        ("Workflow", "WORKFLOW"),
        ("Number", "NUMBER"),
        ("Attempt", "ATTEMPT"),
        ("Title", "TITLE"),
        ("Event", "EVENT"),
        ("Ref", "REF"),
        ("SHA", "SHA"),
        ("StartedSince", "STARTED"),
        ("Started", "STARTED"),
        ("Ended", "ENDED"),
        ("Duration", "TIME"),
        ("DurationMs", "MILLISECONDS"),
        ("Path", "PATH"),
        ("Directory", "DIRECTORY"),
    ],
    table: "{{.ID}}\t{{.Status}}\t{{.Workflow}}\t{{.Title}}\t{{.Event}}\t{{.Ref}}\t{{.StartedSince}}\t{{.Duration}}",
    raw: "run: {{.ID}}\nstatus: {{.Status}}\nworkflow: {{.Workflow}}\ntitle: {{.Title}}\nevent: {{.Event}}\n\
          ref: {{.Ref}}\nstarted: {{.Started}}\nduration: {{.Duration}}\ndirectory: {{.Directory}}\n",
};
const OF_ALL: &str = "{{.ID}}\t{{.Status}}\t{{.Workflow}}\t{{.Title}}\t{{.Event}}\t{{.Ref}}\t{{.StartedSince}}\t{{.Duration}}\t\
                      {{.Directory}}";

pub(super) fn run(args: &ListArgs, session: &mut Session) -> Outcome {
    let listing = if args.all { Listing { table: OF_ALL, ..LISTING } } else { LISTING };
    let text = args.format.as_deref().unwrap_or(match session.settings.format.value {
        OutputFormat::Text => "table",
        OutputFormat::Json => "json",
    });
    let format = Format::parse(text, &listing)?;
    let project = if args.all { None } else { Some(super::project(session)?) };
    let history = session.wiring().history();
    let wanted = |run: &RunSummary| {
        project.as_ref().is_none_or(|project| run.outline.directory == *project)
            && args.workflow.as_ref().is_none_or(|name| is_called(run, name))
            && (args.status.is_empty() || args.status.iter().any(|word| word == run.status.as_str()))
    };
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let now = super::now();
    let look = Look { now, shortened: format.is_table(), shown: text != "json" };
    let rows: Vec<Value> = history.runs()?.filter(wanted).take(limit).map(|run| row(&run, look)).collect();
    session.output.data(&format.render(&rows)?)?;
    if rows.is_empty() && format.is_table() {
        let none = if args.all { "no such runs on this machine" } else { NONE_HERE };
        session.output.talk(&format!("{none}\n"));
    }
    Ok(Exit::Success)
}

/// Whether a run is of the workflow with this name, file or path.
fn is_called(run: &RunSummary, name: &str) -> bool {
    let path = run.outline.path.as_str();
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let given = name.strip_prefix("./").unwrap_or(name);
    [path, file, stem].contains(&given) || run.outline.workflow.eq_ignore_ascii_case(name)
}

/// How rows are made.
#[derive(Debug, Clone, Copy)]
struct Look {
    now: Timestamp,
    /// Titles and commits are cut.
    shortened: bool,
    /// Controls are spelled out, because a terminal may read it.
    shown: bool,
}

fn row(run: &RunSummary, look: Look) -> Value {
    let RunSummary { id, outline, status, started, ended } = run;
    let text = |text: &str| {
        let text = if look.shown { visible(text).replace('\n', " ") } else { text.to_owned() };
        Value::text(if look.shortened { human::ellipsis(&text, TITLE) } else { text })
    };
    let git_ref = outline.git_ref.as_deref().unwrap_or_default();
    let sha = outline.sha.as_deref().unwrap_or_default();
    let took = run.duration(look.now);
    let fields = [
        ("Attempt", Value::text(outline.attempt.to_string())),
        ("Directory", Value::text(visible(&outline.directory))),
        ("Duration", Value::text(duration(took))),
        ("DurationMs", Value::text(took.to_string())),
        ("Ended", Value::text(ended.map(words::rfc3339).unwrap_or_default())),
        ("Event", text(&outline.event)),
        ("ID", Value::text(id.to_string())),
        ("Number", Value::text(outline.number.to_string())),
        ("Path", text(&outline.path)),
        ("Ref", text(if look.shortened { words::short_ref(git_ref) } else { git_ref })),
        ("SHA", text(if look.shortened { sha.get(..7).unwrap_or(sha) } else { sha })),
        ("Started", Value::text(words::rfc3339(*started))),
        ("StartedSince", Value::text(words::ago(look.now, *started))),
        ("Status", Value::text(status.as_str())),
        ("Title", text(&outline.title)),
        ("Workflow", text(&outline.workflow)),
    ];
    Value::row("*runs.Run", fields)
}
