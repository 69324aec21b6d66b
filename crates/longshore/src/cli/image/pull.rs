//! `longshore image pull`: images from registries.

use clap::ValueEnum;
use longshore_image::{PullOptions, PullPolicy};
use longshore_oci::Reference;

use super::{Outcome, Session, keep_budget, platform, reference, unpack_options};
use crate::exit::Exit;
use crate::progress::ProgressSink;
use crate::wiring::Wiring;

/// Pull an image from a registry
///
/// Layers are unpacked while they arrive. What is here is not fetched again, and what was interrupted goes on. Mirrors
/// and other addresses of registries are settings, see docs/settings.md.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image pull debian:bookworm-slim
  longshore image pull --platform linux/arm64 ghcr.io/org/app@sha256:…
  longshore image pull -q registry.example.org/team/app:1.2")]
pub(super) struct PullArgs {
    /// Names of images
    #[arg(value_name = "NAME[:TAG|@DIGEST]", required = true)]
    names: Vec<String>,

    /// Pull all tags of the repository
    #[arg(short, long)]
    all_tags: bool,

    /// Print the name only
    #[arg(short, long)]
    quiet: bool,

    /// Pull the image for this platform
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,

    /// When to ask the registry
    #[arg(long, value_enum, default_value = "always")]
    policy: Policy,

    /// Do not unpack layers now; they are when they are first used
    #[arg(long)]
    no_unpack: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// Whatever is here
    Always,
    /// Only if the image is not here
    Missing,
    /// Never: the image must be here
    Never,
}

pub(super) fn run(args: &PullArgs, session: &mut Session) -> Outcome {
    let images = session.wiring().images()?;
    let quiet = args.quiet || session.output.is_quiet();
    let progress = ProgressSink::new(quiet, session.output.talk_style());
    let client = session.wiring().registry(progress.clone());
    let options = PullOptions {
        platform: platform(args.platform.as_deref())?,
        policy: match args.policy {
            Policy::Always => PullPolicy::Always,
            Policy::Missing => PullPolicy::Missing,
            Policy::Never => PullPolicy::Never,
        },
        unpack: unpack_options(!args.no_unpack),
        now: Wiring::now(),
        sink: &*progress,
    };
    let mut references: Vec<Reference> = Vec::new();
    for text in &args.names {
        let name = reference(text)?;
        if args.all_tags {
            if name.tag().is_some() || name.digest().is_some() {
                return Err(super::SlipError::Other("a tag can't be used with `--all-tags`").into());
            }
            for tag in client.tags(&name)? {
                references.push(
                    name.with_tag(&tag).map_err(|source| super::SlipError::Name { text: tag, source })?,
                );
            }
        } else {
            if !quiet && name.tag().is_none() && name.digest().is_none() {
                session.output.talk("using the default tag: latest\n");
            }
            references.push(name.or_latest());
        }
    }
    for name in &references {
        let pulled = images.pull(name, &options, &client);
        progress.finish();
        let pulled = pulled?;
        let text = if args.quiet {
            format!("{}\n", pulled.name)
        } else {
            let status =
                if pulled.changed { "Downloaded newer image for" } else { "Image is up to date for" };
            let digest = &pulled.image.root.digest;
            let familiar = pulled.name.familiar();
            format!("Digest: {digest}\nStatus: {status} {familiar}\n{}\n", pulled.name)
        };
        session.output.data(&text)?;
    }
    keep_budget(&images, session)?;
    Ok(Exit::Success)
}
