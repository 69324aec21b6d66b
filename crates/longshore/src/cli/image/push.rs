//! `longshore image push`: images to registries.

use longshore_image::ImageName;
use longshore_oci::Reference;

use super::{Outcome, Session, reference};
use crate::exit::Exit;
use crate::progress::ProgressSink;

/// Push an image to the registry that its name says
///
/// The name must be one of the image's own; `longshore image tag` gives it one more. What the registry has is not sent.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image push registry.example.org/team/app:1.2
  longshore image push -a registry.example.org/team/app")]
pub(super) struct PushArgs {
    /// Name of the image
    #[arg(value_name = "NAME[:TAG]")]
    name: String,

    /// Push all tags of the repository
    #[arg(short, long)]
    all_tags: bool,

    /// Print the name only
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &PushArgs, session: &mut Session) -> Outcome {
    let images = session.wiring().images()?;
    let quiet = args.quiet || session.output.is_quiet();
    let progress = ProgressSink::new(quiet, session.output.talk_style());
    let client = session.wiring().registry(progress.clone());
    let asked = reference(&args.name)?;
    let names: Vec<Reference> = if args.all_tags {
        let listing = images.list()?;
        let names = listing.images.iter().flat_map(|listed| listed.names.iter());
        names.filter_map(ImageName::tagged).filter(|name| name.name() == asked.name()).cloned().collect()
    } else {
        vec![asked.or_latest()]
    };
    for name in &names {
        if !args.quiet {
            session.output.data(&format!("The push refers to repository [{}]\n", name.name()))?;
            session.output.flush()?;
        }
        let pushed = images.push(name, &client);
        progress.finish();
        let pushed = pushed?;
        let text = if args.quiet {
            format!("{name}\n")
        } else {
            let tag = name.tag().unwrap_or_default();
            format!("{tag}: digest: {} size: {}\n", pushed.digest, pushed.size)
        };
        session.output.data(&text)?;
    }
    Ok(Exit::Success)
}
