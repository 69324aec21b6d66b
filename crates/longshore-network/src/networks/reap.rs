//! Clearing away what processes left that were killed.

use super::bring_up::{mark, remove_orphans};
use super::rules::passage_mark;
use super::{Networks, RulesError};
use crate::Blame;
use crate::link::Links;
use crate::netlink::KernelError;
use crate::nft::{self, Firewall};
use crate::state::{Lock, StateError};

/// What was cleared away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Addresses of containers that are gone: network, address, container.
    pub leases: Vec<String>,
    /// Interfaces that had lost their container or their network.
    pub interfaces: Vec<String>,
    /// How many unfinished files were removed.
    pub files: usize,
    /// Whether rules for published ports of containers that are gone were removed.
    pub rules: bool,
}

impl Reaped {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was left could not be cleared away.
#[derive(Debug, thiserror::Error)]
pub enum ReapError {
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

impl ReapError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Rules(source) => source.blame(),
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
        }
    }
}

impl Networks {
    /// Gives back the addresses of containers that `alive` does not know, and removes what nobody owns: interfaces,
    /// rules, unfinished files. Doing it again does nothing.
    pub fn reap(&self, alive: &dyn Fn(&str) -> bool) -> Result<Reaped, ReapError> {
        let lock = self.directory().lock()?;
        let mut reaped = Reaped { files: self.directory().sweep(&lock)?, ..Reaped::default() };
        let mut links = Links::open()?;
        self.reap_leases(&mut links, alive, &mut reaped, &lock)?;
        self.reap_bridges(&mut links, &mut reaped, &lock)?;
        if reaped.rules {
            self.renew_rules(&lock).map_err(ReapError::Rules)?;
        }
        reaped.interfaces.extend(remove_orphans(&mut links)?);
        Ok(reaped)
    }

    fn reap_leases(
        &self,
        links: &mut Links,
        alive: &dyn Fn(&str) -> bool,
        reaped: &mut Reaped,
        lock: &Lock,
    ) -> Result<(), ReapError> {
        for network in self.directory().networks()? {
            for lease in self.directory().leases(&network.id)? {
                if alive(&lease.container) {
                    continue;
                }
                // A damaged file is no reason to keep the address.
                if let Ok(Some(endpoint)) = self.directory().endpoint(&network.id, &lease) {
                    reaped.rules |= !endpoint.ports.is_empty();
                    if let Some(cable) = endpoint.host_interface
                        && links.find(&cable)?.is_some()
                    {
                        links.delete(&cable)?;
                        reaped.interfaces.push(cable);
                    }
                }
                self.directory().remove_lease(&network.id, &lease, lock)?;
                reaped.leases.push(format!("{} {} {}", network.name, lease.address, lease.container));
            }
        }
        Ok(())
    }

    /// Bridges with our mark that belong to no network of ours.
    fn reap_bridges(&self, links: &mut Links, reaped: &mut Reaped, lock: &Lock) -> Result<(), ReapError> {
        let instance = self.directory().instance(lock)?;
        let mark = mark(&instance);
        let networks = self.directory().networks_with_spares()?;
        let wanted: Vec<&str> =
            networks.iter().filter_map(|network| Some(network.bridge.as_ref()?.interface.as_str())).collect();
        for link in links.all()? {
            let ours = link.alias.as_deref().is_some_and(|alias| alias.starts_with(&mark));
            if !ours || wanted.contains(&link.name.as_str()) {
                continue;
            }
            links.delete(&link.name)?;
            if let Some(mut firewall) = Firewall::open()? {
                nft::close_passage(&mut firewall, &passage_mark(&instance, &link.name))?;
            }
            reaped.rules = true;
            reaped.interfaces.push(link.name);
        }
        Ok(())
    }
}
