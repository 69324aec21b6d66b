//! `longshore container pause` and `unpause`.

use super::failure::{each, plain};
use crate::cli::{Outcome, Session};

/// Freeze all processes of containers
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  longshore container pause web")]
pub(super) struct PauseArgs {
    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

/// Let the processes of paused containers go on
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  longshore container unpause web")]
pub(super) struct UnpauseArgs {
    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn pause(args: &PauseArgs, session: &mut Session) -> Outcome {
    change(&args.containers, true, session)
}

pub(super) fn unpause(args: &UnpauseArgs, session: &mut Session) -> Outcome {
    change(&args.containers, false, session)
}

fn change(containers: &[String], pause: bool, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    each(session, containers, |_, name| {
        let id = super::find(&engine, name).map_err(plain)?;
        engine.pause_container(&id, pause).map_err(plain)?;
        Ok(name.to_owned())
    })
}
