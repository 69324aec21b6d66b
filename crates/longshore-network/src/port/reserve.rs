//! Taking ports on the host.
//!
//! A port is taken by listening at it, before the container starts: so a conflict is found while the user looks, and
//! nobody else can take the port in between. Without an address, a port is taken for IPv4 and IPv6 alike.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::binding::PortBinding;
use super::holder::{Holder, holder_of};
use crate::{Blame, Protocol, PublishedPort};

/// How many connections may wait to be taken.
const BACKLOG: i32 = 1024;
/// How often another port is tried when the kernel chose one that is free for one family of addresses only.
const ATTEMPTS: usize = 16;

/// A port cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// Somebody has it.
    #[error("port {port}/{protocol} of {address} is already in use{}", by(.holder.as_ref()))]
    InUse {
        /// The address on the host.
        address: IpAddr,
        /// The port; the first of a range of which none is free.
        port: u16,
        /// The protocol.
        protocol: Protocol,
        /// Who has it, if that can be seen.
        holder: Option<Holder>,
    },
    /// The port needs a privilege.
    #[error("port {port}/{protocol} of {address} may be used by privileged processes only")]
    Privileged {
        /// The address on the host.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The protocol.
        protocol: Protocol,
    },
    /// The host does not have the address.
    #[error("the host has no address {address}")]
    NoAddress {
        /// The address.
        address: IpAddr,
    },
    /// The kernel refused for another reason.
    #[error("failed to listen at port {port}/{protocol} of {address}")]
    Listen {
        /// The address on the host.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The protocol.
        protocol: Protocol,
        /// Why.
        source: io::Error,
    },
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" by `{}` (process {})", holder.name, holder.process))
}

impl ReserveError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::InUse { .. } | Self::NoAddress { .. } => Blame::User,
            Self::Privileged { .. } => Blame::Permission,
            Self::Listen { .. } => Blame::Environment,
        }
    }
}

/// A socket that holds a port.
#[derive(Debug)]
pub(super) enum Held {
    Stream(TcpListener),
    Datagrams(UdpSocket),
}

/// Ports of the host that are taken until this is dropped.
#[derive(Debug, Default)]
pub struct Ports {
    held: Vec<(PublishedPort, Held)>,
}

impl Ports {
    /// Takes a port for each binding, or none at all.
    pub fn reserve(bindings: &[PortBinding]) -> Result<Self, ReserveError> {
        let mut held = Vec::new();
        for binding in bindings {
            held.extend(reserve(binding)?);
        }
        Ok(Self { held })
    }

    /// What was taken: for each address of the host, which port leads to which of the container.
    pub fn published(&self) -> Vec<PublishedPort> {
        self.held.iter().map(|(port, _)| *port).collect()
    }

    pub(super) fn held(&self) -> &[(PublishedPort, Held)] {
        &self.held
    }
}

fn reserve(binding: &PortBinding) -> Result<Vec<(PublishedPort, Held)>, ReserveError> {
    let addresses = match binding.host_ip {
        Some(address) => vec![address],
        None => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
    };
    let mut refusal = None;
    let candidates: Vec<u16> = match &binding.host_ports {
        Some(range) => range.clone().collect(),
        None => vec![0; ATTEMPTS],
    };
    for port in candidates {
        match take(binding, &addresses, port) {
            Ok(held) => return Ok(held),
            Err(error @ ReserveError::InUse { .. }) => drop(refusal.get_or_insert(error)),
            Err(error) => return Err(error),
        }
    }
    Err(named(refusal.unwrap_or_else(|| ReserveError::Listen {
        address: Ipv4Addr::UNSPECIFIED.into(),
        port: 0,
        protocol: binding.protocol,
        source: io::ErrorKind::AddrInUse.into(),
    })))
}

/// Finds out who has the port. That takes a while, and is done for the one conflict that is told.
fn named(error: ReserveError) -> ReserveError {
    match error {
        ReserveError::InUse { address, port, protocol, .. } => {
            ReserveError::InUse { address, port, protocol, holder: holder_of(port, protocol) }
        }
        other => other,
    }
}

/// Takes a port at all of the addresses; the same at each if it is 0.
fn take(
    binding: &PortBinding,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Vec<(PublishedPort, Held)>, ReserveError> {
    let protocol = binding.protocol;
    let mut held: Vec<(PublishedPort, Held)> = Vec::new();
    for &address in addresses {
        let port = held.first().map_or(port, |(first, _)| first.host_port);
        let socket = match listen(SocketAddr::new(address, port), protocol) {
            Ok(socket) => socket,
            // A host without IPv6 publishes over IPv4 alone.
            Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) if !held.is_empty() => continue,
            Err(errno) => return Err(explain(errno, address, port, protocol)),
        };
        let bound = match &socket {
            Held::Stream(listener) => listener.local_addr(),
            Held::Datagrams(socket) => socket.local_addr(),
        };
        let host_port =
            bound.map_err(|source| ReserveError::Listen { address, port, protocol, source })?.port();
        held.push((
            PublishedPort { host_ip: address, host_port, container_port: binding.container_port, protocol },
            socket,
        ));
    }
    Ok(held)
}

fn listen(address: SocketAddr, protocol: Protocol) -> Result<Held, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let socket: OwnedFd =
        rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections of the container before, in their last minute, are no obstacle.
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    Ok(match protocol {
        Protocol::Tcp => {
            rustix::net::listen(&socket, BACKLOG)?;
            Held::Stream(socket.into())
        }
        Protocol::Udp => Held::Datagrams(socket.into()),
    })
}

fn explain(errno: Errno, address: IpAddr, port: u16, protocol: Protocol) -> ReserveError {
    match errno {
        Errno::ADDRINUSE => ReserveError::InUse { address, port, protocol, holder: None },
        Errno::ACCESS | Errno::PERM => ReserveError::Privileged { address, port, protocol },
        Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT => ReserveError::NoAddress { address },
        _ => ReserveError::Listen { address, port, protocol, source: errno.into() },
    }
}
