//! The files of names that are mounted into a container: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.
//!
//! They are made before the process exists, so that they can be mounted, and written in place when its addresses are
//! known: replacing them would leave the old ones mounted.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use longshore_engine::{EngineError, Fault, NetworkMode};
use longshore_network::{DnsFlags, Endpoint, HostsFile, Network, ResolvConf};

use crate::home::{Home, io_error};
use crate::record::{ContainerDirectory, RecordDto};

/// Makes the files, with what is known before the container has addresses.
pub(crate) fn prepare(home: &Home, record: &RecordDto) -> Result<(), EngineError> {
    if let NetworkMode::Container(other) = &record.spec.network {
        return share(home, record, other);
    }
    let host = record.spec.network == NetworkMode::Host;
    let machine = ResolvConf::read(Path::new("/etc/resolv.conf")).unwrap_or_default();
    let flags = dns_flags(record)?;
    let named = matches!(record.spec.network, NetworkMode::Default | NetworkMode::Networks(_));
    let resolv = if host {
        machine.for_host_namespace(&flags)
    } else if named {
        machine.for_name_server(&flags)
    } else {
        machine.for_own_namespace(&flags)
    };
    put(home, record, "resolv.conf", &resolv.render())?;
    let name = hostname(record);
    put(home, record, "hostname", &format!("{name}\n"))?;
    if host {
        let mut text = fs::read_to_string("/etc/hosts").unwrap_or_default();
        for host in added(record)? {
            if let longshore_network::HostAddress::Address(address) = host.address {
                text.push_str(&format!("{address}\t{}\n", host.name));
            }
        }
        return put(home, record, "hosts", &text);
    }
    write(home, record, &[])
}

/// Writes `/etc/hosts` with the container's addresses.
pub(super) fn write(
    home: &Home,
    record: &RecordDto,
    endpoints: &[(Network, Endpoint)],
) -> Result<(), EngineError> {
    let name = hostname(record);
    let own_name = match &record.spec.domainname {
        Some(domain) => format!("{name}.{domain} {name}"),
        None => name,
    };
    let own =
        endpoints.iter().map(|(_, endpoint)| (IpAddr::from(endpoint.address), own_name.clone())).collect();
    let gateway = endpoints.first().map(|(_, endpoint)| IpAddr::from(endpoint.gateway));
    let text = HostsFile { own, added: added(record)? }.render(gateway);
    put(home, record, "hosts", &text)
}

fn added(record: &RecordDto) -> Result<Vec<longshore_network::AddedHost>, EngineError> {
    record
        .spec
        .extra_hosts
        .iter()
        .map(|text| {
            text.parse().map_err(|error: longshore_network::AddedHostError| {
                EngineError::new(Fault::Invalid, error.to_string())
            })
        })
        .collect()
}

fn dns_flags(record: &RecordDto) -> Result<DnsFlags, EngineError> {
    let servers = record.spec.dns.iter().map(|text| {
        text.parse().map_err(|_| {
            EngineError::new(Fault::Invalid, format!("`{text}` is not the address of a name server"))
        })
    });
    Ok(DnsFlags {
        servers: servers.collect::<Result<_, _>>()?,
        search: record.spec.dns_search.clone(),
        options: record.spec.dns_options.clone(),
    })
}

fn hostname(record: &RecordDto) -> String {
    let machine = || {
        let own = record.spec.network == NetworkMode::Host && record.spec.hostname.is_none();
        own.then(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    };
    machine().or_else(|| record.spec.hostname.clone()).unwrap_or_else(|| record.id.short().to_owned())
}

/// Takes over the files of the container whose network is shared.
fn share(home: &Home, record: &RecordDto, other: &str) -> Result<(), EngineError> {
    let other = ContainerDirectory::new(home, &crate::directory::find(home, other)?);
    for name in ["hosts", "hostname", "resolv.conf"] {
        let text = fs::read_to_string(other.file(name)).unwrap_or_default();
        put(home, record, name, &text)?;
    }
    Ok(())
}

/// Writes a file in place, if it says something else.
fn put(home: &Home, record: &RecordDto, name: &str, text: &str) -> Result<(), EngineError> {
    let path = ContainerDirectory::new(home, &record.id).file(name);
    // To empty and write a file once more, the file system takes longer than for all else that is done with it.
    if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    fs::write(&path, text).map_err(|error| io_error("write", &path, error))?;
    // Whatever the mask of the process is, programs of any user read these.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&path, mode).map_err(|error| io_error("write", &path, error))
}
