//! `NetworkSettings` of the document.

use std::collections::BTreeMap;
use std::net::IpAddr;

use longshore_engine::{Attachment, ContainerStatus, NetworkMode, NetworkStatus, PortBinding};
use serde_json::{Value, json};

use super::inspection::Subject;

/// Where the container is in its networks.
pub(super) fn settings(subject: &Subject) -> Value {
    let status = &subject.status;
    let default =
        status.networks.get("bridge").filter(|_| status.state.is_alive()).cloned().unwrap_or_default();
    let networks: BTreeMap<String, Value> = networks(status);
    json!({
        "Bridge": "",
        "SandboxID": status.sandbox.as_ref().map(ToString::to_string).unwrap_or_default(),
        "SandboxKey": status.pid.map(|pid| format!("/proc/{pid}/ns/net")).unwrap_or_default(),
        "Ports": ports(subject),
        "EndpointID": default.endpoint_id,
        "Gateway": text(default.gateway),
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": text(default.ip),
        "IPPrefixLen": default.prefix,
        "IPv6Gateway": "",
        "MacAddress": default.mac,
        "Networks": networks,
    })
}

fn text(address: Option<IpAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}

/// The networks that it is in, or will be in when it is started.
fn networks(status: &ContainerStatus) -> BTreeMap<String, Value> {
    if status.state.is_alive() && !status.networks.is_empty() {
        return status.networks.iter().map(|(name, it)| (name.clone(), endpoint(name, it, status))).collect();
    }
    let names: Vec<String> = match &status.spec.network {
        NetworkMode::Default => vec!["bridge".to_owned()],
        NetworkMode::None => vec!["none".to_owned()],
        NetworkMode::Host => vec!["host".to_owned()],
        NetworkMode::Container(_) => Vec::new(),
        NetworkMode::Networks(networks) => networks.iter().map(|it| it.network.clone()).collect(),
    };
    let last = |name: &String| NetworkStatus {
        network_id: status.networks.get(name).map(|it| it.network_id.clone()).unwrap_or_default(),
        aliases: asked(status, name).map(|it| it.aliases.clone()).unwrap_or_default(),
        ..NetworkStatus::default()
    };
    names.into_iter().map(|name| (name.clone(), endpoint(&name, &last(&name), status))).collect()
}

/// What the user said of a network.
fn asked<'s>(status: &'s ContainerStatus, name: &str) -> Option<&'s Attachment> {
    match &status.spec.network {
        NetworkMode::Networks(networks) => networks.iter().find(|it| it.network == name),
        _ => None,
    }
}

fn endpoint(name: &str, endpoint: &NetworkStatus, status: &ContainerStatus) -> Value {
    let names: Vec<&str> = std::iter::once(status.name.as_str())
        .chain(endpoint.aliases.iter().map(String::as_str))
        .chain(std::iter::once(status.id.short()))
        .collect();
    let fixed = asked(status, name).and_then(|it| it.ip);
    json!({
        "IPAMConfig": fixed.map(|address| json!({"IPv4Address": address})),
        "Links": Value::Null,
        "Aliases": super::config::none_if_empty(&endpoint.aliases),
        "MacAddress": endpoint.mac,
        "DriverOpts": Value::Null,
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.endpoint_id,
        "Gateway": text(endpoint.gateway),
        "IPAddress": text(endpoint.ip),
        "IPPrefixLen": endpoint.prefix,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": names,
    })
}

/// Published ports with where they are, and named ones with nothing. One that does not run has none.
fn ports(subject: &Subject) -> Value {
    if !subject.status.state.is_alive() {
        return json!({});
    }
    let mut published: BTreeMap<String, Vec<&PortBinding>> = BTreeMap::new();
    for binding in &subject.status.ports {
        published
            .entry(format!("{}/{}", binding.container_port, binding.protocol.name()))
            .or_default()
            .push(binding);
    }
    let mut ports: BTreeMap<String, Value> =
        subject.exposed.iter().map(|port| (port.clone(), Value::Null)).collect();
    ports.extend(published.into_iter().map(|(port, it)| (port, bindings(&it))));
    json!(ports)
}

/// The addresses and ports of this machine.
pub(super) fn bindings(published: &[&PortBinding]) -> Value {
    let shown: Vec<Value> = published
        .iter()
        .map(|it| {
            json!({
                "HostIp": it.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
                "HostPort": it.host_ports(),
            })
        })
        .collect();
    json!(shown)
}
