//! What a container is connected to.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;
use longshore_engine::{Attachment, ContainerSpec, NetworkMode};

use super::{FlagError, port};

/// What a container is connected to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArgs {
    /// Network: `bridge`, `host`, `none`, `container:NAME`, or one that was created; may be repeated
    #[arg(long, visible_alias = "net", value_name = "NETWORK")]
    network: Vec<String>,

    /// A further name of the container on its network
    #[arg(long, alias = "net-alias", value_name = "NAME")]
    network_alias: Vec<String>,

    /// A fixed address on its network
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,

    /// A fixed hardware address on its network
    #[arg(long, value_name = "ADDRESS")]
    mac_address: Option<String>,

    /// Make a port reachable: `[ADDRESS:][HOST]:CONTAINER[/udp]`
    #[arg(short, long, value_name = "PORT")]
    publish: Vec<String>,

    /// Make all ports that the image names reachable, at any free ports
    #[arg(short = 'P', long)]
    publish_all: bool,

    /// Name a further port, for `--publish-all`
    #[arg(long, value_name = "PORT")]
    expose: Vec<String>,

    /// A further line of `/etc/hosts`: `NAME:ADDRESS`; the address `host-gateway` is this machine
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,

    /// Name server in place of the engine's choice
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,

    /// Domain in which names are looked for
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,

    /// Option of the resolver
    #[arg(long, alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
}

impl NetworkArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        spec.network = self.mode()?;
        for text in &self.publish {
            spec.publish.extend(port::publish(text)?);
        }
        spec.publish_all = self.publish_all;
        for text in &self.expose {
            spec.expose.extend(port::expose(text)?);
        }
        for text in &self.add_host {
            spec.extra_hosts.push(extra_host(text)?);
        }
        for server in &self.dns {
            server.parse::<IpAddr>().map_err(|error| FlagError::value("--dns", server, error))?;
        }
        spec.dns.clone_from(&self.dns);
        spec.dns_search.clone_from(&self.dns_search);
        spec.dns_options.clone_from(&self.dns_option);
        Ok(())
    }

    fn mode(&self) -> Result<NetworkMode, FlagError> {
        let details = !self.network_alias.is_empty() || self.ip.is_some() || self.mac_address.is_some();
        if let [network] = self.network.as_slice() {
            let single = match network.as_str() {
                "none" => Some(NetworkMode::None),
                "host" => Some(NetworkMode::Host),
                other => {
                    let name = other.strip_prefix("container:").filter(|name| !name.is_empty());
                    name.map(|name| NetworkMode::Container(name.to_owned()))
                }
            };
            if let Some(mode) = single {
                return if details {
                    Err(FlagError::conflict(
                        &format!("--network {network}"),
                        "--network-alias, --ip, --mac-address",
                    ))
                } else {
                    Ok(mode)
                };
            }
        }
        if !details && self.network.iter().all(|network| is_default(network)) {
            return Ok(NetworkMode::Default);
        }
        let names = if self.network.is_empty() { vec!["bridge".to_owned()] } else { self.network.clone() };
        let mut attachments: Vec<Attachment> = Vec::new();
        for text in &names {
            let attachment = attachment(text)?;
            if attachments.iter().any(|other| other.network == attachment.network) {
                return Err(FlagError::value("--network", text, "it is named twice"));
            }
            attachments.push(attachment);
        }
        if let Some(first) = attachments.first_mut() {
            first.aliases.extend(self.network_alias.iter().cloned());
            first.ip = self.ip.or(first.ip);
            first.mac = self.mac_address.clone().or(first.mac.take());
        }
        for attachment in &attachments {
            check(attachment)?;
        }
        Ok(NetworkMode::Networks(attachments))
    }
}

fn is_default(network: &str) -> bool {
    matches!(network, "" | "default" | "bridge")
}

/// What Docker refuses, too: the default network has neither names nor fixed addresses.
fn check(attachment: &Attachment) -> Result<(), FlagError> {
    if !is_default(&attachment.network) {
        return Ok(());
    }
    let help = "create a network (`longshore network create NAME`) and name it with `--network`";
    match (attachment.aliases.first(), attachment.ip) {
        (Some(alias), _) => {
            Err(FlagError::value("--network-alias", alias, "the default network has no names").help(help))
        }
        (None, Some(ip)) => {
            Err(FlagError::value("--ip", &ip.to_string(), "the default network has no fixed addresses")
                .help(help))
        }
        (None, None) => Ok(()),
    }
}

/// `NAME`, or `name=NAME,alias=A,ip=…,mac-address=…`.
fn attachment(text: &str) -> Result<Attachment, FlagError> {
    let wrong = |why: String| FlagError::value("--network", text, why);
    let plain = |name: &str| match name {
        "none" | "host" => Err(wrong("it cannot be one of several networks".to_owned())),
        name if name.starts_with("container:") => {
            Err(wrong("it cannot be one of several networks".to_owned()))
        }
        name if is_default(name) => Ok("bridge".to_owned()),
        name => Ok(name.to_owned()),
    };
    if !text.contains('=') {
        return Ok(Attachment { network: plain(text)?, ..Attachment::default() });
    }
    let mut attachment = Attachment::default();
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("name", name)) => attachment.network = plain(name)?,
            Some(("alias", alias)) => attachment.aliases.push(alias.to_owned()),
            Some(("ip", ip)) => {
                attachment.ip = Some(ip.parse().map_err(|error| wrong(format!("`{ip}`: {error}")))?);
            }
            Some(("mac-address", mac)) => attachment.mac = Some(mac.to_owned()),
            _ => return Err(wrong(format!("there is no `{field}`; there are name, alias, ip, mac-address"))),
        }
    }
    if attachment.network.is_empty() {
        return Err(wrong("there is no `name`".to_owned()));
    }
    Ok(attachment)
}

/// `NAME:ADDRESS` or `NAME=ADDRESS`; addresses of version 6 may stand in brackets.
fn extra_host(text: &str) -> Result<String, FlagError> {
    let wrong = |why: &str| FlagError::value("--add-host", text, why);
    let (name, address) = text.split_once(['=', ':']).ok_or_else(|| wrong("it is not `NAME:ADDRESS`"))?;
    let address = address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(wrong("the name is none"));
    }
    if address != "host-gateway" && address.parse::<IpAddr>().is_err() {
        return Err(wrong("the address is none"));
    }
    Ok(format!("{name}:{address}"))
}

#[cfg(test)]
mod tests {
    use super::{attachment, extra_host};

    #[test]
    fn networks_are_names_or_words() {
        let it = attachment("name=net,alias=a,alias=b,ip=10.0.0.5,mac-address=02:42:0a:00:00:05").unwrap();
        assert_eq!((it.network.as_str(), it.aliases.len(), it.ip.is_some()), ("net", 2, true));
        assert_eq!(attachment("net").unwrap().network, "net");
        for text in ["host", "none", "container:x", "alias=a", "name=n,what=x", "name=n,ip=x"] {
            assert!(attachment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_have_names_and_addresses() {
        for (text, expected) in [
            ("db:10.0.0.1", "db:10.0.0.1"),
            ("db=10.0.0.1", "db:10.0.0.1"),
            ("me:host-gateway", "me:host-gateway"),
            ("six:[::1]", "six:::1"),
            ("six:::1", "six:::1"),
        ] {
            assert_eq!(extra_host(text).unwrap(), expected);
        }
        for text in ["db", ":1.2.3.4", "db:", "db:x", "a b:1.2.3.4"] {
            assert!(extra_host(text).is_err(), "{text}");
        }
    }
}
