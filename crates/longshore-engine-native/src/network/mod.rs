//! What connects a container: its networks, its published ports, its files of names.
//!
//! The networks themselves, with their addresses and files, are the matter of `longshore-network`. Root connects containers
//! by bridges of the kernel; an ordinary user by `longshore-usernet`, which carries packets in a thread of the monitor.
//! The name server and the forwarding of ports are the same for both.

mod change;
mod files;
mod rootless;
pub(crate) mod spare;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use longshore_engine::{
    Attachment, ContainerId, EngineError, Fault, NetworkMode, NetworkStatus, PortBinding, Protocol,
};
use longshore_network::{
    Blame, Departure, Dialer, Endpoint, EndpointSpec, Forwarding, NameServer, Network, Networks, OverBridge,
    Ports, Resolvers,
};

pub(crate) use self::files::prepare as prepare_files;
use self::rootless::Cable;
use crate::home::Home;
use crate::launch::Privilege;
use crate::record::RecordDto;

/// The networks that a container is in, and what serves them.
#[derive(Debug, Default)]
pub(crate) struct Connected {
    networks: Option<Networks>,
    /// Its places, in the order in which it came to them. Ports are published over the first.
    endpoints: Vec<(Network, Endpoint)>,
    /// The network over which everything else is reached.
    default_route: Option<String>,
    /// The container's network namespace.
    namespace: Option<OwnedFd>,
    name_server: Option<NameServer>,
    /// Reserved as long as the monitor lives, so that a restart finds them.
    ports: Option<Ports>,
    forwarding: Option<Forwarding>,
    cables: Vec<Cable>,
    warnings: Vec<String>,
}

/// How a container was connected.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) networks: BTreeMap<String, NetworkStatus>,
    pub(crate) ports: Vec<PortBinding>,
    pub(crate) warnings: Vec<String>,
}

/// An error of networks as one of the engine.
pub(crate) fn failed<E: std::error::Error + Send + Sync + 'static>(
    attempt: impl Into<String>,
    blame: Blame,
    error: E,
) -> EngineError {
    let (fault, help) = match blame {
        Blame::User => (Fault::Invalid, None),
        Blame::Permission => (Fault::Unsupported, Some("`longshore doctor` tells what this machine allows")),
        Blame::Kernel => {
            (Fault::Unsupported, Some("this kernel lacks what is needed; `--network none` does without"))
        }
        Blame::Environment => (Fault::Environment, None),
    };
    let mut failure = EngineError::new(fault, attempt).because(error);
    failure.help = help.map(str::to_owned);
    failure
}

/// Opens the networks of an engine.
pub(crate) fn open(home: &Home) -> Result<Networks, EngineError> {
    Networks::open(&home.networks())
        .map_err(|error| failed("failed to open the networks", error.blame(), error))
}

fn find(networks: &Networks, name: &str) -> Result<Network, EngineError> {
    networks.inspect(name).map_err(|error| {
        let blame = error.blame();
        let failure = failed(format!("failed to find the network {name}"), blame, error);
        if blame == Blame::User { EngineError { fault: Fault::NotFound, ..failure } } else { failure }
    })
}

/// The networks that a container is to be in.
fn wanted(record: &RecordDto) -> Vec<Attachment> {
    match &record.spec.network {
        NetworkMode::Default => {
            vec![Attachment { network: longshore_network::DEFAULT.to_owned(), ..Attachment::default() }]
        }
        NetworkMode::Networks(attachments) => attachments.clone(),
        NetworkMode::None | NetworkMode::Host | NetworkMode::Container(_) => Vec::new(),
    }
}

/// Whether a container with a network of its own is on none: its process sets the loopback up by itself.
pub(crate) fn is_alone(record: &RecordDto) -> bool {
    wanted(record).is_empty()
}

