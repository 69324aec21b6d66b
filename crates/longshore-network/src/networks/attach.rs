//! Putting a container on a network.
//!
//! Under the lock: the bridge is looked at, an address is taken, the lease is written. Outside of it: the cable. A
//! process that dies in between leaves a lease that `reap` gives back when the container is gone.

use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::bring_up::Ready;
use super::{BringUpError, Networks, Warning};
use crate::endpoint::{Endpoint, EndpointSpec, MacAddress};
use crate::ipam::{self, AddressError};
use crate::link::{Links, Pair};
use crate::netlink::{Attempt, KernelError};
use crate::network::{self, BridgeConfig, Network, NetworkId};
use crate::state::{Lock, StateError};
use crate::{Blame, namespace, random};

/// A container cannot be put on a network.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The network has no bridge: it is the host's own, or nothing.
    #[error("the network `{0}` is not one that containers can be connected to")]
    NoBridge(String),
    /// The container's identity or the interface's name cannot be one.
    #[error("`{0}` cannot be the name of a container or of an interface")]
    Name(String),
    /// The network was removed.
    #[error("network {0} not found")]
    Gone(String),
    /// The container is on the network.
    #[error("the container is already connected to the network `{0}`")]
    Attached(String),
    /// There is no address for it.
    #[error("failed to find an address on the network `{network}`")]
    Address {
        /// Which network.
        network: String,
        /// Why.
        source: AddressError,
    },
    /// The network cannot be made to work.
    #[error("failed to bring up the network `{network}`")]
    BringUp {
        /// Which network.
        network: String,
        /// Why.
        source: BringUpError,
    },
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl AttachError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoBridge(_) | Self::Name(_) | Self::Gone(_) | Self::Attached(_) => Blame::User,
            Self::Address { source, .. } => source.blame(),
            Self::BringUp { source, .. } => source.blame(),
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
        }
    }
}

/// A container is on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its place there.
    pub endpoint: Endpoint,
    /// What does not work.
    pub warnings: Vec<Warning>,
}

impl Networks {
    /// Puts a container, whose network namespace is given, on a network. The network is made to work if it does not.
    pub fn attach(
        &self,
        network: &Network,
        spec: &EndpointSpec,
        netns: BorrowedFd<'_>,
    ) -> Result<Attachment, AttachError> {
        check(spec)?;
        let mut links = Links::open()?;
        let lock = self.directory().lock()?;
        let (network, config) = self.current(network)?;
        let ready = self
            .bring_up(&mut links, &network, &config, &lock)
            .map_err(|source| AttachError::BringUp { network: network.name.clone(), source })?;
        let endpoint = self.lease(&ready.network, &ready.config, spec, true, &lock)?;
        let cable = endpoint.host_interface.clone().unwrap_or_default();
        drop(lock);
        match connect(&mut links, &ready, &cable, spec.default_route, &endpoint, netns) {
            Ok(()) => Ok(Attachment { endpoint, warnings: ready.warnings }),
            Err(refusal) => {
                // The first error is the one to tell; what stays behind here is found by `reap`.
                let _ = links.delete(&cable);
                let _ = self.forget(&endpoint);
                Err(refusal.into())
            }
        }
    }

    /// Makes a container send to elsewhere through one of its networks.
    pub fn route_through(&self, endpoint: &Endpoint, netns: BorrowedFd<'_>) -> Result<(), KernelError> {
        namespace::within(netns, || {
            let mut links = Links::open()?;
            let inner = find(&mut links, &endpoint.interface)?;
            links.add_default_route(inner, endpoint.gateway)
        })
    }

    /// Takes a container's interface away at once, with its routes. It is for callers that carry packets themselves: when
    /// they close their end of a cable, the kernel takes the other one away in its own time.
    pub fn unplug(&self, endpoint: &Endpoint, netns: BorrowedFd<'_>) -> Result<(), KernelError> {
        namespace::within(netns, || Links::open()?.delete(&endpoint.interface))
    }

    /// Gives a container its place on a network, and leaves the kernel alone: the caller carries the packets, as
    /// rootless engines do. [`Networks::detach`] takes the place back.
    pub fn register(&self, network: &Network, spec: &EndpointSpec) -> Result<Endpoint, AttachError> {
        check(spec)?;
        let lock = self.directory().lock()?;
        let (network, config) = self.current(network)?;
        self.lease(&network, &config, spec, false, &lock)
    }

