//! Taking a container off a network.

use super::{Networks, RulesError};
use crate::link::Links;
use crate::netlink::KernelError;
use crate::network::Network;
use crate::state::{LeaseName, StateError};
use crate::{Blame, Endpoint};

/// What is known of a container that leaves a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It runs on, and its interface must go.
    Disconnect,
    /// It has ended, and its network namespace has taken the interface along, or will in a moment. Removing it here
    /// would take the kernel milliseconds that nobody needs to wait for.
    Ended,
}

/// A container could not be taken off a network.
#[derive(Debug, thiserror::Error)]
pub enum DetachError {
    /// It is not on the network.
    #[error("the container {container} is not connected to the network `{network}`")]
    NotAttached {
        /// Its identity.
        container: String,
        /// The network's name.
        network: String,
    },
    /// Its interface could not be removed.
    #[error("failed to remove the interface `{interface}` of a container on the network `{network}`")]
    Interface {
        /// The end of its cable that the bridge has.
        interface: String,
        /// The network's name.
        network: String,
        /// Why.
        source: KernelError,
    },
    /// Its address could not be given back.
    #[error("failed to give back the address of the container {container} on the network `{network}`")]
    Lease {
        /// Its identity.
        container: String,
        /// The network's name.
        network: String,
        /// Why.
        source: StateError,
    },
    /// The rules for its published ports could not be removed.
    #[error("failed to remove the firewall rules for ports that are published on the network `{network}`")]
    Rules {
        /// The network's name.
        network: String,
        /// Why.
        source: RulesError,
    },
}

impl DetachError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotAttached { .. } => Blame::User,
            Self::Interface { source, .. } => source.blame(),
            Self::Lease { source, .. } => source.blame(),
            Self::Rules { source, .. } => source.blame(),
        }
    }
}

impl Networks {
    /// Takes a container off a network, and gives its address back.
    pub fn detach(
        &self,
        network: &Network,
        container: &str,
        departure: Departure,
    ) -> Result<(), DetachError> {
        let name = || network.name.clone();
        let unkept = |source| DetachError::Lease { container: container.to_owned(), network: name(), source };
        let lock = self.directory().lock().map_err(unkept)?;
        let leases = self.directory().leases(&network.id).map_err(unkept)?;
        let Some(lease) = leases.iter().find(|lease| lease.container == container) else {
            return Err(DetachError::NotAttached { container: container.to_owned(), network: name() });
        };
        let endpoint = self.directory().endpoint(&network.id, lease).map_err(unkept)?;
        let cable = endpoint.as_ref().and_then(|endpoint| endpoint.host_interface.as_deref());
        if let (Some(cable), Departure::Disconnect) = (cable, departure) {
            Links::open().and_then(|mut links| links.delete(cable)).map_err(|source| {
                DetachError::Interface { interface: cable.to_owned(), network: name(), source }
            })?;
        }
        self.directory().remove_lease(&network.id, lease, &lock).map_err(unkept)?;
        if endpoint.is_some_and(|endpoint| !endpoint.ports.is_empty()) {
            self.renew_rules(&lock).map_err(|source| DetachError::Rules { network: name(), source })?;
        }
        Ok(())
    }

    /// Gives the address of an endpoint back that came to nothing.
    pub(super) fn forget(&self, endpoint: &Endpoint) -> Result<(), StateError> {
        let lock = self.directory().lock()?;
        let lease = LeaseName { address: endpoint.address, container: endpoint.container.clone() };
        self.directory().remove_lease(&endpoint.network, &lease, &lock)
    }
}
