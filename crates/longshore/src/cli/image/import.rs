//! `longshore image import`: an image of a root file system.

use std::fs::File;
use std::path::{Path, PathBuf};

use longshore_image::{ImportOptions, LoadError, host_platform};

use super::save::Whole;
use super::{Outcome, Session, SlipError, keep_budget, ls, platform, reference, unpack_options};
use crate::exit::Exit;
use crate::progress::ProgressSink;
use crate::wiring::Wiring;

/// Make an image of a root file system: a tar archive, or a directory
///
/// The archive may be compressed by gzip or Zstandard and stays as it is. `-` is standard input. The same content, options
/// and time give the same image; the time is now, or that of `SOURCE_DATE_EPOCH`, or of `--created`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image import rootfs.tar.gz base:1
  longshore image import -c 'CMD [\"/bin/sh\"]' -c 'ENV LANG=C.UTF-8' ./rootfs base:1
  tar -C rootfs -c . | longshore image import - base:1")]
pub(super) struct ImportArgs {
    /// The archive or directory, or `-`
    #[arg(value_name = "PATH|-")]
    source: String,

    /// The name of the image
    #[arg(value_name = "NAME[:TAG]")]
    name: Option<String>,

    /// Apply an instruction of a Dockerfile
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,

    /// The remark in the image's history
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,

    /// What the image runs on; this machine's platform if not given
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<String>,

    /// When the image was made: a time as RFC 3339 writes it, a date, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    created: Option<String>,

    /// How the layer of a directory is compressed
    #[arg(long, value_enum, default_value = "gzip")]
    compression: Whole,

    /// Do not unpack the layer now; it is when it is first used
    #[arg(long)]
    no_unpack: bool,
}

pub(super) fn run(args: &ImportArgs, session: &mut Session) -> Outcome {
    let now = Wiring::now();
    let created = match &args.created {
        Some(text) => ls::moment(text, now)
            .ok_or(SlipError::Other("`--created` takes a time, a date or seconds since 1970"))?,
        None => session.wiring().source_date().unwrap_or(now),
    };
    let images = session.wiring().images()?;
    let progress = ProgressSink::new(session.output.is_quiet(), session.output.talk_style());
    let options = ImportOptions {
        name: args.name.as_deref().map(reference).transpose()?,
        changes: args.change.clone(),
        message: args.message.clone().unwrap_or_else(|| format!("Imported from {}", shown(&args.source))),
        platform: platform(args.platform.as_deref())?.unwrap_or_else(host_platform),
        created,
        now,
        compression: args.compression.into(),
        unpack: unpack_options(!args.no_unpack),
        sink: &*progress,
    };
    let path = Path::new(&args.source);
    let image = if args.source == "-" {
        images.import(std::io::stdin().lock(), &options)
    } else if path.is_dir() {
        images.import_directory(path, &options)
    } else {
        let failed = |source| LoadError::Open { path: PathBuf::from(path), source };
        images.import(File::open(path).map_err(failed)?, &options)
    };
    progress.finish();
    session.output.data(&format!("{}\n", image?.id()))?;
    keep_budget(&images, session)?;
    Ok(Exit::Success)
}

/// Where an image came from, without the directories of this machine.
fn shown(source: &str) -> String {
    let name = Path::new(source).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| source.to_owned())
}
