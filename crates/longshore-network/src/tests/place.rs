//! Places of tests: a host of their own, containers, a machine outside.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use crate::link::{Links, Pair};
use crate::netlink::KernelError;
use crate::{Endpoint, EndpointSpec, Network, NetworkSpec, Networks, Subnet, namespace};

/// How long a packet that is dropped is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// A host of its own: a network namespace, and a directory of networks.
pub(super) struct Host {
    pub(super) networks: Networks,
    pub(super) directory: tempfile::TempDir,
}

/// Runs a test on a host of its own; skips it if the process may not make one.
pub(super) fn on_host(test: impl FnOnce(&Host) + Send) {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: network namespaces need root");
        return;
    }
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            let Some(_namespace) = fresh() else {
                eprintln!("skipped: the kernel refuses network namespaces");
                return;
            };
            Links::open().unwrap().set_up(1).unwrap();
            let directory = tempfile::tempdir().unwrap();
            let networks = Networks::open(&directory.path().join("networks")).unwrap();
            test(&Host { networks, directory });
        });
        if let Err(panic) = run.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Moves the thread into a new network namespace.
fn fresh() -> Option<OwnedFd> {
    longshore_sys::unshare_network().ok()?;
    rustix::fs::open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// The network namespace of a container to be.
pub(super) fn namespace() -> OwnedFd {
    thread::spawn(|| fresh().unwrap()).join().unwrap()
}

/// Runs something inside of a namespace.
pub(super) fn inside<T: Send>(place: &OwnedFd, visit: impl FnOnce() -> T + Send) -> T {
    namespace::within(place.as_fd(), || Ok::<T, KernelError>(visit())).unwrap()
}

/// A container: a namespace with an endpoint.
pub(super) struct Container {
    pub(super) netns: OwnedFd,
    pub(super) endpoint: Endpoint,
}

impl Host {
    /// Creates a network.
    pub(super) fn network(&self, name: &str) -> Network {
        self.networks.create(&NetworkSpec { name: name.to_owned(), ..NetworkSpec::default() }).unwrap()
    }

    /// Starts a container on a network.
    pub(super) fn container(&self, network: &Network, name: &str) -> Container {
        let netns = namespace();
        let attachment = self.networks.attach(network, &spec(name), netns.as_fd()).unwrap();
        assert_eq!(attachment.warnings, []);
        Container { netns, endpoint: attachment.endpoint }
    }
}

/// How tests put containers on networks.
pub(super) fn spec(name: &str) -> EndpointSpec {
    EndpointSpec {
        container: format!("{name:0<64}"),
        interface: "eth0".to_owned(),
        names: vec![name.to_owned()],
        hostname: name.to_owned(),
        default_route: true,
        ..EndpointSpec::default()
    }
}

/// A machine beside the host, at 203.0.113.2, that knows nothing of the host's networks. The host is 203.0.113.1.
pub(super) fn outside() -> OwnedFd {
    let netns = namespace();
    let subnet: Subnet = "203.0.113.0/24".parse().unwrap();
    let (host, machine) = (Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(203, 0, 113, 2));
    let mut links = Links::open().unwrap();
    let bridge = links.create_bridge("wan0", host, None).unwrap();
    links.add_address(bridge, host, subnet).unwrap();
    links.set_up(bridge).unwrap();
    let pair = Pair {
        outer: "wan1",
        inner: "eth0",
        hardware_address: Pair::hardware_address_of(machine),
        bridge,
        mtu: None,
        isolated: false,
    };
    links.create_pair(&pair, netns.as_fd()).unwrap();
    inside(&netns, || {
        let mut links = Links::open().unwrap();
        let inner = links.find("eth0").unwrap().unwrap().index;
        links.configure(inner, machine, subnet, None).unwrap();
        links.catch_up("eth0").unwrap();
    });
    links.catch_up("wan1").unwrap();
    links.catch_up("wan0").unwrap();
    netns
}

/// A server that tells each caller from where it called, and ends after one call.
pub(super) fn serve(listener: TcpListener) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        stream.write_all(peer.ip().to_string().as_bytes()).unwrap();
    })
}

/// What the server at an address answers; none if it cannot be reached.
pub(super) fn call(address: impl Into<SocketAddr>) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address.into(), PATIENCE).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Whether a server in one place can be reached from another.
pub(super) fn reaches(from: &OwnedFd, to: &OwnedFd, address: Ipv4Addr) -> Option<String> {
    let listener = inside(to, || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).unwrap());
    let wake = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    let server = serve(listener);
    let answer = inside(from, || call((address, 80)));
    if answer.is_none() {
        // Ends the server.
        inside(to, || call(wake));
    }
    server.join().unwrap();
    answer
}
