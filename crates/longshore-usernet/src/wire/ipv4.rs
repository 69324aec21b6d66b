//! IPv4 packets (RFC 791). Sans-IO.

use std::net::Ipv4Addr;

use super::checksum::Checksum;

/// The length of a header without options, which is the only one written.
pub(crate) const HEADER: usize = 20;
/// The protocol numbers that the gateway knows.
pub(crate) const ICMP: u8 = 1;
/// See [`ICMP`].
pub(crate) const TCP: u8 = 6;
/// See [`ICMP`].
pub(crate) const UDP: u8 = 17;

const TIME_TO_LIVE: u8 = 64;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// From whom to whom, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
}

/// Which part of a datagram a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) identification: u16,
    /// In bytes, a multiple of eight.
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

/// A packet, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) route: Route,
    pub(crate) part: Part,
    pub(crate) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let fixed = bytes.first_chunk::<HEADER>()?;
        let header_length = usize::from(fixed[0] & 0xf) * 4;
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if fixed[0] >> 4 != 4 || header_length < HEADER || total < header_length {
            return None;
        }
        // What follows the packet's length is padding of short Ethernet frames.
        let payload = bytes.get(header_length..total)?;
        let flags = u16::from_be_bytes([fixed[6], fixed[7]]);
        let (_, addresses) = fixed.split_last_chunk::<8>()?;
        let [source, destination] = *addresses.as_chunks::<4>().0 else { return None };
        Some(Self {
            route: Route { source: source.into(), destination: destination.into(), protocol: fixed[9] },
            part: Part {
                identification: u16::from_be_bytes([fixed[4], fixed[5]]),
                offset: usize::from(flags & OFFSET) * 8,
                more: flags & MORE_FRAGMENTS != 0,
            },
            payload,
        })
    }

    /// Whether it holds only a part of its datagram.
    pub(crate) fn is_fragment(&self) -> bool {
        self.part.more || self.part.offset > 0
    }
}

impl Route {
    /// Appends the header of a packet that holds `length` bytes, the whole of its datagram.
    pub(crate) fn write(&self, into: &mut Vec<u8>, length: usize) {
        self.write_header(into, length, 0, DONT_FRAGMENT);
    }

    /// Appends the header of a packet that holds `length` bytes, a part of its datagram.
    pub(crate) fn write_part(&self, into: &mut Vec<u8>, length: usize, part: Part) {
        let more = if part.more { MORE_FRAGMENTS } else { 0 };
        self.write_header(into, length, part.identification, more | (part.offset / 8) as u16);
    }

    fn write_header(&self, into: &mut Vec<u8>, length: usize, identification: u16, flags: u16) {
        let total = (HEADER + length) as u16;
        let mut header = [0; HEADER];
        header[0] = 0x45;
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header[4..6].copy_from_slice(&identification.to_be_bytes());
        header[6..8].copy_from_slice(&flags.to_be_bytes());
        header[8] = TIME_TO_LIVE;
        header[9] = self.protocol;
        header[12..16].copy_from_slice(&self.source.octets());
        header[16..20].copy_from_slice(&self.destination.octets());
        let sum = Checksum::default().add(&header).finished();
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        into.extend_from_slice(&header);
    }

    /// The pseudo header's part of a checksum of TCP or UDP, for `length` bytes of header and payload.
    pub(crate) fn pseudo_header(&self, length: usize) -> Checksum {
        Checksum::default()
            .add(&self.source.octets())
            .add(&self.destination.octets())
            .add(&[0, self.protocol])
            .add(&(length as u16).to_be_bytes())
    }

    /// The way back.
    pub(crate) fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source, protocol: self.protocol }
    }
}

#[cfg(test)]
mod tests {
    use super::{Packet, Route, UDP};
    use std::net::Ipv4Addr;

    #[test]
    fn what_is_written_is_read() {
        let route = Route {
            source: Ipv4Addr::new(10, 0, 2, 100),
            destination: Ipv4Addr::new(192, 0, 2, 7),
            protocol: UDP,
        };
        let mut bytes = Vec::new();
        route.write(&mut bytes, 3);
        bytes.extend_from_slice(b"abcPADDING");
        let packet = Packet::read(&bytes).expect("a packet");
        assert_eq!(packet.route, route);
        assert_eq!(packet.payload, b"abc");
        assert!(!packet.is_fragment());
        assert_eq!(super::Checksum::default().add(&bytes[..super::HEADER]).finished(), 0);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let route = Route { source: Ipv4Addr::LOCALHOST, destination: Ipv4Addr::LOCALHOST, protocol: UDP };
        let mut bytes = Vec::new();
        route.write(&mut bytes, 3);
        bytes.extend_from_slice(b"abc");
        for (at, value) in [(0, 0x65), (0, 0x44), (0, 0x4f), (3, 10), (2, 255)] {
            let mut hostile = bytes.clone();
            hostile[at] = value;
            assert!(Packet::read(&hostile).is_none(), "byte {at} as {value}");
        }
    }
}
