//! An endpoint as a file holds it, and the name of that file. Version 1.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StateError;
use crate::network::{NetworkId, is_name};
use crate::{Endpoint, Protocol, PublishedPort};

pub(super) const VERSION: u32 = 1;

/// What the name of an endpoint's file says: who has which address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeaseName {
    pub(crate) address: Ipv4Addr,
    pub(crate) container: String,
}

impl LeaseName {
    /// Reads the name of a file. None for all other files.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let (address, container) = file.strip_suffix(".json")?.split_once('_')?;
        is_name(container).then_some(())?;
        Some(Self { address: address.parse().ok()?, container: container.to_owned() })
    }

    /// The name of the file.
    pub(super) fn file(&self) -> String {
        format!("{}_{}.json", self.address, self.container)
    }
}

/// An endpoint in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndpointDto {
    pub(super) version: u32,
    network: String,
    id: String,
    container: String,
    interface: String,
    host_interface: Option<String>,
    names: Vec<String>,
    hostname: String,
    address: Ipv4Addr,
    subnet: String,
    gateway: Ipv4Addr,
    mac: String,
    ports: Vec<PortDto>,
}

/// A published port in the file of an endpoint.
#[derive(Debug, Serialize, Deserialize)]
struct PortDto {
    host_ip: IpAddr,
    host_port: u16,
    container_port: u16,
    protocol: ProtocolDto,
}

/// A protocol in the file of an endpoint.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProtocolDto {
    Tcp,
    Udp,
}

impl From<&Endpoint> for EndpointDto {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            version: VERSION,
            network: endpoint.network.to_string(),
            id: endpoint.id.clone(),
            container: endpoint.container.clone(),
            interface: endpoint.interface.clone(),
            host_interface: endpoint.host_interface.clone(),
            names: endpoint.names.clone(),
            hostname: endpoint.hostname.clone(),
            address: endpoint.address,
            subnet: endpoint.subnet.to_string(),
            gateway: endpoint.gateway,
            mac: endpoint.mac.to_string(),
            ports: endpoint.ports.iter().map(PortDto::from).collect(),
        }
    }
}

impl From<&PublishedPort> for PortDto {
    fn from(port: &PublishedPort) -> Self {
        let protocol = match port.protocol {
            Protocol::Tcp => ProtocolDto::Tcp,
            Protocol::Udp => ProtocolDto::Udp,
        };
        Self {
            host_ip: port.host_ip,
            host_port: port.host_port,
            container_port: port.container_port,
            protocol,
        }
    }
}

impl From<PortDto> for PublishedPort {
    fn from(port: PortDto) -> Self {
        let protocol = match port.protocol {
            ProtocolDto::Tcp => Protocol::Tcp,
            ProtocolDto::Udp => Protocol::Udp,
        };
        Self {
            host_ip: port.host_ip,
            host_port: port.host_port,
            container_port: port.container_port,
            protocol,
        }
    }
}

impl EndpointDto {
    /// The endpoint that a file holds.
    pub(super) fn into_model(self, path: &Path) -> Result<Endpoint, StateError> {
        let wrong =
            |field, value: &str| StateError::Value { path: path.to_owned(), field, value: value.to_owned() };
        Ok(Endpoint {
            network: NetworkId::parse(&self.network).ok_or_else(|| wrong("network", &self.network))?,
            id: self.id,
            container: self.container,
            interface: self.interface,
            host_interface: self.host_interface,
            names: self.names,
            hostname: self.hostname,
            address: self.address,
            subnet: self.subnet.parse().map_err(|_| wrong("subnet", &self.subnet))?,
            gateway: self.gateway,
            mac: self.mac.parse().map_err(|_| wrong("mac", &self.mac))?,
            ports: self.ports.into_iter().map(PublishedPort::from).collect(),
        })
    }
}
