//! UDP datagrams (RFC 768). Sans-IO.

use super::ipv4::Route;

/// The length of the header.
pub(crate) const HEADER: usize = 8;
/// Where the checksum stands in it.
pub(crate) const CHECKSUM: u16 = 6;

/// A datagram, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        Some(Self {
            source: u16::from_be_bytes([header[0], header[1]]),
            destination: u16::from_be_bytes([header[2], header[3]]),
            payload: rest.get(..length.checked_sub(HEADER)?)?,
        })
    }
}

/// How much of the checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// The pseudo header's part; the receiving kernel knows the rest.
    Pseudo,
    /// All of it, as fragments need it.
    Whole,
}

/// Appends the header of a datagram with this payload.
pub(crate) fn write(into: &mut Vec<u8>, route: &Route, ports: (u16, u16), payload: &[u8], sum: Sum) {
    let length = HEADER + payload.len();
    let mut header = [0; HEADER];
    header[0..2].copy_from_slice(&ports.0.to_be_bytes());
    header[2..4].copy_from_slice(&ports.1.to_be_bytes());
    header[4..6].copy_from_slice(&(length as u16).to_be_bytes());
    let pseudo = route.pseudo_header(length);
    let checksum = match sum {
        Sum::Pseudo => pseudo.folded(),
        // Zero would mean that there is no checksum.
        Sum::Whole => match pseudo.add(&header).add(payload).finished() {
            0 => 0xffff,
            sum => sum,
        },
    };
    header[6..8].copy_from_slice(&checksum.to_be_bytes());
    into.extend_from_slice(&header);
}