impl Connected {
    /// Connects a process to its networks and publishes its ports. It has a network namespace of its own, or shares one.
    pub(crate) fn connect(
        &mut self,
        home: &Home,
        record: &RecordDto,
        (pid, own_network): (i32, bool),
        privilege: Privilege,
    ) -> Result<Connection, EngineError> {
        self.warnings.clear();
        if !own_network {
            return Ok(Connection::default());
        }
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        let namespace =
            File::open(&path).map_err(|error| crate::home::io_error("open the namespace", &path, error))?;
        let namespace = OwnedFd::from(namespace);
        let wanted = wanted(record);
        self.namespace = Some(namespace);
        for attachment in &wanted {
            self.join(home, record, attachment, privilege)?;
        }
        files::write(home, record, &self.endpoints)?;
        self.serve(home, record)?;
        self.publish(record)?;
        let networks = self
            .endpoints
            .iter()
            .zip(&wanted)
            .map(|((network, endpoint), attachment)| (network.name.clone(), status(endpoint, attachment)))
            .collect();
        Ok(Connection { networks, ports: self.published(), warnings: std::mem::take(&mut self.warnings) })
    }

    fn networks(&mut self, home: &Home) -> Result<Networks, EngineError> {
        match &self.networks {
            Some(networks) => Ok(networks.clone()),
            None => Ok(self.networks.insert(open(home)?).clone()),
        }
    }

    /// Puts the container on one network.
    fn join(
        &mut self,
        home: &Home,
        record: &RecordDto,
        attachment: &Attachment,
        privilege: Privilege,
    ) -> Result<(), EngineError> {
        let networks = self.networks(home)?;
        let network = find(&networks, &attachment.network)?;
        let routes = self.default_route.is_none() && !network.internal;
        let spec = endpoint_spec(record, attachment, (self.free_interface(), routes))?;
        let Some(namespace) = &self.namespace else {
            return Err(EngineError::new(Fault::Conflict, "the container shares the network of another"));
        };
        let attempt = || format!("failed to connect the container to the network {}", network.name);
        let endpoint = if privilege == Privilege::Root {
            let attached = networks
                .attach(&network, &spec, namespace.as_fd())
                .map_err(|error| failed(attempt(), error.blame(), error))?;
            self.warnings.extend(attached.warnings.iter().map(ToString::to_string));
            attached.endpoint
        } else {
            let endpoint = networks
                .register(&network, &spec)
                .map_err(|error| failed(attempt(), error.blame(), error))?;
            match Cable::lay(home, &network, (&endpoint, routes), namespace.as_fd()) {
                Ok(cable) => self.cables.push(cable),
                Err(error) => {
                    // What stays behind is found by `reap`.
                    let _ = networks.detach(&network, record.id.as_str(), Departure::Ended);
                    return Err(error);
                }
            }
            endpoint
        };
        if routes {
            self.default_route = Some(network.name.clone());
        }
        self.endpoints.push((network, endpoint));
        Ok(())
    }

    /// The first name for an interface that none has.
    fn free_interface(&self) -> String {
        let taken = |name: &String| self.endpoints.iter().any(|(_, endpoint)| endpoint.interface == *name);
        (0..=self.endpoints.len())
            .map(|index| format!("eth{index}"))
            .find(|name| !taken(name))
            .unwrap_or_default()
    }

    /// Starts the name server.
    fn serve(&mut self, home: &Home, record: &RecordDto) -> Result<(), EngineError> {
        if self.endpoints.is_empty() {
            return Ok(());
        }
        let networks = self.networks(home)?;
        let Some(namespace) = &self.namespace else { return Ok(()) };
        let servers: Vec<IpAddr> = record.spec.dns.iter().filter_map(|server| server.parse().ok()).collect();
        let resolvers = if servers.is_empty() {
            Resolvers::File(PathBuf::from("/etc/resolv.conf"))
        } else {
            Resolvers::at(&servers)
        };
        let started = NameServer::start(namespace.as_fd(), &networks, record.id.as_str(), resolvers)
            .map_err(|error| failed("failed to start the container's name server", error.blame(), error))?;
        self.name_server = Some(started);
        Ok(())
    }

