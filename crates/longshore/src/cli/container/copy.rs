//! `longshore container cp`: files in and out of containers, running or not.
//!
//! What a path means follows Docker: a directory is copied into one that exists and becomes one that does not; `DIR/.`
//! means what is in it; `-` is a tar archive on a standard stream.

mod local;
mod place;
mod rename;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use longshore_engine::ContainerId;
use longshore_engine_native::{NativeEngine, PathStatusDto};

use super::failure::{Refused, WorkError, plain};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use place::{Destination, Place};

/// Copy files between a container and this machine
///
/// One of the two is `CONTAINER:PATH`, the other a path here or `-` for a tar archive on a standard stream. A path with a
/// colon that means a file here is written with `./` before it.
#[derive(Debug, clap::Args)]
#[command(mut_args = super::as_switch, after_long_help = "Examples:
  longshore container cp web:/etc/nginx/nginx.conf .
  longshore container cp ./site/. web:/srv
  longshore container cp web:/var/log - | tar t
  tar c src | longshore container cp - build:/work")]
pub(super) struct CopyArgs {
    /// Keep owners
    #[arg(short, long)]
    archive: bool,

    /// Copy what a link leads to
    #[arg(short = 'L', long)]
    follow_link: bool,

    /// Say nothing
    #[arg(short, long)]
    quiet: bool,

    /// `CONTAINER:PATH`, a path here, or `-`
    source: String,

    /// `CONTAINER:PATH`, a path here, or `-`
    destination: String,
}

pub(super) fn run(args: &CopyArgs, session: &mut Session) -> Outcome {
    let (from, to) = (Place::parse(&args.source), Place::parse(&args.destination));
    let engine = super::engine(session)?;
    match (from, to) {
        (Place::Container(name, path), Place::Here(to)) => {
            let id = super::find(&engine, name).map_err(plain)?;
            args.out(&engine, (&id, path), Path::new(to))?;
        }
        (Place::Container(name, path), Place::Stream) => {
            if io::stdout().is_terminal() {
                return Err(Refused(
                    "an archive cannot go to a terminal; redirect standard output".to_owned(),
                )
                .into());
            }
            let id = super::find(&engine, name).map_err(plain)?;
            engine.copy_from(&id, path, args.follow_link, &mut io::stdout().lock()).map_err(plain)?;
        }
        (Place::Here(from), Place::Container(name, path)) => {
            let id = super::find(&engine, name).map_err(plain)?;
            args.into(&engine, Path::new(from), (&id, path))?;
        }
        (Place::Stream, Place::Container(name, path)) => {
            let id = super::find(&engine, name).map_err(plain)?;
            engine.copy_to(&id, path, &mut io::stdin().lock()).map_err(plain)?;
        }
        (Place::Container(..), Place::Container(..)) => {
            return Err(Refused("copying between containers is not supported".to_owned()).into());
        }
        _ => return Err(Refused("one of the two must be `CONTAINER:PATH`".to_owned()).into()),
    }
    if !args.quiet && args.destination != "-" {
        session.output.talk(&format!("copied {} to {}\n", args.source, args.destination));
    }
    Ok(Exit::Success)
}

impl CopyArgs {
    /// From a container to a path here.
    fn out(&self, engine: &NativeEngine, (id, path): (&ContainerId, &str), to: &Path) -> Result<(), Failure> {
        let content_only = place::means_content(path);
        let status = engine
            .path_status(id, path, self.follow_link || content_only || path.ends_with('/'))
            .map_err(plain)?;
        let destination =
            Destination::here(to, status.is_directory(), content_only, &status.name).map_err(Refused)?;
        let failed = |error| WorkError::new(format!("write to `{}`", to.display()), error);
        let (mut reader, mut writer) = io::pipe().map_err(failed)?;
        let (taken, given) = std::thread::scope(|scope| {
            let unpacking = scope.spawn(|| {
                let taken = local::unpack(&mut reader, &destination, self.archive);
                // What follows the archive's end is read, too, lest the writer gets no further.
                let _ = io::copy(&mut reader, &mut io::sink());
                drop(reader);
                taken
            });
            let given = engine.copy_from(id, path, self.follow_link, &mut writer);
            drop(writer);
            (unpacking.join(), given)
        });
        given.map_err(plain)?;
        match taken {
            Ok(taken) => taken.map_err(|error| failed(error).into()),
            Err(_) => Err(failed(io::Error::other("the thread that unpacks broke")).into()),
        }
    }

    /// From a path here into a container.
    fn into(
        &self,
        engine: &NativeEngine,
        from: &Path,
        (id, path): (&ContainerId, &str),
    ) -> Result<(), Failure> {
        let source = local::Source::find(from, self.follow_link)
            .map_err(|error| WorkError::new(format!("read `{}`", from.display()), error))?;
        let (path, there) = destination_of(engine, id, path)?;
        let destination = Destination::inside(&path, there, &source).map_err(Refused)?;
        let failed = |error| WorkError::new(format!("read `{}`", from.display()), error);
        let (mut reader, writer) = io::pipe().map_err(failed)?;
        let owner = self.archive;
        let (packed, put) = std::thread::scope(|scope| {
            let packing = scope.spawn(|| local::pack(&source, &destination.name, owner, writer));
            let put = engine.copy_to(id, &destination.directory, &mut reader);
            drop(reader);
            (packing.join(), put)
        });
        put.map_err(plain)?;
        match packed {
            Ok(packed) => packed.map_err(|error| failed(error).into()),
            Err(_) => Err(failed(io::Error::other("the thread that packs broke")).into()),
        }
    }
}

/// How many links are followed, one to the next.
const LINKS: usize = 16;

/// Where a path of a container leads, and whether there is a directory, something else, or nothing. What is copied to a
/// link goes to where it leads, and the link stays, as in Docker.
fn destination_of(
    engine: &NativeEngine,
    id: &ContainerId,
    path: &str,
) -> Result<(String, Option<bool>), Failure> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match engine.path_status(id, &path, false) {
            Ok(PathStatusDto { link: Some(target), .. }) => path = place::linked(&path, &target),
            Ok(status) => return Ok((path, Some(status.is_directory()))),
            Err(error) if error.is_not_found() => return Ok((path, None)),
            Err(error) => return Err(plain(error)),
        }
    }
    Err(Refused(format!("`{path}` leads through too many links")).into())
}
