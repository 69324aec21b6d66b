//! Forwarding reserved ports to a container.
//!
//! One thread waits for connections at all ports, and one for datagrams at each; a connection has a thread while it
//! lasts. All wait without an end, so an idle container costs no time. The process must ignore `SIGPIPE`, as programs in
//! Rust do, because a connection may break while bytes are on their way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::datagrams;
use super::relay::relay;
use super::reserve::{Held, Ports};
use crate::Blame;

/// How long a container may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections of one container at once; more are closed at once.
const AT_ONCE: usize = 4096;
/// Forwarding needs little stack.
const STACK: usize = 128 * 1024;

/// How the container is reached.
pub trait Dialer: Send + Sync {
    /// A connection to a port of the container.
    fn stream(&self, port: u16) -> io::Result<TcpStream>;
    /// A socket whose datagrams go to a port of the container, and that takes those from there only.
    fn datagrams(&self, port: u16) -> io::Result<UdpSocket>;
}

/// Reaches a container by its address on a network whose bridge is in this namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBridge(pub Ipv4Addr);

impl Dialer for OverBridge {
    fn stream(&self, port: u16) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&SocketAddr::from((self.0, port)), PATIENCE)
    }

    fn datagrams(&self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((self.0, port))?;
        Ok(socket)
    }
}

/// Forwarding cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// A thread cannot be started.
    #[error("failed to start a thread for published ports")]
    Thread(#[source] io::Error),
    /// A descriptor cannot be made.
    #[error("failed to make a descriptor for published ports")]
    Descriptor(#[source] io::Error),
}

impl ForwardError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        Blame::Environment
    }
}

/// Forwards until it is dropped; connections end then, and the ports stay reserved.
#[derive(Debug)]
pub struct Forwarding {
    stop: Arc<OwnedFd>,
    threads: Vec<JoinHandle<()>>,
}

impl Ports {
    /// Begins to forward to a container.
    pub fn forward(&self, dialer: Arc<dyn Dialer>) -> Result<Forwarding, ForwardError> {
        let stop = rustix::event::eventfd(0, EventfdFlags::CLOEXEC)
            .map_err(|errno| ForwardError::Descriptor(errno.into()))?;
        let mut forwarding = Forwarding { stop: Arc::new(stop), threads: Vec::new() };
        let mut listeners = Vec::new();
        for (port, held) in self.held() {
            match held {
                Held::Stream(listener) => {
                    listeners
                        .push((listener.try_clone().map_err(ForwardError::Descriptor)?, port.container_port));
                }
                Held::Datagrams(socket) => {
                    let socket = socket.try_clone().map_err(ForwardError::Descriptor)?;
                    let (dialer, stop, port) =
                        (Arc::clone(&dialer), Arc::clone(&forwarding.stop), port.container_port);
                    forwarding.start("datagrams", move || {
                        datagrams::carry(&socket, port, dialer.as_ref(), stop.as_fd());
                    })?;
                }
            }
        }
        if !listeners.is_empty() {
            let stop = Arc::clone(&forwarding.stop);
            forwarding.start("ports", move || accept(&listeners, &dialer, &stop))?;
        }
        Ok(forwarding)
    }
}

impl Forwarding {
    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), ForwardError> {
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work);
        self.threads.push(thread.map_err(ForwardError::Thread)?);
        Ok(())
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        // Nobody reads the event, so it stops all threads, those of connections too.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn accept(listeners: &[(TcpListener, u16)], dialer: &Arc<dyn Dialer>, stop: &Arc<OwnedFd>) {
    let running = Arc::new(AtomicUsize::new(0));
    loop {
        let mut events = vec![PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
        events.extend(listeners.iter().map(|(listener, _)| PollFd::new(listener, PollFlags::IN)));
        match rustix::event::poll(&mut events, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let mut states = events.iter().map(|event| !event.revents().is_empty());
        if states.next().unwrap_or(true) {
            return;
        }
        for ((listener, port), ready) in listeners.iter().zip(states) {
            if ready && !take(listener, *port, dialer, stop, &running) && pause(stop.as_fd()) {
                return;
            }
        }
    }
}

/// Takes the connections that wait; false if the process has no descriptors left to take them with.
fn take(
    listener: &TcpListener,
    port: u16,
    dialer: &Arc<dyn Dialer>,
    stop: &Arc<OwnedFd>,
    running: &Arc<AtomicUsize>,
) -> bool {
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(error) => {
                let errno = rustix::io::Errno::from_io_error(&error);
                return !matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE));
            }
        };
        if running.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            running.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (dialer, stop, counter) = (Arc::clone(dialer), Arc::clone(stop), Arc::clone(running));
        let started =
            thread::Builder::new().name("connection".to_owned()).stack_size(STACK).spawn(move || {
                if let Ok(server) = dialer.stream(port) {
                    // A connection that breaks is closed on both sides, which is all that can be done about it.
                    let _ = relay(&client, &server, stop.as_fd());
                }
                counter.fetch_sub(1, Ordering::Relaxed);
            });
        if started.is_err() {
            running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Waits a moment for connections to end, because the one that waits would be reported without a pause; true if it is
/// time to stop.
fn pause(stop: BorrowedFd<'_>) -> bool {
    let moment = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    let mut events = [PollFd::from_borrowed_fd(stop, PollFlags::IN)];
    matches!(rustix::event::poll(&mut events, Some(&moment)), Ok(1..))
}
