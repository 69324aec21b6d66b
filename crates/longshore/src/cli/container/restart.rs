//! `longshore container restart`.

use super::failure::{each, plain};
use super::flags::process::grace;
use super::run::warn;
use super::stop::signal;
use crate::cli::{Outcome, Session};

/// Stop containers, and start them again
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore container restart web
  longshore container restart -t 0 web db")]
pub(super) struct RestartArgs {
    /// Seconds to wait before it is killed; -1 for ever (default: the container's own, else 10)
    #[arg(short, long, visible_alias = "timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    time: Option<i64>,

    /// Signal that asks it to end (default: the container's own, else SIGTERM)
    #[arg(short, long)]
    signal: Option<String>,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn run(args: &RestartArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let signal = args.signal.as_deref().map(signal).transpose()?;
    each(session, &args.containers, |session, name| {
        let id = super::find(&engine, name).map_err(plain)?;
        let warnings = engine.restart_container(&id, signal, args.time.map(grace)).map_err(plain)?;
        warn(session, &warnings);
        Ok(name.to_owned())
    })
}
