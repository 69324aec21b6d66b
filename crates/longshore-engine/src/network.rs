//! What a container is connected to.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// What a container is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NetworkMode {
    /// What its sandbox has; the default network, if it has no sandbox.
    #[default]
    Default,
    /// Only itself.
    None,
    /// The machine's network, with nothing between.
    Host,
    /// The network namespace of another container, by id or name.
    Container(String),
    /// Networks by name.
    Networks(Vec<Attachment>),
}

/// One network that a container is in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attachment {
    /// The network's name or id.
    pub network: String,
    /// Further names of the container in it.
    pub aliases: Vec<String>,
    /// A fixed address.
    pub ip: Option<Ipv4Addr>,
    /// A fixed hardware address.
    pub mac: Option<String>,
}

/// A port of a container that is reachable on the machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortBinding {
    /// The machine's address; all, if absent.
    pub host_ip: Option<IpAddr>,
    /// The machine's port; any free one, if absent.
    pub host_port: Option<u16>,
    /// The last of the machine's ports, if any free one from `host_port` to it will do.
    #[serde(default)]
    pub host_port_last: Option<u16>,
    /// The container's port.
    pub container_port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

impl PortBinding {
    /// The machine's port, or ports to choose from, as Docker writes them: `8080`, `8000-8010`, nothing for any.
    pub fn host_ports(&self) -> String {
        match (self.host_port, self.host_port_last) {
            (None, _) => String::new(),
            (Some(first), None) => first.to_string(),
            (Some(first), Some(last)) => format!("{first}-{last}"),
        }
    }
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// `tcp` or `udp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}
