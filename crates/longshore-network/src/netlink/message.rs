//! Writing netlink messages: a header, fixed fields, attributes that may nest.
//!
//! The layout is that of `linux/netlink.h`: native byte order, everything padded to four bytes. A message keeps room
//! for its length and sequence number, which are filled in when it is sent.

/// `NLM_F_REQUEST`.
pub(crate) const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
pub(crate) const ACK: u16 = 0x4;
/// `NLM_F_DUMP`.
pub(crate) const DUMP: u16 = 0x300;
/// `NLM_F_EXCL`.
pub(crate) const EXCL: u16 = 0x200;
/// `NLM_F_CREATE`.
pub(crate) const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`.
pub(crate) const APPEND: u16 = 0x800;

/// The bit of an attribute's type that says it holds attributes.
const NESTED: u16 = 0x8000;

/// One netlink message that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message of a type, with flags in addition to `NLM_F_REQUEST`.
    pub(crate) fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Self { bytes }
    }

    /// The same with more flags.
    pub(crate) fn with_flags(mut self, flags: u16) -> Self {
        if let Some(room) = self.bytes.get_mut(6..8) {
            let [low, high] = flags.to_ne_bytes();
            for (byte, more) in room.iter_mut().zip([low, high]) {
                *byte |= more;
            }
        }
        self
    }

    /// Fixed fields that follow the header.
    pub(crate) fn fixed(mut self, fields: &[u8]) -> Self {
        self.bytes.extend_from_slice(fields);
        self.pad();
        self
    }

    /// An attribute with bytes as they are.
    pub(crate) fn bytes(mut self, kind: u16, payload: &[u8]) -> Self {
        let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload.get(..usize::from(length) - 4).unwrap_or(payload));
        self.pad();
        self
    }

    /// An attribute with a text and the zero that ends it.
    pub(crate) fn text(self, kind: u16, text: &str) -> Self {
        let mut payload = text.as_bytes().to_vec();
        payload.push(0);
        self.bytes(kind, &payload)
    }

    /// An attribute with a number in native byte order, as rtnetlink has them.
    pub(crate) fn native(self, kind: u16, number: u32) -> Self {
        self.bytes(kind, &number.to_ne_bytes())
    }

    /// An attribute with a number in network byte order, as `nf_tables` has them.
    pub(crate) fn big(self, kind: u16, number: u32) -> Self {
        self.bytes(kind, &number.to_be_bytes())
    }

    /// An attribute that holds what `fill` writes.
    pub(crate) fn nest(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        let mut filled = fill(self);
        let length = u16::try_from(filled.bytes.len() - start).unwrap_or(u16::MAX);
        if let Some(room) = filled.bytes.get_mut(start..start + 2) {
            room.copy_from_slice(&length.to_ne_bytes());
        }
        filled
    }

    /// The bytes to send, with length and sequence number in their places.
    pub(crate) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(room) = self.bytes.get_mut(..4) {
            room.copy_from_slice(&length.to_ne_bytes());
        }
        if let Some(room) = self.bytes.get_mut(8..12) {
            room.copy_from_slice(&sequence.to_ne_bytes());
        }
        self.bytes
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
