//! `longshore image load`: images from archives and directories.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use longshore_image::{ImageName, LoadOptions, Loaded};

use super::{Outcome, Session, SlipError, keep_budget, platform, reference, unpack_options};
use crate::exit::Exit;
use crate::progress::ProgressSink;
use crate::wiring::Wiring;

/// Load images from an archive or a directory
///
/// Archives of Docker (`docker save`), OCI archives and OCI layouts are told by what is in them; gzip, xz and Zstandard
/// are recognised.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image load -i images.tar.gz
  docker save app:1 | longshore image load
  longshore image load -i layout-directory --name app:1")]
pub(super) struct LoadArgs {
    /// Read this file or directory, not standard input
    #[arg(short, long, value_name = "PATH")]
    input: Option<PathBuf>,

    /// Say nothing while loading
    #[arg(short, long)]
    quiet: bool,

    /// The name of the one image of an archive that gives it none
    #[arg(long, value_name = "NAME[:TAG]")]
    name: Option<String>,

    /// Load the image for this platform
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,

    /// Do not unpack layers now; they are when they are first used
    #[arg(long)]
    no_unpack: bool,
}

pub(super) fn run(args: &LoadArgs, session: &mut Session) -> Outcome {
    let images = session.wiring().images()?;
    let progress = ProgressSink::new(args.quiet || session.output.is_quiet(), session.output.talk_style());
    let options = LoadOptions {
        now: Wiring::now(),
        unpack: unpack_options(!args.no_unpack),
        platform: platform(args.platform.as_deref())?,
        name: args.name.as_deref().map(reference).transpose()?,
        sink: &*progress,
    };
    let loaded = match &args.input {
        Some(path) if path.as_os_str() != "-" => images.load_path(path, &options),
        _ if std::io::stdin().is_terminal() => {
            return Err(SlipError::Other("there is no archive on a terminal; use `-i` or redirect it").into());
        }
        _ => images.load(std::io::stdin().lock(), &options),
    };
    progress.finish();
    let text: String = loaded?.iter().map(shown).collect();
    session.output.data(&text)?;
    keep_budget(&images, session)?;
    Ok(Exit::Success)
}

/// A line for each name, as Docker prints it.
fn shown(loaded: &Loaded) -> String {
    let line = |name: &ImageName| match name {
        ImageName::Named(reference) => format!("Loaded image: {}\n", reference.familiar()),
        ImageName::Dangling(_) => format!("Loaded image ID: {}\n", loaded.image.id()),
    };
    loaded.names.iter().map(line).collect()
}
