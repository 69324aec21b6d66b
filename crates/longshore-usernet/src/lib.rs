//! Networking of rootless containers: a user-space gateway between container and host sockets.
//!
//! An ordinary user may make network namespaces but may not connect them to the host's network. So a container gets a
//! cable ([`Port::attach`]) that ends in a packet socket of its monitor process, and a thread of that process
//! ([`UserNetwork::run`]) speaks IPv4 with the container's kernel: it ends each connection there and opens one of its own
//! with an ordinary socket.
//!
//! What works: TCP, UDP, pings where `net.ipv4.ping_group_range` allows the user to send them (else they are answered as
//! prohibited), DNS with names of containers first, published ports, and everything between the containers of one
//! network. IPv6 is not offered: containers have no IPv6 address, so programs use IPv4 at once.
//!
//! The containers of one network may belong to several monitors ([`Membership`]): one of them runs the network for all,
//! and when it dies another takes over.
//!
//! The host's loopback is out of reach unless [`UserNetworkSpec::host_loopback`] names an address for it.

#![forbid(unsafe_code)]

mod attach;
mod context;
mod datagram;
mod door;
mod gateway;
mod inside;
mod link;
mod membership;
mod netlink;
mod policy;
mod poller;
mod published;
mod slab;
mod spec;
mod tcp;
mod wire;

pub use attach::{AttachError, Interface};
pub use gateway::{RunError, UserNetwork};
pub use inside::{ConnectInsideError, connect_inside};
pub use link::Port;
pub use membership::{Membership, MembershipError};
pub use spec::{Names, UserNetworkSpec};
