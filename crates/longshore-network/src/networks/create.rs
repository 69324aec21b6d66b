//! Creating networks.
//!
//! Creating touches files only; the kernel is asked no more than which subnets it has routes to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::bring_up::remove_orphans;
use super::{DEFAULT_BRIDGE, Networks, RemoveError, bridge_name};
use crate::ipam::{self, Size};
use crate::link::Links;
use crate::netlink::{Attempt, KernelError};
use crate::network::{self, BridgeConfig, Driver, Network, NetworkId, NetworkSpec};
use crate::state::{Lock, StateError};
use crate::{Blame, Subnet};

/// Docker's names of the options of bridges.
pub(super) const OPTION_NAME: &str = "com.docker.network.bridge.name";
const OPTION_MTU: &str = "com.docker.network.driver.mtu";
const OPTION_MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
const OPTION_ICC: &str = "com.docker.network.bridge.enable_icc";
const OPTION_HOST: &str = "com.docker.network.bridge.host_binding_ipv4";

/// A network cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name is none.
    #[error(
        "`{0}` is not a name for a network: letters, digits, `_`, `.` and `-`, beginning with a letter or digit"
    )]
    Name(String),
    /// There is one already.
    #[error("network with name {name} already exists")]
    Exists {
        /// Its name.
        name: String,
        /// Its identity.
        id: NetworkId,
    },
    /// The driver is unknown, or cannot be chosen.
    #[error("networks cannot have the driver `{0}`; there is `bridge`")]
    Driver(String),
    /// IPv6 was asked for.
    #[error("networks do not have IPv6 yet")]
    Ipv6,
    /// The subnet has no room for a gateway and a container.
    #[error("the subnet {0} has no room for containers; the longest prefix is /30")]
    Small(Subnet),
    /// A gateway, range or reserved address was given without a subnet.
    #[error("the {what} {value} needs a subnet that it is in")]
    NoSubnet {
        /// What was given.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A gateway, range or reserved address is not in the subnet.
    #[error("the {what} {value} is not in the subnet {subnet}")]
    Outside {
        /// What was given.
        what: &'static str,
        /// Its value.
        value: String,
        /// What it should be in.
        subnet: Subnet,
    },
    /// Addresses would mean two things.
    #[error("the subnet {subnet} overlaps {other}, which belongs to {owner}")]
    Overlap {
        /// What was asked for.
        subnet: Subnet,
        /// What is there.
        other: Subnet,
        /// Whose that is.
        owner: String,
    },
    /// Every subnet of the pools is in use.
    #[error(
        "no subnet is left to choose; all of the default pools overlap networks or routes of this machine"
    )]
    Exhausted,
    /// An option is unknown.
    #[error("bridge networks have no option `{0}`")]
    UnknownOption(String),
    /// An option's value is not what it should be.
    #[error("the option `{name}` cannot be `{value}`")]
    Option {
        /// Which.
        name: String,
        /// What was given.
        value: String,
    },
    /// Two networks cannot have one bridge.
    #[error("the bridge `{interface}` belongs to the network `{network}`")]
    Interface {
        /// The name of the bridge.
        interface: String,
        /// Whose it is.
        network: String,
    },
    /// What was set aside is in the way and cannot be removed.
    #[error("failed to remove a network that nobody uses")]
    Spares(#[source] Box<RemoveError>),
    /// The files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused to answer.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl CreateError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
            Self::Spares(source) => source.blame(),
            Self::Exhausted => Blame::Environment,
            _ => Blame::User,
        }
    }
}

impl Networks {
    /// Creates a network. Its bridge comes with its first container.
    pub fn create(&self, spec: &NetworkSpec) -> Result<Network, CreateError> {
        self.check(spec)?;
        match self.create_beside_spares(spec) {
            Err(CreateError::Exhausted | CreateError::Overlap { .. }) if self.yields()? => {
                self.create_beside_spares(spec)
            }
            result => result,
        }
    }

    /// Refuses specifications of which no network comes, and makes sure that the predefined ones are there.
    pub(super) fn check(&self, spec: &NetworkSpec) -> Result<(), CreateError> {
        if !network::is_name(&spec.name) {
            return Err(CreateError::Name(spec.name.clone()));
        }
        if !matches!(spec.driver.as_str(), "" | "bridge") {
            return Err(CreateError::Driver(spec.driver.clone()));
        }
        if spec.ipv6 {
            return Err(CreateError::Ipv6);
        }
        self.list().map(drop)
    }

