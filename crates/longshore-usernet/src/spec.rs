//! What a user-space network looks like to its containers.

use std::net::{Ipv4Addr, SocketAddr};

/// The addresses of a network, and what it lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserNetworkSpec {
    /// The gateway's address, which answers pings and refuses everything else.
    pub gateway: Ipv4Addr,
    /// How many leading bits of an address are the network's.
    pub prefix_length: u8,
    /// Where the network answers questions for names.
    pub dns: Ipv4Addr,
    /// The largest packet on the link, in bytes.
    pub mtu: u16,
    /// An address of the network that stands for the host's `127.0.0.1`. Without it, no address leads there.
    pub host_loopback: Option<Ipv4Addr>,
    /// The host's name servers, in the order in which they are asked. They may be on the host's loopback.
    pub resolvers: Vec<SocketAddr>,
}

impl Default for UserNetworkSpec {
    /// `10.0.2.0/24`, as user-space networks have had it since the first of them.
    fn default() -> Self {
        Self {
            gateway: Ipv4Addr::new(10, 0, 2, 2),
            prefix_length: 24,
            dns: Ipv4Addr::new(10, 0, 2, 3),
            mtu: 1500,
            host_loopback: None,
            resolvers: Vec::new(),
        }
    }
}

impl UserNetworkSpec {
    /// Whether an address lies in the network.
    pub(crate) fn contains(&self, address: Ipv4Addr) -> bool {
        (address.to_bits() ^ self.gateway.to_bits()) & self.mask() == 0
    }

    /// The address of all members.
    pub(crate) fn broadcast(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.gateway.to_bits() | !self.mask())
    }

    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix_length.min(32))).unwrap_or(0)
    }
}

/// Names that the network itself answers for: those of its containers.
pub trait Names: Send {
    /// The answer to a DNS message, or nothing if the host's name servers are to be asked.
    ///
    /// The message comes from a container and may be anything. `asker` is the container's address. The
    /// whole network waits for the answer, so it must come from memory.
    fn answer(&mut self, message: &[u8], asker: Ipv4Addr) -> Option<Vec<u8>>;
}

/// Knows no names.
impl Names for () {
    fn answer(&mut self, _message: &[u8], _asker: Ipv4Addr) -> Option<Vec<u8>> {
        None
    }
}
