//! `longshore container`: containers, with Docker's verbs, flags, output and exit codes, without a daemon.
//!
//! One file for each verb. What flags mean is in [`flags`], what is shown of a container in [`document`], being attached
//! in [`stream`].

mod attach;
mod copy;
mod create;
mod document;
mod exec;
pub(in crate::cli) mod failure;
pub(in crate::cli) mod flags;
mod image;
mod inspect;
mod list;
mod logs;
pub(in crate::cli) mod moment;
mod port;
mod prune;
mod remove;
mod rename;
mod restart;
mod run;
mod running;
mod start;
mod stats;
mod stop;
mod stream;
mod top;
mod wait;

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _, Subcommand};
use longshore_engine::{ContainerId, ContainerSpec, EngineError, ExecSpec};
use longshore_engine_native::NativeEngine;

use super::{Outcome, Session};
use crate::failure::Failure;
use stream::DetachKeys;
pub(super) use stream::is_terminal;

pub(super) use prune::{confirmed, report, until};

/// Run and look after containers
///
/// Containers run without a daemon, as root or as an ordinary user. Verbs, flags, output and exit codes are those of
/// `docker container`. The image `host` is this machine itself, copy on write: what a container changes is its own.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore container run --rm host uname -a
  longshore container run -d --name web -p 8080:80 -v ./site:/srv:ro nginx:alpine
  longshore container exec -it web sh
  longshore container logs -f --tail 10 web
  longshore container ps -a --filter status=exited
  longshore container cp web:/etc/nginx/nginx.conf .
  longshore container rm -f web")]
pub(super) struct ContainerArgs {
    #[command(subcommand)]
    command: ContainerCommand,
}

#[derive(Debug, Subcommand)]
enum ContainerCommand {
    Run(Box<run::RunArgs>),
    Create(Box<create::CreateArgs>),
    Start(start::StartArgs),
    Exec(exec::ExecArgs),
    Attach(attach::AttachArgs),
    Stop(stop::StopArgs),
    Restart(restart::RestartArgs),
    Kill(stop::KillArgs),
    Pause(running::PauseArgs),
    Unpause(running::UnpauseArgs),
    Wait(wait::WaitArgs),
    Rm(remove::RemoveArgs),
    Prune(prune::PruneArgs),
    Rename(rename::RenameArgs),
    #[command(visible_aliases = ["ls", "list"])]
    Ps(list::ListArgs),
    Inspect(inspect::InspectArgs),
    Logs(logs::LogsArgs),
    Top(top::TopArgs),
    Stats(stats::StatsArgs),
    Port(port::PortArgs),
    Cp(copy::CopyArgs),
}

/// Verbs that are built alone, because their start counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direct {
    Run,
    Exec,
}

impl Direct {
    pub(super) fn find(verb: &str) -> Option<Self> {
        match verb {
            "run" => Some(Self::Run),
            "exec" => Some(Self::Exec),
            _ => None,
        }
    }

    /// Its part of the grammar.
    pub(super) fn grammar(self) -> clap::Command {
        match self {
            Self::Run => run::RunArgs::augment_args(clap::Command::new("run")),
            Self::Exec => exec::ExecArgs::augment_args(clap::Command::new("exec")),
        }
    }

    pub(super) fn read(self, matches: &clap::ArgMatches) -> Result<ContainerArgs, clap::Error> {
        let command = match self {
            Self::Run => ContainerCommand::Run(Box::new(run::RunArgs::from_arg_matches(matches)?)),
            Self::Exec => ContainerCommand::Exec(exec::ExecArgs::from_arg_matches(matches)?),
        };
        Ok(ContainerArgs { command })
    }
}

pub(super) fn run(args: ContainerArgs, session: &mut Session) -> Outcome {
    match args.command {
        ContainerCommand::Run(args) => run::run(&args, session),
        ContainerCommand::Create(args) => create::run(&args, session),
        ContainerCommand::Start(args) => start::run(&args, session),
        ContainerCommand::Exec(args) => exec::run(&args, session),
        ContainerCommand::Attach(args) => attach::run(&args, session),
        ContainerCommand::Stop(args) => stop::stop(&args, session),
        ContainerCommand::Restart(args) => restart::run(&args, session),
        ContainerCommand::Kill(args) => stop::kill(&args, session),
        ContainerCommand::Pause(args) => running::pause(&args, session),
        ContainerCommand::Unpause(args) => running::unpause(&args, session),
        ContainerCommand::Wait(args) => wait::run(&args, session),
        ContainerCommand::Rm(args) => remove::run(&args, session),
        ContainerCommand::Prune(args) => prune::run(&args, session),
        ContainerCommand::Rename(args) => rename::run(&args, session),
        ContainerCommand::Ps(args) => list::run(&args, session),
        ContainerCommand::Inspect(args) => inspect::run(&args, session),
        ContainerCommand::Logs(args) => logs::run(&args, session),
        ContainerCommand::Top(args) => top::run(&args, session),
        ContainerCommand::Stats(args) => stats::run(&args, session),
        ContainerCommand::Port(args) => port::run(&args, session),
        ContainerCommand::Cp(args) => copy::run(&args, session),
    }
}

/// Carries out a further command in a container, in place of what calls: its input, output and terminal are those of this
/// process, its exit code is that of the command.
pub(super) fn attend(engine: &NativeEngine, id: &ContainerId, spec: &ExecSpec) -> Outcome {
    exec::attend(engine, id, spec, true, &DetachKeys::none())
}

/// The engine, for verbs that start no program.
pub(super) fn engine(session: &Session) -> Result<NativeEngine, Failure> {
    session.wiring().brief_engine().map_err(failure::plain)
}

/// The container that a text means.
fn find(engine: &NativeEngine, text: &str) -> Result<ContainerId, EngineError> {
    engine.find_container(text)
}

/// Whether a command line is of a verb whose exit code is the one of a program, so that its own mistakes need one that
/// programs do not use.
pub(super) fn has_codes_of_its_own(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    words.by_ref().any(|word| word == "container")
        && words
            .find(|word| !word.starts_with('-'))
            .is_some_and(|verb| matches!(verb, "run" | "create" | "exec"))
}

/// Lets a switch be written as one of Go's flags, too: `--rm=false`.
pub(super) fn as_switch(argument: clap::Arg) -> clap::Arg {
    if !matches!(argument.get_action(), clap::ArgAction::SetTrue) || argument.is_global_set() {
        return argument;
    }
    argument
        .action(clap::ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("false")
        .default_missing_value("true")
        .value_parser(clap::builder::BoolishValueParser::new())
        .value_name("BOOL")
        .hide_default_value(true)
        .hide_possible_values(true)
}

/// What the options of `container create` ask for, given as words: `container.options` of a workflow.
pub(super) fn options(image: &str, words: &[String]) -> Result<ContainerSpec, String> {
    let command = flags::SpecArgs::augment_args(clap::Command::new("options").no_binary_name(true))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(as_switch);
    let words = words.iter().map(String::as_str).chain([image]);
    let first_line = |error: &clap::Error| {
        let text = error.to_string();
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    };
    let matches = command.try_get_matches_from(words).map_err(|error| first_line(&error))?;
    let args = flags::SpecArgs::from_arg_matches(&matches).map_err(|error| first_line(&error))?;
    args.lower().map_err(|error| error.to_string())
}
