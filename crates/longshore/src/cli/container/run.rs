//! `longshore container run`: make a container and start it.

use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault};
use longshore_engine_native::{Attachments, NativeEngine};

use super::create;
use super::failure::{Refused, starting};
use super::flags::{FlagError, SpecArgs};
use super::stream::{AttachmentArgs, Ending};
use crate::cli::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::Failure;

/// Make a container and run a command in it
///
/// Options of Longshore stand before the image, everything after it is the command. Its output is handed on, and its
/// exit code is the one of this command; 125 says that the container could not be made, 126 that the command cannot be
/// run, 127 that there is no such command.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    mut_args = super::as_switch,
    override_usage = "longshore container run [OPTIONS] IMAGE [COMMAND] [ARG...]",
    after_long_help = "Examples:
  longshore container run --rm host uname -a
  longshore container run --rm -it -v .:/src -w /src rust:1.95 cargo test
  longshore container run -d --name db -e POSTGRES_PASSWORD -v data:/var/lib/postgresql/data postgres:17
  longshore container run --rm --network none --read-only --tmpfs /tmp --memory 512m --cpus 1.5 host ./build.sh
  tar c . | longshore container run --rm -i host tar t"
)]
pub(super) struct RunArgs {
    /// Leave it running, and print its id
    #[arg(short, long)]
    detach: bool,

    #[command(flatten)]
    attachment: AttachmentArgs,

    /// Say nothing about fetching the image
    #[arg(short, long)]
    quiet: bool,

    /// Show this help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    spec: SpecArgs,
}

pub(super) fn run(args: &RunArgs, session: &mut Session) -> Outcome {
    let spec = args.spec.lower()?;
    let streams = args.streams(&spec)?;
    let engine = session.wiring().brief_engine().map_err(|error| starting(error, 125))?;
    if args.detach {
        let id = create::create(session, &engine, &args.spec, &spec, args.quiet)?;
        let warnings = engine.start(&id).map_err(|error| not_started(&engine, &id, &spec, error))?;
        warn(session, &warnings);
        session.output.data(&format!("{id}\n"))?;
        return Ok(Exit::Success);
    }
    let attachment = args.attachment.prepare(streams, spec.tty)?;
    let id = create::create(session, &engine, &args.spec, &spec, args.quiet)?;
    let (attached, warnings) = engine
        .start_attached(&id, attachment.streams, attachment.size())
        .map_err(|error| not_started(&engine, &id, &spec, error))?;
    warn(session, &warnings);
    let ending = attachment.follow(attached).map_err(|error| starting(error, 125))?;
    finish(ending, &id)
}

impl RunArgs {
    fn streams(&self, spec: &ContainerSpec) -> Result<Attachments, Failure> {
        let given = &self.spec.process.attach;
        if self.detach {
            if !given.is_empty() {
                return Err(FlagError::conflict("--attach", "--detach").into());
            }
            return Ok(Attachments::default());
        }
        if given.is_empty() {
            return Ok(Attachments { stdin: spec.stdin, stdout: true, stderr: true });
        }
        let mut streams = Attachments::default();
        for stream in given {
            match stream.to_ascii_lowercase().as_str() {
                "stdin" => streams.stdin = spec.stdin,
                "stdout" => streams.stdout = true,
                "stderr" => streams.stderr = true,
                _ => {
                    return Err(
                        FlagError::value("--attach", stream, "it is one of stdin, stdout, stderr").into()
                    );
                }
            }
        }
        Ok(streams)
    }
}

/// A container that was made and could not be started is there to be looked at, unless it was to be removed.
fn not_started(engine: &NativeEngine, id: &ContainerId, spec: &ContainerSpec, error: EngineError) -> Failure {
    if spec.auto_remove {
        let _ = engine.remove(id, true);
    }
    starting(error, 125)
}

/// Says what could not be done as asked.
pub(super) fn warn(session: &mut Session, warnings: &[String]) {
    for warning in warnings {
        let word = session.output.talk_style().paint(longshore_report::Role::Warning, "warning");
        session.output.talk(&format!("{word}: {warning}\n"));
    }
}

/// The exit code of a command that was attached.
pub(super) fn finish(ending: Ending, id: &ContainerId) -> Outcome {
    match ending {
        Ending::Exited(exit) => Ok(Exit::Program(u8::try_from(exit.code).unwrap_or(255))),
        Ending::Detached => Ok(Exit::Success),
        Ending::Lost => {
            let message = format!("lost container {}: its monitor is gone", id.short());
            Err(starting(
                EngineError::new(Fault::Environment, message)
                    .help("somebody may have killed it; `longshore container ps -a` shows what is left"),
                125,
            ))
        }
    }
}

/// Something that makes no sense, for verbs that start programs.
pub(super) fn refused(message: impl Into<String>) -> Failure {
    let mut failure = Failure::from(Refused(message.into()));
    failure.blame = Blame::Code(1);
    failure
}
