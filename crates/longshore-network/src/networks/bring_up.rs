//! Making the kernel have what a network needs: the bridge, its address, forwarding, the rules.
//!
//! The bridge is taken up last. So a bridge that is ours and up says that everything else was set, and a later container
//! costs a look at the bridge, one at our table, and one at the switch for forwarding. What a killed process left
//! half-made is not up, and is made anew.

use std::fs;
use std::io;

use super::create::{check_overlap, choose_subnet, taken_subnets};
use super::rules::{self, RulesError, passage_mark};
use super::{CreateError, DEFAULT_BRIDGE, Networks, bridge_name, origin};
use crate::ipam::Size;
use crate::link::{Link, Links};
use crate::namespace;
use crate::netlink::KernelError;
use crate::network::{BridgeConfig, Network};
use crate::nft::{self, Firewall};
use crate::state::{Lock, StateError};
use crate::{Blame, ruleset};

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
/// The longest alias that the kernel keeps, without the zero at its end.
const ALIAS_LIMIT: usize = 255;

/// Something that does not work, though containers run and reach each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The kernel has no `nf_tables`, or lacks what our rules need.
    #[error(
        "the kernel lacks nf_tables: containers reach each other, but nothing outside, and networks are not isolated"
    )]
    NoFirewall,
    /// The machine does not forward packets, and could not be told to.
    #[error(
        "the machine does not forward packets and `{FORWARDING}` cannot be written: containers reach nothing outside"
    )]
    NoForwarding,
    /// A firewall of somebody else drops what containers send.
    #[error(
        "the iptables chain FORWARD drops packets by default and no exception can be made here: \
         containers may reach nothing outside; accept packets of `{interface}` there"
    )]
    ForeignFirewall {
        /// The bridge of the network.
        interface: String,
    },
    /// A firewall of somebody else drops even what containers of one network send to each other.
    #[error(
        "the iptables chain FORWARD drops packets by default, those that cross a bridge too, and no exception can be \
         made here: containers on one network may not reach each other; accept packets from `{interface}` to \
         `{interface}` there"
    )]
    ForeignBridgeFilter {
        /// The bridge of the network.
        interface: String,
    },
    /// Published ports work, but the containers see the machine's address as the source of connections.
    #[error("the kernel lacks what keeps the source address of connections to published ports")]
    NoSourceAddress,
}

/// A network cannot be made to work.
#[derive(Debug, thiserror::Error)]
pub enum BringUpError {
    /// Its bridge's name is taken by an interface that is not ours.
    #[error("the name `{interface}` of the network's bridge is taken by another interface")]
    Taken {
        /// The name.
        interface: String,
    },
    /// Since the network was created, the machine got a route into its subnet.
    #[error("the subnet of the network is in use")]
    Subnet(#[source] CreateError),
    /// The rules could not be set.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl BringUpError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Taken { .. } => Blame::Environment,
            Self::Subnet(source) => source.blame(),
            Self::Rules(source) => source.blame(),
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
        }
    }
}

/// A network that works.
pub(super) struct Ready {
    /// The bridge.
    pub(super) bridge: u32,
    /// The network, which may have got another subnet or bridge.
    pub(super) network: Network,
    pub(super) config: BridgeConfig,
    pub(super) warnings: Vec<Warning>,
}

