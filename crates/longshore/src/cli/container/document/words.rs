//! A container's command, state and ports as the columns of listings show them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use longshore_engine::{ContainerSpec, ContainerState, ContainerStatus, HealthState, PortBinding};
use longshore_format::human;

use crate::cli::container::moment;

/// The program and its arguments in one line; arguments with spaces in quotes.
pub(in crate::cli::container) fn command(spec: &ContainerSpec) -> String {
    let words = spec.entrypoint.iter().flatten().chain(&spec.command).enumerate();
    let shown = words.map(
        |(index, word)| {
            if index > 0 && word.contains(' ') { format!("'{word}'") } else { word.clone() }
        },
    );
    shown.collect::<Vec<_>>().join(" ")
}

/// `Up 3 seconds (healthy)`, `Exited (0) 2 minutes ago` and so on.
pub(in crate::cli::container) fn status(container: &ContainerStatus, now: i128) -> String {
    let ago = |then: Option<i128>| human::ago(moment::since(now, then.unwrap_or(now)));
    let code = container.exit.map_or(0, |exit| exit.code);
    match container.state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Running => format!("Up {}{}", ago(container.started), health(container)),
        ContainerState::Paused => format!("Up {} (Paused)", ago(container.started)),
        ContainerState::Restarting => format!("Restarting ({code}) {} ago", ago(container.finished)),
        ContainerState::Removing => "Removal In Progress".to_owned(),
        // One that could not be started has never run.
        ContainerState::Exited if container.started.is_none() => "Created".to_owned(),
        ContainerState::Exited => format!("Exited ({code}) {} ago", ago(container.finished)),
        ContainerState::Dead => "Dead".to_owned(),
    }
}

fn health(container: &ContainerStatus) -> &'static str {
    match container.health.as_ref().map(|health| health.state) {
        None => "",
        Some(HealthState::Starting) => " (health: starting)",
        Some(HealthState::Healthy) => " (healthy)",
        Some(HealthState::Unhealthy) => " (unhealthy)",
    }
}

/// `0.0.0.0:8080->80/tcp, 9000/tcp`: published ports with runs of them as ranges, and those that are only named.
pub(in crate::cli::container) fn ports(published: &[PortBinding], exposed: &[String]) -> String {
    let mut published: Vec<&PortBinding> = published.iter().collect();
    published.sort_by_key(|it| (it.protocol, it.host_ip, it.container_port, it.host_port));
    let mut shown: Vec<String> = Vec::new();
    let mut rest = published.as_slice();
    while let Some(first) = rest.first() {
        let length = run(rest);
        shown.push(published_range(first, u16::try_from(length - 1).unwrap_or_default()));
        rest = rest.get(length..).unwrap_or_default();
    }
    let taken: BTreeSet<String> =
        published.iter().map(|it| format!("{}/{}", it.container_port, it.protocol.name())).collect();
    let named: BTreeSet<&String> = exposed.iter().filter(|port| !taken.contains(*port)).collect();
    shown.extend(named.into_iter().cloned());
    shown.join(", ")
}

/// How many bindings from the first on have ports one after the other on both sides.
fn run(bindings: &[&PortBinding]) -> usize {
    let next = |pair: &[&PortBinding]| match pair {
        [one, other] => {
            one.protocol == other.protocol
                && one.host_ip == other.host_ip
                && one.container_port.checked_add(1) == Some(other.container_port)
                && one
                    .host_port
                    .and_then(|port| port.checked_add(1))
                    .is_some_and(|port| other.host_port == Some(port))
        }
        _ => false,
    };
    1 + bindings.windows(2).take_while(|pair| next(pair)).count()
}

fn published_range(first: &PortBinding, more: u16) -> String {
    let range = |port: u16| {
        if more == 0 { port.to_string() } else { format!("{port}-{}", port.saturating_add(more)) }
    };
    let address = match first.host_ip {
        None => "0.0.0.0".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("[{address}]"),
    };
    let host = first.host_port.map(|port| format!("{address}:{}->", range(port))).unwrap_or_default();
    format!("{host}{}/{}", range(first.container_port), first.protocol.name())
}

#[cfg(test)]
mod tests {
    use longshore_engine::{PortBinding, Protocol};

    use super::ports;

    #[test]
    fn ports_are_shown_in_ranges() {
        let port = |host: Option<u16>, container_port, address: Option<&str>| PortBinding {
            host_ip: address.map(|address| address.parse().unwrap()),
            host_port: host,
            host_port_last: None,
            container_port,
            protocol: Protocol::Tcp,
        };
        let published = [
            port(Some(8080), 80, None),
            port(Some(9001), 91, Some("127.0.0.1")),
            port(Some(9000), 90, Some("127.0.0.1")),
        ];
        let exposed = ["80/tcp".to_owned(), "53/udp".to_owned()];
        assert_eq!(
            ports(&published, &exposed),
            "0.0.0.0:8080->80/tcp, 127.0.0.1:9000-9001->90-91/tcp, 53/udp"
        );
        assert_eq!(ports(&[port(Some(80), 80, Some("::1"))], &[]), "[::1]:80->80/tcp");
        assert_eq!(ports(&[], &[]), "");
    }
}
