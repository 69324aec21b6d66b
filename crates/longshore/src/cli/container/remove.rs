//! `longshore container rm`.

use longshore_engine::ContainerState;

use super::failure::{each, plain};
use crate::cli::{Outcome, Session};

/// Remove containers
///
/// What was changed in its root file system goes with a container, and so do volumes that nobody named if `--volumes`
/// is given. Named volumes stay.
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container rm web
  longshore container rm -fv $(longshore container ps -aq)")]
pub(super) struct RemoveArgs {
    /// Kill those that run; one that does not exist is no error
    #[arg(short, long)]
    force: bool,

    /// Remove its volumes without a name, too
    #[arg(short, long)]
    volumes: bool,

    /// Links between containers, which there are none of: refused
    #[arg(short, long, hide = true)]
    link: bool,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn run(args: &RemoveArgs, session: &mut Session) -> Outcome {
    if args.link {
        return Err(super::run::refused(
            "there are no links between containers here; networks give them names",
        ));
    }
    let engine = super::engine(session)?;
    each(session, &args.containers, |session, name| {
        let id = match super::find(&engine, name) {
            Err(error) if args.force && error.is_not_found() => {
                session.output.complain(&format!("{error}\n"));
                return Ok(String::new());
            }
            found => found.map_err(plain)?,
        };
        if !args.volumes {
            engine.keep_volumes(&id).map_err(plain)?;
        }
        let removing = engine.status(&id).is_ok_and(|status| status.state == ContainerState::Removing);
        match engine.remove(&id, args.force) {
            // Somebody else was quicker, such as the monitor of a container that removes itself.
            Err(error) if error.is_not_found() && (args.force || removing) => {}
            result => result.map_err(plain)?,
        }
        Ok(name.to_owned())
    })
}
