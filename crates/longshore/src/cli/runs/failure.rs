//! What may go wrong with the history, who can mend it, and how.

use std::io;

use longshore_history::{FindError, ReadError, RemoveError};

use crate::exit::Blame;
use crate::failure::Explained;

impl Explained for FindError {
    fn blame(&self) -> Blame {
        match self {
            Self::List { .. } => Blame::Environment,
            Self::Missing { .. } | Self::Nothing { .. } => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::List { source, .. } => return access(source),
            Self::Missing { newest: Some(newest), .. } => {
                format!("the newest is {newest}; `longshore runs --all` lists every run")
            }
            Self::Missing { newest: None, .. } => {
                "nothing was run on this machine yet, or all of it was removed".to_owned()
            }
            Self::Nothing { .. } => {
                "`longshore runs --all` lists the runs of all projects on this machine".to_owned()
            }
        })
    }
}

impl Explained for ReadError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Headless { run, .. } => {
                Some(format!("`longshore runs rm {run}` removes what is left of it"))
            }
            Self::Newer { .. } => {
                Some("use the version of Longshore that recorded it, or a later one".to_owned())
            }
            Self::Io { source, .. } => access(source),
        }
    }
}

impl Explained for RemoveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. } | Self::Running { .. } => Blame::User,
            Self::Move { .. } | Self::Delete { .. } => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("`longshore runs --all` lists every run".to_owned()),
            Self::Running { run } => {
                Some(format!("wait for its end, which `longshore logs -f {run}` shows, or end it first"))
            }
            Self::Move { source, .. } => access(source),
            Self::Delete { .. } => Some("remove it yourself; the next command tries again, too".to_owned()),
        }
    }
}

fn access(error: &io::Error) -> Option<String> {
    (error.kind() == io::ErrorKind::PermissionDenied)
        .then(|| "work as the user who recorded the runs, or set `LONGSHORE_HOME`".to_owned())
}
