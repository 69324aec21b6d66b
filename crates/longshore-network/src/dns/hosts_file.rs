//! `/etc/hosts` of a container, as Docker writes it.

use std::net::IpAddr;

/// The content of a container's `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostsFile {
    /// The container's addresses, each with what it calls itself.
    pub own: Vec<(IpAddr, String)>,
    /// Names that were added, `--add-host NAME:ADDRESS`.
    pub added: Vec<AddedHost>,
}

/// A name that was added with `--add-host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedHost {
    /// The name.
    pub name: String,
    /// Its address.
    pub address: HostAddress,
}

/// The address of a name that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostAddress {
    /// This one.
    Address(IpAddr),
    /// That of the host, seen from the container: `host-gateway`.
    Gateway,
}

/// A text is no host with its address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddedHostError {
    /// It has no colon or equals sign between two texts.
    #[error("bad format for add-host: \"{0}\"")]
    Format(String),
    /// What stands after the name is no address.
    #[error("invalid IP address in add-host: \"{0}\"")]
    Address(String),
}

impl std::str::FromStr for AddedHost {
    type Err = AddedHostError;

    /// `NAME:ADDRESS` or `NAME=ADDRESS`; the address may be `host-gateway` and may have brackets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = text
            .split_once('=')
            .or_else(|| text.split_once(':'))
            .filter(|(name, _)| {
                !name.is_empty() && name.chars().all(|char| char.is_ascii_graphic() && char != '#')
            })
            .ok_or_else(|| AddedHostError::Format(text.to_owned()))?;
        let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let address = match (address, inner.parse()) {
            ("host-gateway", _) => HostAddress::Gateway,
            (_, Ok(address)) => HostAddress::Address(address),
            _ => return Err(AddedHostError::Address(address.to_owned())),
        };
        Ok(Self { name: name.to_owned(), address })
    }
}

impl HostsFile {
    /// The text of the file. Without a gateway, names that stand for it are left out.
    pub fn render(&self, gateway: Option<IpAddr>) -> String {
        let mut text = String::from(
            "127.0.0.1\tlocalhost\n\
             ::1\tlocalhost ip6-localhost ip6-loopback\n\
             fe00::\tip6-localnet\n\
             ff00::\tip6-mcastprefix\n\
             ff02::1\tip6-allnodes\n\
             ff02::2\tip6-allrouters\n",
        );
        for host in &self.added {
            let address = match host.address {
                HostAddress::Address(address) => Some(address),
                HostAddress::Gateway => gateway,
            };
            if let Some(address) = address {
                text.push_str(&format!("{address}\t{}\n", host.name));
            }
        }
        for (address, name) in &self.own {
            let short = name.split('.').next().filter(|short| short.len() < name.len() && !short.is_empty());
            let names = short.map_or_else(|| name.clone(), |short| format!("{name} {short}"));
            text.push_str(&format!("{address}\t{names}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{AddedHost, HostsFile};

    #[test]
    fn the_file_has_the_container_and_what_was_added() {
        let file = HostsFile {
            own: vec![
                (Ipv4Addr::new(172, 17, 0, 2).into(), "web".to_owned()),
                (Ipv4Addr::new(172, 18, 0, 2).into(), "web.example.org".to_owned()),
            ],
            added: vec!["up=[::2]".parse().unwrap(), "host.docker.internal:host-gateway".parse().unwrap()],
        };
        let text = file.render(Some(Ipv4Addr::new(172, 17, 0, 1).into()));
        assert!(
            text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
            "{text}"
        );
        let end =
            "::2\tup\n172.17.0.1\thost.docker.internal\n172.17.0.2\tweb\n172.18.0.2\tweb.example.org web\n";
        assert!(text.ends_with(end), "{text}");
        for text in ["", "a", ":1.2.3.4", "a:", "a:b", "a b:1.2.3.4", "a\n:1.2.3.4"] {
            assert!(text.parse::<AddedHost>().is_err(), "{text}");
        }
    }
}
