//! TCP segments (RFC 9293) and the two options that the gateway uses. Sans-IO.

use super::ipv4::Route;
use super::sequence::Sequence;

/// The length of a header without options.
pub(crate) const HEADER: usize = 20;
/// Where the checksum stands in it.
pub(crate) const CHECKSUM: u16 = 16;

/// The bits of control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    pub(crate) const FIN: Self = Self(1);
    pub(crate) const SYN: Self = Self(2);
    pub(crate) const RST: Self = Self(4);
    pub(crate) const PSH: Self = Self(8);
    pub(crate) const ACK: Self = Self(16);

    /// Both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What both ends settle when a connection begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// The most payload that a segment may have.
    pub(crate) segment: Option<u16>,
    /// By how many bits windows are shifted.
    pub(crate) scale: Option<u8>,
    /// Whether reports of what came before its time are understood.
    pub(crate) reports: bool,
}

/// A stretch of a stream that came before its time: from, and up to.
pub(crate) type Block = (Sequence, Sequence);
/// How many stretches a report has at most.
pub(crate) const BLOCKS: usize = 3;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) sequence: Sequence,
    pub(crate) acknowledged: Sequence,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) handshake: Handshake,
    /// Only written, never read: what is lost on the way to a container is known without.
    pub(crate) report: [Option<Block>; BLOCKS],
}

/// The largest shift that RFC 7323 allows.
const LARGEST_SCALE: u8 = 14;

impl Header {
    /// Reads a header; the second part is the payload.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let fixed = bytes.first_chunk::<HEADER>()?;
        let length = usize::from(fixed[12] >> 4) * 4;
        let (header, payload) = bytes.split_at_checked(length)?;
        let options = header.get(HEADER..)?;
        let [a, b, c, d, s0, s1, s2, s3, k0, k1, k2, k3, _, flags, w0, w1, ..] = *fixed;
        let flags = Flags(flags & 0x3f);
        let read = Self {
            source: u16::from_be_bytes([a, b]),
            destination: u16::from_be_bytes([c, d]),
            sequence: Sequence(u32::from_be_bytes([s0, s1, s2, s3])),
            acknowledged: Sequence(u32::from_be_bytes([k0, k1, k2, k3])),
            flags,
            window: u16::from_be_bytes([w0, w1]),
            handshake: if flags.has(Flags::SYN) { Handshake::read(options) } else { Handshake::default() },
            report: [None; BLOCKS],
        };
        Some((read, payload))
    }

    /// How many bytes the header has when written.
    pub(crate) fn length(&self) -> usize {
        let segment = if self.handshake.segment.is_some() { 4 } else { 0 };
        let scale = if self.handshake.scale.is_some() { 4 } else { 0 };
        let reports = if self.handshake.reports { 4 } else { 0 };
        let report = match self.report.iter().flatten().count() {
            0 => 0,
            blocks => 4 + 8 * blocks,
        };
        HEADER + segment + scale + reports + report
    }

    /// Appends the header, with the pseudo header's sum as checksum.
    pub(crate) fn write(&self, into: &mut Vec<u8>, route: &Route, payload: usize) {
        let length = self.length();
        let sum = route.pseudo_header(length + payload).folded();
        into.extend_from_slice(&self.source.to_be_bytes());
        into.extend_from_slice(&self.destination.to_be_bytes());
        into.extend_from_slice(&self.sequence.0.to_be_bytes());
        into.extend_from_slice(&self.acknowledged.0.to_be_bytes());
        into.extend_from_slice(&[((length / 4) as u8) << 4, self.flags.0]);
        into.extend_from_slice(&self.window.to_be_bytes());
        into.extend_from_slice(&sum.to_be_bytes());
        into.extend_from_slice(&[0, 0]);
        if let Some(segment) = self.handshake.segment {
            let [high, low] = segment.to_be_bytes();
            into.extend_from_slice(&[2, 4, high, low]);
        }
        if let Some(scale) = self.handshake.scale {
            into.extend_from_slice(&[1, 3, 3, scale]);
        }
        if self.handshake.reports {
            into.extend_from_slice(&[1, 1, 4, 2]);
        }
        let blocks = self.report.iter().flatten().count();
        if blocks > 0 {
            into.extend_from_slice(&[1, 1, 5, (2 + 8 * blocks) as u8]);
            for (from, to) in self.report.iter().flatten() {
                into.extend_from_slice(&from.0.to_be_bytes());
                into.extend_from_slice(&to.0.to_be_bytes());
            }
        }
    }
}

impl Handshake {
    fn read(mut options: &[u8]) -> Self {
        let mut found = Self::default();
        loop {
            match options {
                [] | [0, ..] => return found,
                [1, rest @ ..] => options = rest,
                [kind, length, ..] => {
                    let length = usize::from(*length);
                    let Some((option, rest)) = options.split_at_checked(length) else { return found };
                    match (kind, option) {
                        (2, [_, _, high, low]) => found.segment = Some(u16::from_be_bytes([*high, *low])),
                        (4, [_, _]) => found.reports = true,
                        (3, [_, _, scale]) => found.scale = Some((*scale).min(LARGEST_SCALE)),
                        _ if length < 2 => return found,
                        _ => {}
                    }
                    options = rest;
                }
                [_] => return found,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Handshake, Header};
    use crate::wire::ipv4::{Route, TCP};
    use crate::wire::sequence::Sequence;
    use std::net::Ipv4Addr;

    fn header() -> Header {
        Header {
            source: 40000,
            destination: 80,
            sequence: Sequence(7),
            acknowledged: Sequence(9),
            flags: Flags::SYN.and(Flags::ACK),
            window: 512,
            handshake: Handshake { segment: Some(1460), scale: Some(7), reports: true },
            report: [None; super::BLOCKS],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let route = Route { source: Ipv4Addr::LOCALHOST, destination: Ipv4Addr::LOCALHOST, protocol: TCP };
        let mut bytes = Vec::new();
        header().write(&mut bytes, &route, 2);
        assert_eq!(bytes.len(), header().length());
        bytes.extend_from_slice(b"hi");
        let (read, payload) = Header::read(&bytes).expect("a header");
        assert_eq!(read, header());
        assert_eq!(payload, b"hi");
    }

    proptest::proptest! {
        #[test]
        fn options_of_strangers_end(options in proptest::collection::vec(0_u8.., 0..60)) {
            let _ = Handshake::read(&options);
        }
    }
}