impl Networks {
    /// Makes sure that a network works.
    pub(super) fn bring_up(
        &self,
        links: &mut Links,
        network: &Network,
        config: &BridgeConfig,
        lock: &Lock,
    ) -> Result<Ready, BringUpError> {
        let instance = self.directory().instance(lock)?;
        let alias = self.alias(&instance, network);
        let mut firewall = Firewall::open()?;
        let found = links.find(&config.interface)?;
        let mut ready =
            Ready { bridge: 0, network: network.clone(), config: config.clone(), warnings: Vec::new() };
        match found {
            Some(link) if link.up && link.alias.as_deref() == Some(&alias) => {
                ready.bridge = link.index;
                if !rules::has_table(firewall.as_mut(), &instance)? {
                    ready.warnings.extend(self.apply_rules(firewall.as_mut(), lock)?);
                }
            }
            found => self.make_bridge(links, firewall.as_mut(), &mut ready, found, lock)?,
        }
        if !network.internal {
            ready.warnings.extend(self.allow_forwarding()?);
        }
        if let Some(firewall) = firewall.as_mut() {
            let mark = passage_mark(&instance, &ready.config.interface);
            ready.warnings.extend(rules::pass_foreign(firewall, &mark, &ready)?);
        }
        Firewall::leave(firewall);
        ready.warnings.dedup();
        Ok(ready)
    }

    /// The text that marks a bridge as ours, and says which network and which directory it belongs to.
    pub(super) fn alias(&self, instance: &str, network: &Network) -> String {
        let path = std::path::absolute(self.directory().path()).unwrap_or_default();
        let mark = format!("{}{}", mark(instance), origin(network));
        let alias = format!("{mark} {}", path.display());
        if alias.len() <= ALIAS_LIMIT { alias } else { mark }
    }

    /// Makes the bridge, or what of it is missing, and takes it up.
    fn make_bridge(
        &self,
        links: &mut Links,
        mut firewall: Option<&mut Firewall>,
        ready: &mut Ready,
        found: Option<Link>,
        lock: &Lock,
    ) -> Result<(), BringUpError> {
        remove_orphans(links)?;
        let instance = self.directory().instance(lock)?;
        let alias = self.alias(&instance, &ready.network);
        let (is_new, planned) = (found.is_none(), ready.config.subnet);
        let inhabited = !self.directory().leases(&ready.network.id)?.is_empty();
        let ours = found.as_ref().is_some_and(|link| link.alias.as_deref() == Some(&alias));
        // Until the route is there, nobody else sees that the subnet is taken.
        let mut turn = None;
        let bridge = match found {
            // Somebody took it down. Containers have their cables in it, so it stays.
            Some(link) if ours && inhabited => link.index,
            found => {
                if let Some(link) = found.filter(|_| ours) {
                    links.delete(&link.name)?;
                }
                turn = namespace::take_turn();
                self.settle_subnet(ready, !inhabited, lock)?;
                self.create_bridge(links, ready, &alias, lock)?
            }
        };
        // The kernel may be without IPv6; then there is nothing to switch off.
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", ready.config.interface), "1");
        links.add_address(bridge, ready.config.gateway, ready.config.subnet)?;
        let is_fresh = is_new && !inhabited && ready.config.subnet == planned;
        let is_admitted = match firewall.as_deref_mut() {
            Some(firewall) if is_fresh => admit(firewall, &instance, &ready.network)?,
            _ => false,
        };
        if !is_admitted {
            ready.warnings.extend(self.apply_rules(firewall, lock)?);
        }
        if inhabited {
            self.replug(links, &ready.network, bridge)?;
        }
        links.set_up(bridge)?;
        drop(turn);
        ready.bridge = bridge;
        Ok(())
    }

    /// Creates the bridge under a name that nobody else has, and then gives it its mark and its final name in one step:
    /// so a bridge without a mark is never mistaken for somebody else's.
    fn create_bridge(
        &self,
        links: &mut Links,
        ready: &mut Ready,
        alias: &str,
        lock: &Lock,
    ) -> Result<u32, BringUpError> {
        let own_name = bridge_name(&ready.network.id);
        links.delete(&own_name)?;
        let index = links.create_bridge(&own_name, ready.config.gateway, ready.config.mtu)?;
        if links.christen(index, &ready.config.interface, alias)? {
            return Ok(index);
        }
        let wanted = std::mem::replace(&mut ready.config.interface, own_name.clone());
        if wanted != DEFAULT_BRIDGE {
            links.delete(&own_name)?;
            return Err(BringUpError::Taken { interface: wanted });
        }
        // The default network of another home has the short name.
        links.christen(index, &own_name, alias)?;
        ready.network.bridge = Some(ready.config.clone());
        self.directory().write_network(&ready.network, true, lock)?;
        Ok(index)
    }