    /// Reserves the ports that are to be published, and leads them to the container.
    fn publish(&mut self, record: &RecordDto) -> Result<(), EngineError> {
        let bindings = bindings(record);
        if bindings.is_empty() {
            return Ok(());
        }
        let Some((network, endpoint)) = self.endpoints.first() else {
            self.warnings.push("ports are not published: the container is on no network".to_owned());
            return Ok(());
        };
        if self.ports.is_none() {
            let reserved = Ports::reserve(&bindings).map_err(|error| {
                let taken = matches!(error, longshore_network::ReserveError::InUse { .. });
                let failure = failed("failed to publish the container's ports", error.blame(), error);
                if taken { EngineError { fault: Fault::Conflict, ..failure } } else { failure }
            })?;
            self.ports = Some(reserved);
        }
        let (Some(ports), Some(networks)) = (&self.ports, &self.networks) else { return Ok(()) };
        let by_bridge = self.cables.is_empty();
        let dialer: Arc<dyn Dialer> = match &self.namespace {
            Some(namespace) if !by_bridge => Arc::new(Inside(namespace.try_clone().map_err(|error| {
                EngineError::new(Fault::Environment, "failed to keep the container's network").because(error)
            })?)),
            _ => Arc::new(OverBridge(endpoint.address)),
        };
        let forwarding = ports
            .forward(dialer)
            .map_err(|error| failed("failed to forward the container's ports", error.blame(), error))?;
        self.forwarding = Some(forwarding);
        if by_bridge {
            let warning = networks
                .publish(network, record.id.as_str(), &ports.published())
                .map_err(|error| failed("failed to lead ports to the container", error.blame(), error))?;
            self.warnings.extend(warning.map(|warning| warning.to_string()));
        }
        Ok(())
    }

    /// The ports that lead to the container now.
    pub(crate) fn published(&self) -> Vec<PortBinding> {
        let Some(ports) = self.ports.as_ref().filter(|_| self.forwarding.is_some()) else {
            return Vec::new();
        };
        ports
            .published()
            .into_iter()
            .map(|port| PortBinding {
                host_ip: Some(port.host_ip),
                host_port: Some(port.host_port),
                host_port_last: None,
                container_port: port.container_port,
                protocol: match port.protocol {
                    longshore_network::Protocol::Udp => Protocol::Udp,
                    _ => Protocol::Tcp,
                },
            })
            .collect()
    }

    /// The container's process has ended: gives its addresses back. Its ports stay reserved until the monitor ends.
    pub(crate) fn disconnect(&mut self, home: &Home, id: &ContainerId) {
        self.forwarding = None;
        self.name_server = None;
        self.cables.clear();
        self.namespace = None;
        self.default_route = None;
        if !self.endpoints.is_empty() {
            self.endpoints.clear();
            forget(home, id);
        }
    }
}

/// Reaches a container from within its own namespace, for which no bridge is needed.
struct Inside(OwnedFd);

impl Dialer for Inside {
    fn stream(&self, port: u16) -> std::io::Result<TcpStream> {
        rootless::inside(self.0.as_fd(), || TcpStream::connect(("127.0.0.1", port)))
    }

    fn datagrams(&self, port: u16) -> std::io::Result<UdpSocket> {
        rootless::inside(self.0.as_fd(), || {
            let socket = UdpSocket::bind(("127.0.0.1", 0))?;
            socket.connect(("127.0.0.1", port))?;
            Ok(socket)
        })
    }
}

fn endpoint_spec(
    record: &RecordDto,
    attachment: &Attachment,
    (interface, default_route): (String, bool),
) -> Result<EndpointSpec, EngineError> {
    let mac = attachment.mac.as_deref().map(str::parse).transpose().map_err(
        |error: longshore_network::MacAddressError| {
            EngineError::new(Fault::Invalid, "the hardware address cannot be used").because(error)
        },
    )?;
    let mut names: Vec<String> = record.spec.name.iter().cloned().collect();
    names.extend(attachment.aliases.iter().cloned());
    names.push(record.id.short().to_owned());
    names.extend(record.spec.hostname.iter().cloned());
    names.dedup();
    Ok(EndpointSpec {
        container: record.id.as_str().to_owned(),
        interface,
        names,
        hostname: record.spec.hostname.clone().unwrap_or_else(|| record.id.short().to_owned()),
        ip: attachment.ip,
        mac,
        default_route,
    })
}

