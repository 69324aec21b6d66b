//! `longshore container wait`.

use super::failure::{each, plain};
use crate::cli::{Outcome, Session};

/// Wait until containers end, and print their exit codes
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  longshore container wait build test")]
pub(super) struct WaitArgs {
    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn run(args: &WaitArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    each(session, &args.containers, |session, name| {
        let id = super::find(&engine, name).map_err(plain)?;
        // Who reads the codes of several sees each when it is known.
        session.output.flush()?;
        let exit = engine.wait_container(&id).map_err(plain)?;
        Ok(exit.code.to_string())
    })
}
