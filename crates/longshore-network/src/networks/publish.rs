//! What may change about an endpoint while its container runs: its published ports and its names.

use super::{BringUpError, Networks, Warning};
use crate::netlink::KernelError;
use crate::network::Network;
use crate::nft::Firewall;
use crate::state::StateError;
use crate::{Blame, PublishedPort, ruleset};

/// An endpoint could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The container is not on the network.
    #[error("the container is not connected to the network `{0}`")]
    NotAttached(String),
    /// The rules could not be set.
    #[error("failed to update the firewall rules")]
    Rules(#[source] BringUpError),
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl PublishError {
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
    /// Records the ports that are published for a container over a network, and leads connections from other machines
    /// to it, with the addresses that they come from. The ports must be reserved: see [`crate::Ports`].
    pub fn publish(
        &self,
        network: &Network,
        container: &str,
        ports: &[PublishedPort],
    ) -> Result<Option<Warning>, PublishError> {
        let lock = self.directory().lock()?;
        let leases = self.directory().leases(&network.id)?;
        let lease = leases.iter().find(|lease| lease.container == container);
        let endpoint =
            lease.map(|lease| self.directory().endpoint(&network.id, lease)).transpose()?.flatten();
        let Some(mut endpoint) = endpoint else {
            return Err(PublishError::NotAttached(network.name.clone()));
        };
        if endpoint.ports == ports {
            return Ok(None);
        }
        let additional = endpoint.ports.is_empty();
        endpoint.ports = ports.to_vec();
        self.directory().write_endpoint(&endpoint, &lock)?;
        let mut firewall = Firewall::open()?;
        if let (Some(firewall), true) = (firewall.as_mut(), additional) {
            let table = ruleset::table_name(&self.directory().instance(&lock)?);
            let rules = ruleset::redirects(network, &endpoint);
            if firewall.append(&table, ruleset::PUBLISH, &rules).is_ok() {
                return Ok(None);
            }
            // The table is not what it should be, or the kernel lacks something: both are seen to below.
        }
        self.apply_rules(firewall.as_mut(), &lock).map_err(PublishError::Rules)
    }

    /// Gives a container another name on all of its networks.
    pub fn rename(&self, container: &str, old: &str, new: &str) -> Result<(), StateError> {
        let lock = self.directory().lock()?;
        for mut endpoint in self.endpoints_of(container)? {
            for name in endpoint.names.iter_mut().filter(|name| *name == old) {
                new.clone_into(name);
            }
            self.directory().write_endpoint(&endpoint, &lock)?;
        }
        Ok(())
    }
}
