//! Which address a container gets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::network::BridgeConfig;
use crate::state::LeaseName;
use crate::{Blame, Subnet};

/// A container cannot have an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// All are taken.
    #[error("all addresses of {range} are in use")]
    Exhausted {
        /// Where addresses are taken from.
        range: Subnet,
    },
    /// The address that was asked for is not of the network.
    #[error("the address {address} is not in the subnet {subnet} of the network")]
    Outside {
        /// What was asked for.
        address: Ipv4Addr,
        /// What it should be in.
        subnet: Subnet,
    },
    /// The address that was asked for stands for the subnet, for all of it, or for the gateway.
    #[error("the address {address} is reserved by the network")]
    Reserved {
        /// What was asked for.
        address: Ipv4Addr,
    },
    /// Another container has the address that was asked for.
    #[error("the address {address} is in use by container {}", container.get(..12).unwrap_or(container))]
    InUse {
        /// What was asked for.
        address: Ipv4Addr,
        /// Who has it.
        container: String,
    },
    /// An address was asked for on a network whose subnet was chosen by Longshore, and may change.
    #[error("an address can be asked for only on a network that was created with a subnet")]
    NoSubnet,
}

impl AddressError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        Blame::User
    }
}

/// The address for a container: the wanted one, or the lowest that is free.
pub(crate) fn choose(
    bridge: &BridgeConfig,
    leases: &[LeaseName],
    wanted: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, AddressError> {
    if let Some(address) = wanted {
        return check(bridge, leases, address).map(|()| address);
    }
    let range = bridge.ip_range.unwrap_or(bridge.subnet);
    let taken: BTreeSet<Ipv4Addr> =
        leases.iter().map(|lease| lease.address).chain(bridge.reserved.values().copied()).collect();
    range
        .addresses()
        .find(|address| {
            bridge.subnet.is_usable(*address) && *address != bridge.gateway && !taken.contains(address)
        })
        .ok_or(AddressError::Exhausted { range })
}

fn check(bridge: &BridgeConfig, leases: &[LeaseName], address: Ipv4Addr) -> Result<(), AddressError> {
    if bridge.chosen {
        return Err(AddressError::NoSubnet);
    }
    if !bridge.subnet.contains(address) {
        return Err(AddressError::Outside { address, subnet: bridge.subnet });
    }
    if !bridge.subnet.is_usable(address) || address == bridge.gateway {
        return Err(AddressError::Reserved { address });
    }
    match leases.iter().find(|lease| lease.address == address) {
        Some(lease) => Err(AddressError::InUse { address, container: lease.container.clone() }),
        None => Ok(()),
    }
}

/// How much of the pools a network without a subnet of its own gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// A pool, as Docker gives it.
    Pool,
    /// A part of one: the networks of jobs come by hundreds, and there are few pools.
    Part,
}

impl Size {
    /// That of a subnet which was chosen before.
    pub(crate) fn of(subnet: Subnet) -> Self {
        if Subnet::pools().any(|pool| pool == subnet) { Self::Pool } else { Self::Part }
    }
}

