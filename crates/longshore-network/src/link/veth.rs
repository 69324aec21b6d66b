//! Pairs of interfaces: the cable from a container to its bridge.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{IFF_UP, IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER};
use super::{IFLA_MTU, IFLA_NET_NS_FD, Links, NEW_LINK, bridge, interface};
use crate::netlink::message::{ACK, CREATE, EXCL, Message};
use crate::netlink::{Attempt, KernelError};

const NEW_NEIGHBOUR: u16 = 28;
/// `NLM_F_REPLACE`.
const REPLACE: u16 = 0x100;
const NDA_LLADDR: u16 = 2;
/// `VETH_INFO_PEER`.
const PEER: u16 = 1;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
/// `IFLA_BRPORT_ISOLATED`.
const ISOLATED: u16 = 33;

/// A pair that is to be made.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    /// The name of the end on the host.
    pub(crate) outer: &'a str,
    /// The name of the end in the container.
    pub(crate) inner: &'a str,
    /// The hardware address of the end in the container.
    pub(crate) hardware_address: [u8; 6],
    /// The bridge that the outer end is a port of.
    pub(crate) bridge: u32,
    pub(crate) mtu: Option<u32>,
    /// Whether the port reaches the gateway only, and no other port that is isolated.
    pub(crate) isolated: bool,
}

impl Pair<'_> {
    /// The hardware address that belongs to an address.
    pub(crate) fn hardware_address_of(address: Ipv4Addr) -> [u8; 6] {
        bridge::hardware_address(address)
    }
}

impl Links {
    /// Makes a pair with its inner end in another network namespace from the first moment, and its outer end up and on
    /// the bridge.
    pub(crate) fn create_pair(
        &mut self,
        pair: &Pair<'_>,
        namespace: BorrowedFd<'_>,
    ) -> Result<(), KernelError> {
        let with_mtu = |message: Message| match pair.mtu {
            Some(mtu) => message.native(IFLA_MTU, mtu),
            None => message,
        };
        let peer = |data: Message| {
            data.nest(PEER, |peer| {
                with_mtu(peer.fixed(&interface(0, 0, 0)))
                    .text(IFLA_IFNAME, pair.inner)
                    .bytes(IFLA_ADDRESS, &pair.hardware_address)
                    .bytes(IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes())
            })
        };
        let create =
            with_mtu(Message::new(NEW_LINK, ACK | CREATE | EXCL).fixed(&interface(0, IFF_UP, IFF_UP)))
                .text(IFLA_IFNAME, pair.outer)
                .native(IFLA_MASTER, pair.bridge)
                .nest(IFLA_LINKINFO, |info| info.text(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, peer));
        self.socket.send([create]).attempt(|| format!("create the interface `{}`", pair.inner))
    }

    /// Tells the bridge where the container is, and isolates its port if it shall be.
    ///
    /// An address that was used a moment ago has the same hardware address, and the bridge may still know it at the
    /// port of the container before.
    pub(crate) fn settle_port(&mut self, pair: &Pair<'_>) -> Result<(), KernelError> {
        let Some(outer) = self.find(pair.outer)? else {
            return Err(KernelError::new(
                format!("find the interface `{}`", pair.outer),
                rustix::io::Errno::NODEV,
            ));
        };
        let [a, b, c, d] = outer.index.to_ne_bytes();
        // AF_BRIDGE; NUD_NOARP, because the port has no carrier yet and others are refused until then; NTF_MASTER.
        let [low, high] = 0x40_u16.to_ne_bytes();
        let place = Message::new(NEW_NEIGHBOUR, ACK | CREATE | REPLACE)
            .fixed(&[7, 0, 0, 0, a, b, c, d, low, high, 4, 0])
            .bytes(NDA_LLADDR, &pair.hardware_address);
        let mut requests = vec![place];
        if pair.isolated {
            let isolate = Message::new(NEW_LINK, ACK).fixed(&interface(outer.index, 0, 0)).nest(
                IFLA_LINKINFO,
                |info| {
                    info.text(IFLA_INFO_SLAVE_KIND, "bridge")
                        .nest(IFLA_INFO_SLAVE_DATA, |data| data.bytes(ISOLATED, &[1]))
                },
            );
            requests.push(isolate);
        }
        self.socket.send(requests).attempt(|| format!("set the port `{}` of the bridge", pair.outer))
    }
}
