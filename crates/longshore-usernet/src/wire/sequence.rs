//! Sequence numbers of TCP, which wrap around (RFC 9293, section 3.4). Sans-IO.

/// A place in a stream of bytes, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence(pub(crate) u32);

impl Sequence {
    /// How far it is from `start` to here; negative if here comes before.
    pub(crate) fn since(self, start: Self) -> i32 {
        self.0.wrapping_sub(start.0).cast_signed()
    }

    /// Whether it comes after `other`.
    pub(crate) fn is_after(self, other: Self) -> bool {
        self.since(other) > 0
    }

    /// The place `count` bytes on.
    pub(crate) fn plus(self, count: usize) -> Self {
        Self(self.0.wrapping_add(count as u32))
    }

    /// The place one byte back.
    pub(crate) fn before(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    #[test]
    fn order_survives_the_wrap() {
        let last = Sequence(u32::MAX);
        assert!(last.plus(1).is_after(last));
        assert_eq!(last.plus(3).since(last), 3);
        assert_eq!(last.since(last.plus(3)), -3);
        assert_eq!(Sequence(0).before(), last);
    }
}
