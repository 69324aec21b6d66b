//! `longshore debug`: doors for those who examine Longshore itself.

use clap::Subcommand;

use super::{Outcome, Session, batch, settings};

/// Look inside: effective settings, single functions
///
/// These verbs are for finding out why Longshore does what it does, and for testing it from outside.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore debug settings
  longshore debug batch < requests.ndjson")]
pub(super) struct DebugArgs {
    #[command(subcommand)]
    command: DebugCommand,
}

#[derive(Debug, Subcommand)]
enum DebugCommand {
    Batch(batch::BatchArgs),
    Settings(settings::SettingsArgs),
}

pub(super) fn run(args: DebugArgs, session: &mut Session) -> Outcome {
    match args.command {
        DebugCommand::Batch(args) => batch::run(&args, session),
        DebugCommand::Settings(args) => settings::run(&args, session),
    }
}
