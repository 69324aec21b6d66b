//! `longshore runs`: what ran on this machine, how it went, and how long that is kept.
//!
//! One file for each verb. The history itself is the crate `longshore-history`; here is what people see of it.

mod document;
pub(super) mod failure;
mod list;
mod prune;
mod remove;
mod show;
pub(super) mod words;

use clap::Subcommand;
use longshore_event::Timestamp;
use longshore_history::{Run, RunSelector};

use super::{Outcome, Session};
use crate::examine::tree_of;
use crate::failure::Failure;
use crate::wiring::Wiring;

/// List the runs of this project, and look after their records
///
/// Every run leaves its events and logs in the state directory. Without a further word, the runs of this project are
/// listed, newest first. A run whose process was killed is `interrupted`; what it had printed until then is there.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "Examples:
  longshore runs
  longshore runs --status failure --workflow ci -n 5
  longshore runs show last
  longshore runs --all --format '{{.ID}} {{.Status}} {{.Directory}}'"
)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    List(list::ListCommand),
    Show(show::ShowArgs),
    Rm(remove::RemoveArgs),
    Prune(prune::PruneArgs),
}

pub(super) fn run(args: &RunsArgs, session: &mut Session) -> Outcome {
    match &args.command {
        None => list::run(&args.list, session),
        Some(RunsCommand::List(args)) => list::run(&args.list, session),
        Some(RunsCommand::Show(args)) => show::run(args, session),
        Some(RunsCommand::Rm(args)) => remove::run(args, session),
        Some(RunsCommand::Prune(args)) => prune::run(args, session),
    }
}

/// The run that is meant; `last` is the newest of this project.
pub(super) fn select(session: &Session, run: RunSelector) -> Result<Run, Failure> {
    let project = project(session)?;
    Ok(session.wiring().history().select(run, Some(&project))?)
}

/// The directory of the project that the command works in, as runs have it.
pub(super) fn project(session: &Session) -> Result<String, Failure> {
    let tree = tree_of(&session.directory).map_err(crate::plan::project::ProjectError::from)?;
    Ok(tree.root().display().to_string())
}

/// Now, as events have it.
fn now() -> Timestamp {
    let since = Wiring::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or_default())
}
