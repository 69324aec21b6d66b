//! `longshore image …`: the images of the store.
//!
//! One file for each verb, with Docker's flags and Docker's words on standard output. [`failure`] says who can mend what
//! goes wrong.

mod bootstrap;
mod failure;
mod history;
mod import;
mod inspect;
mod load;
mod ls;
mod prune;
mod pull;
mod push;
mod rm;
mod save;
mod tag;

use clap::Subcommand;
use longshore_engine::EngineError;
use longshore_image::{Images, host_platform};
use longshore_oci::{Platform, PlatformError, Reference, ReferenceError};
use thiserror::Error;

use super::{Outcome, Session};
use crate::exit::Blame;
use crate::failure::{Explained, Failure};
use crate::fetch::unpack_options;

/// Manage images: pull, push, load, save, import, list, inspect and remove them
///
/// Images lie in the store of the state directory and need no other program. Names and flags are those of Docker, as is
/// what is printed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore image pull debian:bookworm-slim
  longshore image ls
  longshore image save -o image.tar debian:bookworm-slim
  longshore image bootstrap -t base debian:bookworm")]
pub(super) struct ImageArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Pull(pull::PullArgs),
    Push(push::PushArgs),
    Tag(tag::TagArgs),
    #[command(visible_alias = "list")]
    Ls(ls::LsArgs),
    Inspect(inspect::InspectArgs),
    History(history::HistoryArgs),
    #[command(visible_alias = "remove")]
    Rm(rm::RmArgs),
    Save(save::SaveArgs),
    Load(load::LoadArgs),
    Import(import::ImportArgs),
    Bootstrap(bootstrap::BootstrapArgs),
    Prune(prune::PruneArgs),
}

pub(super) fn run(args: &ImageArgs, session: &mut Session) -> Outcome {
    if args.command.handles_layers() {
        longshore_engine_native::enter_user_namespace().map_err(NamespaceError)?;
    }
    match &args.command {
        Command::Pull(args) => pull::run(args, session),
        Command::Push(args) => push::run(args, session),
        Command::Tag(args) => tag::run(args, session),
        Command::Ls(args) => ls::run(args, session),
        Command::Inspect(args) => inspect::run(args, session),
        Command::History(args) => history::run(args, session),
        Command::Rm(args) => rm::run(args, session),
        Command::Save(args) => save::run(args, session),
        Command::Load(args) => load::run(args, session),
        Command::Import(args) => import::run(args, session),
        Command::Bootstrap(args) => bootstrap::run(args, session),
        Command::Prune(args) => prune::run(args, session),
    }
}

impl Command {
    /// Whether layers are unpacked or removed, whose files may belong to subordinate ids.
    fn handles_layers(&self) -> bool {
        match self {
            Self::Pull(_)
            | Self::Rm(_)
            | Self::Load(_)
            | Self::Import(_)
            | Self::Bootstrap(_)
            | Self::Prune(_) => true,
            Self::Push(_)
            | Self::Tag(_)
            | Self::Ls(_)
            | Self::Inspect(_)
            | Self::History(_)
            | Self::Save(_) => false,
        }
    }
}

/// The user's subordinate ids cannot be had.
#[derive(Debug, Error)]
#[error("failed to handle layers with the subordinate ids of this user")]
struct NamespaceError(#[source] EngineError);

impl Explained for NamespaceError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        self.0.help.clone()
    }
}

/// A text of the command line means nothing.
#[derive(Debug, Error)]
pub(super) enum SlipError {
    #[error("`{text}` is no name of an image")]
    Name { text: String, source: ReferenceError },
    #[error("the platform cannot be `{text}`")]
    Platform { text: String, source: PlatformError },
    #[error("{0}")]
    Other(&'static str),
}

impl Explained for SlipError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => {
                "write `[REGISTRY/]NAME[:TAG]` in lower case, such as `debian:bookworm`".to_owned()
            }
            Self::Platform { .. } => "write `OS/ARCHITECTURE`, such as `linux/arm64`".to_owned(),
            Self::Other(_) => "see `--help` for what can be written".to_owned(),
        })
    }
}

pub(super) fn reference(text: &str) -> Result<Reference, SlipError> {
    Reference::parse(text).map_err(|source| SlipError::Name { text: text.to_owned(), source })
}

pub(super) fn platform(text: Option<&str>) -> Result<Option<Platform>, SlipError> {
    let parse = |text: &str| {
        Platform::parse(text, &host_platform())
            .map_err(|source| SlipError::Platform { text: text.to_owned(), source })
    };
    text.map(parse).transpose()
}

/// Brings the store within its budget after something came in.
fn keep_budget(images: &Images, session: &mut Session) -> Result<(), Failure> {
    let Some(budget) = &session.settings.budget else { return Ok(()) };
    let report = images.keep_within(budget.value)?;
    for name in &report.evicted.refs {
        session.output.talk(&format!("removed `{name}` to keep within `store.budget`\n"));
    }
    if let Some(excess) = report.evicted.excess {
        session
            .output
            .talk(&format!("the store is {excess} over `store.budget`, and everything in it is in use\n"));
    }
    Ok(())
}
