//! `longshore container wait`.

use longshore_engine::ContainerState;

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
        // As in Docker, one that was not started does not run, and is not waited for.
        let status = engine.status(&id).map_err(plain)?;
        if status.state == ContainerState::Created {
            return Ok("0".to_owned());
        }
        let exit = engine.wait_container(&id).map_err(plain)?;
        Ok(exit.code.to_string())
    })
}
