//! `longshore container create`: a container that is made and not started.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault};
use longshore_engine_native::NativeEngine;

use super::failure::{WorkError, starting};
use super::flags::SpecArgs;
use super::image;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;

/// Make a container, and do not start it
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    mut_args = super::as_switch,
    override_usage = "longshore container create [OPTIONS] IMAGE [COMMAND] [ARG...]",
    after_long_help = "Examples:
  id=$(longshore container create --name job host make test)
  longshore container cp ./src job:/work
  longshore container start -a job"
)]
pub(super) struct CreateArgs {
    /// Say nothing about fetching the image
    #[arg(short, long)]
    quiet: bool,

    /// Show this help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    spec: SpecArgs,
}

pub(super) fn run(args: &CreateArgs, session: &mut Session) -> Outcome {
    let engine = session.wiring().brief_engine().map_err(|error| starting(error, 125))?;
    let spec = args.spec.lower()?;
    let id = create(session, &engine, &args.spec, &spec, args.quiet)?;
    session.output.data(&format!("{id}\n"))?;
    Ok(Exit::Success)
}

/// Makes a container, whose image is fetched if it must be, and writes its id into the file that is wanted.
pub(super) fn create(
    session: &mut Session,
    engine: &NativeEngine,
    args: &SpecArgs,
    spec: &ContainerSpec,
    quiet: bool,
) -> Result<ContainerId, Failure> {
    let file = args.cidfile.as_deref().map(open_id_file).transpose()?;
    let created = image::with_image(session, engine, spec, (args.pull, quiet), || engine.create(spec, None));
    match (created, file, args.cidfile.as_deref()) {
        (Ok(id), Some(mut file), Some(path)) => {
            file.write_all(id.as_str().as_bytes()).map_err(|error| id_file(path, error))?;
            Ok(id)
        }
        (Ok(id), ..) => Ok(id),
        (Err(error), _, path) => {
            if let Some(path) = path {
                let _ = std::fs::remove_file(path);
            }
            Err(error)
        }
    }
}

fn open_id_file(path: &Path) -> Result<File, Failure> {
    match File::options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let message = format!("container ID file found at `{}`", path.display());
            Err(starting(
                EngineError::new(Fault::Conflict, message)
                    .help("make sure that the other container does not run any more, or delete the file"),
                125,
            ))
        }
        result => result.map_err(|error| id_file(path, error).into()),
    }
}

fn id_file(path: &Path, error: std::io::Error) -> WorkError {
    WorkError::new(format!("write the container's id into `{}`", path.display()), error).code(125)
}
