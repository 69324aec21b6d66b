//! `longshore man`: the manual pages.

use std::io;

use clap_mangen::Man;
use thiserror::Error;

use super::{Outcome, Session, command};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;

/// Print a manual page
///
/// The page is roff text on standard output, for `man` to show or for a package to install. Without a verb it is
/// longshore's own page, which lists the verbs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore man | man -l -
  longshore man explain | man -l -
  longshore man debug batch > /usr/local/share/man/man1/longshore-debug-batch.1")]
pub(super) struct ManArgs {
    /// The verb whose page is wanted, such as `explain` or `debug batch`
    verb: Vec<String>,
}

/// Why there is no page.
#[derive(Debug, Error)]
enum ManError {
    #[error("there is no verb `{verb}`")]
    UnknownVerb { verb: String, known: String },
    #[error("failed to write the manual page")]
    Write(#[source] io::Error),
}

impl Explained for ManError {
    fn blame(&self) -> Blame {
        match self {
            Self::UnknownVerb { .. } => Blame::User,
            Self::Write(_) => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnknownVerb { known, .. } => Some(format!("known here: {known}")),
            Self::Write(_) => None,
        }
    }
}

pub(super) fn run(args: &ManArgs, session: &mut Session) -> Outcome {
    let mut root = command(clap::ColorChoice::Never);
    // Names of verbs in full, and the global flags in each, come with building.
    root.build();
    let mut page = &root;
    for verb in &args.verb {
        let known =
            || page.get_subcommands().map(|verb| format!("`{}`", verb.get_name())).collect::<Vec<_>>();
        page = page
            .find_subcommand(verb)
            .ok_or_else(|| ManError::UnknownVerb { verb: verb.clone(), known: known().join(", ") })?;
    }
    let mut roff = Vec::new();
    Man::new(page.clone()).render(&mut roff).map_err(ManError::Write)?;
    session.output.data(&String::from_utf8_lossy(&roff))?;
    Ok(Exit::Success)
}
