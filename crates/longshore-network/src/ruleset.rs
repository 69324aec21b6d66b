//! The firewall rules that networks and published ports mean, as a value.
//!
//! In words: what comes from a container and is meant for the host's loopback is dropped, whatever the machine's
//! settings say. A network is entered from outside only by answers and by published ports; so networks are apart from
//! each other, and from neighbours of the machine that know its inner addresses. An internal network is neither entered
//! nor left. What leaves a network carries the machine's address. Connections to a published port that come from
//! elsewhere are led to the container, with the address that they come from; those of the machine itself, and of the
//! same network, go through the proxy of the container's monitor.

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
    let led = |network: &Network| redirects && !network.internal;
    let chains = vec![
        Chain {
            name: LOOPBACK,
            hook: Hook::Raw,
            rules: bridges().filter_map(|(_, bridge)| guard(bridge)).collect(),
        },
        Chain { name: FORWARD, hook: Hook::Forward, rules: forward(bridges) },
        Chain {
            name: MASQUERADE,
            hook: Hook::Postrouting,
            rules: bridges()
                .filter(|(network, _)| !network.internal)
                .filter_map(|(_, bridge)| masquerade(bridge))
                .collect(),
        },
        Chain {
            name: PUBLISH,
            hook: Hook::Prerouting,
            rules: networks
                .iter()
                .filter(|(network, _)| led(network))
                .filter_map(|(network, there)| Some(redirect(network.bridge.as_ref()?, there)))
                .flatten()
                .collect(),
        },
    ];
    Table { name: table_name(instance), chains }
}

const LOOPBACK: &str = "loopback";
const FORWARD: &str = "forward";
const MASQUERADE: &str = "masquerade";
/// The chain that leads connections to published ports.
const PUBLISH: &str = "publish";

/// The rules of a network on which nobody is yet, with their chains, where they are as good behind those of all others.
/// What closes an internal network must come before everything that opens one.
pub(crate) fn admission(network: &Network) -> Option<Vec<(&'static str, Rule)>> {
    let bridge = network.bridge.as_ref().filter(|_| !network.internal)?;
    let rules = guard(bridge).map(|rule| (LOOPBACK, rule)).into_iter();
    let rules = rules.chain([(FORWARD, entrance(bridge))]);
    Some(rules.chain(masquerade(bridge).map(|rule| (MASQUERADE, rule))).collect())
}

/// The rules that lead connections to an endpoint, with their chain.
pub(crate) fn redirects(network: &Network, endpoint: &Endpoint) -> Vec<(&'static str, Rule)> {
    match &network.bridge {
        Some(bridge) if !network.internal => {
            let rules = redirect(bridge, std::slice::from_ref(endpoint));
            rules.into_iter().map(|rule| (PUBLISH, rule)).collect()
        }
        _ => Vec::new(),
    }
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
    rules.extend(bridges().filter(|(network, _)| !network.internal).map(|(_, bridge)| entrance(bridge)));
    rules
}

/// Keeps out what was not let in before.
fn entrance(bridge: &BridgeConfig) -> Rule {
    vec![E::Towards(bridge.interface.clone()), E::NotFrom(bridge.interface.clone()), E::Drop]
}

/// What leaves the network gets the machine's address.
fn masquerade(bridge: &BridgeConfig) -> Option<Rule> {
    let rule = || vec![E::Source(bridge.subnet), E::NotTowards(bridge.interface.clone()), E::Masquerade];
    bridge.masquerade.then(rule)
}

