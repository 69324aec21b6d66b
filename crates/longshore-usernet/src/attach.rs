//! Laying a cable from a container's network namespace to the gateway, without being root.
//!
//! The cable is a pair of `veth` devices. The container's end is an interface such as its `eth0`. The other end lies in a namespace that a
//! thread makes for this purpose and then leaves: nothing but the packet socket on that end keeps it alive, so no process,
//! and least of all the container, can get at it; and when the socket is closed, be it by `kill -9`, the kernel removes
//! namespace and cable. Nothing of it has a name outside.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::link::Port;
use crate::netlink::{End, Netlink};
use crate::spec::UserNetworkSpec;
use crate::wire::ethernet::HardwareAddress;

/// The name of the gateway's device, which nobody sees.
const GATEWAY_END: &str = "uplink";
/// The index that the loopback device has in every namespace.
const LOOPBACK: u32 = 1;

/// Why a container could not be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The thread that does it could not be started.
    #[error("failed to start the thread that attaches the container to its network")]
    Thread(#[source] std::io::Error),
    /// A namespace could not be made or entered.
    #[error("failed to {attempt}")]
    Namespace {
        /// What was attempted.
        attempt: &'static str,
        /// The kernel's answer.
        source: Errno,
    },
    /// A device could not be set up.
    #[error("failed to {attempt} {device}")]
    Device {
        /// What was attempted.
        attempt: &'static str,
        /// On which device.
        device: String,
        /// The kernel's answer.
        source: Errno,
    },
}

/// A container's end of a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Its name, such as `eth0`.
    pub name: &'a str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whether it is the way to everything that no other interface leads to. One interface of a container can be.
    pub default_route: bool,
}

impl Port {
    /// Gives a network namespace an `eth0` with `address` and a default route, and answers the other end of its cable. See
    /// [`Port::attach_as`].
    ///
    /// # Errors
    ///
    /// If the kernel refuses one of the steps.
    pub fn attach(
        netns: BorrowedFd<'_>,
        spec: &UserNetworkSpec,
        address: Ipv4Addr,
    ) -> Result<Self, AttachError> {
        Self::attach_as(netns, spec, &Interface { name: "eth0", address, default_route: true })
    }

    /// Gives a network namespace an interface, and answers the other end of its cable.
    ///
    /// The caller must have `CAP_SYS_ADMIN`, `CAP_NET_ADMIN` and `CAP_NET_RAW` in the user namespace that owns `netns`, as
    /// its maker has. The calling thread stays where it is.
    ///
    /// # Errors
    ///
    /// If the kernel refuses one of the steps. Nothing is left behind then, apart from a loopback device that is up.
    pub fn attach_as(
        netns: BorrowedFd<'_>,
        spec: &UserNetworkSpec,
        interface: &Interface<'_>,
    ) -> Result<Self, AttachError> {
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("attach".to_owned());
            let thread = builder.spawn_scoped(scope, || attach(netns, spec, interface));
            let thread = thread.map_err(AttachError::Thread)?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Does it, and leaves the calling thread in the container's namespace.
fn attach(
    netns: BorrowedFd<'_>,
    spec: &UserNetworkSpec,
    interface: &Interface<'_>,
) -> Result<Port, AttachError> {
    let namespace = |attempt| move |source| AttachError::Namespace { attempt, source };
    let at_gateway =
        |attempt| move |source| AttachError::Device { attempt, device: GATEWAY_END.to_owned(), source };
    longshore_sys::unshare_network().map_err(namespace("make a network namespace for the gateway's end"))?;
    let netlink = Netlink::open().map_err(namespace("open a netlink socket"))?;
    let here = End { name: GATEWAY_END, hardware: None, mtu: spec.mtu };
    let address = interface.address;
    let there = End { name: interface.name, hardware: Some(HardwareAddress::of(address)), mtu: spec.mtu };
    netlink.add_cable(&here, &there, netns).map_err(at_gateway("make the cable of"))?;
    let index = netlink.index(GATEWAY_END).map_err(at_gateway("find"))?;
    netlink.forgo_ipv6(index).map_err(at_gateway("keep IPv6 away from"))?;
    let socket = longshore_sys::packet_socket(index).map_err(at_gateway("open a packet socket on"))?;
    widen(&socket);
    netlink.set_up(index).map_err(at_gateway("set up"))?;
    move_into_link_name_space(netns, Some(LinkNameSpaceType::Network))
        .map_err(namespace("enter the container's network namespace"))?;
    configure(spec, interface)?;
    Ok(Port::new(socket, address))
}

/// Configures the container's end, from within its namespace.
fn configure(spec: &UserNetworkSpec, interface: &Interface<'_>) -> Result<(), AttachError> {
    let at_container =
        |attempt| move |source| AttachError::Device { attempt, device: interface.name.to_owned(), source };
    let netlink = Netlink::open()
        .map_err(|source| AttachError::Namespace { attempt: "open a netlink socket", source })?;
    netlink.set_up(LOOPBACK).map_err(|source| AttachError::Device {
        attempt: "set up",
        device: "lo".to_owned(),
        source,
    })?;
    let index = netlink.index(interface.name).map_err(at_container("find"))?;
    netlink.forgo_ipv6(index).map_err(at_container("keep IPv6 away from"))?;
    netlink
        .add_address(index, interface.address, spec.prefix_length, spec.broadcast())
        .map_err(at_container("add the address of"))?;
    netlink.set_up(index).map_err(at_container("set up"))?;
    if interface.default_route {
        netlink.add_default_route(index, spec.gateway).map_err(at_container("route through"))?;
    }
    Ok(())
}

/// Asks for a longer queue of frames; the kernel gives what its limit for users allows.
fn widen(socket: impl AsFd) {
    const WANTED: usize = 4 * 1024 * 1024;
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size(socket.as_fd(), WANTED);
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(socket.as_fd(), WANTED);
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(socket, WANTED);
}
