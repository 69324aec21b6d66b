//! What a network is: its name and identity, its subnet, its options.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::Subnet;

/// The name of the network that containers are on when none is named.
pub const DEFAULT: &str = "bridge";
/// The name of the network that is the host's own.
pub const HOST: &str = "host";
/// The name of the network that is nothing but a loopback.
pub const NONE: &str = "none";

/// How packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Driver {
    /// Over a bridge of this machine.
    Bridge,
    /// There is no namespace of the container's own.
    Host,
    /// There is a namespace and no way out of it.
    None,
}

impl Driver {
    /// The name, as Docker's network inspection shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::None => "null",
        }
    }

    /// The driver of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "bridge" => Some(Self::Bridge),
            "host" => Some(Self::Host),
            "null" => Some(Self::None),
            _ => None,
        }
    }
}

/// The identity of a network: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(String);

impl NetworkId {
    /// A new identity that nothing else has.
    pub(crate) fn random() -> Result<Self, rustix::io::Errno> {
        Ok(Self(crate::random::hex::<32>()?))
    }

    /// Takes a text for an identity if it has the form of one. It is safe as part of a path then.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, which are shown to people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a bridge network has beyond its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeConfig {
    /// The addresses of its containers.
    pub subnet: Subnet,
    /// The address of the bridge, which containers send to what is not on the network.
    pub gateway: Ipv4Addr,
    /// Where in the subnet addresses are taken from; anywhere if none.
    pub ip_range: Option<Subnet>,
    /// Addresses that no container gets unless it asks for them, by what they are for.
    pub reserved: BTreeMap<String, Ipv4Addr>,
    /// The name of the bridge.
    pub interface: String,
    /// Whether the subnet was chosen by us, and may be chosen anew while no container is on the network.
    pub chosen: bool,
    /// The largest packet; the kernel's choice if none.
    pub mtu: Option<u32>,
    /// Whether the machine's address stands for the containers' outside of the network.
    pub masquerade: bool,
    /// Whether containers on the network reach each other.
    pub inter_container: bool,
    /// The host's address that ports are published on when none is named.
    pub host_binding: Option<Ipv4Addr>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its identity.
    pub id: NetworkId,
    /// Its name, which no other network has.
    pub name: String,
    /// How packets travel.
    pub driver: Driver,
    /// When it was created, since 1970.
    pub created: Duration,
    /// Whether it has no way outside.
    pub internal: bool,
    /// Labels, as the user gave them.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver, as the user gave them.
    pub options: BTreeMap<String, String>,
    /// The bridge, if the driver has one.
    pub bridge: Option<BridgeConfig>,
}

impl Network {
    /// Whether the network exists without anybody having created it.
    pub fn is_predefined(&self) -> bool {
        is_predefined(&self.name)
    }
}

/// Whether a name belongs to a network that always exists.
pub(crate) fn is_predefined(name: &str) -> bool {
    matches!(name, DEFAULT | HOST | NONE)
}

/// Whether a text can name a network or a container: a letter or digit, then letters, digits, `_`, `.` and `-`.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && text.len() <= 128
}

/// What a network shall be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// The driver; `bridge` if empty.
    pub driver: String,
    /// The subnet; one that is free if none.
    pub subnet: Option<Subnet>,
    /// The gateway; the first address of the subnet if none.
    pub gateway: Option<Ipv4Addr>,
    /// Where in the subnet addresses are taken from.
    pub ip_range: Option<Subnet>,
    /// Addresses that no container gets unless it asks for them, by what they are for.
    pub reserved: BTreeMap<String, Ipv4Addr>,
    /// Whether it shall have no way outside.
    pub internal: bool,
    /// Whether IPv6 is asked for, which is refused.
    pub ipv6: bool,
    /// Whether it is for processes of its maker only: then it need not survive the machine, and nothing waits for the disk.
    pub transient: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver, by Docker's names.
    pub options: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_safe() {
        for name in ["a", "web", "my_net-1.2", "0x", "github_network_0123456789abcdef"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", ".a", "..", "a b", "a/b", "ä", "a\n", &"x".repeat(129)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