    /// Puts the cables of running containers back, if somebody removed the bridge that they were in.
    fn replug(&self, links: &mut Links, network: &Network, bridge: u32) -> Result<(), BringUpError> {
        for endpoint in self.directory().endpoints(&network.id)? {
            let Some(cable) = endpoint.host_interface else { continue };
            if let Some(link) = links.find(&cable)?.filter(|link| link.master.is_none()) {
                links.set_master(link.index, bridge)?;
            }
        }
        Ok(())
    }

    /// Sees that the subnet is still free, and takes another if we may; writes the network if it changed.
    fn settle_subnet(&self, ready: &mut Ready, may_change: bool, lock: &Lock) -> Result<(), BringUpError> {
        let mut others = self.directory().networks_with_spares()?;
        others.retain(|other| other.id != ready.network.id);
        let taken = taken_subnets(&others)?;
        let Err(overlap) = check_overlap(ready.config.subnet, &taken) else { return Ok(()) };
        if !(ready.config.chosen && may_change) {
            return Err(BringUpError::Subnet(overlap));
        }
        ready.config.subnet =
            choose_subnet(&taken, Size::of(ready.config.subnet)).map_err(BringUpError::Subnet)?;
        ready.config.gateway = ready.config.subnet.default_gateway();
        ready.network.bridge = Some(ready.config.clone());
        Ok(self.directory().write_network(&ready.network, true, lock)?)
    }

    fn allow_forwarding(&self) -> Result<Option<Warning>, BringUpError> {
        let now = fs::read_to_string(FORWARDING).unwrap_or_default();
        if now.trim() != "0" {
            return Ok(None);
        }
        self.directory().note_forwarding()?;
        Ok(fs::write(FORWARDING, "1").is_err().then_some(Warning::NoForwarding))
    }
}

/// Adds the rules of a network to those of the others, which is quicker than making all of them anew; whether that was
/// possible. Where somebody has removed the bridge of a network its rules may be there already, and twice is no more.
fn admit(firewall: &mut Firewall, instance: &str, network: &Network) -> Result<bool, KernelError> {
    let Some(rules) = ruleset::admission(network) else { return Ok(false) };
    Ok(rules::has_table(Some(firewall), instance)?
        && firewall.append(&ruleset::table_name(instance), &rules).is_ok())
}

/// How the marks of an instance's bridges begin.
pub(super) fn mark(instance: &str) -> String {
    format!("longshore {instance} ")
}

/// Removes bridges, with their rules, of directories that are gone. One that still has ports is left alone; so is
/// everything whose directory merely cannot be seen from here and is in use.
pub(super) fn remove_orphans(links: &mut Links) -> Result<Vec<String>, KernelError> {
    let all = links.all()?;
    let mut orphans = Vec::new();
    for link in &all {
        let Some(mark) = link.alias.as_deref().and_then(|alias| alias.strip_prefix("longshore ")) else {
            continue;
        };
        let mut parts = mark.splitn(3, ' ');
        let (Some(instance), Some(_), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let gone = fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if !gone || all.iter().any(|port| port.master == Some(link.index)) {
            continue;
        }
        orphans.push((instance, link.name.as_str()));
    }
    let names: Vec<&str> = orphans.iter().map(|(_, name)| *name).collect();
    match links.delete_all(&names) {
        Ok(()) => {}
        // They are for somebody else to remove.
        Err(refusal) if refusal.blame() == Blame::Permission => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal),
    }
    for (instance, name) in &orphans {
        if let Some(mut firewall) = Firewall::open()? {
            firewall.remove(&ruleset::table_name(instance))?;
            nft::close_passage(&mut firewall, &passage_mark(instance, name))?;
        }
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}
