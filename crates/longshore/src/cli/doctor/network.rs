//! Networks of containers: whether they can be made, and what surrounds them.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use longshore_network::{DEFAULT, EndpointSpec, Networks, ResolvConf, Warning, foreign_firewall_drops};
use longshore_sys::{Child, Namespaces, Op, Program, spawn};
use longshore_usernet::{Port, UserNetworkSpec};
use rustix::fs::{Access, access};

use super::check::CheckDto;
use super::is_root;

const CONTAINERS: &str = "network.containers";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
const RESOLVERS: &str = "/etc/resolv.conf";

/// What is read and not tried.
pub(super) fn surroundings() -> Vec<CheckDto> {
    let mut checks = vec![resolvers()];
    if is_root() {
        checks.push(forwarding());
    }
    checks
}

fn resolvers() -> CheckDto {
    const ID: &str = "network.resolvers";
    match ResolvConf::read(Path::new(RESOLVERS)) {
        Ok(conf) if conf.nameservers.is_empty() => CheckDto::warning(
            ID,
            format!("`{RESOLVERS}` names no name server: containers find only each other"),
        )
        .help("name one there, or with `--dns`"),
        Ok(conf) => {
            let servers: Vec<String> = conf.nameservers.iter().map(ToString::to_string).collect();
            CheckDto::ok(ID, servers.join(", "))
        }
        Err(error) => {
            CheckDto::warning(ID, format!("`{RESOLVERS}` cannot be read: containers find only each other"))
                .because(&error)
                .help("name a name server there, or with `--dns`")
        }
    }
}

fn forwarding() -> CheckDto {
    const ID: &str = "network.forwarding";
    let on = fs::read_to_string(FORWARDING).is_ok_and(|text| text.trim() == "1");
    match (on, access(FORWARDING, Access::WRITE_OK).is_ok()) {
        (true, _) => CheckDto::ok(ID, "the machine forwards packets"),
        (false, true) => {
            CheckDto::ok(ID, "the machine does not forward packets; the first container on a network lets it")
        }
        (false, false) => {
            CheckDto::warning(ID, "the machine does not forward packets: containers reach nothing outside")
                .help("allow it: `sysctl -w net.ipv4.ip_forward=1`")
        }
    }
}

/// Sets up a network in namespaces that end with this process.
pub(super) fn checks(scratch: Option<&Path>) -> Vec<CheckDto> {
    if is_root() { vec![foreign_firewall(), bridge(scratch)] } else { vec![user_space()] }
}

fn foreign_firewall() -> CheckDto {
    const ID: &str = "network.firewall";
    if foreign_firewall_drops() {
        CheckDto::warning(ID, "another firewall drops what containers send to the outside")
            .detail(["the chain FORWARD of iptables drops packets, and has no place for exceptions".to_owned()])
            .help("accept packets of the bridge there: `iptables -I FORWARD -i longshore0 -j ACCEPT`, and with `-o`")
    } else {
        CheckDto::ok(ID, "no other firewall stands in the way")
    }
}

/// What containers of root are connected by.
fn bridge(scratch: Option<&Path>) -> CheckDto {
    let failed = |error: &dyn std::error::Error| {
        CheckDto::problem(CONTAINERS, "networks of containers cannot be set up").because(error).help(
            "the kernel needs `bridge`, `veth` and `nf_tables`, and this process CAP_NET_ADMIN; until then, \
                 `--network none` and `--network host` work",
        )
    };
    let Some(scratch) = scratch else {
        return CheckDto::warning(CONTAINERS, "could not be tried: the home cannot be written to");
    };
    match attach_to_bridge(&scratch.join("networks")) {
        Ok(warnings) if warnings.is_empty() => {
            CheckDto::ok(CONTAINERS, "a bridge, a cable and firewall rules were set up")
        }
        Ok(warnings) => CheckDto::warning(CONTAINERS, "networks of containers work in part")
            .detail(warnings.iter().map(ToString::to_string))
            .help("the kernel needs `nf_tables` with address translation (`nft_masq`, `nft_nat`, `nft_ct`)"),
        Err(error) => failed(&*error),
    }
}

fn attach_to_bridge(directory: &Path) -> Result<Vec<Warning>, Box<dyn std::error::Error>> {
    longshore_sys::unshare_network().map_err(io::Error::from)?;
    let networks = Networks::open(directory)?;
    let network = networks.inspect(DEFAULT)?;
    let (child, namespace) = network_namespace()?;
    let spec = EndpointSpec {
        container: "doctor".to_owned(),
        interface: "eth0".to_owned(),
        default_route: true,
        ..EndpointSpec::default()
    };
    let attached = networks.attach(&network, &spec, namespace.as_fd());
    end(&child);
    Ok(attached?.warnings)
}

/// What containers of ordinary users are connected by.
fn user_space() -> CheckDto {
    let tun = if Path::new("/dev/net/tun").exists() { "is there" } else { "is not there" };
    let tun = format!("`/dev/net/tun` {tun}, and is not needed");
    match attach_in_user_space() {
        Ok(()) => CheckDto::ok(CONTAINERS, "a network in user space was set up").detail([tun]),
        Err(error) => CheckDto::problem(CONTAINERS, "networks of containers cannot be set up without root")
            .because(&*error)
            .help("`--network none` and `--network host` do without; the kernel needs `veth` and packet sockets"),
    }
}

fn attach_in_user_space() -> Result<(), Box<dyn std::error::Error>> {
    super::files::enter_namespaces()?;
    let (child, namespace) = network_namespace()?;
    let spec = UserNetworkSpec::default();
    let address = Ipv4Addr::from_bits(spec.gateway.to_bits() + 13);
    let attached = Port::attach(namespace.as_fd(), &spec, address);
    end(&child);
    attached?;
    Ok(())
}

/// A network namespace as a container has one, with a process that keeps it.
fn network_namespace() -> io::Result<(Child, OwnedFd)> {
    let mut program = Program::new();
    program.push(Op::Await);
    let child = spawn(&program, Namespaces::NETWORK, None)?;
    let namespace = fs::File::open(format!("/proc/{}/ns/net", child.pid().as_raw_nonzero()));
    if namespace.is_err() {
        end(&child);
    }
    Ok((child, namespace?.into()))
}

/// Lets the process go on, which is its end.
fn end(child: &Child) {
    let _ = child.go();
    let _ = child.wait();
}
