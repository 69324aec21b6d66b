//! ICMP for IPv4 (RFC 792): echoes, and why a destination cannot be reached. Sans-IO.

use super::checksum::Checksum;

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;

/// The length of the header.
pub(crate) const HEADER: usize = 8;

/// An echo request, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo<'a> {
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Echo<'a> {
    pub(crate) fn read_request(bytes: &'a [u8]) -> Option<Self> {
        Self::read(bytes, ECHO_REQUEST)
    }

    pub(crate) fn read_reply(bytes: &'a [u8]) -> Option<Self> {
        Self::read(bytes, ECHO_REPLY)
    }

    fn read(bytes: &'a [u8], kind: u8) -> Option<Self> {
        let (header, payload) = bytes.split_first_chunk::<HEADER>()?;
        (header[0] == kind && header[1] == 0).then(|| Self {
            identifier: u16::from_be_bytes([header[4], header[5]]),
            sequence: u16::from_be_bytes([header[6], header[7]]),
            payload,
        })
    }

    /// Appends the request, with its payload.
    pub(crate) fn write_request(&self, into: &mut Vec<u8>) {
        self.write(into, ECHO_REQUEST);
    }

    /// Appends the reply, with its payload.
    pub(crate) fn write_reply(&self, into: &mut Vec<u8>) {
        self.write(into, ECHO_REPLY);
    }

    fn write(&self, into: &mut Vec<u8>, kind: u8) {
        let rest = u32::from(self.identifier) << 16 | u32::from(self.sequence);
        write(into, [kind, 0], rest, self.payload);
    }
}

/// Why a packet did not get to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// No way leads to the network.
    Network,
    /// The host does not answer.
    Host,
    /// Nobody listens.
    Port,
    /// It is not allowed.
    Prohibited,
}

impl Unreachable {
    fn code(self) -> u8 {
        match self {
            Self::Network => 0,
            Self::Host => 1,
            Self::Port => 3,
            Self::Prohibited => 13,
        }
    }

    /// Appends the message about the packet that begins with these bytes: its header and the first eight bytes after it.
    pub(crate) fn write(self, into: &mut Vec<u8>, original: &[u8]) {
        write(into, [UNREACHABLE, self.code()], 0, original);
    }
}

fn write(into: &mut Vec<u8>, kind: [u8; 2], rest: u32, payload: &[u8]) {
    let rest = rest.to_be_bytes();
    let sum = Checksum::default().add(&kind).add(&rest).add(payload).finished();
    into.extend_from_slice(&kind);
    into.extend_from_slice(&sum.to_be_bytes());
    into.extend_from_slice(&rest);
    into.extend_from_slice(payload);
}