    /// The network as it is now, with its bridge.
    fn current(&self, network: &Network) -> Result<(Network, BridgeConfig), AttachError> {
        let current = self.directory().network(&network.id)?;
        let current = current.ok_or_else(|| AttachError::Gone(network.name.clone()))?;
        match current.bridge.clone() {
            Some(config) => Ok((current, config)),
            None => Err(AttachError::NoBridge(current.name)),
        }
    }

    fn lease(
        &self,
        network: &Network,
        config: &BridgeConfig,
        spec: &EndpointSpec,
        has_cable: bool,
        lock: &Lock,
    ) -> Result<Endpoint, AttachError> {
        let leases = self.directory().leases(&network.id)?;
        if leases.iter().any(|lease| lease.container == spec.container) {
            return Err(AttachError::Attached(network.name.clone()));
        }
        let address = ipam::choose(config, &leases, spec.ip)
            .map_err(|source| AttachError::Address { network: network.name.clone(), source })?;
        let endpoint = Endpoint {
            network: network.id.clone(),
            id: random::hex::<32>().attempt(|| "get random bytes")?,
            container: spec.container.clone(),
            interface: spec.interface.clone(),
            host_interface: has_cable.then(|| cable_of(&network.id, address)),
            names: spec.names.clone(),
            hostname: spec.hostname.clone(),
            address,
            subnet: config.subnet,
            gateway: config.gateway,
            mac: spec.mac.unwrap_or_else(|| MacAddress(Pair::hardware_address_of(address))),
            ports: Vec::new(),
        };
        self.directory().write_endpoint(&endpoint, lock)?;
        Ok(endpoint)
    }
}

/// Refuses identities and names of interfaces that are none.
fn check(spec: &EndpointSpec) -> Result<(), AttachError> {
    // Names of interfaces have at most 15 bytes.
    let long = spec.interface.len() > 15;
    for (name, wrong) in [(&spec.container, false), (&spec.interface, long)] {
        if wrong || !network::is_name(name) {
            return Err(AttachError::Name(name.clone()));
        }
    }
    Ok(())
}

/// The name of the end of a cable that the bridge has. Whoever has an address gets the same one: so the kernel tells
/// when the cable of who had it before is still there.
fn cable_of(network: &NetworkId, address: Ipv4Addr) -> String {
    let own = network.as_str().get(..11).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    format!("veth{:011x}", own.unwrap_or_default() ^ u64::from(address.to_bits()))
}

/// Lays the cable.
fn connect(
    links: &mut Links,
    ready: &Ready,
    cable: &str,
    default_route: bool,
    endpoint: &Endpoint,
    netns: BorrowedFd<'_>,
) -> Result<(), KernelError> {
    let pair = Pair {
        outer: cable,
        inner: &endpoint.interface,
        hardware_address: endpoint.mac.0,
        bridge: ready.bridge,
        mtu: ready.config.mtu,
        isolated: !ready.config.inter_container,
    };
    lay(links, &pair, netns)?;
    links.settle_port(&pair)?;
    let gateway = (default_route && !ready.network.internal).then_some(endpoint.gateway);
    namespace::within(netns, || {
        let mut links = Links::open()?;
        let inner = find(&mut links, &endpoint.interface)?;
        // The kernel may be without IPv6; then there is nothing to switch off.
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", endpoint.interface), "1");
        links.configure(inner, endpoint.address, endpoint.subnet, gateway)?;
        links.catch_up(&endpoint.interface)
    })?;
    // The port first: the bridge has no link before one of its ports has.
    links.catch_up(cable)?;
    links.catch_up(&ready.config.interface)
}

/// Makes the two ends. A container that has ended is off the network, but its namespace, with its address in it, lasts
/// until the kernel gets to it: that would answer in place of who has the address now.
fn lay(links: &mut Links, pair: &Pair<'_>, netns: BorrowedFd<'_>) -> Result<(), KernelError> {
    match links.create_pair(pair, netns) {
        Err(refusal) if refusal.errno() == Errno::EXIST.raw_os_error() => {
            if links.find(pair.outer)?.is_some_and(|link| link.master == Some(pair.bridge)) {
                links.delete(pair.outer)?;
            }
            links.create_pair(pair, netns)
        }
        result => result,
    }
}

fn find(links: &mut Links, interface: &str) -> Result<u32, KernelError> {
    let found = links.find(interface)?;
    found.map(|link| link.index).ok_or_else(|| {
        KernelError::new(format!("find the interface `{interface}` in the container"), Errno::NODEV)
    })
}
