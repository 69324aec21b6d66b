//! Packets (RFC 9580, section 4) and the integers in them.

/// One packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// What kind it is.
    pub(super) tag: u8,
    /// What it holds.
    pub(super) body: &'a [u8],
}

/// A reader of big-endian fields that never reads past the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).and_then(|bytes| bytes.first().copied())
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A multiprecision integer: its length in bits, then its bytes. Leading zeros are left out.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        let bits = usize::from(self.u16()?);
        let bytes = self.take(bits.div_ceil(8))?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }
}

/// Takes all packets apart. `None` if they are cut off, or use lengths that only encrypted data needs.
pub(super) fn packets(bytes: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut fields = Fields(bytes);
    let mut packets = Vec::new();
    while !fields.0.is_empty() {
        let head = fields.u8()?;
        let (tag, length) = if head & 0xc0 == 0xc0 {
            (head & 0x3f, new_length(&mut fields)?)
        } else if head & 0x80 == 0x80 {
            let length = match head & 3 {
                0 => usize::from(fields.u8()?),
                1 => usize::from(fields.u16()?),
                2 => fields.u32()? as usize,
                _ => return None,
            };
            ((head >> 2) & 0xf, length)
        } else {
            return None;
        };
        packets.push(Packet { tag, body: fields.take(length)? });
    }
    Some(packets)
}

fn new_length(fields: &mut Fields<'_>) -> Option<usize> {
    match fields.u8()? {
        first @ 0..=191 => Some(usize::from(first)),
        first @ 192..=223 => Some(((usize::from(first) - 192) << 8) + usize::from(fields.u8()?) + 192),
        224..=254 => None,
        255 => Some(fields.u32()? as usize),
    }
}

/// Takes subpackets apart: their type, whether they are critical, and what they hold.
pub(super) fn subpackets(bytes: &[u8]) -> Option<Vec<(u8, bool, &[u8])>> {
    let mut fields = Fields(bytes);
    let mut found = Vec::new();
    while !fields.0.is_empty() {
        let length = match fields.u8()? {
            first @ 0..=191 => usize::from(first),
            first @ 192..=254 => ((usize::from(first) - 192) << 8) + usize::from(fields.u8()?) + 192,
            255 => fields.u32()? as usize,
        };
        let mut body = Fields(fields.take(length)?);
        let kind = body.u8()?;
        found.push((kind & 0x7f, kind & 0x80 != 0, body.0));
    }
    Some(found)
}
