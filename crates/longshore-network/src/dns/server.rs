//! The name server of one container.
//!
//! It listens at 127.0.0.11 inside of the container's network namespace, on ports that the kernel chose: port 53 stays
//! free for a name server that the container itself may be. Rules in the namespace lead queries from port 53 to it.
//! One thread waits; what concerns containers it answers itself, and for everything else, and for each connection, it
//! starts a thread that lives as long as the query. Their number is bounded. While nothing is asked, nothing runs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::query::{Reaction, Transport, react, server_failure};
use super::upstream::{Resolvers, read_message, write_message};
use super::zone::{Lookup, Zone};
use crate::netlink::{Attempt, KernelError};
use crate::nft::{self, Chain, Expression, Firewall, Hook, Protocol, Table};
use crate::{Blame, Networks, Subnet, namespace};

/// Where the name server is, seen from the container.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

const DNS: u16 = 53;
/// The table in the container's namespace.
const TABLE: &str = "longshore-names";
/// Queries and connections that are worked on at once.
const AT_ONCE: usize = 128;
/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest query that is read from a datagram.
const LARGEST: usize = 4096;
/// A query needs little stack.
const STACK: usize = 128 * 1024;

/// The name server of a container cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum NameServerError {
    /// The address cannot be listened at.
    #[error("failed to listen at {NAME_SERVER} in the container")]
    Listen(#[source] io::Error),
    /// The thread that serves cannot be started.
    #[error("failed to start the name server's thread")]
    Thread(#[source] io::Error),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl NameServerError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Kernel(source) => source.blame(),
            _ => Blame::Environment,
        }
    }
}

/// A name server that runs until it is dropped.
#[derive(Debug)]
pub struct NameServer {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// What all threads of a name server share.
struct Service {
    datagrams: UdpSocket,
    connections: TcpListener,
    names: Box<dyn Lookup>,
    resolvers: Resolvers,
    running: AtomicUsize,
}

impl NameServer {
    /// Starts the name server of a container that is on some of these networks. Its loopback must be up, as it is after
    /// it was put on a network.
    pub fn start(
        netns: BorrowedFd<'_>,
        networks: &Networks,
        container: &str,
        resolvers: Resolvers,
    ) -> Result<Self, NameServerError> {
        Self::with_names(netns, Box::new(Zone::new(networks, container)), resolvers)
    }

