//! What may change about an endpoint while its container runs: its published ports and its names.

use super::{Networks, RulesError, Warning};
use crate::network::Network;
use crate::nft::Firewall;
use crate::state::{Lock, StateError};
use crate::{Blame, Endpoint, PublishedPort, ruleset};

/// Ports of a container could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The container is not on the network.
    #[error("the container {container} is not connected to the network `{network}`")]
    NotAttached {
        /// Its identity.
        container: String,
        /// The network's name.
        network: String,
    },
    /// The ports could not be recorded.
    #[error("failed to record the published ports of the container {container} on the network `{network}`")]
    Record {
        /// Its identity.
        container: String,
        /// The network's name.
        network: String,
        /// Why.
        source: StateError,
    },
    /// The rules could not be set.
    #[error("failed to set the firewall rules for ports that are published on the network `{network}`")]
    Rules {
        /// The network's name.
        network: String,
        /// Why.
        source: RulesError,
    },
}

impl PublishError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotAttached { .. } => Blame::User,
            Self::Record { source, .. } => source.blame(),
            Self::Rules { source, .. } => source.blame(),
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
        let name = || network.name.clone();
        let unkept =
            |source| PublishError::Record { container: container.to_owned(), network: name(), source };
        let lock = self.directory().lock().map_err(unkept)?;
        let Some(mut endpoint) = self.endpoint(network, container).map_err(unkept)? else {
            return Err(PublishError::NotAttached { container: container.to_owned(), network: name() });
        };
        if endpoint.ports == ports {
            return Ok(None);
        }
        let additional = endpoint.ports.is_empty();
        endpoint.ports = ports.to_vec();
        self.directory().write_endpoint(&endpoint, &lock).map_err(unkept)?;
        self.lead(network, &endpoint, additional, &lock)
            .map_err(|source| PublishError::Rules { network: name(), source })
    }

    /// The place of a container on a network.
    fn endpoint(&self, network: &Network, container: &str) -> Result<Option<Endpoint>, StateError> {
        let leases = self.directory().leases(&network.id)?;
        match leases.iter().find(|lease| lease.container == container) {
            Some(lease) => self.directory().endpoint(&network.id, lease),
            None => Ok(None),
        }
    }

    /// Sets the rules that lead connections to an endpoint. If they are `additional`, none of the present ones must go.
    fn lead(
        &self,
        network: &Network,
        endpoint: &Endpoint,
        additional: bool,
        lock: &Lock,
    ) -> Result<Option<Warning>, RulesError> {
        let mut firewall = Firewall::open()?;
        if let (Some(firewall), true) = (firewall.as_mut(), additional) {
            let table = ruleset::table_name(&self.directory().instance(lock)?);
            let rules = ruleset::redirects(network, endpoint);
            if firewall.append(&table, &rules).is_ok() {
                return Ok(None);
            }
            // The table is not what it should be, or the kernel lacks something: both are seen to below.
        }
        let warning = self.apply_rules(firewall.as_mut(), lock)?;
        Firewall::leave(firewall);
        Ok(warning)
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