fn status(endpoint: &Endpoint, attachment: &Attachment) -> NetworkStatus {
    NetworkStatus {
        network_id: endpoint.network.as_str().to_owned(),
        endpoint_id: endpoint.id.clone(),
        ip: Some(endpoint.address.into()),
        prefix: endpoint.subnet.prefix(),
        gateway: Some(endpoint.gateway.into()),
        mac: endpoint.mac.to_string(),
        aliases: attachment.aliases.clone(),
    }
}

/// The ports to publish: those that are named, and with `-P` those of the image.
fn bindings(record: &RecordDto) -> Vec<longshore_network::PortBinding> {
    let protocol = |protocol: Protocol| match protocol {
        Protocol::Tcp => longshore_network::Protocol::Tcp,
        Protocol::Udp => longshore_network::Protocol::Udp,
    };
    let mut bindings: Vec<_> = record
        .spec
        .publish
        .iter()
        .map(|port| longshore_network::PortBinding {
            host_ip: port.host_ip,
            host_ports: port.host_port.map(|first| first..=port.host_port_last.unwrap_or(first)),
            container_port: port.container_port,
            protocol: protocol(port.protocol),
        })
        .collect();
    if record.spec.publish_all {
        for exposed in &record.exposed {
            let (number, name) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
            let Ok(container_port) = number.parse() else { continue };
            let protocol = protocol(if name == "udp" { Protocol::Udp } else { Protocol::Tcp });
            let named = |binding: &longshore_network::PortBinding| {
                binding.container_port == container_port && binding.protocol == protocol
            };
            if !bindings.iter().any(named) {
                bindings.push(longshore_network::PortBinding {
                    host_ip: None,
                    host_ports: None,
                    container_port,
                    protocol,
                });
            }
        }
    }
    bindings
}

/// Gives a container another name on the networks that it is on.
pub(crate) fn rename(home: &Home, id: &ContainerId, old: &str, new: &str) -> Result<(), EngineError> {
    open(home)?
        .rename(id.as_str(), old, new)
        .map_err(|error| failed("failed to rename the container on its networks", error.blame(), error))
}

/// Whether a text names a network: by its name, or as far as it exists, by its id.
pub(crate) fn is_network(home: &Home, text: &str, name: &str) -> bool {
    let by_id = || open(home).is_ok_and(|all| all.inspect(text).is_ok_and(|network| network.name == name));
    text == name || by_id()
}

/// Gives back what a container had of its networks.
pub(crate) fn forget(home: &Home, id: &ContainerId) {
    let Ok(networks) = open(home) else { return };
    let endpoints = networks.endpoints_of(id.as_str()).unwrap_or_default();
    for endpoint in endpoints {
        if let Ok(network) = networks.inspect(endpoint.network.as_str()) {
            // What stays behind is found by `reap`.
            let _ = networks.detach(&network, id.as_str(), Departure::Ended);
        }
    }
}

/// Clears away what belongs to no container, and says what it was.
pub(crate) fn reap(home: &Home) -> Vec<String> {
    let Ok(networks) = open(home) else { return Vec::new() };
    let spares = spare::discard(home, spare::Owner::Dead).unwrap_or_default();
    let alive = |id: &str| home.live().join(id).exists();
    match networks.reap(&alive) {
        Ok(reaped) => {
            let mut all = reaped.leases;
            all.extend(reaped.interfaces);
            if reaped.rules {
                all.push("firewall rules".to_owned());
            }
            if spares > 0 {
                all.push(format!("{spares} bridges"));
            }
            all
        }
        Err(_) => Vec::new(),
    }
}
