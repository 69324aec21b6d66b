//! `longshore container exec`: a further command in a container that runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use longshore_engine::{
    ContainerId, EngineError, ExecSpec, ExitStatus, Fault, Input, Output, ProcessIo, RunningExec as _,
};
use longshore_engine_native::{NativeEngine, NativeExec};

use super::failure::{WorkError, starting};
use super::flags::{FlagError, variables};
use super::stream::{Asked, DetachKeys, DetachReader, RawTerminal, SignalWatch, is_terminal, size};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Run a command in a container that runs
///
/// The exit code is the one of the command; 126 says that it cannot be run, 127 that there is no such command.
#[derive(Debug, clap::Args)]
#[command(
    mut_args = super::as_switch,
    override_usage = "longshore container exec [OPTIONS] CONTAINER COMMAND [ARG...]",
    after_long_help = "Examples:
  longshore container exec web nginx -t
  longshore container exec -it web sh
  longshore container exec -i db psql < dump.sql"
)]
#[expect(clippy::struct_excessive_bools, reason = "these are the switches that Docker has")]
pub(super) struct ExecArgs {
    /// Hand on standard input
    #[arg(short, long)]
    interactive: bool,

    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,

    /// Leave it running, and print nothing
    #[arg(short, long)]
    detach: bool,

    /// Set a variable: `NAME=value`, or `NAME` for the value it has here
    #[arg(short, long, value_name = "VARIABLE")]
    env: Vec<String>,

    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,

    /// Working directory
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,

    /// User and group: `name`, `uid`, `name:group`, `uid:gid`
    #[arg(short, long)]
    user: Option<String>,

    /// Give it all capabilities
    #[arg(long)]
    privileged: bool,

    /// Keys that leave it running (default `ctrl-p,ctrl-q`)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,

    /// The container by name or id, then the command and its arguments
    #[arg(value_name = "CONTAINER COMMAND [ARG]", required = true, num_args = 1.., trailing_var_arg = true)]
    container_and_command: Vec<String>,
}

/// What ends the waiting.
enum News {
    Exited(Result<ExitStatus, EngineError>),
    Detached,
}

pub(super) fn run(args: &ExecArgs, session: &mut Session) -> Outcome {
    let failed = |error| starting(error, 1);
    let (container, command) =
        args.container_and_command.split_first().map_or(("", &[][..]), |(one, rest)| (one, rest));
    if command.is_empty() {
        return Err(failed(
            EngineError::new(Fault::Invalid, "there is no command to run")
                .help("`longshore container exec CONTAINER COMMAND [ARG…]`"),
        ));
    }
    let spec = ExecSpec {
        command: command.to_vec(),
        env: variables(&args.env_file, &args.env, "--env").map_err(|error: FlagError| error.code(125))?,
        working_directory: args.workdir.clone(),
        user: args.user.clone(),
        tty: args.tty,
        privileged: args.privileged,
    };
    let engine = session.wiring().brief_engine().map_err(failed)?;
    let id = super::find(&engine, container).map_err(failed)?;
    if args.detach {
        let exec = engine.start_process(&id, &spec, ProcessIo::default()).map_err(failed)?;
        exec.leave().map_err(failed)?;
        return Ok(Exit::Success);
    }
    let keys = args.detach_keys.clone().unwrap_or_default();
    attend(&engine, &id, &spec, args.interactive, &keys)
}

/// Runs a command to its end, or until its user leaves it.
pub(super) fn attend(
    engine: &NativeEngine,
    id: &ContainerId,
    spec: &ExecSpec,
    interactive: bool,
    keys: &DetachKeys,
) -> Outcome {
    let failed = |error| starting(error, 1);
    if spec.tty && interactive && !is_terminal() {
        return Err(WorkError::new(
            "hand a terminal on",
            std::io::Error::other("the input device is not a TTY"),
        )
        .into());
    }
    let (news, waiting) = channel();
    let io = ProcessIo { input: input(interactive, spec.tty, keys, &news), output: Output::Inherit };
    let signals = if spec.tty {
        Some(SignalWatch::begin(false, true).map_err(|error| WorkError::new("watch for signals", error))?)
    } else {
        None
    };
    // Before the command can say anything: who answers at once is not to be read by a terminal that keeps keys for itself.
    let terminal = if spec.tty && interactive { RawTerminal::enter().ok() } else { None };
    let exec = Arc::new(engine.start_process(id, spec, io).map_err(failed)?);
    if let Some(signals) = signals {
        follow_size(&exec, signals, terminal.as_ref());
    }
    let waited = Arc::clone(&exec);
    std::thread::spawn(move || news.send(News::Exited(waited.wait())));
    match waiting.recv() {
        Ok(News::Exited(exit)) => Ok(Exit::Program(u8::try_from(exit.map_err(failed)?.code).unwrap_or(255))),
        Ok(News::Detached) => exec.leave().map(|()| Exit::Success).map_err(failed),
        Err(_) => Err(failed(EngineError::new(Fault::Bug, "nobody waited for the command"))),
    }
}

fn input(interactive: bool, tty: bool, keys: &DetachKeys, news: &Sender<News>) -> Input {
    match (interactive, tty) {
        (false, _) => Input::Null,
        (true, false) => Input::Inherit,
        (true, true) => {
            let news = news.clone();
            let detached = move || drop(news.send(News::Detached));
            Input::Reader(Box::new(DetachReader::new(std::io::stdin(), keys, detached)))
        }
    }
}

/// Gives the command's terminal the size of the user's, now and whenever it changes.
fn follow_size(exec: &Arc<NativeExec>, signals: SignalWatch, terminal: Option<&RawTerminal>) {
    if let Some((rows, columns)) = size() {
        exec.resize(rows, columns);
    }
    let exec = Arc::clone(exec);
    signals.deal(terminal, move |asked| {
        if let Asked::Resize(rows, columns) = asked {
            exec.resize(rows, columns);
        }
    });
}
