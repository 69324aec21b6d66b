//! Endpoints: the places of containers on networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use crate::network::NetworkId;
use crate::{Protocol, Subnet};

/// A hardware address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacAddress(pub [u8; 6]);

/// A text is no hardware address of a single interface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hardware address such as `02:42:ac:11:00:02`")]
pub struct MacAddressError(String);

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        formatter.write_str(&digits.join(":"))
    }
}

impl FromStr for MacAddress {
    type Err = MacAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || MacAddressError(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part =
                parts.next().filter(|part| part.len() == 2 && !part.starts_with('+')).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        // The lowest bit of the first byte means a group, which no interface is.
        let single = parts.next().is_none() && bytes[0] & 1 == 0 && bytes != [0; 6];
        if single { Ok(Self(bytes)) } else { Err(wrong()) }
    }
}

/// A port of a container that is published on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublishedPort {
    /// The address on the host.
    pub host_ip: IpAddr,
    /// The port on the host.
    pub host_port: u16,
    /// The port in the container.
    pub container_port: u16,
    /// The protocol of both.
    pub protocol: Protocol,
}

/// How a container shall be on a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointSpec {
    /// The identity of the container.
    pub container: String,
    /// The name of the interface in the container.
    pub interface: String,
    /// What other containers of the network can call it: its name, its aliases, its short identity.
    pub names: Vec<String>,
    /// What it calls itself.
    pub hostname: String,
    /// The address that it shall have.
    pub ip: Option<Ipv4Addr>,
    /// The hardware address that it shall have.
    pub mac: Option<MacAddress>,
    /// Whether packets to elsewhere go through this network. An internal network never gives a default route.
    pub default_route: bool,
}

/// The place of a container on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which network.
    pub network: NetworkId,
    /// The identity of the endpoint: 64 hexadecimal digits.
    pub id: String,
    /// Which container.
    pub container: String,
    /// The name of the interface in the container.
    pub interface: String,
    /// The name of the other end, which is a port of the bridge; none if the kernel does not carry the packets.
    pub host_interface: Option<String>,
    /// What other containers of the network can call it.
    pub names: Vec<String>,
    /// What it calls itself.
    pub hostname: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The subnet of its address.
    pub subnet: Subnet,
    /// The address of the bridge.
    pub gateway: Ipv4Addr,
    /// Its hardware address.
    pub mac: MacAddress,
    /// Ports that are published for it.
    pub ports: Vec<PublishedPort>,
}

#[cfg(test)]
mod tests {
    use super::MacAddress;

    #[test]
    fn hardware_addresses_are_read() {
        let address: MacAddress = "02:42:AC:11:00:02".parse().unwrap();
        assert_eq!(address.to_string(), "02:42:ac:11:00:02");
        for text in [
            "",
            "02:42:ac:11:00",
            "02:42:ac:11:00:02:03",
            "03:42:ac:11:00:02",
            "0:42:ac:11:00:02",
            "00:00:00:00:00:00",
            "+2:42:ac:11:00:02",
        ] {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }
}
