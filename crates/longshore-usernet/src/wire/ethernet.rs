//! Ethernet II frames. Sans-IO.

use std::net::Ipv4Addr;

/// The length of the header.
pub(crate) const HEADER: usize = 14;
/// The type of IPv4 packets.
pub(crate) const IPV4: u16 = 0x0800;
/// The type of ARP messages.
pub(crate) const ARP: u16 = 0x0806;

/// The address of a device on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HardwareAddress(pub(crate) [u8; 6]);

impl HardwareAddress {
    /// The address that the owner of an IPv4 address has: locally administered, and the same in every run, so that nobody
    /// has to learn it and nobody can pretend to another's.
    pub(crate) fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, 0x42, a, b, c, d])
    }

    /// Whether it names a group of devices, or all.
    pub(crate) fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

/// A frame, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) destination: HardwareAddress,
    pub(crate) source: HardwareAddress,
    pub(crate) kind: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (destination, rest) = bytes.split_first_chunk::<6>()?;
        let (source, rest) = rest.split_first_chunk::<6>()?;
        let (kind, payload) = rest.split_first_chunk::<2>()?;
        Some(Self {
            destination: HardwareAddress(*destination),
            source: HardwareAddress(*source),
            kind: u16::from_be_bytes(*kind),
            payload,
        })
    }
}

/// Appends a header.
pub(crate) fn write(into: &mut Vec<u8>, to: HardwareAddress, from: HardwareAddress, kind: u16) {
    into.extend_from_slice(&to.0);
    into.extend_from_slice(&from.0);
    into.extend_from_slice(&kind.to_be_bytes());
}
