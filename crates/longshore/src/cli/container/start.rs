//! `longshore container start`: containers that were made, or have ended.

use longshore_engine_native::Attachments;

use super::failure::{each, plain, starting};
use super::run::{finish, refused, warn};
use super::stream::AttachmentArgs;
use crate::cli::{Outcome, Session};

/// Start containers that do not run
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container start web db
  longshore container start -ai job")]
pub(super) struct StartArgs {
    /// Hand on output and signals, and end with the container's exit code
    #[arg(short, long)]
    attach: bool,

    /// Hand on what is typed
    #[arg(short, long)]
    interactive: bool,

    #[command(flatten)]
    attachment: AttachmentArgs,

    /// Containers by name or id
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

pub(super) fn run(args: &StartArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    if !args.attach && !args.interactive {
        return each(session, &args.containers, |session, name| {
            let id = super::find(&engine, name).map_err(plain)?;
            let warnings = engine.start(&id).map_err(plain)?;
            warn(session, &warnings);
            Ok(name.to_owned())
        });
    }
    let [name] = args.containers.as_slice() else {
        return Err(refused("you cannot start and attach multiple containers at once"));
    };
    let id = super::find(&engine, name).map_err(plain)?;
    let spec = engine.status(&id).map_err(plain)?.spec;
    let streams = Attachments { stdin: args.interactive && spec.stdin, stdout: true, stderr: true };
    let attachment = args.attachment.prepare(streams, spec.tty)?;
    let (attached, warnings) =
        engine.start_attached(&id, streams, attachment.size()).map_err(|error| starting(error, 1))?;
    warn(session, &warnings);
    finish(attachment.follow(attached).map_err(plain)?, &id)
}
