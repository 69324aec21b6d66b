//! `longshore image save`: images as archives.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::ValueEnum;
use longshore_image::{SaveError, SaveFormat};
use longshore_layer::Compression;

use super::{Outcome, Session, SlipError};
use crate::exit::Exit;
use crate::output::Output;

/// Save images as an archive, to a file or to standard output
///
/// The usual form can be loaded by Docker, podman and skopeo, and keeps all digests. The same images give the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image save -o images.tar debian:bookworm-slim app:1
  longshore image save app:1 | ssh host longshore image load
  longshore image save --format oci-dir -o layout app:1")]
pub(super) struct SaveArgs {
    /// Names or ids of images
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,

    /// Write here, not to standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// The form
    #[arg(long, value_enum, default_value = "docker")]
    format: Form,

    /// How the archive as a whole is compressed
    #[arg(long, value_enum, default_value = "none")]
    compression: Whole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An OCI layout with Docker's lists, as Docker writes it since version 25
    Docker,
    /// Docker's form from before version 25, with uncompressed layers
    DockerArchive,
    /// An OCI layout as an archive
    OciArchive,
    /// An OCI layout as a directory; needs `-o`
    OciDir,
}

/// Compressions of a whole archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Whole {
    /// Not at all
    None,
    /// With gzip
    Gzip,
    /// With Zstandard
    Zstd,
}

impl From<Whole> for Compression {
    fn from(whole: Whole) -> Self {
        match whole {
            Whole::None => Self::None,
            Whole::Gzip => Self::Gzip,
            Whole::Zstd => Self::Zstd,
        }
    }
}

pub(super) fn run(args: &SaveArgs, session: &mut Session) -> Outcome {
    let images = session.wiring().images()?;
    let format = match args.format {
        Form::Docker => SaveFormat::Docker,
        Form::DockerArchive => SaveFormat::DockerArchive,
        Form::OciArchive => SaveFormat::OciArchive,
        Form::OciDir => {
            let Some(directory) = &args.output else {
                return Err(SlipError::Other(
                    "a directory cannot be written to standard output; name it with `-o`",
                )
                .into());
            };
            images.save_directory(&args.images, directory)?;
            return Ok(Exit::Success);
        }
    };
    let compression = args.compression.into();
    let Some(path) = &args.output else {
        if Output::is_terminal() {
            return Err(
                SlipError::Other("an archive is no text for a terminal; use `-o` or redirect it").into()
            );
        }
        return match images.save(&args.images, session.output.raw(), format, compression) {
            Err(error) if is_closed(&error) => Ok(Exit::Success),
            other => Ok(other.map(|()| Exit::Success)?),
        };
    };
    write_whole(path, |file| images.save(&args.images, file, format, compression))?;
    Ok(Exit::Success)
}

/// Writes a file beside its place and renames it, so that an interruption leaves no half of an archive.
fn write_whole(
    path: &std::path::Path,
    write: impl FnOnce(&mut io::BufWriter<File>) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    let failed = |source| SaveError::Path { path: path.to_owned(), source };
    // What is no regular file, such as `/dev/stdout` or a pipe, is written to as it is.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).truncate(true).open(path).map_err(failed)?;
        return write(&mut io::BufWriter::new(file));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut writer = io::BufWriter::with_capacity(1 << 20, File::create(&beside).map_err(failed)?);
    let written = write(&mut writer)
        .and_then(|()| writer.flush().map_err(failed))
        .and_then(|()| std::fs::rename(&beside, path).map_err(failed));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Whether the reader has had enough.
fn is_closed(error: &SaveError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}
