//! `longshore container stop` and `kill`.

use super::failure::{each, plain};
use super::flags::FlagError;
use super::flags::process::grace;
use crate::cli::{Outcome, Session};

/// Ask containers to end, and kill those that do not
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore container stop web
  longshore container stop -t 30 -s SIGINT db")]
pub(super) struct StopArgs {
    /// Seconds to wait before it is killed; -1 for ever (default: the container's own, else 10)
    #[arg(short, long, visible_alias = "timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    time: Option<i64>,

    /// Signal that asks (default: the container's own, else SIGTERM)
    #[arg(short, long)]
    signal: Option<String>,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn stop(args: &StopArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let signal = args.signal.as_deref().map(signal).transpose()?;
    each(session, &args.containers, |_, name| {
        let id = super::find(&engine, name).map_err(plain)?;
        engine.stop_container(&id, signal, args.time.map(grace)).map_err(plain)?;
        Ok(name.to_owned())
    })
}

/// Send a signal to containers
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore container kill web
  longshore container kill -s HUP nginx")]
pub(super) struct KillArgs {
    /// Signal by name or number
    #[arg(short, long, default_value = "KILL")]
    signal: String,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn kill(args: &KillArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let signal = signal(&args.signal)?;
    each(session, &args.containers, |_, name| {
        let id = super::find(&engine, name).map_err(plain)?;
        engine.kill_container(&id, signal).map_err(plain)?;
        Ok(name.to_owned())
    })
}

/// The signal of a name or number.
pub(super) fn signal(text: &str) -> Result<i32, FlagError> {
    let parsed = longshore_engine_native::parse_signal(text);
    parsed.map_err(|_| FlagError::value("--signal", text, "there is no such signal").code(1))
}
