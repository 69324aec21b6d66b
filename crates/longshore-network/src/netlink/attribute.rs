//! Reading netlink attributes.
//!
//! What comes is the kernel's, and still no length in it is trusted: an attribute that does not fit ends the walk.

/// The attributes in a piece of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes after `skip` bytes of fixed fields.
    pub(crate) fn after(bytes: &'a [u8], skip: usize) -> Self {
        Self { bytes: bytes.get(skip..).unwrap_or_default() }
    }

    /// The payload of the first attribute of a type.
    pub(crate) fn find(self, kind: u16) -> Option<&'a [u8]> {
        self.into_iter().find(|(found, _)| *found == kind).map(|(_, payload)| payload)
    }

    /// A text, without the zero at its end.
    pub(crate) fn text(self, kind: u16) -> Option<String> {
        let payload = self.find(kind)?;
        let end = payload.iter().position(|byte| *byte == 0).unwrap_or(payload.len());
        payload.get(..end).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// A number in native byte order.
    pub(crate) fn native(self, kind: u16) -> Option<u32> {
        Some(u32::from_ne_bytes(self.find(kind)?.try_into().ok()?))
    }

    /// A number in network byte order.
    pub(crate) fn big(self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.find(kind)?.try_into().ok()?))
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);
    type IntoIter = Walk<'a>;

    fn into_iter(self) -> Walk<'a> {
        Walk { bytes: self.bytes }
    }
}

/// The walk over attributes: type without its flag bits, and payload.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16::from_ne_bytes(self.bytes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(self.bytes.get(2..4)?.try_into().ok()?) & 0x3fff;
        let payload = self.bytes.get(4..length)?;
        self.bytes = self.bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Attributes;
    use crate::netlink::message::Message;

    #[test]
    fn what_is_written_is_read() {
        let bytes = Message::new(16, 0)
            .fixed(&[7; 3])
            .text(1, "eth0")
            .nest(2, |inner| inner.native(3, 9).big(4, 10))
            .bytes(5, &[1])
            .finish(1);
        let attributes = Attributes::after(&bytes, 20);
        assert_eq!(attributes.text(1).as_deref(), Some("eth0"));
        let nested = Attributes::after(attributes.find(2).unwrap(), 0);
        assert_eq!((nested.native(3), nested.big(4), nested.big(5)), (Some(9), Some(10), None));
        assert_eq!(attributes.find(5), Some(&[1][..]));
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(u32::from_ne_bytes(bytes[..4].try_into().unwrap()) as usize, bytes.len());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic_or_stay(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(Attributes::after(&bytes, 0).into_iter().count() <= 64);
        }
    }
}