    pub(crate) fn with_names(
        netns: BorrowedFd<'_>,
        names: Box<dyn Lookup>,
        resolvers: Resolvers,
    ) -> Result<Self, NameServerError> {
        let (datagrams, connections) = namespace::within(netns, listen)?;
        let stop = rustix::event::eventfd(0, EventfdFlags::CLOEXEC).attempt(|| "make an event descriptor")?;
        let stop = Arc::new(stop);
        let service =
            Arc::new(Service { datagrams, connections, names, resolvers, running: AtomicUsize::new(0) });
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("names".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&service, stopped.as_fd()))
            .map_err(NameServerError::Thread)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        // An event descriptor takes eight bytes; it cannot be full.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Listens inside of the container, with rules that lead there; at port 53 itself if there can be no rules.
fn listen() -> Result<(UdpSocket, TcpListener), NameServerError> {
    let bind = |port: u16| -> io::Result<(UdpSocket, TcpListener)> {
        Ok((UdpSocket::bind((NAME_SERVER, port))?, TcpListener::bind((NAME_SERVER, port))?))
    };
    let (datagrams, connections) = bind(0).map_err(NameServerError::Listen)?;
    let redirected = match Firewall::open()? {
        None => false,
        Some(mut firewall) => {
            let datagram_port = datagrams.local_addr().map_err(NameServerError::Listen)?.port();
            let connection_port = connections.local_addr().map_err(NameServerError::Listen)?.port();
            match firewall.replace(&redirection(datagram_port, connection_port)) {
                Ok(()) => true,
                Err(refusal) if nft::is_missing(&refusal) => false,
                Err(refusal) => return Err(refusal.into()),
            }
        }
    };
    let (datagrams, connections) =
        if redirected { (datagrams, connections) } else { bind(DNS).map_err(NameServerError::Listen)? };
    datagrams.set_nonblocking(true).map_err(NameServerError::Listen)?;
    connections.set_nonblocking(true).map_err(NameServerError::Listen)?;
    Ok((datagrams, connections))
}

fn redirection(datagram_port: u16, connection_port: u16) -> Table {
    let rule = |protocol, port| {
        let mut rule: Vec<Expression> =
            Subnet::containing(NAME_SERVER, 32).map(Expression::Destination).into_iter().collect();
        rule.extend([Expression::Port(protocol, DNS), Expression::Redirect(NAME_SERVER, port)]);
        rule
    };
    let rules = vec![rule(Protocol::Udp, datagram_port), rule(Protocol::Tcp, connection_port)];
    Table { name: TABLE.to_owned(), chains: vec![Chain { name: "names", hook: Hook::Output, rules }] }
}

fn serve(service: &Arc<Service>, stop: BorrowedFd<'_>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let mut events = [
            PollFd::new(&stop, PollFlags::IN),
            PollFd::new(&service.datagrams, PollFlags::IN),
            PollFd::new(&service.connections, PollFlags::IN),
        ];
        match rustix::event::poll(&mut events, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let [stopped, datagrams, connections] = events.map(|event| !event.revents().is_empty());
        if stopped {
            return;
        }
        if datagrams {
            while let Ok((length, client)) = service.datagrams.recv_from(&mut buffer) {
                take_datagram(service, buffer.get(..length).unwrap_or_default(), client);
            }
        }
        if connections {
            while let Ok((stream, _)) = service.connections.accept() {
                // Beyond the bound the connection is closed.
                start(service, move |service| take_connection(service, stream));
            }
        }
    }
}

fn take_datagram(service: &Arc<Service>, query: &[u8], client: SocketAddr) {
    // A reply that cannot be sent is lost, as datagrams are; the client asks again.
    match react(query, Transport::Datagram, service.names.as_ref()) {
        Reaction::Ignore => {}
        Reaction::Reply(reply) => drop(service.datagrams.send_to(&reply, client)),
        Reaction::Forward => {
            let asked = query.to_vec();
            let started = start(service, move |service| {
                let reply =
                    service.resolvers.ask(&asked, Transport::Datagram).or_else(|| server_failure(&asked));
                drop(reply.map(|reply| service.datagrams.send_to(&reply, client)));
            });
            if !started {
                drop(server_failure(query).map(|reply| service.datagrams.send_to(&reply, client)));
            }
        }
    }
}

fn take_connection(service: &Service, mut stream: TcpStream) {
    let ready = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    if ready.is_err() {
        return;
    }
    while let Ok(query) = read_message(&mut stream) {
        let reply = match react(&query, Transport::Stream, service.names.as_ref()) {
            Reaction::Ignore => return,
            Reaction::Reply(reply) => Some(reply),
            Reaction::Forward => {
                service.resolvers.ask(&query, Transport::Stream).or_else(|| server_failure(&query))
            }
        };
        let Some(reply) = reply else { return };
        if write_message(&mut stream, &reply).is_err() {
            return;
        }
    }
}

/// Starts work in a thread of its own; false if there is too much of it already.
fn start(service: &Arc<Service>, work: impl FnOnce(&Service) + Send + 'static) -> bool {
    if service.running.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
        service.running.fetch_sub(1, Ordering::Relaxed);
        return false;
    }
    let shared = Arc::clone(service);
    let started = thread::Builder::new().name("query".to_owned()).stack_size(STACK).spawn(move || {
        work(&shared);
        shared.running.fetch_sub(1, Ordering::Relaxed);
    });
    if started.is_err() {
        service.running.fetch_sub(1, Ordering::Relaxed);
    }
    started.is_ok()
}
