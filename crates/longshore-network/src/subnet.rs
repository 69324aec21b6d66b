//! IPv4 subnets, and the pools that subnets of networks are taken from.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::Blame;

/// A range of addresses with a common prefix of 1 to 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subnet {
    first: u32,
    prefix: u8,
}

/// A text is no subnet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// It is no address with a prefix length.
    #[error("`{text}` is not a subnet such as `172.30.0.0/16`")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// Bits after the prefix are set.
    #[error("`{text}` is an address within a subnet; the subnet is `{masked}`")]
    Unmasked {
        /// What was given.
        text: String,
        /// The subnet that was meant.
        masked: Subnet,
    },
    /// It is of IPv6.
    #[error("`{text}` is a subnet of IPv6, which networks do not have yet")]
    Ipv6 {
        /// What was given.
        text: String,
    },
}

impl SubnetError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        Blame::User
    }
}

impl Subnet {
    /// The subnet with a prefix length that an address is in. None if the length is not 1 to 32.
    pub fn containing(address: Ipv4Addr, prefix: u8) -> Option<Self> {
        (1..=32).contains(&prefix).then(|| Self { first: address.to_bits() & mask(prefix), prefix })
    }

    /// The length of the prefix.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The first address, which names the subnet.
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first)
    }

    /// The last address, which reaches all of the subnet.
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first | !mask(self.prefix))
    }

    /// The mask of the prefix.
    pub fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask(self.prefix))
    }

    /// Whether an address is within.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.first
    }

    /// Whether all of another subnet is within.
    pub fn encloses(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.first())
    }

    /// Whether an address is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.encloses(other) || other.encloses(self)
    }

    /// Whether an address may be given to an interface: within, and neither the first nor the last.
    pub fn is_usable(self, address: Ipv4Addr) -> bool {
        self.contains(address) && address != self.first() && address != self.broadcast()
    }

    /// The first address of an interface, which gateways have by default.
    pub fn default_gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.saturating_add(1))
    }

    /// The addresses, in order.
    pub(crate) fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (self.first..=self.broadcast().to_bits()).map(Ipv4Addr::from_bits)
    }

    /// The subnets that networks get when none is asked for, in order: those that Docker has.
    pub(crate) fn pools() -> impl Iterator<Item = Self> {
        let large =
            (17..=31).map(|second| Self { first: u32::from_be_bytes([172, second, 0, 0]), prefix: 16 });
        let small =
            (0..16).map(|third| Self { first: u32::from_be_bytes([192, 168, third << 4, 0]), prefix: 20 });
        large.chain(small)
    }

    /// The parts of the pools for networks of a few containers, in order: beginning with the last pool, so that the first
    /// ones stay whole for who asks for a whole one.
    pub(crate) fn parts() -> impl Iterator<Item = Self> {
        let pools: Vec<Self> = Self::pools().collect();
        pools.into_iter().rev().flat_map(|pool| {
            let count = 1_u32 << PART.saturating_sub(pool.prefix);
            (0..count).map(move |at| Self { first: pool.first | (at << (32 - PART)), prefix: PART })
        })
    }

    /// The subnets for when all pools are taken, of a range that is in use nowhere: it is for measuring networks (RFC 2544).
    pub(crate) fn reserve() -> impl Iterator<Item = Self> {
        (18..=19).flat_map(|second| {
            (0..=u8::MAX)
                .map(move |third| Self { first: u32::from_be_bytes([198, second, third, 0]), prefix: PART })
        })
    }
}

/// The prefix of a part of a pool: room for 253 containers.
const PART: u8 = 24;

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first(), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || SubnetError::Malformed { text: text.to_owned() };
        let (address, prefix) = text.split_once('/').ok_or_else(malformed)?;
        if address.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(SubnetError::Ipv6 { text: text.to_owned() });
        }
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        if prefix.len() > 2 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let prefix = prefix.parse().map_err(|_| malformed())?;
        let subnet = Self::containing(address, prefix).ok_or_else(malformed)?;
        if subnet.first() == address {
            Ok(subnet)
        } else {
            Err(SubnetError::Unmasked { text: text.to_owned(), masked: subnet })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Subnet, SubnetError};

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn subnets_are_read() {
        assert_eq!(subnet("172.17.0.0/16").to_string(), "172.17.0.0/16");
        assert_eq!(subnet("10.0.0.0/30").broadcast().to_string(), "10.0.0.3");
        assert_eq!(subnet("10.0.0.0/8").mask().to_string(), "255.0.0.0");
        for text in ["", "10.0.0.0", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "x/8"] {
            assert!(matches!(text.parse::<Subnet>(), Err(SubnetError::Malformed { .. })), "{text}");
        }
        assert!(matches!("fd00::/64".parse::<Subnet>(), Err(SubnetError::Ipv6 { .. })));
        assert!(matches!(
            "10.1.2.3/8".parse::<Subnet>(),
            Err(SubnetError::Unmasked { masked, .. }) if masked == subnet("10.0.0.0/8")
        ));
    }

    #[test]
    fn subnets_overlap_if_one_holds_the_other() {
        for (a, b, overlap) in [
            ("172.17.0.0/16", "172.17.5.0/24", true),
            ("172.17.5.0/24", "172.17.0.0/16", true),
            ("172.17.0.0/16", "172.18.0.0/16", false),
            ("10.0.0.0/8", "10.0.0.0/8", true),
        ] {
            assert_eq!(subnet(a).overlaps(subnet(b)), overlap, "{a} {b}");
        }
    }

    #[test]
    fn pools_are_apart() {
        let pools: Vec<Subnet> = Subnet::pools().collect();
        for (at, pool) in pools.iter().enumerate() {
            assert!(pools.iter().skip(at + 1).all(|other| !pool.overlaps(*other)), "{pool}");
        }
    }

    #[test]
    fn parts_are_all_of_the_pools() {
        let pools: Vec<Subnet> = Subnet::pools().collect();
        let parts: Vec<Subnet> = Subnet::parts().collect();
        assert_eq!(parts.len(), 15 * 256 + 16 * 16);
        assert!(parts.windows(2).all(|pair| !pair[0].overlaps(pair[1])));
        assert!(parts.iter().all(|part| pools.iter().any(|pool| pool.encloses(*part))));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in ".{0,24}") {
            let _ = text.parse::<Subnet>();
        }

        #[test]
        fn what_is_printed_is_read(address: u32, prefix in 1_u8..=32) {
            let made = Subnet::containing(address.into(), prefix).unwrap();
            prop_assert_eq!(made.to_string().parse::<Subnet>().unwrap(), made);
            prop_assert!(made.contains(made.first()) && made.contains(made.broadcast()));
            prop_assert!(made.contains(address.into()));
        }
    }
}
