//! Spare networks: bridges of networks that have ended, for the next network of the same process.
//!
//! To take a bridge apart costs the kernel tens of milliseconds, in which nobody on the machine can make a link. Who has
//! networks one after the other, as a run has one for each job, need not have that done between them: a network is set
//! aside, and the next one with the same properties takes its bridge over, with subnet, address and rules. For everybody
//! else a spare network does not exist: its name is free, and what it is in the way of takes its place.
//!
//! A network that is set aside has no endpoint, and one that is taken over has no port either, so nobody who was on it is
//! still there; what the machine remembers of its neighbours is forgotten. It is new in all that users see: name,
//! identity, labels. A spare network belongs to a process, whose end leaves it to whoever looks next.

use super::rules::passage_mark;
use super::{CreateError, Networks, RemoveError};
use crate::link::{Link, Links};
use crate::network::{Network, NetworkSpec};
use crate::nft::{self, Firewall};
use crate::state::{Lock, Spare};

/// How many networks are set aside at most.
const MOST: usize = 8;

impl Networks {
    /// Sets a network aside for the next of the process `owner`; whether that was possible. If not, nothing has happened.
    ///
    /// # Errors
    ///
    /// If containers are on the network, or files or links cannot be used.
    pub fn set_aside(&self, network: &Network, owner: &str) -> Result<bool, RemoveError> {
        let lock = self.directory().lock()?;
        let Some(network) = self.directory().network(&network.id)? else { return Ok(true) };
        let endpoints = self.occupants(&network)?;
        if !endpoints.is_empty() {
            return Err(RemoveError::InUse { network: network.name, endpoints });
        }
        if network.is_predefined() || !is_plain(&network) || self.directory().spares()?.len() >= MOST {
            return Ok(false);
        }
        let link = Links::open()?.find(interface(&network))?;
        let is_there = self.bridge(&network, link.as_slice(), &lock)?.is_some();
        if is_there {
            self.directory().set_aside(&network, owner, &lock)?;
        }
        Ok(is_there)
    }

    /// Creates a network of what was set aside for the process `owner`, if there is something that serves.
    ///
    /// # Errors
    ///
    /// As [`Networks::create`].
    pub fn take_over(&self, spec: &NetworkSpec, owner: &str) -> Result<Option<Network>, CreateError> {
        self.check(spec)?;
        let lock = self.directory().lock()?;
        let mut network = self.named(spec, &lock)?;
        let mut spares = self.directory().spares()?;
        spares.retain(|spare| spare.owner == owner && serves(&spare.network, spec));
        if spares.is_empty() {
            return Ok(None);
        }
        let mut links = Links::open()?;
        let all = links.all()?;
        for Spare { network: spare, .. } in spares {
            let Some(bridge) = self.bridge(&spare, &all, &lock)? else { continue };
            // The kernel takes cables away in its own time. A network on which some of them are left may serve later.
            if all.iter().any(|link| link.master == Some(bridge)) {
                continue;
            }
            links.forget_neighbours(bridge)?;
            network.bridge.clone_from(&spare.bridge);
            // In this order: a bridge that two files name is used by the one and forgotten with the other.
            self.directory().write_network(&network, false, &lock)?;
            self.directory().remove_spare(&spare.id, &lock)?;
            return Ok(Some(network));
        }
        Ok(None)
    }

    /// Removes what was set aside for processes that `chosen` agrees to, and says how many networks that were.
    ///
    /// # Errors
    ///
    /// If files, rules or links cannot be changed.
    pub fn discard_spares(&self, chosen: &dyn Fn(&str) -> bool) -> Result<usize, RemoveError> {
        // Mostly there is nothing, and that takes no lock.
        if self.directory().spares()?.is_empty() {
            return Ok(0);
        }
        let lock = self.directory().lock()?;
        let mut spares = self.directory().spares()?;
        spares.retain(|spare| chosen(&spare.owner));
        let mut links = Links::open()?;
        let all = links.all()?;
        let mut bridges = Vec::new();
        for Spare { network, .. } in &spares {
            self.directory().remove_spare(&network.id, &lock)?;
            if !self.is_shared(network)? && self.bridge(network, &all, &lock)?.is_some() {
                bridges.push(interface(network));
            }
        }
        if bridges.is_empty() {
            return Ok(spares.len());
        }
        let instance = self.directory().instance(&lock)?;
        let mut firewall = Firewall::open()?;
        self.apply_rules(firewall.as_mut(), &lock).map_err(RemoveError::Rules)?;
        if let Some(firewall) = firewall.as_mut() {
            for bridge in &bridges {
                nft::close_passage(firewall, &passage_mark(&instance, bridge))?;
            }
        }
        Firewall::leave(firewall);
        // The kernel takes its time, and nobody else can get these names.
        drop(lock);
        links.delete_all(&bridges)?;
        Ok(spares.len())
    }

    /// The index of the bridge of a network among links, if it is up, and ours.
    fn bridge(
        &self,
        network: &Network,
        links: &[Link],
        lock: &Lock,
    ) -> Result<Option<u32>, crate::StateError> {
        let alias = self.alias(&self.directory().instance(lock)?, network);
        let mut named = links.iter().filter(|link| link.name == interface(network));
        let ours = named.find(|link| link.up && link.alias.as_deref() == Some(&alias));
        Ok(ours.map(|link| link.index))
    }

    /// Whether a network that exists has the bridge of a spare one, because who took it over was killed before the spare
    /// one was forgotten.
    fn is_shared(&self, spare: &Network) -> Result<bool, crate::StateError> {
        let networks = self.directory().networks()?;
        Ok(networks.iter().any(|network| interface(network) == interface(spare)))
    }
}

/// The name of a network's bridge.
fn interface(network: &Network) -> &str {
    network.bridge.as_ref().map_or("", |bridge| &bridge.interface)
}

/// Whether everything about a network's bridge was left to us.
fn is_plain(network: &Network) -> bool {
    let chosen = network.bridge.as_ref().is_some_and(|bridge| {
        bridge.chosen && bridge.reserved.is_empty() && bridge.interface.starts_with(super::BRIDGE)
    });
    chosen && network.options.is_empty()
}

/// Whether a spare network is what a specification asks for.
fn serves(spare: &Network, spec: &NetworkSpec) -> bool {
    let asks_more = spec.subnet.is_some()
        || spec.gateway.is_some()
        || spec.ip_range.is_some()
        || !spec.reserved.is_empty()
        || !spec.options.is_empty();
    !asks_more && spare.internal == spec.internal
}
