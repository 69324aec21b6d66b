//! Connecting containers without root.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use longshore_engine::{EngineError, Fault};
use longshore_network::{Endpoint, Network, ResolvConf};
use longshore_usernet::{Interface, Membership, Port, UserNetwork, UserNetworkSpec};
use rustix::event::{EventfdFlags, eventfd};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::home::Home;

/// How long it may take until a container is in its network.
const JOINING: Duration = Duration::from_secs(10);

/// A container's connection to a network that monitors carry. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Cable {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Cable {
    /// Connects a namespace to a network at the address of its endpoint, which may be the way to everywhere else.
    pub(super) fn lay(
        home: &Home,
        network: &Network,
        (endpoint, default_route): (&Endpoint, bool),
        namespace: BorrowedFd<'_>,
    ) -> Result<Self, EngineError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            let attempt = format!("failed to connect the container to the network {}", network.name);
            EngineError::new(Fault::Unsupported, attempt)
                .because(error)
                .help("`--network none` and `--network host` do without a network of the container's own")
        };
        let resolvers = ResolvConf::read(std::path::Path::new("/etc/resolv.conf")).unwrap_or_default();
        let spec = UserNetworkSpec {
            gateway: endpoint.gateway,
            prefix_length: endpoint.subnet.prefix(),
            // Names are answered inside of the container; this address only has to be nobody else's.
            dns: Ipv4Addr::from_bits(endpoint.subnet.broadcast().to_bits() - 1),
            resolvers: resolvers.nameservers.iter().map(|server| SocketAddr::new(*server, 53)).collect(),
            ..UserNetworkSpec::default()
        };
        let interface = Interface { name: &endpoint.interface, address: endpoint.address, default_route };
        let port = Port::attach_as(namespace, &spec, &interface).map_err(|error| failed(error.into()))?;
        let directory = home.networks().join("carried").join(network.id.as_str());
        std::fs::create_dir_all(&directory).map_err(|error| failed(error.into()))?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(|errno| failed(errno.into()))?);
        let stopped = Arc::clone(&stop);
        let (tell, told) = sync_channel(1);
        let thread = std::thread::Builder::new().name("network".to_owned()).spawn(move || {
            let membership = Membership::new(&directory, port);
            // A network that cannot be carried any more is one without an outside; the container runs on.
            let make = || UserNetwork::new(spec.clone(), Box::new(()));
            let joined = || {
                // Nobody listens any more after the first time.
                let _ = tell.try_send(Ok(()));
            };
            if let Err(error) = membership.run(make, joined, stopped.as_fd()) {
                let _ = tell.try_send(Err(error));
            }
        });
        let cable = Self { stop, thread: Some(thread.map_err(|error| failed(error.into()))?) };
        match told.recv_timeout(JOINING) {
            Ok(Ok(())) => Ok(cable),
            Ok(Err(error)) => Err(failed(error.into())),
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Does something in a network namespace, in a thread of its own.
pub(super) fn inside<T: Send>(
    namespace: BorrowedFd<'_>,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, || {
            move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
            work()
        })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
