//! What all kinds of traffic share: the cables, the waiting, the time, and the limits.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use crate::link::Link;
use crate::poller::Poller;
use crate::slab::Key;
use crate::wire::ipv4::Route;

/// The surroundings of a flow.
pub(crate) struct Context {
    pub(crate) link: Link,
    pub(crate) poller: Poller,
    /// When the present turn began.
    pub(crate) now: Instant,
    /// Room for what is read from host sockets.
    pub(crate) room: Vec<u8>,
}

/// The two ends that packets name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ends {
    /// The container's port of the switch.
    pub(crate) port: Key,
    /// The container's end.
    pub(crate) container: SocketAddrV4,
    /// The end that the container takes for the other one.
    pub(crate) remote: SocketAddrV4,
}

impl Ends {
    /// The way of a packet to the container.
    pub(crate) fn inward(&self, protocol: u8) -> Route {
        Route { source: *self.remote.ip(), destination: *self.container.ip(), protocol }
    }

    /// The way of a packet from the container.
    pub(crate) fn outward(&self, protocol: u8) -> Route {
        self.inward(protocol).reversed()
    }

    /// The first bytes of a packet from the container, as an ICMP message quotes them.
    pub(crate) fn quoted(&self, protocol: u8, rest: [u8; 4]) -> Vec<u8> {
        let mut quoted = Vec::with_capacity(28);
        self.outward(protocol).write(&mut quoted, 8);
        quoted.extend_from_slice(&self.container.port().to_be_bytes());
        quoted.extend_from_slice(&self.remote.port().to_be_bytes());
        quoted.extend_from_slice(&rest);
        quoted
    }
}

/// The first of the gateway's own port numbers, and how many there are (RFC 6335, section 6).
const DYNAMIC: (u16, u16) = (49152, 16384);

/// Hands out port numbers of the gateway for what comes from outside.
#[derive(Default)]
pub(crate) struct GatewayPorts(u16);

impl GatewayPorts {
    /// Ends for something from outside to `container`, which are not `taken`.
    pub(crate) fn ends(
        &mut self,
        port: Key,
        container: SocketAddrV4,
        gateway: Ipv4Addr,
        taken: impl Fn(&Ends) -> bool,
    ) -> Option<Ends> {
        (0..DYNAMIC.1).find_map(|_| {
            self.0 = (self.0 + 1) % DYNAMIC.1;
            let remote = SocketAddrV4::new(gateway, DYNAMIC.0 + self.0);
            let ends = Ends { port, container, remote };
            (!taken(&ends)).then_some(ends)
        })
    }
}
