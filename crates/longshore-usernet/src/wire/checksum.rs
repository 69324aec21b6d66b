//! The Internet checksum (RFC 1071). Sans-IO.

/// A sum of 16-bit words that is not folded yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Checksum(u64);

impl Checksum {
    /// Adds bytes; an odd last byte counts as the upper half of a word.
    pub(crate) fn add(mut self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<2>();
        self.0 += words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
        if let [last] = rest {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    /// The sum as it stands in a pseudo header that the receiver's kernel finishes.
    pub(crate) fn folded(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    /// The checksum to write into a header.
    pub(crate) fn finished(self) -> u16 {
        !self.folded()
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn the_example_of_rfc_1071_sums_up() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Checksum::default().add(&bytes).folded(), 0xddf2);
        assert_eq!(Checksum::default().add(&bytes).finished(), !0xddf2);
    }

    #[test]
    fn an_odd_byte_is_padded_on_the_right() {
        assert_eq!(Checksum::default().add(&[1]).folded(), 0x0100);
    }
}
