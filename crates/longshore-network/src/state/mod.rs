//! The files that networks and endpoints are kept in.
//!
//! ```text
//! networks/
//!   lock                                  held while anything below changes
//!   instance                              eight digits that mark what this directory owns in the kernel
//!   forwarding                            present if we let the machine forward packets
//!   NETWORK.json                          a network
//!   NETWORK.spare                         what is left in the kernel of one that was set aside
//!   NETWORK/ADDRESS_CONTAINER.json        an endpoint; its name is the lease of its address
//! ```
//!
//! Files come into being by renaming, so each is whole or absent. The names of endpoints' files hold what allocation
//! needs to know, so that taking an address reads one directory and no file.

mod directory;
mod endpoint_dto;
mod network_dto;

pub(crate) use directory::{Directory, Lock, Spare};
pub(crate) use endpoint_dto::LeaseName;

use std::io;
use std::path::PathBuf;

use crate::Blame;

/// A file of networks could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or directory could not be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or directory could not be written, or removed.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("failed to understand `{}`", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A file was written by a newer Longshore.
    #[error("`{}` has the format version {found}, which this version does not know", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
    /// A file holds values that do not fit together.
    #[error("`{}` holds the invalid value `{value}` for `{field}`", path.display())]
    Value {
        /// Which.
        path: PathBuf,
        /// Where in it.
        field: &'static str,
        /// What stands there.
        value: String,
    },
}

impl StateError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Blame::Permission
            }
            _ => Blame::Environment,
        }
    }
}
