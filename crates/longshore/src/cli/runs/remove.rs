//! `longshore runs rm`.

use longshore_history::RunSelector;

use crate::cli::container::failure::complain;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::{kept, tidy};

/// Remove runs: their events, logs, artifacts and whatever else is kept of them
///
/// A run that is still running is not removed. One that cannot be removed does not keep the others from it.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "remove",
    after_long_help = "Examples:
  longshore runs rm 7
  longshore runs rm 3 4 5
  longshore runs rm last"
)]
pub(super) struct RemoveArgs {
    /// Runs by their numbers, or `last`: the newest of this project
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<RunSelector>,
}

pub(super) fn run(args: &RemoveArgs, session: &mut Session) -> Outcome {
    let history = session.wiring().history();
    let mut exit = Exit::Success;
    for selector in &args.runs {
        let removed = super::select(session, *selector).and_then(|run| {
            kept::discard_run(&run, session);
            history.remove(run.id())?;
            tidy::artifacts_of(run.id(), session)?;
            Ok::<_, Failure>(run.id())
        });
        match removed {
            Ok(run) => session.output.data(&format!("{run}\n"))?,
            Err(failure) => {
                complain(session, &failure);
                exit = failure.blame.into();
            }
        }
    }
    Ok(exit)
}