/// The first of the pools, or of their parts, that overlaps nothing. When no whole pool is left, a part has to do, and when
/// there is none either, because some thirty homes have taken a pool each, what is kept in reserve.
pub(crate) fn choose_subnet(taken: &[Subnet], size: Size) -> Option<Subnet> {
    let is_free = |subnet: &Subnet| taken.iter().all(|other| !subnet.overlaps(*other));
    let pool = match size {
        Size::Pool => Subnet::pools().find(is_free),
        Size::Part => None,
    };
    pool.or_else(|| Subnet::parts().chain(Subnet::reserve()).find(is_free))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::{AddressError, Size, choose, choose_subnet};
    use crate::Subnet;
    use crate::network::BridgeConfig;
    use crate::state::LeaseName;

    fn bridge(subnet: &str) -> BridgeConfig {
        let subnet: Subnet = subnet.parse().unwrap();
        BridgeConfig {
            subnet,
            gateway: subnet.default_gateway(),
            ip_range: None,
            reserved: BTreeMap::new(),
            interface: "ls-0".to_owned(),
            chosen: false,
            mtu: None,
            masquerade: true,
            inter_container: true,
            host_binding: None,
        }
    }

    fn lease(address: Ipv4Addr) -> LeaseName {
        LeaseName { address, container: "c".repeat(64) }
    }

    #[test]
    fn addresses_are_given_from_the_lowest() {
        let bridge = bridge("10.0.0.0/29");
        let mut leases = Vec::new();
        for last in 2..=6 {
            let address = choose(&bridge, &leases, None).unwrap();
            assert_eq!(address, Ipv4Addr::new(10, 0, 0, last));
            leases.push(lease(address));
        }
        assert!(matches!(choose(&bridge, &leases, None), Err(AddressError::Exhausted { .. })));
        leases.remove(2);
        assert_eq!(choose(&bridge, &leases, None), Ok(Ipv4Addr::new(10, 0, 0, 4)));
    }

    #[test]
    fn a_range_and_reserved_addresses_are_kept() {
        let mut bridge = bridge("10.0.0.0/24");
        bridge.ip_range = Some("10.0.0.64/30".parse().unwrap());
        bridge.reserved.insert("router".to_owned(), Ipv4Addr::new(10, 0, 0, 64));
        let first = choose(&bridge, &[], None).unwrap();
        assert_eq!(first, Ipv4Addr::new(10, 0, 0, 65));
        let full: Vec<LeaseName> = (65..=67).map(|last| lease(Ipv4Addr::new(10, 0, 0, last))).collect();
        assert!(choose(&bridge, &full, None).is_err());
        assert!(choose(&bridge, &full, Some(Ipv4Addr::new(10, 0, 0, 9))).is_ok());
    }

    #[test]
    fn wanted_addresses_are_checked() {
        let bridge = bridge("10.0.0.0/24");
        let leases = [lease(Ipv4Addr::new(10, 0, 0, 9))];
        let wanted = |text: &str| choose(&bridge, &leases, Some(text.parse().unwrap()));
        assert!(matches!(wanted("10.0.1.1"), Err(AddressError::Outside { .. })));
        assert!(matches!(wanted("10.0.0.0"), Err(AddressError::Reserved { .. })));
        assert!(matches!(wanted("10.0.0.255"), Err(AddressError::Reserved { .. })));
        assert!(matches!(wanted("10.0.0.1"), Err(AddressError::Reserved { .. })));
        assert!(matches!(wanted("10.0.0.9"), Err(AddressError::InUse { .. })));
        assert_eq!(wanted("10.0.0.10"), Ok(Ipv4Addr::new(10, 0, 0, 10)));
        let chosen = BridgeConfig { chosen: true, ..bridge.clone() };
        assert_eq!(choose(&chosen, &[], Some(Ipv4Addr::new(10, 0, 0, 10))), Err(AddressError::NoSubnet));
    }

    proptest! {
        #[test]
        fn a_given_address_is_free_and_usable(prefix in 24_u8..=30, taken in proptest::collection::vec(0_u8.., 0..64)) {
            let bridge = bridge(&format!("10.0.0.0/{prefix}"));
            let leases: Vec<LeaseName> = taken.iter().map(|last| lease(Ipv4Addr::new(10, 0, 0, *last))).collect();
            match choose(&bridge, &leases, None) {
                Ok(address) => {
                    prop_assert!(bridge.subnet.is_usable(address) && address != bridge.gateway);
                    prop_assert!(leases.iter().all(|lease| lease.address != address));
                }
                Err(_) => prop_assert!(bridge.subnet.addresses().all(|address| !bridge.subnet.is_usable(address)
                    || address == bridge.gateway
                    || leases.iter().any(|lease| lease.address == address))),
            }
        }
    }

    #[test]
    fn subnets_are_chosen_apart_from_what_there_is() {
        for (taken, pool, part) in [
            (&[][..], Some("172.17.0.0/16"), Some("192.168.240.0/24")),
            (&["172.17.42.0/24", "172.18.0.0/15"], Some("172.20.0.0/16"), Some("192.168.240.0/24")),
            (&["172.16.0.0/12"], Some("192.168.0.0/20"), Some("192.168.240.0/24")),
            (&["192.168.240.0/23"], Some("172.17.0.0/16"), Some("192.168.242.0/24")),
            (&["192.168.0.0/16"], Some("172.17.0.0/16"), Some("172.31.0.0/24")),
            // No pool is whole any more.
            (
                &[
                    "172.16.0.0/12",
                    "192.168.0.0/17",
                    "192.168.128.0/18",
                    "192.168.192.0/19",
                    "192.168.224.0/20",
                    "192.168.240.0/24",
                ],
                Some("192.168.241.0/24"),
                Some("192.168.241.0/24"),
            ),
            (&["172.16.0.0/12", "192.168.0.0/16"], Some("198.18.0.0/24"), Some("198.18.0.0/24")),
            (&["128.0.0.0/1"], None, None),
        ] {
            let taken: Vec<Subnet> = taken.iter().map(|text| text.parse().unwrap()).collect();
            for (size, expected) in [(Size::Pool, pool), (Size::Part, part)] {
                let chosen = choose_subnet(&taken, size).map(|subnet| subnet.to_string());
                assert_eq!(chosen.as_deref(), expected, "{taken:?} {size:?}");
                if size == Size::Part {
                    assert!(chosen.is_none_or(|chosen| Size::of(chosen.parse().unwrap()) == size));
                }
            }
        }
    }
}
