//! Removing networks.

use super::rules::passage_mark;
use super::{BRIDGE, CreateError, Networks, RulesError, origin};
use crate::Blame;
use crate::link::Links;
use crate::netlink::KernelError;
use crate::network::Network;
use crate::nft::{self, Firewall};
use crate::state::{Lock, StateError};

/// A network could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It always exists.
    #[error("{0} is a pre-defined network and cannot be removed")]
    Predefined(String),
    /// Containers are on it.
    #[error("network {network} has active endpoints: {}", endpoints.join(", "))]
    InUse {
        /// Its name.
        network: String,
        /// The names of the containers on it.
        endpoints: Vec<String>,
    },
    /// The list of networks could not be made.
    #[error("failed to list the networks")]
    List(#[source] CreateError),
    /// The rules could not be set.
    #[error("failed to update the firewall rules")]
    Rules(#[source] RulesError),
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl RemoveError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Predefined(_) | Self::InUse { .. } => Blame::User,
            Self::List(source) => source.blame(),
            Self::Rules(source) => source.blame(),
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
        }
    }
}

impl Networks {
    /// Removes a network that no container is on. One that is gone already is no error.
    pub fn remove(&self, network: &Network) -> Result<(), RemoveError> {
        if network.is_predefined() {
            return Err(RemoveError::Predefined(network.name.clone()));
        }
        let lock = self.directory().lock()?;
        let Some(network) = self.directory().network(&network.id)? else { return Ok(()) };
        let endpoints = self.occupants(&network)?;
        if !endpoints.is_empty() {
            return Err(RemoveError::InUse { network: network.name, endpoints });
        }
        self.dismantle(&network, lock)
    }

    /// Removes the networks that no container is on and that `chosen` agrees to; gives their names.
    pub fn prune(&self, chosen: &dyn Fn(&Network) -> bool) -> Result<Vec<String>, RemoveError> {
        let mut removed = Vec::new();
        for network in self.list().map_err(RemoveError::List)? {
            if network.is_predefined() || !chosen(&network) {
                continue;
            }
            match self.remove(&network) {
                Ok(()) => removed.push(network.name),
                Err(RemoveError::InUse { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }

    /// What to call the containers on a network.
    pub(super) fn occupants(&self, network: &Network) -> Result<Vec<String>, StateError> {
        let mut names = Vec::new();
        for lease in self.directory().leases(&network.id)? {
            // A lease whose file is damaged is a lease.
            let endpoint = self.directory().endpoint(&network.id, &lease).ok().flatten();
            let name = endpoint.and_then(|endpoint| endpoint.names.into_iter().next());
            names.push(name.unwrap_or(lease.container));
        }
        Ok(names)
    }

    /// The files go first: what then stays in the kernel after a crash belongs to no network, and is reaped.
    fn dismantle(&self, network: &Network, lock: Lock) -> Result<(), RemoveError> {
        self.directory().remove_network(&network.id, &lock)?;
        let Some(bridge) = &network.bridge else { return Ok(()) };
        let instance = self.directory().instance(&lock)?;
        let mut links = Links::open()?;
        let ours = links
            .find(&bridge.interface)?
            .is_some_and(|link| link.alias.as_deref() == Some(&self.alias(&instance, network)));
        if !ours {
            return Ok(());
        }
        let mut firewall = Firewall::open()?;
        self.apply_rules(firewall.as_mut(), &lock).map_err(RemoveError::Rules)?;
        if let Some(firewall) = firewall.as_mut() {
            nft::close_passage(firewall, &passage_mark(&instance, &bridge.interface))?;
        }
        Firewall::leave(firewall);
        // The kernel takes its time. A name that nobody else can get needs no lock meanwhile.
        let is_own = bridge.interface.strip_prefix(BRIDGE) == Some(origin(network));
        let lock = (!is_own).then_some(lock);
        links.delete(&bridge.interface)?;
        drop(lock);
        Ok(())
    }
}
