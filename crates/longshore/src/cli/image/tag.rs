//! `longshore image tag`: one more name for an image.

use super::{Outcome, Session, reference};
use crate::exit::Exit;
use crate::wiring::Wiring;

/// Give an image one more name
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image tag app:latest registry.example.org/team/app:1.2
  longshore image tag 0123456789ab app:old")]
pub(super) struct TagArgs {
    /// Name or id of the image
    #[arg(value_name = "IMAGE")]
    source: String,

    /// The name it gets
    #[arg(value_name = "NAME[:TAG]")]
    target: String,
}

pub(super) fn run(args: &TagArgs, session: &mut Session) -> Outcome {
    let target = reference(&args.target)?;
    session.wiring().images()?.tag(&args.source, &target, Wiring::now())?;
    Ok(Exit::Success)
}