/// Leads connections from elsewhere to containers. Those from the same network stay with the proxy: their answers would
/// take the direct way and not be recognised, and with `br_netfilter` the bridge would have to send packets back to
/// where they came from, which bridges do not do.
fn redirect(bridge: &BridgeConfig, endpoints: &[Endpoint]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for endpoint in endpoints {
        for port in &endpoint.ports {
            let IpAddr::V4(host) = port.host_ip else { continue };
            if host.is_loopback() {
                continue;
            }
            let mut rule = vec![E::NotFrom(bridge.interface.clone()), E::ToThisHost];
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::{admission, has_redirects, table};
    use crate::network::{BridgeConfig, Driver, Network, NetworkId};
    use crate::nft::Expression as E;
    use crate::{Endpoint, MacAddress, Protocol, PublishedPort, Subnet};

    fn network(name: &str, subnet: &str, internal: bool) -> Network {
        let subnet: Subnet = subnet.parse().unwrap();
        Network {
            id: NetworkId::parse(&"a".repeat(64)).unwrap(),
            name: name.to_owned(),
            driver: Driver::Bridge,
            created: Duration::ZERO,
            internal,
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            bridge: Some(BridgeConfig {
                subnet,
                gateway: subnet.default_gateway(),
                ip_range: None,
                reserved: BTreeMap::new(),
                interface: format!("ls-{name}"),
                chosen: false,
                mtu: None,
                masquerade: true,
                inter_container: true,
                host_binding: None,
            }),
        }
    }

    fn endpoint(network: &Network, host_ip: &str) -> Endpoint {
        let bridge = network.bridge.clone().unwrap();
        let port = PublishedPort {
            host_ip: host_ip.parse().unwrap(),
            host_port: 8080,
            container_port: 80,
            protocol: Protocol::Tcp,
        };
        Endpoint {
            network: network.id.clone(),
            id: String::new(),
            container: "c".to_owned(),
            interface: "eth0".to_owned(),
            host_interface: None,
            names: Vec::new(),
            hostname: String::new(),
            address: Ipv4Addr::new(10, 0, 0, 2),
            subnet: bridge.subnet,
            gateway: bridge.gateway,
            mac: MacAddress([2; 6]),
            ports: vec![port],
        }
    }

    #[test]
    fn an_internal_network_is_closed_before_anything_is_accepted() {
        let population = [
            (network("in", "10.0.0.0/24", true), Vec::new()),
            (network("out", "10.1.0.0/24", false), Vec::new()),
        ];
        let table = table("0", &population, true);
        let forward = &table.chains.iter().find(|chain| chain.name == "forward").unwrap().rules;
        let place = |rule: &[E]| forward.iter().position(|other| other == rule).unwrap();
        let name = || "ls-in".to_owned();
        let accept = place(&[E::Established, E::Accept]);
        assert!(place(&[E::From(name()), E::NotTowards(name()), E::Drop]) < accept);
        assert!(place(&[E::Towards(name()), E::NotFrom(name()), E::Drop]) < accept);
        let masquerade = &table.chains.iter().find(|chain| chain.name == "masquerade").unwrap().rules;
        assert_eq!(masquerade.len(), 1);
    }

    #[test]
    fn a_network_that_is_admitted_later_has_the_rules_of_one_that_was_there() {
        let first = network("one", "10.0.0.0/24", false);
        let other = network("two", "10.1.0.0/24", false);
        let mut before = table("0", &[(first.clone(), Vec::new())], true);
        for (name, rule) in admission(&other).unwrap() {
            before.chains.iter_mut().find(|chain| chain.name == name).unwrap().rules.push(rule);
        }
        assert_eq!(before, table("0", &[(first, Vec::new()), (other, Vec::new())], true));
        assert_eq!(admission(&network("in", "10.2.0.0/24", true)), None, "it must be closed first of all");
    }

    #[test]
    fn ports_are_led_in_from_elsewhere_only() {
        for (host_ip, internal, led) in [
            ("0.0.0.0", false, true),
            ("192.0.2.1", false, true),
            ("127.0.0.1", false, false),
            ("::", false, false),
            ("0.0.0.0", true, false),
        ] {
            let network = network("n", "10.0.0.0/24", internal);
            let endpoint = endpoint(&network, host_ip);
            let population = [(network, vec![endpoint])];
            assert!(has_redirects(&population));
            let publish = |redirects| {
                table("0", &population, redirects).chains.into_iter().find(|chain| chain.name == "publish")
            };
            assert_eq!(publish(false).unwrap().rules, Vec::<Vec<E>>::new());
            let rules = publish(true).unwrap().rules;
            assert_eq!(rules.len(), usize::from(led), "{host_ip}");
            if let [rule] = &rules[..] {
                assert_eq!(rule.first(), Some(&E::NotFrom("ls-n".to_owned())));
                assert_eq!(rule.last(), Some(&E::Redirect(Ipv4Addr::new(10, 0, 0, 2), 80)));
                assert_eq!(rule.len(), if host_ip == "0.0.0.0" { 4 } else { 5 });
            }
        }
    }
}
