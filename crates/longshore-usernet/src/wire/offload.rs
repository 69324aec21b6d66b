//! The header that precedes each frame of a packet socket: what the sender left to the network card
//! (`struct virtio_net_hdr`, section 5.1.6 of Virtual I/O Device 1.3). Sans-IO.
//!
//! A container's kernel hands over up to 64 KiB of a stream as one frame and leaves its checksum open, and takes the same
//! from us. That is what makes a user-space gateway fast with an ordinary MTU.

use super::{ethernet, ipv4};

/// The length of the header.
pub(crate) const HEADER: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const SEGMENT_NONE: u8 = 0;
const SEGMENT_TCP4: u8 = 1;
const SEGMENT_UDP: u8 = 5;

/// What the receiver of a frame has to do or may leave undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offload {
    /// Datagrams of this size stand one after the other in a UDP frame.
    pub(crate) datagram: Option<u16>,
}

impl Offload {
    /// Takes the header off a frame.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, frame) = bytes.split_first_chunk::<HEADER>()?;
        let size = u16::from_ne_bytes([header[4], header[5]]);
        let datagram = (header[1] == SEGMENT_UDP && size > 0).then_some(size);
        Some((Self { datagram }, frame))
    }
}

/// Appends the header of a frame that is complete as it is.
pub(crate) fn write_complete(into: &mut Vec<u8>) {
    into.extend_from_slice(&[0; HEADER]);
}

/// Appends the header of an IPv4 frame whose checksum is that of the pseudo header, at `checksum` within a transport
/// header of `transport` bytes, and of which a TCP stream is to be cut every `segment` bytes if it is longer.
pub(crate) fn write_partial(into: &mut Vec<u8>, transport: usize, checksum: u16, segment: Option<u16>) {
    let start = (ethernet::HEADER + ipv4::HEADER) as u16;
    let kind = if segment.is_some() { SEGMENT_TCP4 } else { SEGMENT_NONE };
    into.extend_from_slice(&[NEEDS_CHECKSUM, kind]);
    into.extend_from_slice(&(start + transport as u16).to_ne_bytes());
    into.extend_from_slice(&segment.unwrap_or_default().to_ne_bytes());
    into.extend_from_slice(&start.to_ne_bytes());
    into.extend_from_slice(&checksum.to_ne_bytes());
}
