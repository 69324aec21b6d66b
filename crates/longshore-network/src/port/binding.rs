//! What shall be published, as `-p` says it.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::{Blame, Protocol};

/// A port of a container that shall be published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortBinding {
    /// The address on the host; all if none.
    pub host_ip: Option<IpAddr>,
    /// The ports on the host of which the first free one is taken; any if none.
    pub host_ports: Option<RangeInclusive<u16>>,
    /// The port in the container.
    pub container_port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// A text does not say what to publish. The words are those of Docker's `nat` package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortBindingError {
    /// There is no port of the container.
    #[error("no port specified: {0}<empty>")]
    Empty(String),
    /// The address is none.
    #[error("invalid IP address: {0}")]
    Address(String),
    /// The port of the container is none.
    #[error("invalid containerPort: {0}")]
    ContainerPort(String),
    /// The port of the host is none.
    #[error("invalid hostPort: {0}")]
    HostPort(String),
    /// Two ranges have different lengths.
    #[error("invalid ranges specified for container and host Ports: {container} and {host}")]
    Ranges {
        /// The range of the container.
        container: String,
        /// The range of the host.
        host: String,
    },
    /// The protocol is not one that can be published.
    #[error("invalid proto: {0}")]
    Protocol(String),
}

impl PortBindingError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        Blame::User
    }
}

impl PortBinding {
    /// Reads `[[IP:][HOST_PORT[-END]]:]CONTAINER_PORT[-END][/PROTOCOL]`.
    pub fn parse(text: &str) -> Result<Vec<Self>, PortBindingError> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol.to_ascii_lowercase().as_str() {
            "tcp" | "" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return Err(PortBindingError::Protocol(protocol.to_owned())),
        };
        let (before, container) = match ports.rsplit_once(':') {
            Some((before, container)) => (Some(before), container),
            None => (None, ports),
        };
        let (ip, host) = match before.map(|before| before.rsplit_once(':').unwrap_or(("", before))) {
            Some((ip, host)) => (ip, host),
            None => ("", ""),
        };
        if container.is_empty() {
            return Err(PortBindingError::Empty(text.to_owned()));
        }
        let host_ip = address(ip)?;
        let containers =
            range(container).ok_or_else(|| PortBindingError::ContainerPort(container.to_owned()))?;
        let hosts = match host {
            "" => None,
            _ => Some(range(host).ok_or_else(|| PortBindingError::HostPort(host.to_owned()))?),
        };
        let one = |container_port, host_ports| Self { host_ip, host_ports, container_port, protocol };
        match hosts {
            None => Ok(containers.map(|port| one(port, None)).collect()),
            Some(hosts) if containers.len() == 1 => Ok(vec![one(*containers.start(), Some(hosts))]),
            Some(hosts) if containers.len() == hosts.len() => {
                Ok(containers.zip(hosts).map(|(container, host)| one(container, Some(host..=host))).collect())
            }
            Some(_) => {
                Err(PortBindingError::Ranges { container: container.to_owned(), host: host.to_owned() })
            }
        }
    }
}

fn address(text: &str) -> Result<Option<IpAddr>, PortBindingError> {
    if text.is_empty() {
        return Ok(None);
    }
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    inner.parse().map(Some).map_err(|_| PortBindingError::Address(text.to_owned()))
}

/// A port or a range of ports; no port is 0.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?.filter(|port| *port > 0)
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PortBinding;

    fn shown(text: &str) -> String {
        match PortBinding::parse(text) {
            Err(error) => error.to_string(),
            Ok(bindings) => bindings
                .iter()
                .map(|binding| {
                    let ip = binding.host_ip.map_or_else(|| "*".to_owned(), |ip| ip.to_string());
                    let host = match &binding.host_ports {
                        None => "any".to_owned(),
                        Some(range) => format!("{}-{}", range.start(), range.end()),
                    };
                    format!("{ip} {host} {}/{}", binding.container_port, binding.protocol)
                })
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    #[test]
    fn bindings_are_read() {
        for (text, expected) in [
            ("80", "* any 80/tcp"),
            ("80/UDP", "* any 80/udp"),
            ("8080:80", "* 8080-8080 80/tcp"),
            ("127.0.0.1:8080:80", "127.0.0.1 8080-8080 80/tcp"),
            ("127.0.0.1::80", "127.0.0.1 any 80/tcp"),
            ("[::1]:8080:80/udp", "::1 8080-8080 80/udp"),
            ("::1:8080:80", "::1 8080-8080 80/tcp"),
            ("8000-8001:80-81", "* 8000-8000 80/tcp, * 8001-8001 81/tcp"),
            ("8000-8010:80", "* 8000-8010 80/tcp"),
            ("80-81", "* any 80/tcp, * any 81/tcp"),
            ("", "no port specified: <empty>"),
            ("80:", "no port specified: 80:<empty>"),
            ("0", "invalid containerPort: 0"),
            ("70000", "invalid containerPort: 70000"),
            ("x:80", "invalid hostPort: x"),
            ("9-8:80", "invalid hostPort: 9-8"),
            ("1.2.3:80:80", "invalid IP address: 1.2.3"),
            ("8000-8002:80-81", "invalid ranges specified for container and host Ports: 80-81 and 8000-8002"),
            ("80/sctp", "invalid proto: sctp"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "[0-9a-z:./\\[\\]-]{0,24}") {
            let _ = PortBinding::parse(&text);
        }
    }
}
