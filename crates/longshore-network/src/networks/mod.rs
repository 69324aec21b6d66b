//! The networks of one home directory.
//!
//! [`Networks`] is a path and nothing else: all state is in files and in the kernel, so any number of processes can use
//! it, and none has to stay. What changes files or rules holds the lock of the directory, for well under a millisecond
//! once a network's bridge is up.

mod attach;
mod bring_up;
mod create;
mod detach;
mod publish;
mod reap;
mod remove;
mod rules;
mod spare;

pub use attach::{AttachError, Attachment};
pub use bring_up::{BringUpError, Warning};
pub use create::CreateError;
pub use detach::{Departure, DetachError};
pub use publish::PublishError;
pub use reap::{ReapError, Reaped};
pub use remove::RemoveError;
pub use rules::RulesError;

use std::path::Path;

use crate::network::{self, Network};
use crate::state::{Directory, Lock, StateError};
use crate::{Blame, Endpoint};

/// The networks of one home directory.
#[derive(Debug, Clone)]
pub struct Networks {
    directory: Directory,
}

/// No network is meant.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// None has this name or identity.
    #[error("network {0} not found")]
    NotFound(String),
    /// Several identities begin so.
    #[error("network {0} is ambiguous: several networks have an identity that begins so")]
    Ambiguous(String),
    /// The files could not be read.
    #[error("failed to look for the network `{name}`")]
    State {
        /// What was looked for.
        name: String,
        /// Why.
        source: CreateError,
    },
}

impl LookupError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotFound(_) | Self::Ambiguous(_) => Blame::User,
            Self::State { source, .. } => source.blame(),
        }
    }
}

impl Networks {
    /// The networks that are kept in a directory, which is made if it is not there.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        Ok(Self { directory: Directory::open(directory)? })
    }

    /// All networks, in the order of their names. The predefined ones are always among them.
    pub fn list(&self) -> Result<Vec<Network>, CreateError> {
        let networks = self.directory.networks()?;
        if networks.iter().filter(|network| network.is_predefined()).count() == 3 {
            return Ok(networks);
        }
        self.predefine()?;
        Ok(self.directory.networks()?)
    }

    /// The network of a name, of an identity, or of the beginning of an identity.
    pub fn inspect(&self, name: &str) -> Result<Network, LookupError> {
        let networks = self.list().map_err(|source| LookupError::State { name: name.to_owned(), source })?;
        if let Some(network) =
            networks.iter().find(|network| network.name == name || network.id.as_str() == name)
        {
            return Ok(network.clone());
        }
        let mut beginning =
            networks.into_iter().filter(|network| !name.is_empty() && network.id.as_str().starts_with(name));
        match (beginning.next(), beginning.next()) {
            (Some(network), None) => Ok(network),
            (Some(_), Some(_)) => Err(LookupError::Ambiguous(name.to_owned())),
            (None, _) => Err(LookupError::NotFound(name.to_owned())),
        }
    }

    /// The endpoints on a network, in the order of their addresses.
    pub fn endpoints(&self, network: &Network) -> Result<Vec<Endpoint>, StateError> {
        self.directory.endpoints(&network.id)
    }

    /// The endpoints of a container, in the order of the networks' names.
    pub fn endpoints_of(&self, container: &str) -> Result<Vec<Endpoint>, StateError> {
        let mut endpoints = Vec::new();
        for network in self.directory.networks()? {
            for lease in
                self.directory.leases(&network.id)?.iter().filter(|lease| lease.container == container)
            {
                endpoints.extend(self.directory.endpoint(&network.id, lease)?);
            }
        }
        Ok(endpoints)
    }

    /// Whether Longshore let the machine forward packets, which it did not before.
    pub fn enabled_forwarding(&self) -> bool {
        self.directory.forwarding_noted()
    }

    /// The files.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// All networks with their endpoints, as the rules depend on them.
    fn population(&self, _lock: &Lock) -> Result<Vec<(Network, Vec<Endpoint>)>, StateError> {
        let mut population = Vec::new();
        let networks = self.directory.networks_with_spares()?;
        for network in networks.into_iter().filter(|network| network.bridge.is_some()) {
            let endpoints = self.directory.endpoints(&network.id)?;
            population.push((network, endpoints));
        }
        Ok(population)
    }
}

/// How the names of other bridges begin, unless the user chooses them.
const BRIDGE: &str = "ls-";

/// The name that the default network's bridge has if nobody else has it.
const DEFAULT_BRIDGE: &str = "longshore0";

/// The name of a bridge that belongs to a network and to no other.
fn bridge_name(id: &network::NetworkId) -> String {
    format!("{BRIDGE}{}", id.short())
}

/// The short identity of the network that a bridge was made for: another one, if the network was taken over. A bridge
/// whose name the user has chosen was made for the network that has it.
fn origin(network: &Network) -> &str {
    let interface = network.bridge.as_ref().map(|bridge| bridge.interface.as_str());
    let own = interface.filter(|_| !network.options.contains_key(create::OPTION_NAME));
    own.and_then(|interface| interface.strip_prefix(BRIDGE)).unwrap_or(network.id.short())
}
