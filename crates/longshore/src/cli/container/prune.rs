//! `longshore container prune`.

use longshore_engine::{ContainerState, ContainerStatus};
use longshore_format::{FilterError, Filters, human};

use super::failure::{complain, plain};
use super::moment;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Remove all containers that do not run
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container prune
  longshore container prune -f --filter until=24h --filter label!=keep

Filters: label, label!, until")]
pub(super) struct PruneArgs {
    /// Do not ask
    #[arg(short, long)]
    force: bool,

    /// Only those that meet a condition
    #[arg(long, value_name = "NAME=VALUE")]
    filter: Vec<String>,
}

pub(super) fn run(args: &PruneArgs, session: &mut Session) -> Outcome {
    let filters = Filters::parse(&args.filter, &["label", "label!", "until"])?;
    let until = until(&filters)?;
    if !args.force && !confirmed(session, "this will remove all containers that do not run")? {
        return Ok(Exit::Success);
    }
    let engine = super::engine(session)?;
    let (mut deleted, mut freed, mut exit) = (Vec::new(), 0, Exit::Success);
    for status in
        engine.containers().map_err(plain)?.iter().filter(|status| is_unused(status, &filters, until))
    {
        let size = engine.size(&status.id).unwrap_or_default();
        match engine.remove(&status.id, false) {
            Ok(()) => {
                deleted.push(status.id.to_string());
                freed += size.changed;
            }
            // Started or removed meanwhile.
            Err(_) if engine.status(&status.id).map_or(true, |now| now.state.is_alive()) => {}
            Err(error) => {
                complain(session, &plain(error));
                exit = Exit::Program(1);
            }
        }
    }
    report(session, "Containers", &deleted, freed)?;
    Ok(exit)
}

/// The point in time that `until` names, before which things must have been made.
pub(in crate::cli) fn until(filters: &Filters) -> Result<Option<i128>, FilterError> {
    let now = moment::now();
    let wrong = |value: &str| FilterError::Value { key: "until".to_owned(), value: value.to_owned() };
    filters
        .values("until")
        .map(|value| moment::parse(value, now).ok_or_else(|| wrong(value)))
        .last()
        .transpose()
}

fn is_unused(status: &ContainerStatus, filters: &Filters, until: Option<i128>) -> bool {
    let label = |name: &str| status.spec.labels.get(name).map(String::as_str);
    matches!(status.state, ContainerState::Created | ContainerState::Exited | ContainerState::Dead)
        && until.is_none_or(|until| status.created < until)
        && filters.labels("label", label)
        && filters.without_labels("label!", label)
}

/// Asks the user whether he means it.
pub(in crate::cli) fn confirmed(
    session: &mut Session,
    what: &str,
) -> Result<bool, crate::output::WriteError> {
    session.output.data(&format!("WARNING! {what}.\nAre you sure you want to continue? [y/N] "))?;
    session.output.flush()?;
    let mut answer = String::new();
    // Who says nothing does not mean it.
    let _ = std::io::stdin().read_line(&mut answer);
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Tells what was deleted.
pub(in crate::cli) fn report(
    session: &mut Session,
    kind: &str,
    deleted: &[String],
    freed: u64,
) -> Result<(), crate::output::WriteError> {
    if !deleted.is_empty() {
        session.output.data(&format!("Deleted {kind}:\n{}\n\n", deleted.join("\n")))?;
    }
    session.output.data(&format!("Total reclaimed space: {}\n", human::size(freed, 4)))
}
