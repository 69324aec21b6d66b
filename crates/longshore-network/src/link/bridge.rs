//! Bridges: the switch in the kernel that a network is.

use std::net::Ipv4Addr;

use rustix::io::Errno;

use super::{IFLA_ADDRESS, IFLA_IFALIAS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER, IFLA_MTU};
use super::{Links, NEW_LINK, interface};
use crate::netlink::message::{ACK, CREATE, EXCL, Message};
use crate::netlink::{Attempt, KernelError};

impl Links {
    /// Creates a bridge that is down. Its hardware address is fixed, because a bridge without one changes its address
    /// with its ports, and containers would lose their gateway for as long as they remember the old one.
    pub(crate) fn create_bridge(
        &mut self,
        name: &str,
        gateway: Ipv4Addr,
        mtu: Option<u32>,
    ) -> Result<u32, KernelError> {
        let mut create = Message::new(NEW_LINK, ACK | CREATE | EXCL)
            .fixed(&interface(0, 0, 0))
            .text(IFLA_IFNAME, name)
            .bytes(IFLA_ADDRESS, &hardware_address(gateway));
        if let Some(mtu) = mtu {
            create = create.native(IFLA_MTU, mtu);
        }
        let create = create.nest(IFLA_LINKINFO, |info| info.text(IFLA_INFO_KIND, "bridge"));
        self.socket.send([create]).attempt(|| format!("create the bridge `{name}`"))?;
        let created = self.find(name)?.map(|link| link.index);
        created.ok_or_else(|| KernelError::new(format!("find the bridge `{name}`"), Errno::NODEV))
    }

    /// Gives a link that is down its final name and the text that says whose it is, both at once. False if the name is
    /// taken.
    pub(crate) fn christen(&mut self, index: u32, name: &str, alias: &str) -> Result<bool, KernelError> {
        let request = Message::new(NEW_LINK, ACK)
            .fixed(&interface(index, 0, 0))
            .text(IFLA_IFNAME, name)
            .text(IFLA_IFALIAS, alias);
        match self.socket.send([request]) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(KernelError::new(format!("mark the bridge `{name}` as ours"), errno)),
        }
    }

    /// Makes a link a port of a bridge.
    pub(crate) fn set_master(&mut self, index: u32, bridge: u32) -> Result<(), KernelError> {
        let request = Message::new(NEW_LINK, ACK).fixed(&interface(index, 0, 0)).native(IFLA_MASTER, bridge);
        self.socket.send([request]).attempt(|| format!("put interface {index} on the bridge"))
    }
}

/// The hardware address that belongs to an address, as Docker makes it: local, and unique where the address is.
pub(super) fn hardware_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x42, a, b, c, d]
}