    fn create_beside_spares(&self, spec: &NetworkSpec) -> Result<Network, CreateError> {
        let lock = self.directory().lock()?;
        let mut network = self.named(spec, &lock)?;
        let existing = self.directory().networks_with_spares()?;
        network.bridge = Some(bridge_of(spec, &network.id, &existing)?);
        self.directory().write_network(&network, !spec.transient, &lock)?;
        Ok(network)
    }

    /// A network that has yet to get its bridge, under a name that none has.
    pub(super) fn named(&self, spec: &NetworkSpec, _lock: &Lock) -> Result<Network, CreateError> {
        let existing = self.directory().networks()?;
        if let Some(taken) = existing.iter().find(|network| network.name == spec.name) {
            return Err(CreateError::Exists { name: taken.name.clone(), id: taken.id.clone() });
        }
        let mut network = blank(&spec.name, Driver::Bridge)?;
        network.internal = spec.internal;
        network.labels.clone_from(&spec.labels);
        network.options.clone_from(&spec.options);
        Ok(network)
    }

    /// Gives up what was set aside, because it is in the way; whether there was anything.
    fn yields(&self) -> Result<bool, CreateError> {
        let given_up = self.discard_spares(&|_| true);
        Ok(given_up.map_err(|error| CreateError::Spares(Box::new(error)))? > 0)
    }

    /// Creates the networks that always exist.
    pub(super) fn predefine(&self) -> Result<(), CreateError> {
        let lock = self.directory().lock()?;
        let existing = self.directory().networks_with_spares()?;
        let missing = |name: &str| existing.iter().all(|network| network.name != name);
        for (name, driver) in [(network::HOST, Driver::Host), (network::NONE, Driver::None)] {
            if missing(name) {
                self.directory().write_network(&blank(name, driver)?, true, &lock)?;
            }
        }
        if missing(network::DEFAULT) {
            self.predefine_bridge(&existing, &lock)?;
        }
        Ok(())
    }

    fn predefine_bridge(&self, existing: &[Network], lock: &Lock) -> Result<(), CreateError> {
        let mut network = blank(network::DEFAULT, Driver::Bridge)?;
        let spec = NetworkSpec { name: network::DEFAULT.to_owned(), ..NetworkSpec::default() };
        let mut bridge = bridge_of(&spec, &network.id, existing)?;
        DEFAULT_BRIDGE.clone_into(&mut bridge.interface);
        network.bridge = Some(bridge);
        Ok(self.directory().write_network(&network, true, lock)?)
    }
}

fn blank(name: &str, driver: Driver) -> Result<Network, CreateError> {
    let now = clock_gettime(ClockId::Realtime);
    Ok(Network {
        id: NetworkId::random().attempt(|| "get random bytes")?,
        name: name.to_owned(),
        driver,
        created: Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0)),
        internal: false,
        labels: BTreeMap::new(),
        options: BTreeMap::new(),
        bridge: None,
    })
}

fn bridge_of(spec: &NetworkSpec, id: &NetworkId, existing: &[Network]) -> Result<BridgeConfig, CreateError> {
    let taken = taken_subnets(existing)?;
    let subnet = match spec.subnet {
        Some(subnet) => {
            check_overlap(subnet, &taken)?;
            subnet
        }
        None => choose_or_clear(existing, &taken, if spec.transient { Size::Part } else { Size::Pool })?,
    };
    let mut bridge = BridgeConfig {
        subnet,
        gateway: spec.gateway.unwrap_or(subnet.default_gateway()),
        ip_range: spec.ip_range,
        reserved: spec.reserved.clone(),
        interface: bridge_name(id),
        chosen: spec.subnet.is_none(),
        mtu: None,
        masquerade: true,
        inter_container: true,
        host_binding: None,
    };
    check_addresses(spec, subnet)?;
    for (name, value) in &spec.options {
        set_option(&mut bridge, name, value)?;
    }
    let owner = existing
        .iter()
        .find(|other| other.bridge.as_ref().is_some_and(|other| other.interface == bridge.interface));
    match owner {
        Some(owner) => {
            Err(CreateError::Interface { interface: bridge.interface, network: owner.name.clone() })
        }
        None => Ok(bridge),
    }
}

