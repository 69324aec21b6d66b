//! Versions of packages, compared as Debian Policy 5.6.12 says.

use std::cmp::Ordering;

/// A version: `[epoch:]upstream[-revision]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version<'a> {
    epoch: u64,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Version<'a> {
    /// Takes a version apart. What is no version still has an order.
    pub(crate) fn new(text: &'a str) -> Self {
        let text = text.trim();
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => match epoch.parse() {
                Ok(epoch) => (epoch, rest),
                Err(_) => (0, text),
            },
            None => (0, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, upstream, revision }
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

/// Compares runs of other characters and numbers in turn.
fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !(left.is_empty() && right.is_empty()) {
        let (left_run, left_rest) = split(left, |byte| !byte.is_ascii_digit());
        let (right_run, right_rest) = split(right, |byte| !byte.is_ascii_digit());
        let order = compare_run(left_run, right_run);
        let (left_number, left_rest) = split(left_rest, u8::is_ascii_digit);
        let (right_number, right_rest) = split(right_rest, u8::is_ascii_digit);
        let order = order.then_with(|| compare_number(left_number, right_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn split(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().take_while(|byte| belongs(byte)).count())
}

/// A tilde sorts before the end, the end before letters, and letters before everything else.
fn compare_run(left: &[u8], right: &[u8]) -> Ordering {
    let weight = |bytes: &[u8], at: usize| match bytes.get(at) {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    (0..left.len().max(right.len()))
        .map(|at| weight(left, at).cmp(&weight(right, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Numbers of any length; an absent one is zero.
fn compare_number(left: &[u8], right: &[u8]) -> Ordering {
    let (_, left) = split(left, |byte| *byte == b'0');
    let (_, right) = split(right, |byte| *byte == b'0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::Version;

    #[test]
    fn versions_are_ordered_as_the_policy_says() {
        for (smaller, larger) in [
            ("1.0~~", "1.0~~a"),
            ("1.0~~a", "1.0~"),
            ("1.0~", "1.0"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1.1"),
            ("1.0-1", "1.0-1+b1"),
            ("1.0-1", "1.0-1+deb12u1"),
            ("1.0-1~bpo1", "1.0-1"),
            ("1.9", "1.10"),
            ("1.2", "1.002.1"),
            ("9.9", "1:0.1"),
            ("1:0.1", "2:0"),
            ("1.0-1-1", "1.0-1-2"),
            ("2.36-9", "2.36-9+deb12u10"),
            ("0", "a"),
            ("a", "b"),
            ("1.2.3", "1.2.3.0.1"),
            ("99999999999999999999998", "99999999999999999999999"),
        ] {
            assert_eq!(
                Version::new(smaller).cmp(&Version::new(larger)),
                Ordering::Less,
                "{smaller} {larger}"
            );
            assert_eq!(
                Version::new(larger).cmp(&Version::new(smaller)),
                Ordering::Greater,
                "{larger} {smaller}"
            );
        }
        for (left, right) in
            [("1.0", "1.0"), ("0:1.0", "1.0"), ("1.0-0", "1.0"), ("1.01", "1.1"), ("1.", "1.0")]
        {
            assert_eq!(Version::new(left).cmp(&Version::new(right)), Ordering::Equal, "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_an_order(a in "[0-9a-z.~+:-]{0,8}", b in "[0-9a-z.~+:-]{0,8}", c in "[0-9a-z.~+:-]{0,8}") {
            let [a, b, c] = [&a, &b, &c].map(|text| Version::new(text));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert_eq!(a <= c, true);
            }
        }
    }
}
