//! ARP for IPv4 on Ethernet (RFC 826). Sans-IO.

use std::net::Ipv4Addr;

use super::ethernet::HardwareAddress;

const ETHERNET_IPV4: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// A question for the owner of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) asker: HardwareAddress,
    pub(crate) asker_address: Ipv4Addr,
    pub(crate) wanted: Ipv4Addr,
}

impl Request {
    /// Reads a request; other messages of ARP are nobody's business here, because all addresses are known beforehand.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (format, rest) = bytes.split_first_chunk::<6>()?;
        let (operation, rest) = rest.split_first_chunk::<2>()?;
        let (asker, rest) = rest.split_first_chunk::<6>()?;
        let (asker_address, rest) = rest.split_first_chunk::<4>()?;
        let (_, rest) = rest.split_first_chunk::<6>()?;
        let wanted = rest.first_chunk::<4>()?;
        (*format == ETHERNET_IPV4 && u16::from_be_bytes(*operation) == REQUEST).then(|| Self {
            asker: HardwareAddress(*asker),
            asker_address: Ipv4Addr::from(*asker_address),
            wanted: Ipv4Addr::from(*wanted),
        })
    }

    /// Appends the answer that `owner` has the wanted address.
    pub(crate) fn answer(&self, into: &mut Vec<u8>, owner: HardwareAddress) {
        into.extend_from_slice(&ETHERNET_IPV4);
        into.extend_from_slice(&REPLY.to_be_bytes());
        into.extend_from_slice(&owner.0);
        into.extend_from_slice(&self.wanted.octets());
        into.extend_from_slice(&self.asker.0);
        into.extend_from_slice(&self.asker_address.octets());
    }
}
