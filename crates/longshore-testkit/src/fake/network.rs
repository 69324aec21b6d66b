//! Networks without packets: who is in which, at which address, under which names.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use longshore_engine::{
    Attachment, ContainerId, ContainerSpec, EngineError, Fault, NetworkMode, NetworkStatus, PortBinding,
    Protocol, SandboxId, SandboxNetwork,
};

use super::container::Container;
use super::world::World;

/// The first port of the machine that is given to those who take any.
const FIRST_PORT: u16 = 49_152;

/// A network.
#[derive(Debug, Clone)]
pub(super) struct Network {
    id: String,
    /// The third part of its addresses.
    subnet: u8,
    /// The last part of the address that was given last.
    last: u8,
}

impl Network {
    fn join(&mut self, aliases: &[String], ip: Option<Ipv4Addr>) -> NetworkStatus {
        // An address is given again only after all others, so that nobody is mistaken for who had it before.
        self.last = if self.last < 2 || self.last == 254 { 2 } else { self.last + 1 };
        let ip = ip.unwrap_or_else(|| Ipv4Addr::new(10, 213, self.subnet, self.last));
        let [a, b, c, d] = ip.octets();
        NetworkStatus {
            network_id: self.id.clone(),
            endpoint_id: String::new(),
            ip: Some(IpAddr::V4(ip)),
            prefix: 24,
            gateway: Some(IpAddr::V4(Ipv4Addr::new(10, 213, self.subnet, 1))),
            mac: format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}"),
            aliases: aliases.to_vec(),
        }
    }
}

/// Makes a network of a name.
pub(super) fn make(world: &mut World, name: &str) {
    let id = SandboxId::of(world.random()).to_string();
    let subnet = (world.networks.len() % 256) as u8;
    world.networks.insert(name.to_owned(), Network { id, subnet, last: 1 });
}

/// The networks that a container is to be in.
pub(super) fn wanted(world: &World, container: &Container) -> Vec<Attachment> {
    let named = |network: &str| vec![Attachment { network: network.to_owned(), ..Attachment::default() }];
    match &container.spec.network {
        NetworkMode::Networks(list) => list.clone(),
        NetworkMode::Default => match world.sandboxes.get(&container.sandbox).map(|sandbox| &sandbox.spec) {
            Some(spec) => match &spec.network {
                SandboxNetwork::Own | SandboxNetwork::Internal => named(&spec.name),
                SandboxNetwork::Existing(name) => named(name),
                SandboxNetwork::Host | SandboxNetwork::None => Vec::new(),
            },
            None => Vec::new(),
        },
        NetworkMode::None | NetworkMode::Host | NetworkMode::Container(_) => Vec::new(),
    }
}

/// An error unless all networks of a specification are there.
pub(super) fn check(world: &World, spec: &ContainerSpec) -> Result<(), EngineError> {
    match &spec.network {
        NetworkMode::Networks(list) => {
            let missing = list.iter().find(|one| name_of(world, &one.network).is_none());
            missing.map_or(Ok(()), |one| Err(no_network(&one.network)))
        }
        NetworkMode::Container(other) => world.find(other).map(|_| ()),
        _ => Ok(()),
    }
}

pub(super) fn no_network(name: &str) -> EngineError {
    EngineError::new(Fault::NotFound, format!("there is no network `{name}`"))
}

/// The name of a network by its name or id.
fn name_of(world: &World, text: &str) -> Option<String> {
    if world.networks.contains_key(text) {
        return Some(text.to_owned());
    }
    let mut named = world.networks.iter();
    named.find(|(_, network)| network.id == text).map(|(name, _)| name.clone())
}

/// Puts a container into its networks.
pub(super) fn attach(
    world: &mut World,
    id: &ContainerId,
) -> Result<BTreeMap<String, NetworkStatus>, EngineError> {
    let wanted = world.containers.get(id).map(|container| wanted(world, container)).unwrap_or_default();
    let mut joined = BTreeMap::new();
    for attachment in wanted {
        let name = name_of(world, &attachment.network).ok_or_else(|| no_network(&attachment.network))?;
        let network = world.networks.get_mut(&name).ok_or_else(|| no_network(&attachment.network))?;
        let mut status = network.join(&attachment.aliases, attachment.ip);
        if let Some(mac) = attachment.mac {
            status.mac = mac;
        }
        joined.insert(name, status);
    }
    Ok(joined)
}

/// Gives a container its ports of the machine. Nothing listens there.
pub(super) fn publish(world: &World, id: &ContainerId) -> Result<Vec<PortBinding>, EngineError> {
    let Some(container) = world.containers.get(id) else { return Ok(Vec::new()) };
    let others = world.containers.values().filter(|other| other.id != *id);
    let mut taken: Vec<PortBinding> = others.flat_map(|other| other.ports.clone()).collect();
    let mut wanted = container.spec.publish.clone();
    if container.spec.publish_all {
        wanted.extend(container.spec.expose.iter().filter_map(|text| exposed(text)));
    }
    let mut given = Vec::new();
    for mut binding in wanted {
        let mut candidates = match binding.host_port {
            Some(first) => first..=binding.host_port_last.unwrap_or(first),
            None => FIRST_PORT..=u16::MAX,
        };
        let free = |port: &u16| {
            let candidate = PortBinding { host_port: Some(*port), ..binding.clone() };
            !taken.iter().any(|other| meet(other, &candidate))
        };
        let Some(port) = candidates.find(free) else {
            return Err(EngineError::new(Fault::Conflict, format!("port {} is taken", binding.host_ports())));
        };
        (binding.host_port, binding.host_port_last) = (Some(port), None);
        taken.push(binding.clone());
        given.push(binding);
    }
    Ok(given)
}

fn exposed(text: &str) -> Option<PortBinding> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp };
    Some(PortBinding {
        host_ip: None,
        host_port: None,
        host_port_last: None,
        container_port: port.parse().ok()?,
        protocol,
    })
}

/// Whether two bindings want the same port of the same address.
fn meet(one: &PortBinding, other: &PortBinding) -> bool {
    let all = |ip: Option<IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
    one.protocol == other.protocol
        && one.host_port == other.host_port
        && (all(one.host_ip) || all(other.host_ip) || one.host_ip == other.host_ip)
}

/// The address that a name has for a container.
pub(super) fn resolve(world: &World, id: &ContainerId, name: &str) -> Option<IpAddr> {
    let asking = world.containers.get(id)?;
    let added = asking.spec.extra_hosts.iter().filter_map(|line| line.split_once(':'));
    if let Some(address) = added.into_iter().find(|(host, _)| *host == name).map(|(_, address)| address) {
        return address.parse().ok();
    }
    let asking = match &asking.spec.network {
        NetworkMode::Container(other) => world.containers.get(&world.find(other).ok()?)?,
        _ => asking,
    };
    asking.networks.keys().find_map(|network| {
        world.containers.values().filter(|other| other.state.is_alive()).find_map(|other| {
            let place = other.networks.get(network)?;
            let named = other.name == name
                || other.id.short() == name
                || other.spec.hostname.as_deref() == Some(name)
                || place.aliases.iter().any(|alias| alias == name);
            if named { place.ip } else { None }
        })
    })
}
