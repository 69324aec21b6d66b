//! The ports of services: where a job finds them, and where the services listen.

use super::specification::ContainerSpecification;

/// The first port for services whose `ports:` names no port of the machine.
pub(super) const FIRST_FREE_PORT: u16 = 32768;

/// A port of a service: where the job finds it, and where the service listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) listen: u16,
    pub(super) target: u16,
    pub(super) protocol: String,
}

impl Port {
    pub(super) fn is_tcp(&self) -> bool {
        self.protocol == "tcp"
    }
}

/// What `ports:` asks for: `[IP:][HOST:]CONTAINER[/PROTOCOL]`.
pub(super) fn ports(
    name: &str,
    service: &ContainerSpecification,
    free: &mut u16,
) -> Result<Vec<Port>, String> {
    let mut ports = Vec::new();
    for text in &service.ports {
        let wrong = || format!("`ports: {text}` of the service `{name}` is not [HOST:]CONTAINER[/PROTOCOL]");
        let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if !matches!(protocol, "tcp" | "udp" | "sctp") {
            return Err(wrong());
        }
        let mut pieces = numbers.rsplit(':');
        let target: u16 = pieces.next().and_then(|port| port.parse().ok()).ok_or_else(wrong)?;
        let listen = if let Some(port) = pieces.next().filter(|port| !port.is_empty()) {
            port.parse().map_err(|_| wrong())?
        } else {
            *free += 1;
            *free - 1
        };
        ports.push(Port { listen, target, protocol: protocol.to_owned() });
    }
    Ok(ports)
}

/// Two services cannot be found at the same port.
pub(super) fn refuse_taken<'a>(
    name: &str,
    ports: &[Port],
    others: impl Iterator<Item = (&'a str, &'a [Port])>,
) -> Result<(), String> {
    for (other, theirs) in others {
        let is_taken = |port: &&Port| {
            theirs.iter().any(|their| (their.listen, &their.protocol) == (port.listen, &port.protocol))
        };
        if let Some(port) = ports.iter().find(is_taken) {
            return Err(format!(
                "the services `{other}` and `{name}` both ask for the port {}: give one of them another in `ports:`",
                port.listen
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use longshore_engine::ContainerSpec;

    use super::{ContainerSpecification, ports, refuse_taken};

    #[test]
    fn a_port_belongs_to_one_service() {
        let mut free = 40000;
        let mut of = |texts: &[&str]| ports("s", &service(texts), &mut free).unwrap();
        let (web, names) = (of(&["80:8080", "53:53/udp"]), of(&["53:53"]));
        let refused = |ports: &[super::Port]| {
            refuse_taken("new", ports, [("web", web.as_slice()), ("names", names.as_slice())].into_iter())
                .is_err()
        };
        assert!(refused(&of(&["443", "80:81"])) && refused(&of(&["53:1/udp"])) && refused(&names));
        assert!(!refused(&of(&["8080:8080", "80:8080/udp", "80"])));
    }

    fn service(ports: &[&str]) -> ContainerSpecification {
        ContainerSpecification {
            image: "postgres".into(),
            spec: ContainerSpec::default(),
            env: Vec::new(),
            ports: ports.iter().map(ToString::to_string).collect(),
            volumes: Vec::new(),
            login: None,
            command: Vec::new(),
            entrypoint: None,
        }
    }

    #[test]
    fn ports_are_read_and_free_ones_given() {
        let mut free = 32768;
        let list = ports("db", &service(&["5432:5433", "6379", "127.0.0.1:80:8080/tcp"]), &mut free).unwrap();
        let pairs: Vec<(u16, u16)> = list.iter().map(|port| (port.listen, port.target)).collect();
        assert_eq!(pairs, [(5432, 5433), (32768, 6379), (80, 8080)]);
        assert!(ports("db", &service(&["x"]), &mut free).is_err());
        assert!(ports("db", &service(&["53/x25"]), &mut free).is_err());
        let list = ports("dns", &service(&["53:53/udp"]), &mut free).unwrap();
        assert!(list.iter().all(|port| !port.is_tcp()), "{list:?}");
    }
}
