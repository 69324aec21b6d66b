//! The firewall rules that networks and published ports mean, as a value.
//!
//! In words: what comes from a container and is meant for the host's loopback is dropped, whatever the machine's
//! settings say. A network is entered from outside only by answers and by published ports; so networks are apart from
//! each other, and from neighbours of the machine that know its inner addresses. An internal network is neither entered
//! nor left. What leaves a network carries the machine's address. Connections to a published port that come from
//! elsewhere are led to the container, with the address that they come from; those of the machine itself go through the
//! proxy of the container's monitor.

use std::net::{IpAddr, Ipv4Addr};

use crate::network::{BridgeConfig, Network};
use crate::nft::{Chain, Expression as E, Hook, Rule, Table};
use crate::{Endpoint, Subnet};

/// The name of the table that belongs to an instance.
pub(crate) fn table_name(instance: &str) -> String {
    format!("longshore-{instance}")
}

/// The table for networks with their endpoints. Without `redirects`, published ports are left to the proxy.
pub(crate) fn table(instance: &str, networks: &[(Network, Vec<Endpoint>)], redirects: bool) -> Table {
    let bridges = || networks.iter().filter_map(|(network, _)| Some((network, network.bridge.as_ref()?)));
    let mut chains = vec![
        Chain {
            name: "loopback",
            hook: Hook::Raw,
            rules: bridges().filter_map(|(_, bridge)| guard(bridge)).collect(),
        },
        Chain { name: "forward", hook: Hook::Forward, rules: forward(bridges) },
        Chain {
            name: "masquerade",
            hook: Hook::Postrouting,
            rules: bridges()
                .filter(|(network, _)| !network.internal)
                .flat_map(|(_, bridge)| masquerade(bridge))
                .collect(),
        },
    ];
    let redirected: Vec<Rule> = networks
        .iter()
        .filter(|(network, _)| redirects && !network.internal)
        .flat_map(|(_, there)| redirect(there))
        .collect();
    if !redirected.is_empty() {
        chains.push(Chain { name: "publish", hook: Hook::Prerouting, rules: redirected });
    }
    Table { name: table_name(instance), chains }
}

/// Whether the table needs to lead connections to published ports.
pub(crate) fn has_redirects(networks: &[(Network, Vec<Endpoint>)]) -> bool {
    networks.iter().any(|(_, endpoints)| endpoints.iter().any(|endpoint| !endpoint.ports.is_empty()))
}

/// Keeps containers from the host's loopback, even where somebody has set `route_localnet`.
fn guard(bridge: &BridgeConfig) -> Option<Rule> {
    let loopback = Subnet::containing(Ipv4Addr::LOCALHOST, 8)?;
    Some(vec![E::From(bridge.interface.clone()), E::Destination(loopback), E::Drop])
}

fn forward<'a, I: Iterator<Item = (&'a Network, &'a BridgeConfig)>>(bridges: impl Fn() -> I) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (_, bridge) in bridges().filter(|(network, _)| network.internal) {
        let name = || bridge.interface.clone();
        rules.push(vec![E::From(name()), E::NotTowards(name()), E::Drop]);
        rules.push(vec![E::Towards(name()), E::NotFrom(name()), E::Drop]);
    }
    rules.push(vec![E::Established, E::Accept]);
    rules.push(vec![E::Redirected, E::Accept]);
    for (_, bridge) in bridges().filter(|(network, _)| !network.internal) {
        rules.push(vec![E::Towards(bridge.interface.clone()), E::NotFrom(bridge.interface.clone()), E::Drop]);
    }
    rules
}

/// What leaves the network gets the machine's address; so does a container's connection to a published port of its own
/// network, whose answer would otherwise take the direct way and not be recognised.
fn masquerade(bridge: &BridgeConfig) -> Vec<Rule> {
    let name = || bridge.interface.clone();
    let mut rules = vec![vec![E::Source(bridge.subnet), E::Towards(name()), E::Redirected, E::Masquerade]];
    if bridge.masquerade {
        rules.push(vec![E::Source(bridge.subnet), E::NotTowards(name()), E::Masquerade]);
    }
    rules
}

fn redirect(endpoints: &[Endpoint]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for endpoint in endpoints {
        for port in &endpoint.ports {
            let IpAddr::V4(host) = port.host_ip else { continue };
            if host.is_loopback() {
                continue;
            }
            let mut rule = vec![E::ToThisHost];
            if !host.is_unspecified() {
                rule.extend(Subnet::containing(host, 32).map(E::Destination));
            }
            rule.push(E::Port(port.protocol, port.host_port));
            rule.push(E::Redirect(endpoint.address, port.container_port));
            rules.push(rule);
        }
    }
    rules
}