fn check_addresses(spec: &NetworkSpec, subnet: Subnet) -> Result<(), CreateError> {
    let reserved = spec.reserved.values().map(|address| ("reserved address", *address));
    let addresses = spec.gateway.map(|gateway| ("gateway", gateway)).into_iter().chain(reserved);
    for (what, address) in addresses {
        let value = address.to_string();
        if spec.subnet.is_none() {
            return Err(CreateError::NoSubnet { what, value });
        }
        if !subnet.is_usable(address) {
            return Err(CreateError::Outside { what, value, subnet });
        }
    }
    if let Some(range) = spec.ip_range {
        let (what, value) = ("address range", range.to_string());
        if spec.subnet.is_none() {
            return Err(CreateError::NoSubnet { what, value });
        }
        if !subnet.encloses(range) {
            return Err(CreateError::Outside { what, value, subnet });
        }
    }
    if subnet.prefix() > 30 { Err(CreateError::Small(subnet)) } else { Ok(()) }
}

fn set_option(bridge: &mut BridgeConfig, name: &str, value: &str) -> Result<(), CreateError> {
    let wrong = || CreateError::Option { name: name.to_owned(), value: value.to_owned() };
    let switch = || match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong()),
    };
    match name {
        OPTION_NAME => {
            let fits = network::is_name(value) && value.len() <= 15;
            bridge.interface = if fits { value.to_owned() } else { return Err(wrong()) };
        }
        OPTION_MTU => {
            let mtu: u32 = value.parse().map_err(|_| wrong())?;
            bridge.mtu = match mtu {
                0 => None,
                68..=65_535 => Some(mtu),
                _ => return Err(wrong()),
            };
        }
        OPTION_MASQUERADE => bridge.masquerade = switch()?,
        OPTION_ICC => bridge.inter_container = switch()?,
        OPTION_HOST => bridge.host_binding = Some(value.parse::<Ipv4Addr>().map_err(|_| wrong())?),
        _ => return Err(CreateError::UnknownOption(name.to_owned())),
    }
    Ok(())
}

/// A subnet that is in use.
pub(super) struct Taken {
    subnet: Subnet,
    /// The network whose it is; none if the machine has a route to it.
    network: Option<String>,
}

/// The subnets that are in use.
pub(super) fn taken_subnets(existing: &[Network]) -> Result<Vec<Taken>, KernelError> {
    let mut taken: Vec<Taken> = existing
        .iter()
        .filter_map(|network| {
            Some(Taken { subnet: network.bridge.as_ref()?.subnet, network: Some(network.name.clone()) })
        })
        .collect();
    let routed = Links::open()?.routed_subnets()?;
    taken.extend(routed.into_iter().map(|subnet| Taken { subnet, network: None }));
    Ok(taken)
}

/// A subnet that is free, if need be after the bridges of directories that are gone have been removed.
fn choose_or_clear(existing: &[Network], taken: &[Taken], size: Size) -> Result<Subnet, CreateError> {
    match choose_subnet(taken, size) {
        Err(CreateError::Exhausted) if !remove_orphans(&mut Links::open()?)?.is_empty() => {
            choose_subnet(&taken_subnets(existing)?, size)
        }
        chosen => chosen,
    }
}

/// The first subnet of the pools, or the first part of one, that is free.
pub(super) fn choose_subnet(taken: &[Taken], size: Size) -> Result<Subnet, CreateError> {
    let taken: Vec<Subnet> = taken.iter().map(|taken| taken.subnet).collect();
    ipam::choose_subnet(&taken, size).ok_or(CreateError::Exhausted)
}

/// Refuses a subnet that overlaps another network, or has a route of the machine inside of it. A wider route, such as
/// one into a VPN, does no harm to who asks for a part of it: the longest prefix wins.
pub(super) fn check_overlap(subnet: Subnet, taken: &[Taken]) -> Result<(), CreateError> {
    let conflict = taken.iter().find(|taken| match taken.network {
        Some(_) => subnet.overlaps(taken.subnet),
        None => subnet.encloses(taken.subnet),
    });
    let Some(taken) = conflict else { return Ok(()) };
    let owner = match &taken.network {
        Some(name) => format!("the network `{name}`"),
        None => "a route of this machine".to_owned(),
    };
    Err(CreateError::Overlap { subnet, other: taken.subnet, owner })
}
