//! `--publish`: `[ADDRESS:][HOST]:CONTAINER[/PROTOCOL]`, and `--expose`, both with ranges.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use longshore_engine::{PortBinding, Protocol};

use super::FlagError;

/// The bindings that a value of `--publish` means: one for each container's port of a range.
pub(super) fn publish(text: &str) -> Result<Vec<PortBinding>, FlagError> {
    let wrong = |why: &str| FlagError::value("--publish", text, why);
    if text.contains('=') {
        let short = short_of_long(text).map_err(|why| wrong(&why))?;
        return publish(&short).map_err(|_| wrong("a part of it is no port"));
    }
    let (ports, protocol) = with_protocol(text).map_err(|why| wrong(&why))?;
    let (host, container) = ports.rsplit_once(':').map_or((None, ports), |(host, port)| (Some(host), port));
    let container = range(container).ok_or_else(|| wrong("the container's port is none"))?;
    let (address, host) = match host {
        None => (None, ""),
        Some(host) => address_and_port(host).ok_or_else(|| wrong("the address of this machine is none"))?,
    };
    let host = match host {
        "" => None,
        host => Some(range(host).ok_or_else(|| wrong("the port of this machine is none"))?),
    };
    let count = container.clone().count();
    let bindings = |host_port: &dyn Fn(usize) -> Option<u16>, host_port_last: Option<u16>| {
        let ports = container.clone().enumerate();
        ports
            .map(|(index, container_port)| PortBinding {
                host_ip: address,
                host_port: host_port(index),
                host_port_last,
                container_port,
                protocol,
            })
            .collect()
    };
    match host {
        None => Ok(bindings(&|_| None, None)),
        Some(host) if host.clone().count() == count => {
            let port =
                |index| u16::try_from(usize::from(*host.start()) + index).ok().filter(|port| *port > 0);
            Ok(bindings(&port, None))
        }
        // The first of them that is free.
        Some(host) if count == 1 && *host.start() > 0 => {
            Ok(bindings(&|_| Some(*host.start()), Some(*host.end())))
        }
        Some(_) => Err(wrong("the ranges are not of one length")),
    }
}

/// `published=8080,target=80,protocol=tcp` as `8080:80/tcp`.
fn short_of_long(text: &str) -> Result<String, String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            // Which of a swarm's nodes listen; there is one.
            Some(("mode", "host" | "ingress")) => {}
            _ => return Err(format!("there is no `{field}`")),
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

/// The ports that a value of `--expose` means, such as `80/tcp`.
pub(super) fn expose(text: &str) -> Result<Vec<String>, FlagError> {
    let wrong = |why: &str| FlagError::value("--expose", text, why);
    let (ports, protocol) = with_protocol(text).map_err(|why| wrong(&why))?;
    let ports = range(ports).ok_or_else(|| wrong("it is not a port or a range of ports"))?;
    Ok(ports.map(|port| format!("{port}/{}", protocol.name())).collect())
}

fn with_protocol(text: &str) -> Result<(&str, Protocol), String> {
    match text.rsplit_once('/') {
        None => Ok((text, Protocol::Tcp)),
        Some((ports, protocol)) => match protocol.to_ascii_lowercase().as_str() {
            "tcp" => Ok((ports, Protocol::Tcp)),
            "udp" => Ok((ports, Protocol::Udp)),
            other => Err(format!("the protocol `{other}` is neither `tcp` nor `udp`")),
        },
    }
}

/// `8080`, `127.0.0.1:8080`, `127.0.0.1:`, `[::1]:8080`.
fn address_and_port(text: &str) -> Option<(Option<IpAddr>, &str)> {
    let Some((address, port)) = text.rsplit_once(':') else {
        // Docker's form `ADDRESS::PORT` without the last colon is an address.
        return match text.parse::<IpAddr>() {
            Ok(address) => Some((Some(address), "")),
            Err(_) => Some((None, text)),
        };
    };
    let address = address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
    if address.is_empty() { Some((None, port)) } else { Some((Some(address.parse().ok()?), port)) }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    match text.split_once('-') {
        None => number(text).map(|port| port..=port),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first..=last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{expose, publish};

    fn shown(text: &str) -> Option<String> {
        let bindings = publish(text).ok()?;
        let shown = bindings.iter().map(|it| {
            let address = it.host_ip.map(|address| format!("{address} ")).unwrap_or_default();
            let ports = if it.host_port.is_some() { it.host_ports() } else { "any".to_owned() };
            format!("{address}{ports}>{}/{}", it.container_port, it.protocol.name())
        });
        Some(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn ports_are_published_one_by_one_and_in_ranges() {
        for (text, expected) in [
            ("80", "any>80/tcp"),
            ("8080:80", "8080>80/tcp"),
            ("8080:53/udp", "8080>53/udp"),
            ("127.0.0.1:8080:80", "127.0.0.1 8080>80/tcp"),
            ("127.0.0.1::80", "127.0.0.1 any>80/tcp"),
            ("[::1]:8080:80", "::1 8080>80/tcp"),
            ("7000-7001:9000-9001", "7000>9000/tcp 7001>9001/tcp"),
            ("9000-9001", "any>9000/tcp any>9001/tcp"),
            (":80", "any>80/tcp"),
            ("0:80", "any>80/tcp"),
            ("127.0.0.1:8000-8010:80", "127.0.0.1 8000-8010>80/tcp"),
            ("published=8080,target=80", "8080>80/tcp"),
            ("target=53,protocol=udp,mode=host", "any>53/udp"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "x",
            "80/sctp",
            "1:2:3:4",
            "1-2:3-5",
            "2-1",
            "localhost:1:2",
            "70000",
            "0-10:80",
            "target=80,what=1",
            "published=1",
            "+1:2",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(expose("80-81/udp").unwrap(), ["80/udp", "81/udp"]);
        assert!(expose("a").is_err());
    }
}
