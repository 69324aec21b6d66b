//! Filters of the listing and what they compare.

use longshore_engine::{ContainerState, ContainerStatus, MountKind};
use longshore_engine_native::NativeEngine;
use longshore_format::{FilterError, Filters};

use crate::cli::container::failure::{Refused, plain};
use crate::failure::Failure;

/// The filters that there are.
pub(super) const KNOWN: &[&str] = &[
    "ancestor", "before", "exited", "expose", "health", "id", "label", "name", "network", "publish", "since",
    "status", "volume",
];

const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTH: [&str; 4] = ["starting", "healthy", "unhealthy", "none"];

/// Filters, with what is the same for all containers found out.
pub(super) struct Conditions<'f> {
    filters: &'f Filters,
    /// Only those that were created before, and after.
    before: Option<i128>,
    since: Option<i128>,
}

impl<'f> Conditions<'f> {
    /// Checks the values of filters.
    pub(super) fn new(filters: &'f Filters, all: &[ContainerStatus]) -> Result<Self, Failure> {
        for (key, known) in [("status", &STATES[..]), ("health", &HEALTH[..])] {
            if let Some(value) = filters.values(key).find(|value| !known.contains(value)) {
                return Err(FilterError::Value { key: key.to_owned(), value: value.to_owned() }.into());
            }
        }
        if let Some(value) = filters.values("exited").find(|value| value.parse::<i32>().is_err()) {
            return Err(FilterError::Value { key: "exited".to_owned(), value: value.to_owned() }.into());
        }
        let created = |key: &str| -> Result<Option<i128>, Failure> {
            let Some(name) = filters.values(key).last() else { return Ok(None) };
            let fits = |it: &&ContainerStatus| it.name == name || it.id.as_str().starts_with(name);
            let found = all.iter().find(fits).map(|it| it.created);
            found.map(Some).ok_or_else(|| Refused(format!("no such container: {name}")).into())
        };
        Ok(Self { filters, before: created("before")?, since: created("since")? })
    }

    /// Whether a container meets them all.
    pub(super) fn met(&self, engine: &NativeEngine, container: &ContainerStatus) -> Result<bool, Failure> {
        let filters = self.filters;
        let slashed = format!("/{}", container.name);
        let state = match container.state {
            ContainerState::Exited if container.started.is_none() => "created",
            state => state.name(),
        };
        let health = container.health.as_ref().map_or("none", |health| health.state.name());
        let exited = container.exit.filter(|_| container.state == ContainerState::Exited);
        let met = filters.prefix("id", container.id.as_str())
            && filters.pattern("name", &[container.name.as_str(), slashed.as_str()])
            && filters.exact("status", state)
            && filters.exact("health", health)
            && filters.any("exited", |code| {
                exited.is_some_and(|exit| code.parse() == Ok(exit.code)) && container.started.is_some()
            })
            && filters.labels("label", |name| container.spec.labels.get(name).map(String::as_str))
            && self.before.is_none_or(|before| container.created < before)
            && self.since.is_none_or(|since| container.created > since)
            && filters.any("ancestor", |image| is_of(container, image))
            && filters.any("volume", |volume| has_volume(container, volume))
            && filters.any("network", |network| in_network(container, network))
            && filters.any("publish", |port| publishes(container, port));
        if !met || !filters.contains("expose") {
            return Ok(met);
        }
        let exposed = engine.exposed(&container.id).map_err(plain)?;
        Ok(filters.any("expose", |wanted| {
            exposed
                .iter()
                .filter_map(|port| port.split_once('/'))
                .any(|(port, protocol)| port.parse().is_ok_and(|port| is_among(wanted, port, protocol)))
        }))
    }
}

fn is_of(container: &ContainerStatus, image: &str) -> bool {
    let name = container.spec.image.to_string();
    let id = container.image.to_string();
    let digits = id.strip_prefix("sha256:").unwrap_or(&id);
    name == image
        || id == image
        || (image.len() >= 4 && digits.starts_with(image))
        || name.strip_suffix(":latest") == Some(image)
        || name.split_once(':').is_some_and(|(name, _)| name == image)
}

fn has_volume(container: &ContainerStatus, wanted: &str) -> bool {
    container.spec.mounts.iter().any(|mount| {
        let source = match &mount.kind {
            MountKind::Volume { name, .. } => name.as_deref() == Some(wanted),
            MountKind::Bind(bind) => bind.source == std::path::Path::new(wanted),
            MountKind::Tmpfs(_) => false,
        };
        source || mount.target == wanted
    })
}

fn in_network(container: &ContainerStatus, wanted: &str) -> bool {
    super::row::networks(container).split(',').any(|name| name == wanted)
        || container
            .networks
            .values()
            .any(|it| !it.network_id.is_empty() && it.network_id.starts_with(wanted))
}

/// Whether a port of this machine leads to the container.
fn publishes(container: &ContainerStatus, wanted: &str) -> bool {
    let mut ports = container.ports.iter();
    ports.any(|it| it.host_port.is_some_and(|port| is_among(wanted, port, it.protocol.name())))
}

/// Whether `PORT[-LAST][/PROTOCOL]` means a port.
fn is_among(wanted: &str, port: u16, protocol: &str) -> bool {
    let (ports, wanted) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse()) else { return false };
    wanted == protocol && (first..=last).contains(&port)
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn ports_are_numbers_and_ranges_of_a_protocol() {
        for (wanted, met) in
            [("80", true), ("80/tcp", true), ("79-81", true), ("80/udp", false), ("81", false), ("x", false)]
        {
            assert_eq!(is_among(wanted, 80, "tcp"), met, "{wanted}");
        }
    }
}
