//! `longshore image rm`: names or images go.

use longshore_image::{Removal, RemoveError, ResolveError};

use super::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;

/// Remove names of images, and images with their last name
///
/// An id removes the image with all its names, if they are of one repository. An image that a container was made of is
/// removed only with `-f`, and its layers stay until the container is removed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image rm debian:bookworm-slim
  longshore image rm -f 0123456789ab")]
pub(super) struct RmArgs {
    /// Names or ids of images
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,

    /// Remove although it is in use or has several names; what does not exist is no error
    #[arg(short, long)]
    force: bool,

    /// Kept for Docker's sake: no image here has parents that would go with it
    #[arg(long)]
    no_prune: bool,
}

pub(super) fn run(args: &RmArgs, session: &mut Session) -> Outcome {
    let images = session.wiring().images()?;
    let mut failed: Option<Failure> = None;
    for text in &args.images {
        match images.remove(text, args.force) {
            Ok(removal) => {
                let text = shown(&removal, "Untagged", "Deleted");
                session.output.data(&text)?;
            }
            Err(RemoveError::Resolve(ResolveError::NotFound { text })) if args.force => {
                session.output.talk(&format!("no such image: {text}\n"));
            }
            Err(error) => failed = failed.or(Some(error.into())),
        }
    }
    failed.map_or(Ok(Exit::Success), Err)
}

/// A line for all that went.
pub(super) fn shown(removal: &Removal, untagged: &str, deleted: &str) -> String {
    let names = removal.untagged.iter().map(|name| format!("{untagged}: {name}\n"));
    let digests = removal.deleted.iter().map(|digest| format!("{deleted}: {digest}\n"));
    names.chain(digests).collect()
}
