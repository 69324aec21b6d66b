//! Connecting to what listens inside of a container's network, without going through the gateway.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::BorrowedFd;
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Why nothing inside of a container could be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectInsideError {
    /// The thread that does it could not be started.
    #[error("failed to start the thread that connects into the container")]
    Thread(#[source] io::Error),
    /// The namespace could not be entered.
    #[error("failed to enter the container's network namespace")]
    Enter(#[source] rustix::io::Errno),
    /// Nobody answered.
    #[error("failed to connect to {address} inside of the container")]
    Connect {
        /// Where to.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// Connects to an address as seen from inside of a network namespace; its loopback is the container's.
///
/// A thread enters the namespace for as long as it takes to make the socket; the calling thread stays where it is.
///
/// # Errors
///
/// If the namespace may not be entered, or the address does not answer within `timeout`.
pub fn connect_inside(
    netns: BorrowedFd<'_>,
    address: SocketAddr,
    timeout: Duration,
) -> Result<TcpStream, ConnectInsideError> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("connect".to_owned());
        let thread = builder.spawn_scoped(scope, || {
            move_into_link_name_space(netns, Some(LinkNameSpaceType::Network))
                .map_err(ConnectInsideError::Enter)?;
            TcpStream::connect_timeout(&address, timeout)
                .map_err(|source| ConnectInsideError::Connect { address, source })
        });
        let thread = thread.map_err(ConnectInsideError::Thread)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
