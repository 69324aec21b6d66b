//! `longshore container rename`.

use super::failure::plain;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Give a container another name
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  longshore container rename lucky_tug web")]
pub(super) struct RenameArgs {
    /// The container by name or id
    container: String,

    /// Its new name
    name: String,
}

pub(super) fn run(args: &RenameArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let id = super::find(&engine, &args.container).map_err(plain)?;
    engine.rename(&id, &args.name).map_err(plain)?;
    Ok(Exit::Success)
}
