//! `longshore container attach`: the streams of a container that runs.

use longshore_engine::ContainerState;
use longshore_engine_native::Attachments;

use super::failure::plain;
use super::run::{finish, refused};
use super::stream::AttachmentArgs;
use crate::cli::{Outcome, Session};

/// Attach to a container that runs: see its output, type its input, hand signals on
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container attach web
  longshore container attach --no-stdin --sig-proxy=false web")]
pub(super) struct AttachArgs {
    /// Do not hand on what is typed
    #[arg(long)]
    no_stdin: bool,

    #[command(flatten)]
    attachment: AttachmentArgs,

    /// The container by name or id
    container: String,
}

pub(super) fn run(args: &AttachArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let id = super::find(&engine, &args.container).map_err(plain)?;
    let status = engine.status(&id).map_err(plain)?;
    match status.state {
        ContainerState::Paused => {
            return Err(refused("you cannot attach to a paused container, unpause it first"));
        }
        ContainerState::Running | ContainerState::Restarting => {}
        _ => return Err(refused("you cannot attach to a stopped container, start it first")),
    }
    let streams = Attachments { stdin: status.spec.stdin && !args.no_stdin, stdout: true, stderr: true };
    let attachment = args.attachment.prepare(streams, status.spec.tty)?;
    let attached = engine.attach(&id, streams).map_err(plain)?;
    if let (Some((rows, columns)), Ok(mut sender)) = (attachment.size(), attached.sender()) {
        // One who has ended already is told of below.
        let _ = sender.resize(rows, columns);
    }
    finish(attachment.follow(attached).map_err(plain)?, &id)
}
