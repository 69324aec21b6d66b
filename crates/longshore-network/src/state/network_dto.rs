//! A network as a file holds it. Version 1.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::StateError;
use crate::network::{BridgeConfig, Driver, Network, NetworkId};

pub(super) const VERSION: u32 = 1;

/// A network in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NetworkDto {
    pub(super) version: u32,
    id: String,
    name: String,
    driver: String,
    created_ns: u64,
    internal: bool,
    labels: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    bridge: Option<BridgeDto>,
}

/// The bridge of a network in its file.
#[derive(Debug, Serialize, Deserialize)]
struct BridgeDto {
    subnet: String,
    gateway: Ipv4Addr,
    ip_range: Option<String>,
    reserved: BTreeMap<String, Ipv4Addr>,
    interface: String,
    chosen: bool,
    mtu: Option<u32>,
    masquerade: bool,
    inter_container: bool,
    host_binding: Option<Ipv4Addr>,
}

/// A spare network in its file. Its version is that of the network.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SpareDto {
    /// The process that may take it over.
    pub(super) owner: String,
    pub(super) network: NetworkDto,
}

impl From<&Network> for NetworkDto {
    fn from(network: &Network) -> Self {
        Self {
            version: VERSION,
            id: network.id.to_string(),
            name: network.name.clone(),
            driver: network.driver.name().to_owned(),
            created_ns: u64::try_from(network.created.as_nanos()).unwrap_or(u64::MAX),
            internal: network.internal,
            labels: network.labels.clone(),
            options: network.options.clone(),
            bridge: network.bridge.as_ref().map(BridgeDto::from),
        }
    }
}

impl From<&BridgeConfig> for BridgeDto {
    fn from(bridge: &BridgeConfig) -> Self {
        Self {
            subnet: bridge.subnet.to_string(),
            gateway: bridge.gateway,
            ip_range: bridge.ip_range.map(|range| range.to_string()),
            reserved: bridge.reserved.clone(),
            interface: bridge.interface.clone(),
            chosen: bridge.chosen,
            mtu: bridge.mtu,
            masquerade: bridge.masquerade,
            inter_container: bridge.inter_container,
            host_binding: bridge.host_binding,
        }
    }
}

impl NetworkDto {
    /// The network that a file holds.
    pub(super) fn into_model(self, path: &Path) -> Result<Network, StateError> {
        let wrong =
            |field, value: &str| StateError::Value { path: path.to_owned(), field, value: value.to_owned() };
        Ok(Network {
            id: NetworkId::parse(&self.id).ok_or_else(|| wrong("id", &self.id))?,
            driver: Driver::from_name(&self.driver).ok_or_else(|| wrong("driver", &self.driver))?,
            name: self.name,
            created: Duration::from_nanos(self.created_ns),
            internal: self.internal,
            labels: self.labels,
            options: self.options,
            bridge: self.bridge.map(|bridge| bridge.into_model(path)).transpose()?,
        })
    }
}

impl BridgeDto {
    fn into_model(self, path: &Path) -> Result<BridgeConfig, StateError> {
        let subnet = |field, text: &str| {
            text.parse().map_err(|_| StateError::Value {
                path: path.to_owned(),
                field,
                value: text.to_owned(),
            })
        };
        Ok(BridgeConfig {
            subnet: subnet("subnet", &self.subnet)?,
            gateway: self.gateway,
            ip_range: self.ip_range.map(|range| subnet("ip_range", &range)).transpose()?,
            reserved: self.reserved,
            interface: self.interface,
            chosen: self.chosen,
            mtu: self.mtu,
            masquerade: self.masquerade,
            inter_container: self.inter_container,
            host_binding: self.host_binding,
        })
    }
}
