//! `longshore image prune`: what nobody needs goes.

use std::io::BufRead as _;

use longshore_format::{Filters, human};

use super::{Outcome, Session, ls, rm};
use crate::exit::Exit;
use crate::wiring::Wiring;

/// Remove images that have no name, or with `-a` all that no container was made of
///
/// Filters: `until=TIME`, `label=KEY[=VALUE]`, `label!=KEY[=VALUE]`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image prune
  longshore image prune -a -f --filter until=240h")]
pub(super) struct PruneArgs {
    /// Remove all images that no container was made of
    #[arg(short, long)]
    all: bool,

    /// Do not ask
    #[arg(short, long)]
    force: bool,

    /// Remove only images that meet a condition
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
}

pub(super) fn run(args: &PruneArgs, session: &mut Session) -> Outcome {
    let filters = Filters::parse(&args.filter, &["until", "label", "label!"])?;
    let until = ls::until(&filters, Wiring::now())?;
    if !args.force && !confirmed(args.all, session) {
        return Ok(Exit::Success);
    }
    let removal = session.wiring().images()?.prune(args.all, |listed| {
        until.is_none_or(|until| ls::created(listed) < until)
            && filters.labels("label", |key| ls::label(listed, key))
            && filters.without_labels("label!", |key| ls::label(listed, key))
    })?;
    let lines = rm::shown(&removal, "untagged", "deleted");
    let head = if lines.is_empty() { String::new() } else { format!("Deleted Images:\n{lines}\n") };
    let freed = human::size(removal.freed.bytes(), 4);
    session.output.data(&format!("{head}Total reclaimed space: {freed}\n"))?;
    Ok(Exit::Success)
}

/// Asks, and takes nothing but a yes for one.
fn confirmed(all: bool, session: &mut Session) -> bool {
    let what = if all {
        "all images without at least one container associated to them"
    } else {
        "all dangling images"
    };
    let question = format!("WARNING! This will remove {what}.\nAre you sure you want to continue? [y/N] ");
    session.output.complain(&question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
