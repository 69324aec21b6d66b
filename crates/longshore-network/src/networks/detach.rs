//! Taking a container off a network.

use super::{BringUpError, Networks};
use crate::link::Links;
use crate::netlink::KernelError;
use crate::network::Network;
use crate::nft::Firewall;
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
    #[error("the container is not connected to the network `{0}`")]
    NotAttached(String),
    /// The rules for its published ports could not be removed.
    #[error("failed to update the firewall rules")]
    Rules(#[source] BringUpError),
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl DetachError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotAttached(_) => Blame::User,
            Self::Rules(source) => source.blame(),
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
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
        let lock = self.directory().lock()?;
        let leases = self.directory().leases(&network.id)?;
        let Some(lease) = leases.iter().find(|lease| lease.container == container) else {
            return Err(DetachError::NotAttached(network.name.clone()));
        };
        let endpoint = self.directory().endpoint(&network.id, lease)?;
        let cable = endpoint.as_ref().and_then(|endpoint| endpoint.host_interface.as_deref());
        if let (Some(cable), Departure::Disconnect) = (cable, departure) {
            Links::open()?.delete(cable)?;
        }
        self.directory().remove_lease(&network.id, lease, &lock)?;
        if endpoint.is_some_and(|endpoint| !endpoint.ports.is_empty()) {
            self.apply_rules(Firewall::open()?.as_mut(), &lock).map_err(DetachError::Rules)?;
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
